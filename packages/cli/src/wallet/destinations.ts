/** Where slots go that come back to the own account: each to the deposit that was set aside for it. */
import { nodePoseidon } from '@byway/protocol/node-ticket'
import { identityCommitment } from '@byway/protocol/ticket'
import type { StoredReturn } from '@byway/store'
import type { Wallet } from './open-wallet.ts'

/** Who sends it himself pays no fee. */
export const NOBODY: Uint8Array = new Uint8Array(20)

/** Of the deposit that was set aside for it. */
export async function commitmentOf(
  { purse }: Pick<Wallet, 'purse'>,
  { owner }: Pick<StoredReturn, 'owner'>,
): Promise<bigint> {
  return identityCommitment(nodePoseidon, (await purse.depositOwner(owner)).secret)
}
