/**
 * What a state folder knows of a network's publisher: a private file for each network, written when the network is first used and with each newer edition
 * (SPEC §18.4). A file that cannot be read is an error, never a first use.
 */
import { join } from 'node:path'
import { z } from 'zod'
import { openHome, readPrivateFile, writePrivateFile } from '@byway/home'
import { isPublicKey } from '../minisign/signature.ts'
import { networkError } from './network-errors.ts'

export type Believed = {
  readonly network: string
  /** Public keys in minisign's form, in the order in which each handed over to the next. The last signs what is newer. */
  readonly publishers: readonly string[]
  /** The highest that was used. */
  readonly sequence: number
  /** BLAKE2b-512 of the file with that number, hexadecimal digits: it may be used again. */
  readonly edition: string
}

// Local limit (tunable): docs/LIMITS.md.
/** Publishers that are remembered. One that hands over every year takes a lifetime to fill it. */
export const MAX_PUBLISHERS = 64

const BELIEVED_SCHEMA: z.ZodType<Believed> = z.strictObject({
  network: z.string().regex(/^[A-Za-z0-9_-]{1,32}$/),
  publishers: z.array(z.string().refine(isPublicKey)).min(1).max(MAX_PUBLISHERS),
  sequence: z.int().min(1),
  edition: z.string().regex(/^[0-9a-f]{128}$/),
})

/**
 * Reads what is known of a network; `undefined` where it was never used.
 * @throws NETWORK_PUBLISHER_DAMAGED, HOME_FILE_OPEN
 */
export async function readBelieved(home: string, network: string): Promise<Believed | undefined> {
  const file = fileOf(network)
  const text = await readPrivateFile(join(home, file))
  if (text === undefined) return undefined
  const believed = BELIEVED_SCHEMA.safeParse(parseJson(text))
  if (believed.success && believed.data.network === network) return believed.data
  throw networkError('NETWORK_PUBLISHER_DAMAGED', { file })
}

/** Writes it, whole or not at all; makes the state folder where there is none. */
export async function writeBelieved(home: string, believed: Believed): Promise<void> {
  await openHome(home)
  await writePrivateFile(
    join(home, fileOf(believed.network)),
    `${JSON.stringify(believed, undefined, 2)}\n`,
  )
}

function fileOf(network: string): string {
  return `network-${network}.publisher`
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
