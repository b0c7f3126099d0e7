/**
 * Slots that a command asks back through relayers (SPEC §15.8): it only writes them down; the running client sends each over a circuit of its own, at its own time.
 */
import { randomBytes } from 'node:crypto'
import { orderReturns, type OrderDeps, type ReturnOrder } from '@byway/client'
import { nodePoseidon } from '@byway/protocol/node-ticket'
import { findDeposits, reserveDeposits } from '@byway/purse'
import type { Store } from '@byway/store'
import type { Wallet } from './open-wallet.ts'

// Local limits (tunable): docs/LIMITS.md.
/** The mean of the delay before a slot is asked back (DESIGN §7.1). */
const RETURN_DELAY_MS = 6 * 3_600_000
const LOCAL_RETURN_DELAY_MS = 4_000
/** Slots on their way back wait so long for company at a relayer: it makes each cheaper, and hides whose they are. */
const RETURN_WAIT_S = 1800
const LOCAL_RETURN_WAIT_S = 2

/** What every command and the client wait on average before a slot is asked back. */
export function returnDelayMs(isLocal: boolean): number {
  return isLocal ? LOCAL_RETURN_DELAY_MS : RETURN_DELAY_MS
}

/** How long a relayer lets the first of a batch wait, seconds (SPEC §15.8): clients keep their slots apart by it. */
export function returnWaitS(isLocal: boolean): number {
  return isLocal ? LOCAL_RETURN_WAIT_S : RETURN_WAIT_S
}

/** Queues slots in the store of a client that is not running; gives how many were not there before. @throws what the chain and the disk throw */
export async function queueReturns(
  wallet: Wallet,
  { returns }: Pick<Store, 'returns'>,
  orders: readonly ReturnOrder[],
  { nowMs, signal }: { readonly nowMs: () => number; readonly signal: AbortSignal },
): Promise<number> {
  const deps: OrderDeps = {
    records: returns,
    meanDelayMs: returnDelayMs(wallet.isLocal),
    reserveOwners: (count) => reserveOwners(wallet, count, signal),
    random: () => randomBytes(4).readUInt32BE() / 2 ** 32,
    nowMs,
  }
  return await orderReturns(deps, orders)
}

async function reserveOwners(
  { purse, chain, home }: Wallet,
  count: number,
  signal: AbortSignal,
): Promise<number> {
  const leaves = await chain.view.leaves(0, signal)
  const { nextDeposit: next } = await findDeposits(purse, leaves, nodePoseidon)
  return await reserveDeposits(home, { next, count })
}
