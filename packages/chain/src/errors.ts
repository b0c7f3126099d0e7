/**
 * What goes wrong between us and the chain. No context holds an endpoint's address (it may hold a key), an account or a transaction.
 * @module
 */
import { errorBuilder, type ErrorBuilder, type ErrorOf } from '@byway/protocol/base'

type ChainErrors = {
  /** Fewer endpoints gave a usable answer than must. `fault` is that of the last that did not. Wait, or name more endpoints. */
  CHAIN_UNREACHABLE: { method: string; answers: number; needed: number; fault: EndpointFault }
  /** Two endpoints gave different answers for the same block: one of them lies or is broken. Nothing was believed. */
  CHAIN_DISAGREE: { method: string; answers: number }
  /** An endpoint serves another chain than the network file names. */
  CHAIN_WRONG_CHAIN: { expected: number; found: number }
  /** The network file names too few endpoints: two, or one in a local network. */
  CHAIN_ENDPOINTS: { endpoints: number; needed: number }
  /** The chain was reorganised deeper than the follower remembers: read it anew from an older block. */
  CHAIN_REORG_DEPTH: { remembered: number }
  /** A contract answers as none of ours does: the network file names another, or history has holes. */
  CHAIN_CONTRACT: { what: string }
  /** The contract refuses the call; `reason` is its own error's name, or `unknown`. */
  CHAIN_REVERTED: { reason: string }
  /** A unit of gas costs more than the call may pay. Nothing was sent: ask again later, or with a higher cap. */
  CHAIN_GAS_DEAR: { baseFeeGwei: number; feeCapGwei: number }
  /** The call needs more gas than it may take. */
  CHAIN_GAS_CAP: { gas: number; gasCap: number }
  /** The account has not enough of the chain's own coin to pay for gas. */
  CHAIN_NO_COIN: { missingGwei: number }
  /** The account's signer does not sign now: it has signed away as much gas as a day may cost, or it is being started again. `signer` is the code of its own error. Ask again later. */
  CHAIN_UNSIGNED: { signer: string }
  /** As many transactions are pending as a lane holds. */
  CHAIN_LANE_FULL: { pending: number }
  /** The lane was stopped. What is stored goes on with the next start. */
  CHAIN_LANE_STOPPED: { pending: number }
  /** The transaction was mined and changed nothing. */
  CHAIN_TRANSACTION_FAILED: { block: number }
  /** Another transaction of the account took the nonce: does a second program use this key? */
  CHAIN_TRANSACTION_LOST: { nonce: number }
  /** The embedded chain did not start; `hint` is what it wrote last. */
  CHAIN_ANVIL: { status: string; hint: string }
  /** Whoever made a development set-up can forge slot proofs: its contract is made for chain id 31337 only. */
  CHAIN_DEVELOPMENT_SET_UP: { chainId: number }
  /** A real chain, and no token to pay in was named. */
  CHAIN_NO_TOKEN: { chainId: number }
  /** The deployment was not mined as expected. */
  CHAIN_DEPLOY: { step: string }
}

/** Why an endpoint gave no usable answer. */
export type EndpointFault =
  | 'timeout'
  | 'connect'
  | 'rate-limit'
  | 'http'
  | 'format'
  | 'too-large'
  | 'lagging'
  | 'rpc'
  | 'backing-off'
  | 'none'

/** Every error this package throws. Narrow on `code` to read `context`. */
export type ChainError = ErrorOf<ChainErrors>

/** Builds, does not throw: `throw chainError('CHAIN_GAS_CAP', …)` keeps the stack at the call site. */
export const chainError: ErrorBuilder<ChainErrors> = errorBuilder<ChainErrors>({
  CHAIN_UNREACHABLE: ['chain', 'the chain cannot be asked'],
  CHAIN_DISAGREE: ['chain', 'endpoints of the chain contradict each other; none was believed'],
  CHAIN_WRONG_CHAIN: ['config', 'an endpoint serves another chain'],
  CHAIN_ENDPOINTS: ['config', 'too few endpoints of the chain are named'],
  CHAIN_REORG_DEPTH: ['chain', 'the chain was reorganised deeper than is remembered'],
  CHAIN_CONTRACT: ['config', 'a contract is not the one that was named'],
  CHAIN_REVERTED: ['chain', 'the contract refuses the call'],
  CHAIN_GAS_DEAR: ['chain', 'gas costs more than it may'],
  CHAIN_GAS_CAP: ['chain', 'the call needs more gas than it may take'],
  CHAIN_NO_COIN: ['payment', 'the account cannot pay for gas'],
  CHAIN_UNSIGNED: ['local', 'the signer of the account signs nothing now'],
  CHAIN_LANE_FULL: ['local', 'too many transactions are pending'],
  CHAIN_LANE_STOPPED: ['local', 'the transaction lane was stopped'],
  CHAIN_TRANSACTION_FAILED: ['chain', 'the transaction was mined and changed nothing'],
  CHAIN_TRANSACTION_LOST: ['local', 'another transaction of the account took the nonce'],
  CHAIN_ANVIL: ['local', 'the embedded chain did not start'],
  CHAIN_DEVELOPMENT_SET_UP: [
    'config',
    'the set-up of slot proofs is for development on chain id 31337 only: anybody could forge money',
  ],
  CHAIN_NO_TOKEN: ['config', 'the contracts need a token that is on this chain already'],
  CHAIN_DEPLOY: ['chain', 'the contracts were not deployed as expected'],
})
