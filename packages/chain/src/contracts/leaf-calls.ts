/** Calls about leaves of which nothing was shown (SPEC §14.4, §14.6), encoded, each with a cap on its gas. */
import { encodeFunctionData } from 'viem/utils'
import type { ContractCall } from '@byway/protocol/payment'
import { POOL_ABI } from './abi.ts'
import { hexOf, numberOf } from './bytes.ts'
import { callTo } from './pool-calls.ts'
import type { CallUnused } from './pool-types.ts'
import { unusedOf } from './pool-values.ts'

/** Who is paid, and who gets one unit of it for sending the request; 20 zero bytes for nobody. */
export type CallReceiver = { readonly to: Uint8Array; readonly feeTo: Uint8Array }

/** Slots of one leaf, at most 16, and the units beyond its slots where `restUnits` is not 0. */
export type CallPart = {
  readonly root: Uint8Array
  readonly nullifiers: readonly Uint8Array[]
  /** 32 zero bytes where it stays. */
  readonly rest: Uint8Array
  readonly restUnits: number
  readonly proof: Uint8Array
}

/** What leaves have beyond whole slots, of at most 4, that becomes a leaf of `idc`. */
export type CallJoining = {
  readonly root: Uint8Array
  readonly rests: readonly Uint8Array[]
  /** Of the rests together. */
  readonly units: number
  readonly idc: bigint
  readonly feeTo: Uint8Array
  readonly proof: Uint8Array
}

export interface LeafCalls {
  /** For relayers: slots of several owners; receivers in the same order. */
  withdrawThrough(slots: readonly CallUnused[], receivers: readonly CallReceiver[]): ContractCall
  /** By one proof a leaf; receivers in the same order. */
  withdrawPart(parts: readonly CallPart[], receivers: readonly CallReceiver[]): ContractCall
  join(joinings: readonly CallJoining[]): ContractCall
}

// Local limits (tunable): docs/LIMITS.md.
/** What every call may take besides its entries. */
const LEAF_CALL_GAS = 120_000n
/** A slot proof to be judged, and a word. */
const UNUSED_ENTRY_GAS = 1_200_000n
/** One proof of 23 public inputs, and up to 17 words. */
const PART_GAS = 2_500_000n
/** A proof, four words and a leaf that fills up to 26 levels of the tree. */
const JOIN_GAS = 2_500_000n

/** Encodes calls to the pool at this address. */
export function createLeafCalls(pool: Uint8Array): LeafCalls {
  const call = callTo(pool)
  const abi = POOL_ABI
  return {
    withdrawThrough(slots, receivers) {
      const args = [slots.map(unusedOf), receivers.map(receiverOf)] as const
      const data = encodeFunctionData({ abi, functionName: 'withdrawThrough', args })
      return call(LEAF_CALL_GAS + UNUSED_ENTRY_GAS * BigInt(slots.length), data)
    },
    withdrawPart(parts, receivers) {
      const args = [parts.map(partOf), receivers.map(receiverOf)] as const
      const data = encodeFunctionData({ abi, functionName: 'withdrawPart', args })
      return call(LEAF_CALL_GAS + PART_GAS * BigInt(parts.length), data)
    },
    join(joinings) {
      const args = [joinings.map(joiningOf)] as const
      const data = encodeFunctionData({ abi, functionName: 'join', args })
      return call(LEAF_CALL_GAS + JOIN_GAS * BigInt(joinings.length), data)
    },
  }
}

function receiverOf({ to, feeTo }: CallReceiver) {
  return { to: hexOf(to), feeTo: hexOf(feeTo) }
}

function partOf({ root, nullifiers, rest, restUnits, proof }: CallPart) {
  return {
    root: numberOf(root),
    nullifiers: sixteenOf(nullifiers.map(numberOf)),
    rest: numberOf(rest),
    restUnits: BigInt(restUnits),
    proof: hexOf(proof),
  }
}

function joiningOf({ root, rests, units, idc, feeTo, proof }: CallJoining) {
  return {
    root: numberOf(root),
    rests: fourOf(rests.map(numberOf)),
    units: BigInt(units),
    idc,
    feeTo: hexOf(feeTo),
    proof: hexOf(proof),
  }
}

type Four = readonly [bigint, bigint, bigint, bigint]
type Sixteen = readonly [...Four, ...Four, ...Four, ...Four]

/** Filled up with zeros. */
function fourOf([a = 0n, b = 0n, c = 0n, d = 0n]: readonly bigint[]): Four {
  return [a, b, c, d]
}

function sixteenOf(values: readonly bigint[]): Sixteen {
  const from = (at: number): Four => fourOf(values.slice(at))
  return [...from(0), ...from(4), ...from(8), ...from(12)]
}
