/**
 * Slots of which nobody knows whether they were shown (DESIGN §7.1): of before a restore, or of records that were lost. They count as shown and are paid with no more; what is left in
 * them comes back as it does of those.
 */
import { toHex } from '@byway/protocol/base'
import { nodeKeyOf } from '@byway/protocol/directory'
import type { JournalSlot, Store } from '@byway/store'
import type { WalletSlot } from './slots-of.ts'

/** What the journal will have of a slot that it does not name; undefined for one that the purse vouches for, and for a voucher that was given away. */
export function unknownRecord({ deposit, nullifier }: WalletSlot): JournalSlot | undefined {
  if (deposit.isPastKnown || deposit.kind === 'voucher') return undefined
  const opening = {
    root: NO_WORD,
    nullifier,
    sessionKey: NO_KEY,
    receiptKey: NO_WORD,
    proof: NO_PROOF,
  }
  const place = { hop: SOME_HOP, use: 'link', standing: 'refused' } as const
  return { nullifier, ...place, shownAtS: 0, opening, floor: 0 }
}

/** Tells the client's books that these of them count as shown: what comes back of them is no money from outside then. */
export async function recordUnknown(
  ledger: Pick<Store['ledger'], 'record'>,
  records: readonly JournalSlot[],
  { slotValue, nowMs }: { readonly slotValue: bigint; readonly nowMs: number },
): Promise<void> {
  for (const { hop, nullifier } of records) {
    if (hop !== SOME_HOP) continue
    const head = { id: `slot:${toHex(nullifier)}`, atMs: nowMs, hop: NOBODY }
    await ledger.record({ ...head, type: 'slot-shown', amount: slotValue })
  }
}

/** In the journal: no hop has this id, and it is not that of slots that were withdrawn. */
const SOME_HOP = nodeKeyOf(new Uint8Array(32).fill(0xff))
/** In the books, as the client says it. */
const NOBODY = nodeKeyOf(new Uint8Array(32))
const NO_WORD = new Uint8Array(32)
/** An opening has one; nobody reads it. */
const NO_KEY = new Uint8Array(20).fill(0xff)
const NO_PROOF = new Uint8Array(0)
