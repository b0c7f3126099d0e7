/**
 * The pool's calls, encoded, each with a cap on its gas. Caps are far above what was measured (`npm run bench`, section gas): a call that needs more is not what it seems to be.
 * Who sends them, and when, is decided elsewhere.
 */
import { encodeFunctionData } from 'viem/utils'
import type { ContractCall } from '@byway/protocol/payment'
import { bytesOf, hexOf, numberOf } from './bytes.ts'
import { POOL_ABI } from './abi.ts'
import {
  bindBatchOf,
  boundSlotOf,
  claimBytesOf,
  destinationOf,
  evidenceOf,
  lockBytesOf,
  openingOf,
  refundingOf,
  refundOf,
  signedTicketOf,
  unusedOf,
} from './pool-values.ts'
import type {
  BindBatch,
  CallBoundSlot,
  CallDestination,
  CallEvidence,
  CallOpening,
  CallRefund,
  CallRefunding,
  CallSignedTicket,
  CallUnused,
  ClaimBatch,
  LockBatch,
} from './pool-types.ts'

/** Everything that can be asked of a pool. */
export interface PoolCalls {
  /** Pays `limit` units under `idc`; the pool must be allowed to take them (`tokenCalls.approve`). */
  deposit(idc: bigint, limit: number): ContractCall
  snapshot(): ContractCall
  lock(batches: readonly LockBatch[]): ContractCall
  bind(batches: readonly BindBatch[]): ContractCall
  claimMore(batches: readonly ClaimBatch[]): ContractCall
  settleLocks(nullifiers: readonly Uint8Array[]): ContractCall
  refund(refunds: readonly CallRefund[]): ContractCall
  finishRefund(refunds: readonly CallRefunding[]): ContractCall
  close(slots: readonly CallBoundSlot[], destinations: readonly CallDestination[]): ContractCall
  finishClose(
    slots: readonly CallBoundSlot[],
    destinations: readonly CallDestination[],
  ): ContractCall
  withdrawUnused(slots: readonly CallUnused[], to: Uint8Array): ContractCall
  finishWithdraw(nullifiers: readonly Uint8Array[]): ContractCall
  conflictOpenings(nullifier: Uint8Array, first: CallEvidence, second: CallEvidence): ContractCall
  conflictTickets(
    opening: CallOpening,
    first: CallSignedTicket,
    second: CallSignedTicket,
  ): ContractCall
  payout(provider: Uint8Array): ContractCall
  burn(): ContractCall
}

// Local limits (tunable): docs/LIMITS.md.
/** What every call may take besides its entries. */
const CALL_GAS = 120_000n
/** A deposit's insertion fills up to 26 levels of the tree. */
const DEPOSIT_GAS = 1_500_000n
/** Peaks of the whole tree are hashed together. */
const SNAPSHOT_GAS = 1_500_000n
/** A slot's word, and an event. */
const LOCK_ENTRY_GAS = 100_000n
/** With a slot proof. */
const BIND_ENTRY_GAS = 1_200_000n
/** A ticket's signature, and a slot's word. */
const CLAIM_ENTRY_GAS = 150_000n
/** Asking one slot back; with a slot proof where it was not bound. */
const REFUND_ENTRY_GAS = 1_200_000n
/** Putting one slot back inserts a leaf. */
const FINISH_ENTRY_GAS = 1_500_000n

/** Encodes calls to the pool at this address. */
export function createPoolCalls(pool: Uint8Array): PoolCalls {
  return { ...redeemCalls(pool), ...refundCalls(pool), ...moneyCalls(pool) }
}

function moneyCalls(pool: Uint8Array): Pick<PoolCalls, 'deposit' | 'snapshot' | 'payout' | 'burn'> {
  const call = callTo(pool)
  return {
    deposit: (idc, limit) =>
      call(DEPOSIT_GAS, encodeFunctionData({ abi, functionName: 'deposit', args: [idc, limit] })),
    snapshot: () => call(SNAPSHOT_GAS, encodeFunctionData({ abi, functionName: 'snapshot' })),
    payout: (provider) =>
      call(CALL_GAS, encodeFunctionData({ abi, functionName: 'payout', args: [hexOf(provider)] })),
    burn: () => call(CALL_GAS, encodeFunctionData({ abi, functionName: 'burn' })),
  }
}

function redeemCalls(
  pool: Uint8Array,
): Pick<PoolCalls, 'lock' | 'bind' | 'claimMore' | 'settleLocks'> {
  const call = callTo(pool)
  return {
    lock(batches) {
      const args = [lockBytesOf(batches)] as const
      const entries = sum(batches.map(({ nullifiers }) => nullifiers.length))
      return call(
        gasFor(LOCK_ENTRY_GAS, entries),
        encodeFunctionData({ abi, functionName: 'lock', args }),
      )
    },
    bind(batches) {
      const entries = sum(batches.map(({ binds }) => binds.length))
      const data = encodeFunctionData({
        abi,
        functionName: 'bind',
        args: [batches.map(bindBatchOf)],
      })
      return call(gasFor(BIND_ENTRY_GAS, entries), data)
    },
    claimMore(batches) {
      const entries = sum(batches.map(({ claims }) => claims.length))
      const args = [claimBytesOf(batches)] as const
      return call(
        gasFor(CLAIM_ENTRY_GAS, entries),
        encodeFunctionData({ abi, functionName: 'claimMore', args }),
      )
    },
    settleLocks(nullifiers) {
      const data = encodeFunctionData({
        abi,
        functionName: 'settleLocks',
        args: [nullifiers.map(numberOf)],
      })
      return call(gasFor(LOCK_ENTRY_GAS, nullifiers.length), data)
    },
  }
}

type RefundCalls = Omit<
  PoolCalls,
  keyof ReturnType<typeof redeemCalls> | keyof ReturnType<typeof moneyCalls>
>

function refundCalls(pool: Uint8Array): RefundCalls {
  const call = callTo(pool)
  return {
    refund(refunds) {
      const args = [refunds.map(refundOf)] as const
      const data = encodeFunctionData({ abi, functionName: 'refund', args })
      return call(gasFor(REFUND_ENTRY_GAS, refunds.length), data)
    },
    finishRefund(refunds) {
      const args = [refunds.map(refundingOf)] as const
      const data = encodeFunctionData({ abi, functionName: 'finishRefund', args })
      return call(gasFor(FINISH_ENTRY_GAS, refunds.length), data)
    },
    close(slots, destinations) {
      const args = [slots.map(boundSlotOf), destinations.map(destinationOf)] as const
      return call(
        gasFor(REFUND_ENTRY_GAS, slots.length),
        encodeFunctionData({ abi, functionName: 'close', args }),
      )
    },
    finishClose(slots, destinations) {
      const args = [slots.map(boundSlotOf), destinations.map(destinationOf)] as const
      const data = encodeFunctionData({ abi, functionName: 'finishClose', args })
      return call(gasFor(FINISH_ENTRY_GAS, slots.length), data)
    },
    withdrawUnused(slots, to) {
      const args = [slots.map(unusedOf), hexOf(to)] as const
      const data = encodeFunctionData({ abi, functionName: 'withdrawUnused', args })
      return call(gasFor(REFUND_ENTRY_GAS, slots.length), data)
    },
    finishWithdraw(nullifiers) {
      const data = encodeFunctionData({
        abi,
        functionName: 'finishWithdraw',
        args: [nullifiers.map(numberOf)],
      })
      return call(gasFor(FINISH_ENTRY_GAS, nullifiers.length), data)
    },
    conflictOpenings(nullifier, first, second) {
      const args = [numberOf(nullifier), evidenceOf(first), evidenceOf(second)] as const
      return call(
        gasFor(REFUND_ENTRY_GAS, 2),
        encodeFunctionData({ abi, functionName: 'conflictOpenings', args }),
      )
    },
    conflictTickets(opening, first, second) {
      const args = [openingOf(opening), signedTicketOf(first), signedTicketOf(second)] as const
      return call(
        gasFor(REFUND_ENTRY_GAS, 2),
        encodeFunctionData({ abi, functionName: 'conflictTickets', args }),
      )
    },
  }
}

/** Makes calls to one contract. */
export function callTo(contract: Uint8Array): (gasCap: bigint, data: string) => ContractCall {
  return (gasCap, data) => ({ to: contract, data: bytesOf(data), value: 0n, gasCap })
}

function gasFor(entryGas: bigint, entries: number): bigint {
  return CALL_GAS + entryGas * BigInt(entries)
}

function sum(counts: readonly number[]): number {
  return counts.reduce((total, count) => total + count, 0)
}

const abi = POOL_ABI
