/**
 * What the node's ledger is told of its stake, of what was paid out, and of fees for its locks: the chain is the witness, whoever sent it. All events of the contracts are read.
 */
import type { ChainEvent, ChainView } from '@byway/chain'
import { equalBytes } from '@byway/protocol/base'
import type { NodeMoneyEvent } from '@byway/protocol/ledger'
import { createRetold, type RetoldEvents } from './retold.ts'

export type ProviderDeps = {
  readonly ledger: RetoldEvents
  readonly chain: Pick<ChainView, 'events' | 'senderOf'>
  /** Where the contracts begin. What was told before is told again, and the ledger has it once. */
  readonly fromBlock: number
  /** Blocks, its own included, after which an event counts. */
  readonly confirmations: number
  /** Our address as a provider, 20 bytes. */
  readonly provider: Uint8Array
  /** What we promise a redeemer for a lock (SPEC §14.5). */
  readonly lockFee: bigint
  readonly nowMs: () => number
}

/**
 * Tells the ledger until the signal aborts.
 * @throws CHAIN_REORG_DEPTH, what the chain throws, and what the ledger rejects with
 */
export async function followProvider(deps: ProviderDeps, signal: AbortSignal): Promise<void> {
  const young = new Map<string, ChainEvent>()
  const books = createProviderBooks(deps)
  for await (const news of deps.chain.events(deps.fromBlock, signal)) {
    if (news.type === 'event' && isOf(news.event, deps.provider))
      young.set(idOf(news.event), news.event)
    if (news.type === 'removed' && !young.delete(idOf(news.event))) await books.undo(news.event)
    if (news.type !== 'head') continue
    const deep = [...young.values()].filter(
      ({ block }) => block <= news.head.number - deps.confirmations + 1,
    )
    const byTransaction = Map.groupBy(deep, ({ transaction }) => transaction)
    for (const events of byTransaction.values()) {
      await books.tell(events, signal)
      for (const event of events) young.delete(idOf(event))
    }
  }
}

type ProviderBooks = {
  /** Books all that a transaction did with us. */
  tell(events: readonly ChainEvent[], signal: AbortSignal): Promise<void>
  /** The chain took an event back that may have been booked. */
  undo(event: ChainEvent): Promise<void>
}

function createProviderBooks(deps: ProviderDeps): ProviderBooks {
  const { nowMs } = deps
  const retold = createRetold(deps.ledger)
  let stake = 0n
  /** By the first event of each transaction: what was booked, and the stake before. */
  const booked = new Map<
    string,
    { readonly ids: readonly string[]; readonly stakeBefore: bigint }
  >()
  return {
    async tell(events, signal) {
      const [first] = events
      if (!first) return
      const sums = sumsOf(events, stake)
      const fees = await lockFeesOf(events, deps, signal)
      const told = eventsOf(sums, fees, { id: idOf(first), atMs: nowMs() })
      for (const event of told) await retold.record(event)
      booked.set(idOf(first), { ids: told.map(({ id }) => id), stakeBefore: stake })
      stake = sums.stake
    },
    async undo(event) {
      const known = booked.get(idOf(event))
      if (!known) return
      booked.delete(idOf(event))
      stake = known.stakeBefore
      for (const id of known.ids) await retold.undo(id, nowMs())
    },
  }
}

/** What a transaction did with our money. */
type Sums = {
  /** After it. */
  readonly stake: bigint
  readonly raised: bigint
  readonly withdrawn: bigint
  readonly slashed: bigint
  /** Of locks that lapsed; part of `slashed`. */
  readonly penalties: bigint
  readonly paidOut: bigint
  /** Of what was held back: paid to the payout address, and burned or lost. */
  readonly released: bigint
  readonly heldBurned: bigint
  /** And to who sent steps of service proofs for us. */
  readonly heldFees: bigint
}

function sumsOf(events: readonly ChainEvent[], stakeBefore: bigint): Sums {
  const money = { raised: 0n, withdrawn: 0n, slashed: 0n, penalties: 0n, paidOut: 0n }
  const sums = { ...money, released: 0n, heldBurned: 0n, heldFees: 0n }
  let stake = stakeBefore
  for (const event of events) {
    if (event.name === 'paid-out') sums.paidOut += event.amount
    if (event.name === 'held-released') sums.released += event.amount
    if (event.name === 'held-fee') sums.heldFees += event.amount
    if (event.name === 'held-burned' || event.name === 'held-lost') sums.heldBurned += event.amount
    if (event.name === 'lapsed') sums.penalties += event.penalty
    if (event.name !== 'registry' || !event.change || event.change.type === 'unbonding') continue
    const isGone = event.change.type === 'left'
    const now = event.change.type === 'left' ? 0n : event.change.stake
    const change = now - stake
    stake = now
    if (change > 0n) sums.raised += change
    else if (isGone) sums.withdrawn -= change
    else sums.slashed -= change
  }
  return { ...sums, stake }
}

/** What redeemers got in a transaction for locks of ours. */
async function lockFeesOf(
  events: readonly ChainEvent[],
  { chain, provider, lockFee }: ProviderDeps,
  signal: AbortSignal,
): Promise<bigint> {
  const locks = events.filter(({ name }) => name === 'locked')
  const [first] = locks
  const sender = first && (await chain.senderOf(first.transaction, signal))
  return sender && !equalBytes(sender, provider) ? lockFee * BigInt(locks.length) : 0n
}

type Head = { readonly id: string; readonly atMs: number }

/** Stake comes from the owner's account and goes back there: to us it is outside. What was slashed beyond penalties is the part of the fees that winnings did not cover. */
function eventsOf(
  { raised, withdrawn, slashed, penalties, paidOut, released, heldBurned, heldFees }: Sums,
  lockFees: bigint,
  { id, atMs }: Head,
): readonly NodeMoneyEvent[] {
  const feesOfStake = lockFees === 0n ? 0n : slashed - penalties
  const fees = lockFees + heldFees
  const all: readonly NodeMoneyEvent[] = [
    { id: `${id}:in`, atMs, type: 'purse-received', amount: raised },
    { id: `${id}:staked`, atMs, type: 'staked', amount: raised },
    { id: `${id}:unstaked`, atMs, type: 'staked', amount: -withdrawn },
    { id: `${id}:out`, atMs, type: 'purse-sent', amount: withdrawn },
    { id: `${id}:slashed`, atMs, type: 'slashed', amount: slashed - feesOfStake },
    { id: `${id}:fee-stake`, atMs, type: 'lock-fee-paid', from: 'stake', amount: feesOfStake },
    { id: `${id}:fee`, atMs, type: 'lock-fee-paid', from: 'purse', amount: fees - feesOfStake },
    { id: `${id}:paid-out`, atMs, type: 'purse-sent', amount: paidOut + released },
  ]
  const moved = all.filter((event) => 'amount' in event && event.amount !== 0n)
  const settled = { received: released + heldFees, burned: heldBurned }
  return settled.received + settled.burned === 0n
    ? moved
    : [{ id: `${id}:held`, atMs, type: 'held-back-settled', ...settled }, ...moved]
}

function isOf(event: ChainEvent, provider: Uint8Array): boolean {
  return 'provider' in event && equalBytes(event.provider, provider)
}

/** The same event in another block is another one. */
function idOf({ blockHash, logIndex }: ChainEvent): string {
  return `log:${blockHash}:${logIndex}`
}
