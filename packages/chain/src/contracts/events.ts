/** Logs of our contracts as events. A log of another contract, or of a kind we do not know, is no event. */
import { decodeEventLog, type DecodeEventLogReturnType } from 'viem/utils'
import type { StakeChange } from '@byway/protocol/directory'
import type { Hex } from '@byway/protocol/payment'
import type { ChainEvent, ChainEventBody, SkipReason } from '../chain-view.ts'
import type { RawLog } from '../rpc/parse.ts'
import { bytesOf, wordOf } from './bytes.ts'
import { POOL_ABI, PROOFS_ABI, REGISTRY_ABI } from './abi.ts'
import { slotStateOf } from './slot-word.ts'

export type EventSources = {
  readonly pool: Hex
  readonly registry: Hex
  /** Of service proofs, where there is one. */
  readonly proofs?: Hex | undefined
}

/** Decodes a log; `sources` are lower-case addresses. */
export function decodeEvent(log: RawLog, sources: EventSources): ChainEvent | undefined {
  const body = bodyOf(log, sources)
  if (!body) return undefined
  const { block, blockHash, transaction, logIndex } = log
  return { ...body, block, blockHash, transaction, logIndex }
}

function bodyOf(log: RawLog, sources: EventSources): ChainEventBody | undefined {
  try {
    if (log.address === sources.pool) return poolBody(log)
    if (log.address === sources.registry) return registryBody(log)
    return log.address === sources.proofs ? proofsBody(log) : undefined
  } catch {
    // A later contract's event, or none that its own interface knows.
    return undefined
  }
}

function registryBody({ topics: [first, ...rest], data }: RawLog): ChainEventBody | undefined {
  if (!first) return undefined
  const event = decodeEventLog({ abi: REGISTRY_ABI, topics: [first, ...rest], data })
  const provider = bytesOf(event.args.provider.toLowerCase())
  return { name: 'registry', provider, change: stakeChangeOf(event) }
}

type RegistryEvent = DecodeEventLogReturnType<typeof REGISTRY_ABI>

function stakeChangeOf({ eventName, args }: RegistryEvent): StakeChange | undefined {
  switch (eventName) {
    case 'Registered':
      return {
        type: 'registered',
        nodeId: bytesOf(args.nodeId),
        owner: bytesOf(args.owner.toLowerCase()),
        stake: args.stake,
      }
    case 'StakeAdded':
    case 'Slashed':
      return { type: 'stake', stake: args.stake }
    case 'Unbonding':
      return { type: 'unbonding' }
    case 'StakeWithdrawn':
      return { type: 'left' }
    case 'PayoutChange':
      return undefined
  }
}

/** Those that move money or need an answer. */
function proofsBody({ topics: [first, ...rest], data }: RawLog): ChainEventBody | undefined {
  if (!first) return undefined
  const { eventName, args } = decodeEventLog({ abi: PROOFS_ABI, topics: [first, ...rest], data })
  switch (eventName) {
    case 'Released': {
      const { epoch, amount, held } = args
      return { name: 'held-released', provider: providerOf(args), epoch, amount, held }
    }
    case 'HeldBurned':
      return {
        name: 'held-burned',
        provider: providerOf(args),
        epoch: args.epoch,
        amount: args.amount,
      }
    case 'HeldFeePaid':
    case 'AnswerFeePaid': {
      const name = eventName === 'HeldFeePaid' ? 'held-fee' : 'answer-fee'
      const { epoch, amount } = args
      const to = bytesOf(args.to.toLowerCase())
      return { name, provider: providerOf(args), epoch, to, amount }
    }
    // Of these the contract is asked when they matter.
    case 'Committed':
    case 'BeaconDrawn':
    case 'Challenged':
    case 'Proven':
    case 'Failed':
      return undefined
  }
}

function providerOf({ provider }: { readonly provider: string }): Uint8Array {
  return bytesOf(provider.toLowerCase())
}

function poolBody({ topics: [first, ...rest], data }: RawLog): ChainEventBody | undefined {
  if (!first) return undefined
  const { eventName, args } = decodeEventLog({ abi: POOL_ABI, topics: [first, ...rest], data })
  switch (eventName) {
    case 'Inserted':
      return {
        name: 'leaf',
        index: Number(args.index),
        leaf: args.leaf,
        idc: args.idc,
        limit: args.limit,
      }
    case 'RootPublished':
      return {
        name: 'root',
        root: wordOf(args.root),
        leaves: Number(args.leaves),
        publishedAtS: args.time,
      }
    case 'Locked':
      return { name: 'locked', ...slotAnd(args) }
    case 'Lapsed':
      return { name: 'lapsed', ...slotAnd(args), penalty: args.penalty }
    case 'Won':
      return { name: 'won', ...slotAnd(args), index: args.index, wins: args.wins, paid: args.paid }
    case 'SlotChanged': {
      const state = slotStateOf(args.state)
      return state && { name: 'slot', nullifier: wordOf(args.nullifier), state }
    }
    case 'BondBurned':
      return {
        name: 'bond-burned',
        nullifier: wordOf(args.nullifier),
        reporter: bytesOf(args.reporter),
        reward: args.reward,
      }
    case 'PaidOut':
      return {
        name: 'paid-out',
        provider: bytesOf(args.provider),
        to: bytesOf(args.to),
        amount: args.amount,
      }
    case 'HeldLost':
      return { name: 'held-lost', provider: bytesOf(args.provider), amount: args.amount }
    case 'Burned':
      return { name: 'burned', amount: args.amount }
    case 'Skipped':
      return {
        name: 'skipped',
        nullifier: wordOf(args.nullifier),
        reason: REASONS[args.reason] ?? 'unknown',
      }
  }
}

function slotAnd(args: { readonly nullifier: bigint; readonly provider: string }): {
  readonly nullifier: Uint8Array
  readonly provider: Uint8Array
} {
  return { nullifier: wordOf(args.nullifier), provider: bytesOf(args.provider) }
}

/** By the number of `IBywayPool.Reason`. */
const REASONS: readonly SkipReason[] = [
  'unknown',
  'unknown-root',
  'slot-taken',
  'slot-finished',
  'slot-full',
  'wrong-state',
  'too-early',
  'not-active',
  'bad-amount',
  'bad-index',
  'bad-signature',
  'not-a-win',
  'bad-proof',
  'bad-destination',
  'fee-not-covered',
]
