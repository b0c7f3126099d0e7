/**
 * The keys of the commits (SPEC §13.4): one for each month, on disk before the first commit. A slot stays with the key under which it was first shown, and keys go
 * when no slot of theirs can be shown any more.
 * @module
 */
import { assert } from '@byway/protocol/base'
import type { RandomBytes } from '@byway/protocol/circuit'
import type { CommitKey, CommitKeyRecords } from '@byway/store'

// Local limits (tunable): docs/LIMITS.md.
/** DESIGN §7.1: a provider remembers a slot for 30 days. */
export const SLOT_LIFE_MS: number = 30 * 24 * 3600 * 1000
/** A slot that was first shown on a key's last day lives so long after it. */
const KEY_LIFE_MS = 2 * SLOT_LIFE_MS
const KEY_BYTES = 32

/** A node's commit keys. */
export interface CommitKeys {
  /** The key for slots that are shown for the first time now. */
  current(): CommitKey
  /** The key of an earlier slot; undefined when it is gone with the slot's life. */
  find(epoch: number): CommitKey | undefined
  /** Makes a key when the last one is old, and forgets those that are of no use. */
  rotate(nowMs: number): Promise<void>
}

/** Reads the keys; makes the first. */
export async function openCommitKeys(
  records: CommitKeyRecords,
  randomBytes: RandomBytes,
  nowMs: number,
): Promise<CommitKeys> {
  let keys = await records.list()

  async function rotate(atMs: number): Promise<void> {
    const last = keys.at(-1)
    if (last && atMs - last.madeAtMs < SLOT_LIFE_MS) return
    const key = new Uint8Array(randomBytes(KEY_BYTES))
    await records.add({ epoch: (last?.epoch ?? 0) + 1, key, madeAtMs: atMs })
    const all = await records.list()
    const oldest = all.find(({ madeAtMs }) => atMs - madeAtMs < KEY_LIFE_MS)
    if (oldest) await records.forgetBefore(oldest.epoch)
    keys = all.filter(({ epoch }) => epoch >= (oldest?.epoch ?? 0))
  }

  await rotate(nowMs)
  return {
    current() {
      const last = keys.at(-1)
      assert(last, 'there is a key once the first was made')
      return last
    },
    find: (epoch) => keys.find((key) => key.epoch === epoch),
    rotate,
  }
}
