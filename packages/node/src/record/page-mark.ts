/**
 * The newest page of the exit record that was begun (SPEC §10.6), on the disk before it is signed: two heads of one page are a proof against their node, and a record that was
 * put back to an older state must not make one.
 * @module
 */
import { join } from 'node:path'
import { readPrivateFile, writePrivateFile } from '@byway/home'
import { nodeError } from '../errors.ts'

const FILE_NAME = 'exit-page.number'

/** Pages that may have been signed. */
export interface PageMark {
  /** The newest; −1 before the first. */
  readonly page: number
  /** @throws what writing throws */
  set(page: number): Promise<void>
}

/** @throws NODE_IDENTITY_DAMAGED for a file without a number, and what reading throws */
export async function openPageMark(home: string): Promise<PageMark> {
  const path = join(home, FILE_NAME)
  const text = (await readPrivateFile(path))?.trim() ?? '-1'
  if (!/^(-1|\d{1,10})$/.test(text)) throw nodeError('NODE_IDENTITY_DAMAGED', { file: FILE_NAME })
  let newest = Number(text)
  return {
    get page() {
      return newest
    },
    async set(page) {
      await writePrivateFile(path, `${page}\n`)
      newest = page
    },
  }
}
