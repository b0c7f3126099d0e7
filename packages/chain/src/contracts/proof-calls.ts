/** Calls to the contract of service proofs (SPEC §17.5), encoded, each with a cap on its gas. */
import { encodeFunctionData } from 'viem/utils'
import { assert } from '@byway/protocol/base'
import type { ContractCall, Hex } from '@byway/protocol/payment'
import { PROOFS_ABI as abi } from './abi.ts'
import { hexOf, numberOf } from './bytes.ts'
import { callTo } from './pool-calls.ts'
import type { CallOpening } from './pool-types.ts'
import { openingOf } from './pool-values.ts'

/** What a provider says of an epoch. */
export type ServiceCommitment = {
  /** Of the sum tree (SPEC §17.2), 32 bytes. */
  readonly root: Uint8Array
  /** Units under it. */
  readonly total: number
  /** The most that one slot pays for. */
  readonly maxUnits: number
}

/** A proof with the openings of its twelve samples, in their order. */
export type ServiceAnswer = {
  readonly openings: readonly CallOpening[]
  /** 256 bytes. */
  readonly proof: Uint8Array
}

/** The first block of a round and the one before it, RLP. */
export type RoundHeaders = { readonly first: Hex; readonly parent: Hex }

/** What a provider promises to who sends its commitment, and as much to who settles. */
export type CommitTerms = {
  /** Of what is held back, the token's smallest part. */
  readonly fee: bigint
  /** 65 bytes (SPEC §17.5). */
  readonly signature: Uint8Array
}

export interface ProofCalls {
  /** By the provider itself, or with its promise by anybody. */
  commit(
    provider: Uint8Array,
    epoch: number,
    commitment: ServiceCommitment,
    terms?: CommitTerms,
  ): ContractCall
  draw(epoch: number, headers: RoundHeaders): ContractCall
  /** The contract must be allowed to take the bond (`tokenCalls.approve`). */
  challenge(provider: Uint8Array, epoch: number): ContractCall
  answer(provider: Uint8Array, epoch: number, answer: ServiceAnswer): ContractCall
  slash(provider: Uint8Array, epoch: number): ContractCall
  settle(provider: Uint8Array, epoch: number): ContractCall
}

// Local limits (tunable): docs/LIMITS.md.
/** Two words and a transfer. */
const COMMIT_GAS = 400_000n
/** Two headers in call data. */
const DRAW_GAS = 400_000n
/** Twelve slot proofs and the audit's. */
const ANSWER_GAS = 4_000_000n
/** Any other call: transfers, and a stake. */
const PROOFS_GAS = 300_000n

/** Encodes calls to the contract at this address. */
export function createProofCalls(contract: Uint8Array): ProofCalls {
  const call = callTo(contract)
  const about = (functionName: 'challenge' | 'slash' | 'settle') => {
    return (provider: Uint8Array, epoch: number): ContractCall => {
      const args = [hexOf(provider), epoch] as const
      return call(PROOFS_GAS, encodeFunctionData({ abi, functionName, args }))
    }
  }
  return {
    commit(provider, epoch, { root, total, maxUnits }, terms) {
      const { fee = 0n, signature = new Uint8Array(0) } = terms ?? {}
      const said = [numberOf(root), total, maxUnits] as const
      const args = [hexOf(provider), epoch, ...said, fee, hexOf(signature)] as const
      return call(COMMIT_GAS, encodeFunctionData({ abi, functionName: 'commit', args }))
    },
    draw(epoch, { first, parent }) {
      const args = [epoch, first, parent] as const
      return call(DRAW_GAS, encodeFunctionData({ abi, functionName: 'draw', args }))
    },
    answer(provider, epoch, { openings, proof }) {
      const samples = openings.map(openingOf)
      assert(isSamples(samples), 'an answer opens twelve slots')
      const args = [hexOf(provider), epoch, samples, hexOf(proof)] as const
      return call(ANSWER_GAS, encodeFunctionData({ abi, functionName: 'answer', args }))
    },
    challenge: about('challenge'),
    slash: about('slash'),
    settle: about('settle'),
  }
}

/** Slots that one proof samples (SPEC §17.3). */
const AUDIT_SAMPLES = 12

type Opening = ReturnType<typeof openingOf>
type Four = readonly [Opening, Opening, Opening, Opening]
type Samples = readonly [...Four, ...Four, ...Four]

/** viem wants a tuple where the contract has an array of fixed length. */
function isSamples(openings: readonly Opening[]): openings is Samples {
  return openings.length === AUDIT_SAMPLES
}
