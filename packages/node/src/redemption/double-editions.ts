/** Shows nodes that signed two editions under one number to the registry, which takes half of their stake; a tenth of that pays for the showing (SPEC §14.7). */
import type { ChainEvent, ChainView, RegistryCalls, TransactionLane } from '@byway/chain'
import { equalBytes, toHex } from '@byway/protocol/base'
import type { Evidence, StakeView } from '@byway/protocol/directory'
import type { MoneyEventSink } from '@byway/protocol/ledger'
import type { ContractCall, TransactionReceipt } from '@byway/protocol/payment'
import { decodeDescriptor } from '@byway/protocol/wire'
import { sendResultOf } from './sender.ts'

/** The contract's: half of the stake is taken, and a tenth of that goes to whoever shows it. */
const REWARD_DIVISOR = 20n

// Local limits (tunable): docs/LIMITS.md.
/** Gas of a call with the longest editions (contracts/GAS.md), rounded up. */
const SHOW_GAS = 1_200_000n
/** Proofs that wait: as many as a directory keeps. */
const MAX_WAITING = 64

const WEI_PER_COIN = 10n ** 18n

export interface DoubleEditions {
  /** Takes a proof, new or of an earlier run. One that cannot be shown now is tried again at each look. */
  add(evidence: Pick<Evidence, 'first' | 'second'>): void
  /** Shows what pays for its gas, and books what was mined. @throws what the store throws */
  look(signal: AbortSignal): Promise<void>
}

export type DoubleEditionsDeps = {
  /** Of the provider's account. */
  readonly lane: Pick<TransactionLane, 'send'>
  readonly calls: Pick<RegistryCalls, 'slashEditions'>
  readonly stakes: Pick<StakeView, 'records'>
  readonly chain: Pick<ChainView, 'eventsOf'>
  readonly events: MoneyEventSink
  /** The token's smallest parts that 10^18 wei are worth. */
  readonly coinPrice: bigint
  /** Wall clock. */
  readonly nowMs: () => number
}

/** Two editions, the first of which names the provider. */
type Proof = {
  readonly key: string
  readonly nodeId: Uint8Array
  readonly first: Uint8Array
  readonly second: Uint8Array
}

export function createDoubleEditions(deps: DoubleEditionsDeps): DoubleEditions {
  const { lane, coinPrice } = deps
  const waiting = new Map<string, Proof>()
  const seen = new Set<string>()
  const landed: TransactionReceipt[] = []

  async function show(proof: Proof, signal: AbortSignal): Promise<void> {
    const found = callOf(proof, deps)
    if (!found) return
    try {
      const feeCap = ((found.stake / REWARD_DIVISOR) * WEI_PER_COIN) / (coinPrice * SHOW_GAS)
      const { confirmed } = await lane.send({ ...found.call, key: proof.key, feeCap }, signal)
      waiting.delete(proof.key)
      confirmed.then(
        (receipt) => landed.push(receipt),
        () => waiting.set(proof.key, proof),
      )
    } catch (error) {
      // Refused: another was faster, or the stake has gone. Everything else may be otherwise later.
      if (sendResultOf(error) === 'reverted') waiting.delete(proof.key)
    }
  }

  async function eventsOf(
    { hash }: TransactionReceipt,
    signal: AbortSignal,
  ): Promise<readonly ChainEvent[] | 'later'> {
    try {
      return (await deps.chain.eventsOf(hash, signal)) ?? []
    } catch {
      // The chain is away: asked again at the next look.
      return 'later'
    }
  }

  async function book(signal: AbortSignal): Promise<void> {
    for (let receipt = landed[0]; receipt; receipt = landed[0]) {
      const told = await eventsOf(receipt, signal)
      if (told === 'later') return
      landed.shift()
      const amount = rewardIn(told)
      const id = `editions:${receipt.hash}`
      if (amount > 0n)
        await deps.events.record({ id, atMs: deps.nowMs(), type: 'fee-earned', amount })
    }
  }

  return {
    add({ first, second }) {
      const { nodeId, sequence } = decodeDescriptor(first).descriptor
      const key = `editions:${toHex(nodeId)}:${sequence}`
      if (seen.has(key) || seen.size >= MAX_WAITING) return
      seen.add(key)
      waiting.set(key, { key, nodeId, first, second })
    },
    async look(signal) {
      await book(signal)
      for (const proof of waiting.values()) await show(proof, signal)
    },
  }
}

/** What went to whoever showed it: the last step of the stake, after what was burned. */
function rewardIn(told: readonly ChainEvent[]): bigint {
  const stakes = told.flatMap((event) =>
    event.name === 'registry' && event.change?.type === 'stake' ? [event.change.stake] : [],
  )
  const [burned, rewarded] = stakes
  return burned !== undefined && rewarded !== undefined ? burned - rewarded : 0n
}

/** Undefined while no stake stands behind the node, or none that pays. */
function callOf(
  { nodeId, first, second }: Proof,
  { stakes, calls }: Pick<DoubleEditionsDeps, 'stakes' | 'calls'>,
): { readonly call: ContractCall; readonly stake: bigint } | undefined {
  for (const [named, other] of [
    [first, second],
    [second, first],
  ] as const) {
    const { provider } = decodeDescriptor(named).descriptor
    const record = stakes
      .records()
      .find(
        (each) =>
          provider && equalBytes(each.provider, provider) && equalBytes(each.nodeId, nodeId),
      )
    if (record && record.stake > 0n)
      return { call: calls.slashEditions(record.provider, named, other), stake: record.stake }
  }
  return undefined
}
