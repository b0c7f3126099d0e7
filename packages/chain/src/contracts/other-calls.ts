/** Calls to the registry and to the token, encoded, each with a cap on its gas. */
import { encodeFunctionData } from 'viem/utils'
import type { ContractCall } from '@byway/protocol/payment'
import { hexOf } from './bytes.ts'
import { callTo } from './pool-calls.ts'
import { REGISTRY_ABI, TOKEN_ABI } from './abi.ts'

/** What registers a node (SPEC §14). The sender becomes the owner. */
export type RegisterCall = {
  readonly provider: Uint8Array
  readonly nodeId: Uint8Array
  readonly payout: Uint8Array
  readonly stake: bigint
  /** The provider key's signature, 65 bytes. */
  readonly signature: Uint8Array
}

export interface RegistryCalls {
  /** The registry must be allowed to take the stake (`tokenCalls.approve`). */
  register(node: RegisterCall): ContractCall
  addStake(provider: Uint8Array, amount: bigint): ContractCall
  changePayout(provider: Uint8Array, payout: Uint8Array): ContractCall
  unbond(provider: Uint8Array): ContractCall
  withdrawStake(provider: Uint8Array): ContractCall
  /** Two editions of a node under one number (SPEC §14.7): whole descriptors, the first naming the provider. */
  slashEditions(provider: Uint8Array, first: Uint8Array, second: Uint8Array): ContractCall
}

export interface TokenCalls {
  approve(spender: Uint8Array, amount: bigint): ContractCall
  transfer(to: Uint8Array, amount: bigint): ContractCall
  /** Of the test token, by its deployer only. */
  mint(to: Uint8Array, amount: bigint): ContractCall
}

// Local limits (tunable): docs/LIMITS.md.
/** A signature to be checked, a new record, and a transfer. */
const REGISTER_GAS = 400_000n
/** Any other call of the registry. */
const REGISTRY_GAS = 150_000n
/** Two signatures over 1.5 KB each take 1.13 million (contracts/GAS.md). */
const EDITIONS_GAS = 1_600_000n
/** Tokens behind proxies take more than plain ones. */
const TOKEN_GAS = 150_000n

/** Encodes calls to the registry at this address. */
export function createRegistryCalls(registry: Uint8Array): RegistryCalls {
  const call = callTo(registry)
  const abi = REGISTRY_ABI
  return {
    register({ provider, nodeId, payout, stake, signature }) {
      const args = [hexOf(provider), hexOf(nodeId), hexOf(payout), stake, hexOf(signature)] as const
      return call(REGISTER_GAS, encodeFunctionData({ abi, functionName: 'register', args }))
    },
    addStake(provider, amount) {
      const args = [hexOf(provider), amount] as const
      return call(REGISTRY_GAS, encodeFunctionData({ abi, functionName: 'addStake', args }))
    },
    changePayout(provider, payout) {
      const args = [hexOf(provider), hexOf(payout)] as const
      return call(REGISTRY_GAS, encodeFunctionData({ abi, functionName: 'changePayout', args }))
    },
    unbond: (provider) =>
      call(
        REGISTRY_GAS,
        encodeFunctionData({ abi, functionName: 'unbond', args: [hexOf(provider)] }),
      ),
    withdrawStake: (provider) =>
      call(
        REGISTRY_GAS,
        encodeFunctionData({ abi, functionName: 'withdrawStake', args: [hexOf(provider)] }),
      ),
    slashEditions(provider, first, second) {
      const args = [hexOf(provider), hexOf(first), hexOf(second)] as const
      return call(EDITIONS_GAS, encodeFunctionData({ abi, functionName: 'slashEditions', args }))
    },
  }
}

/** Encodes calls to the token at this address. */
export function createTokenCalls(token: Uint8Array): TokenCalls {
  const call = callTo(token)
  const abi = TOKEN_ABI
  return {
    approve: (spender, amount) =>
      call(
        TOKEN_GAS,
        encodeFunctionData({ abi, functionName: 'approve', args: [hexOf(spender), amount] }),
      ),
    transfer: (to, amount) =>
      call(
        TOKEN_GAS,
        encodeFunctionData({ abi, functionName: 'transfer', args: [hexOf(to), amount] }),
      ),
    mint: (to, amount) =>
      call(TOKEN_GAS, encodeFunctionData({ abi, functionName: 'mint', args: [hexOf(to), amount] })),
  }
}
