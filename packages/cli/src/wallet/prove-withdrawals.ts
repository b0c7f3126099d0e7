/** Slot proofs that are bound to a receiver (SPEC §13.5, §14.4), and how the client's journal knows of them: a slot has them for one receiver, and for no other ever. */
import { nodeKeyOf } from '@byway/protocol/directory'
import { nodeTicketCrypto } from '@byway/protocol/node-ticket'
import { withdrawalX } from '@byway/protocol/ticket'
import type { Opening } from '@byway/protocol/wire'
import type { JournalSlot } from '@byway/store'
import type { Wallet } from './open-wallet.ts'
import { proveSlots, type SlotProofOptions } from './prove-slots.ts'
import type { WalletSlot } from './slots-of.ts'

/** A slot, and who is to have it, 20 bytes. */
export type WantedProof = { readonly slot: WalletSlot; readonly to: Uint8Array }

/** Proves each under the newest root; what that does not hold yet is left out. @throws what the chain and the prover throw */
export async function proveWithdrawals(
  wallet: Wallet,
  wanted: readonly WantedProof[],
  options: SlotProofOptions,
): Promise<readonly Opening[]> {
  const bound = wanted.map(({ slot, to }) => ({ slot, x: withdrawalX(nodeTicketCrypto, to) }))
  const proofs = await proveSlots(wallet, bound, options)
  return wanted.flatMap(({ slot: { nullifier }, to }, i) => {
    const proven = proofs[i]
    // In the journal the receiver stands where a session key would: no hop is ever shown this.
    return proven ? [{ ...proven, nullifier, sessionKey: to, receiptKey: new Uint8Array(32) }] : []
  })
}

/** What the journal has of a slot that was asked for from the own account. */
export function withdrawnRecord(opening: Opening, shownAtS: number): JournalSlot {
  const { nullifier } = opening
  return { nullifier, hop: NOBODY, use: 'link', standing: 'refused', shownAtS, opening, floor: 0 }
}

/** True for such a record. */
export function isWithdrawnRecord({ hop }: JournalSlot): boolean {
  return hop === NOBODY
}

/** No hop was shown it. */
const NOBODY = nodeKeyOf(new Uint8Array(32))
