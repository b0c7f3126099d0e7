/**
 * The directory as a client stores it: `"byway-d1" ‖ u64 when a guard last answered, milliseconds ‖ descriptors` (the list of SPEC §4.4).
 * @module
 */
import { joinDescriptors, splitDescriptors } from '@byway/protocol/directory'
import { readStateFile, writeStateFile } from './state-file.ts'

const MAGIC = new TextEncoder().encode('byway-d1')
const HEADER_BYTES = 16

/** What was stored. */
export type StoredSet = {
  readonly fetchedAtMs: number
  readonly descriptors: readonly Uint8Array[]
  /** The file ends within a descriptor. */
  readonly isCutOff: boolean
}

/** Reads it; undefined when there is none, or none of this form: then it is fetched. */
export async function readStoredSet(path: string): Promise<StoredSet | undefined> {
  const stored = await readStateFile(path)
  if (!stored || stored.length < HEADER_BYTES) return undefined
  if (MAGIC.some((byte, i) => stored[i] !== byte)) return undefined
  const view = new DataView(stored.buffer, stored.byteOffset)
  const fetchedAtMs = Number(view.getBigUint64(MAGIC.length))
  return { fetchedAtMs, ...splitDescriptors(stored.subarray(HEADER_BYTES)) }
}

/** Replaces it. @throws what the disk says */
export async function writeStoredSet(
  path: string,
  { fetchedAtMs, descriptors }: Omit<StoredSet, 'isCutOff'>,
): Promise<void> {
  const list = joinDescriptors(descriptors)
  const stored = new Uint8Array(HEADER_BYTES + list.length)
  stored.set(MAGIC)
  new DataView(stored.buffer).setBigUint64(MAGIC.length, BigInt(Math.floor(fetchedAtMs)))
  stored.set(list, HEADER_BYTES)
  await writeStateFile(path, stored)
}
