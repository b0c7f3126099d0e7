/** What commands have paid for gas, for the books: their transactions are in a store of their own, which is the witness. A command may be killed before it could tell anybody. */
import { equalBytes } from '@byway/protocol/base'
import type { LedgerSide, MoneyEvent } from '@byway/protocol/ledger'
import type { StoredTransaction } from '@byway/protocol/payment'
import { readPurseFile } from '@byway/purse'
import { hasOwnStore, openOwnStore } from '../engine/own-store.ts'

/**
 * The events of the account that pays for a side: a client's own money, or a node's provider. What the owner's key pays for is outside of both.
 * @throws STORE_LOCKED while a command sends
 */
export async function walletGas(home: string, side: LedgerSide): Promise<readonly MoneyEvent[]> {
  if (!(await hasOwnStore(home, 'wallet'))) return []
  const { provider, owner } = await readPurseFile(home)
  await using store = await openOwnStore(home, 'wallet')
  const isOf = ({ account }: StoredTransaction): boolean => {
    if (equalBytes(account, provider)) return side === 'node'
    return side === 'client' && !(owner && equalBytes(account, owner))
  }
  return (await store.transactions.settled()).filter(isOf).flatMap(gasOf)
}

function gasOf({ key, receipt }: StoredTransaction): readonly MoneyEvent[] {
  if (!receipt) return []
  const { hash, gasUsed, gasPrice } = receipt
  return [{ id: `gas:${hash}`, atMs: timeOf(key), type: 'gas-paid', wei: gasUsed * gasPrice }]
}

/** A command's key ends with when it was asked for. */
function timeOf(key: string): number {
  const ms = Number(key.slice(key.lastIndexOf(':') + 1))
  return Number.isSafeInteger(ms) && ms > 0 ? ms : 0
}
