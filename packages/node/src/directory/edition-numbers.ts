/**
 * The numbers of the own editions (SPEC §10.1), reserved on the disk before they are used: two editions under one number are a proof against their node, and a restart
 * within a second, or a clock that was set back, must not make one.
 * @module
 */
import { join } from 'node:path'
import { readPrivateFile, writePrivateFile } from '@byway/home'
import { nodeError } from '../errors.ts'

const FILE_NAME = 'edition.number'

// Local limit (tunable): docs/LIMITS.md.
/** An hour of seconds: a restart leaves no more of them unused, so that numbers stay near the clock. */
const RESERVED_NUMBERS = 3600

/** Numbers that rise, also across restarts. */
export interface EditionNumbers {
  /** The next: seconds of the clock, or one more than the last where that is not lower. */
  take(nowS: number): number
  /** Reserves more when few are left. @throws what writing throws */
  extend(nowS: number): Promise<void>
}

/** Reads what was used before, and reserves some. @throws NODE_IDENTITY_DAMAGED for a file without a number, and what writing throws */
export async function openEditionNumbers(home: string, nowS: number): Promise<EditionNumbers> {
  const path = join(home, FILE_NAME)
  const stored = (await readPrivateFile(path))?.trim() ?? '0'
  if (!/^\d{1,15}$/.test(stored)) throw nodeError('NODE_IDENTITY_DAMAGED', { file: FILE_NAME })
  let last = Number(stored)
  let end = 0
  const reserve = async (upTo: number): Promise<void> => {
    await writePrivateFile(path, `${upTo}\n`)
    end = upTo
  }
  await reserve(Math.max(last, nowS) + RESERVED_NUMBERS)
  return {
    take(clockS) {
      // A clock that has leapt waits for the next reservation; the numbers rise meanwhile one by one.
      last = Math.max(last + 1, Math.min(clockS, end - RESERVED_NUMBERS / 2))
      return last
    },
    async extend(clockS) {
      const next = Math.max(last, clockS)
      if (next + RESERVED_NUMBERS / 2 > end) await reserve(next + RESERVED_NUMBERS)
    },
  }
}
