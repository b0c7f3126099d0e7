/**
 * The state of service proofs on the chain (SPEC §17.5): commitments, beacons, and the headers that a beacon is drawn from.
 * @module
 */
import { decodeFunctionResult, encodeFunctionData } from 'viem/utils'
import type { Hex } from '@byway/protocol/payment'
import type { ChainReader } from './chain-reader.ts'
import { type CommitWindow, hasCommitments } from './commitment-search.ts'
import { PROOFS_ABI as abi } from './contracts/abi.ts'
import { hexOf } from './contracts/bytes.ts'
import type { RoundHeaders } from './contracts/proof-calls.ts'
import { chainError } from './errors.ts'

/** The contract's constants: when things happen in an epoch, in seconds, and the bond. */
export type ProofTimes = {
  readonly commitWindowS: number
  readonly beaconDelayS: number
  readonly beaconSpacingS: number
  readonly beaconRounds: number
  readonly challengeWindowS: number
  readonly answerWindowS: number
  /** What a challenge costs whoever is wrong, the token's smallest part. */
  readonly challengeBond: bigint
}

/** Where a commitment is. */
export type CommitmentState =
  | 'none'
  | 'committed'
  | 'challenged'
  | 'proven'
  /** Paid. */
  | 'settled'
  /** Burned. */
  | 'failed'

/** One provider's epoch. */
export type CommitmentStatus = {
  readonly state: CommitmentState
  /** Of the sum tree (SPEC §17.2); 0 where nothing was committed. */
  readonly root: bigint
  /** Units under it. */
  readonly total: number
  /** The most units of a slot. */
  readonly maxUnits: number
  /** What of its wins waits with it. */
  readonly held: bigint
  /** Seconds since 1970; of the last challenge. */
  readonly challengedAtS: number
}

/** Reading. All methods throw what `ChainView`'s do. */
export interface ProofsView {
  /** Asked once. */
  times(signal: AbortSignal): Promise<ProofTimes>
  commitment(provider: Uint8Array, epoch: number, signal: AbortSignal): Promise<CommitmentStatus>
  /** Whether anybody committed to an epoch within these times. Some dozens of questions: for whoever asks once an epoch. */
  hasCommitments(window: CommitWindow, signal: AbortSignal): Promise<boolean>
  /** Undefined before it is drawn. */
  beacon(epoch: number, signal: AbortSignal): Promise<bigint | undefined>
  /** Of the first block at or after this time and of its parent; undefined when there is none yet, or when it is out of the contract's reach. */
  roundHeaders(startS: number, signal: AbortSignal): Promise<RoundHeaders | undefined>
}

/** The contract sees 256 blocks back; so many less are left for the transaction to get into one. */
const REACH_BLOCKS = 256 - 16

/** Reads the contract at this address. */
export function createProofsView(reader: ChainReader, contract: Uint8Array): ProofsView {
  const to = hexOf(contract)
  const ask = async (data: Hex, signal: AbortSignal): Promise<Hex> =>
    reader.call(to, data, await reader.head(signal), signal)
  let known: ProofTimes | undefined
  return {
    async times(signal) {
      if (known) return known
      const functionName = 'parameters'
      const data = await ask(encodeFunctionData({ abi, functionName }), signal)
      const p = decodeFunctionResult({ abi, functionName, data })
      known = {
        commitWindowS: p.commitWindow,
        beaconDelayS: p.beaconDelay,
        beaconSpacingS: p.beaconSpacing,
        beaconRounds: p.beaconRounds,
        challengeWindowS: p.challengeWindow,
        answerWindowS: p.answerWindow,
        challengeBond: p.challengeBond,
      }
      return known
    },
    async commitment(provider, epoch, signal) {
      const functionName = 'commitment'
      const args = [hexOf(provider), epoch] as const
      const data = await ask(encodeFunctionData({ abi, functionName, args }), signal)
      const found = decodeFunctionResult({ abi, functionName, data })
      const { state, challengedAt: challengedAtS, root, total, maxUnits, held } = found
      const name = STATES[state]
      if (!name) throw chainError('CHAIN_CONTRACT', { what: 'commitment' })
      return { state: name, root, total, maxUnits, held, challengedAtS }
    },
    hasCommitments: (window, signal) => hasCommitments(reader, to, window, signal),
    async beacon(epoch, signal) {
      const data = encodeFunctionData({ abi, functionName: 'beacon', args: [epoch] })
      const beacon = BigInt(await ask(data, signal))
      return beacon === 0n ? undefined : beacon
    },
    async roundHeaders(startS, signal) {
      const number = await firstBlockFrom(reader, startS, signal)
      if (number === undefined) return undefined
      const [first, parent] = await Promise.all(
        [number, number - 1].map((each) => reader.header(each, signal)),
      )
      return first && parent && { first, parent }
    },
  }
}

/** By halves: blocks' times rise. */
async function firstBlockFrom(
  reader: ChainReader,
  startS: number,
  signal: AbortSignal,
): Promise<number | undefined> {
  const head = await reader.head(signal)
  if (head.timeS < startS) return undefined
  const isAfter = async (number: number): Promise<boolean> => {
    const block = await reader.block(number, signal)
    return block !== undefined && block.timeS >= startS
  }
  let [before, after] = [Math.max(0, head.number - REACH_BLOCKS), head.number]
  if (await isAfter(before)) return undefined
  while (after - before > 1) {
    const middle = Math.floor((before + after) / 2)
    if (await isAfter(middle)) after = middle
    else before = middle
  }
  return after
}

/** By the number of `IServiceProofs.State`. */
const STATES: readonly CommitmentState[] = [
  'none',
  'committed',
  'challenged',
  'proven',
  'settled',
  'failed',
]
