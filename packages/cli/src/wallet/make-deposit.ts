/** Puts money into the pool: waits for it to arrive, deposits it under the next owner of the purse, and says from when on it can be spent. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { TransactionReceipt } from '@byway/protocol/payment'
import { findDeposits, reserveDeposits, type DepositOwner } from '@byway/purse'
import { nodePoseidon } from '@byway/protocol/node-ticket'
import { identityCommitment } from '@byway/protocol/ticket'
import { cameToNothing, lookEveryMs, openSender, type Wallet } from './open-wallet.ts'
import { walletError } from './wallet-errors.ts'

/** Told as it goes on. `resumed`: an earlier command was stopped on its way, and its deposit is finished instead of a new one. */
export type DepositProgress =
  | { readonly step: 'resumed'; readonly slots: number }
  | { readonly step: 'waiting'; readonly tokens: bigint; readonly coinWei: bigint }
  | { readonly step: 'arrived' }
  | { readonly step: 'sent' }

export type DepositResult = {
  readonly leafIndex: number
  readonly block: number
  readonly slots: number
  /** Of the owner within its list. */
  readonly number: number
}

export type DepositOrder = {
  readonly slots: number
  /** For the purse itself, or to be given away. */
  readonly kind: 'deposit' | 'voucher'
  readonly waitMs: number
  /** Called before anything of a new deposit is done: nothing was under way. */
  readonly onNew: () => Promise<void>
  readonly onProgress: (progress: DepositProgress) => void
  readonly signal: AbortSignal
}

// Local limits (tunable): docs/LIMITS.md.
/** What approve and deposit take together (`npm run bench`, section gas), and room. */
const DEPOSIT_GAS = 600_000n
/** The price of gas may rise between looking and sending. */
const PRICE_ROOM = 3n

/** What so many slots cost, in the token's smallest part. */
export function costOf({ pool }: Pick<Wallet, 'pool'>, slots: number): bigint {
  return BigInt(slots) * pool.slotValue
}

/** Coin that a deposit may need for gas, wei. */
export async function coinNeeded(
  { chainOf }: Pick<Wallet, 'chainOf'>,
  signal: AbortSignal,
): Promise<bigint> {
  const { baseFee } = await chainOf('funds').reader.freshHead(signal)
  return DEPOSIT_GAS * baseFee * PRICE_ROOM
}

/**
 * Waits, approves, deposits; or finishes what an earlier command began.
 * @throws WALLET_NO_FUNDS when the money has not arrived in time, and what the lane and the signer throw
 */
export async function makeDeposit(wallet: Wallet, order: DepositOrder): Promise<DepositResult> {
  const { purse, pool, payment, poolCalls, tokenCalls } = wallet
  const { view } = wallet.chainOf('funds')
  const { signal, slots, kind } = order
  const resumed = await resumeDeposit(wallet, order)
  if (resumed) return resumed
  await order.onNew()
  const amount = costOf(wallet, slots)
  await untilFunded(wallet, amount, order)
  order.onProgress({ step: 'arrived' })
  // Nobody else deposits meanwhile: two deposits of one owner would be worth one.
  await using sender = await openSender(wallet, 'funds', signal)
  const { number, owner } = await nextOwner(wallet, kind, signal)
  const { funds } = purse.accounts
  if ((await view.tokenAllowance(funds, payment.pool, signal)) < amount) {
    await sender.send('approve', tokenCalls.approve(payment.pool, amount))
  }
  const idc = identityCommitment(nodePoseidon, owner.secret)
  order.onProgress({ step: 'sent' })
  const call = poolCalls.deposit(idc, slots * pool.unitsPerSlot)
  const receipt = await sender.send(`deposit:${kind}:${number}:${slots}`, call)
  return await resultOf(wallet, receipt, { slots, number }, signal)
}

/** The name of a deposit's transaction says what it is for. */
const DEPOSIT_NAME = /^deposit:\w+:(\d+):(\d+)$/

/** Waits for a deposit that a killed command has left under way; undefined when there is none, or it came to nothing. */
async function resumeDeposit(
  wallet: Wallet,
  { kind, signal, onProgress }: DepositOrder,
): Promise<DepositResult | undefined> {
  await using sender = await openSender(wallet, 'funds', signal)
  for (const call of await sender.unfinished(`deposit:${kind}:`)) {
    const [, number, slots] = DEPOSIT_NAME.exec(call.what) ?? []
    const deposit = { number: Number(number), slots: Number(slots) }
    onProgress({ step: 'resumed', slots: deposit.slots })
    try {
      return await resultOf(wallet, await call.finish(), deposit, signal)
    } catch (error) {
      if (!cameToNothing(error)) throw error
    }
  }
  return undefined
}

async function resultOf(
  { chainOf }: Wallet,
  { hash, block }: TransactionReceipt,
  deposit: Pick<DepositResult, 'slots' | 'number'>,
  signal: AbortSignal,
): Promise<DepositResult> {
  const events = (await chainOf('funds').view.eventsOf(hash, signal)) ?? []
  const leaf = events.find(({ name }) => name === 'leaf')
  if (leaf?.name !== 'leaf') throw walletError('WALLET_NO_FUNDS', { waitedS: 0 })
  return { ...deposit, leafIndex: leaf.index, block }
}

/** Resolves once a published root holds the leaf: with the time of it. Somebody publishes one in each interval in which there are new leaves. */
export async function untilUsable(
  { chain }: Pick<Wallet, 'chain'>,
  { leafIndex, block }: DepositResult,
  signal: AbortSignal,
): Promise<number> {
  const done = new AbortController()
  for await (const news of chain.view.events(block, AbortSignal.any([signal, done.signal]))) {
    if (news.type !== 'event' || news.event.name !== 'root') continue
    if (news.event.leaves > leafIndex) return news.event.publishedAtS
  }
  signal.throwIfAborted()
  return 0
}

async function nextOwner(
  { purse, chain, home }: Wallet,
  kind: DepositOrder['kind'],
  signal: AbortSignal,
): Promise<{ readonly number: number; readonly owner: DepositOwner }> {
  const found = await findDeposits(purse, await chain.view.leaves(0, signal), nodePoseidon)
  if (kind === 'voucher')
    return { number: found.nextVoucher, owner: await purse.voucherOwner(found.nextVoucher) }
  const number = await reserveDeposits(home, { next: found.nextDeposit, count: 1 })
  return { number, owner: await purse.depositOwner(number) }
}

async function untilFunded(
  wallet: Wallet,
  amount: bigint,
  { signal, waitMs, onProgress }: DepositOrder,
): Promise<void> {
  const { view } = wallet.chainOf('funds')
  const { funds } = wallet.purse.accounts
  const limit = AbortSignal.timeout(waitMs)
  const pollMs = 2 * lookEveryMs(wallet)
  for (;;) {
    const [tokens, coin, needed] = [
      await view.tokenBalance(funds, signal),
      await view.gasBalance(funds, signal),
      await coinNeeded(wallet, signal),
    ]
    if (tokens >= amount && coin >= needed) return
    if (limit.aborted) throw walletError('WALLET_NO_FUNDS', { waitedS: Math.round(waitMs / 1000) })
    onProgress({ step: 'waiting', tokens: missing(amount, tokens), coinWei: missing(needed, coin) })
    await sleep(pollMs, undefined, { signal })
  }
}

function missing(wanted: bigint, have: bigint): bigint {
  return have >= wanted ? 0n : wanted - have
}
