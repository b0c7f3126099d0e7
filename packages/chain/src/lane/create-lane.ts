/** The lane of one account (ADR-0010): what is sent is stored first, and everything it does happens in one order. */
import { keccak256 } from 'viem/utils'
import type {
  Hex,
  SignedForm,
  StoredTransaction,
  TransactionSigner,
  UnsignedTransaction,
} from '@byway/protocol/payment'
import { assert, isBywayError } from '@byway/protocol/base'
import { hexOf } from '../contracts/bytes.ts'
import { chainError } from '../errors.ts'
import type { LaneCall, LaneTransaction, TransactionLane } from '../transaction-lane.ts'
import { estimateGas } from './estimate-gas.ts'
import { firstFees, gweiOf } from './fees.ts'
import { lookAtChain, NOTHING_SEEN } from './look.ts'
import { createPendingTransactions, type PendingTransactions } from './pending.ts'
import type { LaneOptions, LaneState } from './lane-state.ts'

// Local limits (tunable): docs/LIMITS.md.
/** Nodes refuse long rows of transactions of one account. */
const MAX_PENDING = 48
/** Two blocks of an L2 and some more; a block or two without us is no sign of anything. */
const STUCK_BLOCKS = 6
/** 0.001 gwei: what L2s ask for. */
const TIP_WEI = 1_000_000n
const KEY_FORM = /^[A-Za-z0-9:._-]{1,160}$/

/** Creates the lane. Pending transactions of the account are read from the store at the first use. */
export function createTransactionLane(options: LaneOptions): TransactionLane {
  const state = createState(options)
  const { pending } = state
  let isLoaded = false
  let isStopped = false
  let queue: Promise<unknown> = Promise.resolve()
  /** One thing at a time: a nonce belongs to one transaction. */
  const inOrder = <Value>(work: () => Promise<Value>): Promise<Value> => {
    const done = queue.then(async () => {
      if (isStopped) throw chainError('CHAIN_LANE_STOPPED', { pending: pending.size })
      if (!isLoaded)
        (await options.store.pending(options.signer.address)).forEach((each) => pending.set(each))
      isLoaded = true
      return work()
    })
    queue = done.catch(() => {})
    return done
  }
  let looked = NOTHING_SEEN
  return {
    account: options.signer.address,
    send(call, signal) {
      assert(KEY_FORM.test(call.key), 'a key has letters, digits and :-_.')
      return inOrder(() => send(state, call, signal))
    },
    raise: (key, feeCap) => inOrder(() => raise(state, key, feeCap)),
    look: (signal) =>
      inOrder(async () => {
        looked = await lookAtChain(state, looked, signal)
        return looked.status
      }),
    async [Symbol.asyncDispose]() {
      const last = queue
      isStopped = true
      pending.abandon(chainError('CHAIN_LANE_STOPPED', { pending: pending.size }))
      await last
    },
  }
}

async function send(
  state: LaneState,
  call: LaneCall,
  signal: AbortSignal,
): Promise<LaneTransaction> {
  const { pending, store, signer, reader } = state
  const known = pending.byKey(call.key) ?? (await store.byKey(signer.address, call.key))
  if (known?.state === 'pending') return pending.handle(known)
  if (known?.receipt?.isSuccess) return finished(known)
  if (pending.size >= MAX_PENDING) throw chainError('CHAIN_LANE_FULL', { pending: pending.size })
  const head = await reader.freshHead(signal)
  const feeCap = call.feeCap ?? state.feeCap
  const fees = firstFees(head.baseFee, state.tip, feeCap)
  if (!fees) {
    const [baseFeeGwei, feeCapGwei] = [gweiOf(head.baseFee), gweiOf(feeCap)]
    throw chainError('CHAIN_GAS_DEAR', { baseFeeGwei, feeCapGwei })
  }
  const account = hexOf(signer.address)
  const gas = call.gas ?? (await estimateGas(reader.quorum, account, call, signal))
  const cost = gas * fees.maxFeePerGas + call.value
  const missing = cost + reserved(pending) - (await reader.balance(account, head, signal))
  if (missing > 0n) throw chainError('CHAIN_NO_COIN', { missingGwei: gweiOf(missing) })
  let nonce = await reader.nonce(account, head, signal)
  // A nonce below others that is free closes a gap.
  while (pending.has(nonce)) nonce++
  const { key, to, data, value, gasCap } = call
  const unsigned = { nonce, key, call: { to, data, value, gasCap }, feeCap, gas, forms: [] }
  return pending.handle(await state.submit(unsigned, fees, head, signal))
}

/** On disk first; the next looks replace what is stuck, by rising nonce. */
async function raise({ store, pending }: LaneState, key: string, feeCap: bigint): Promise<void> {
  const known = pending.byKey(key)
  if (!known) return
  for (const each of pending.all()) {
    if (each.nonce > known.nonce || each.feeCap >= feeCap) continue
    const dearer = { ...each, feeCap }
    await store.put(dearer)
    pending.set(dearer)
  }
}

function createState(options: LaneOptions): LaneState {
  const { chainId, signer, store, reader } = options
  const pending = createPendingTransactions()
  const unsent = new Set<Hex>()
  const broadcast = async ({ hash, raw }: SignedForm, signal: AbortSignal): Promise<void> => {
    unsent.add(hash)
    const answers = await reader.quorum.askAll('eth_sendRawTransaction', [raw], signal)
    // Refusals ("already known", "nonce too low") are no news: the next look finds out what became of it.
    if (answers.some(({ type }) => type !== 'fault')) unsent.delete(hash)
  }
  return {
    ...options,
    tip: options.tip ?? TIP_WEI,
    stuckBlocks: options.stuckBlocks ?? STUCK_BLOCKS,
    pending,
    unsent,
    broadcast,
    async submit(unsigned, fees, head, signal) {
      const { nonce, call, gas, forms } = unsigned
      const { to, data, value } = call
      const raw = await signed(signer, { chainId, nonce, to, data, value, gas, ...fees })
      const form = { hash: keccak256(raw), raw, ...fees, sentAtBlock: head.number }
      const transaction: StoredTransaction = {
        ...unsigned,
        account: signer.address,
        forms: [...forms, form],
        state: 'pending',
        receipt: undefined,
      }
      await store.put(transaction)
      pending.set(transaction)
      // It is on disk: whatever happens now, the next look sends it.
      await broadcast(form, signal).catch(() => {})
      return transaction
    },
  }
}

/** @throws CHAIN_UNSIGNED for a signer that may sign it another time */
async function signed(signer: TransactionSigner, transaction: UnsignedTransaction): Promise<Hex> {
  try {
    return await signer.signTransaction(transaction)
  } catch (error) {
    if (!isBywayError(error) || error.kind === 'bug') throw error
    throw chainError('CHAIN_UNSIGNED', { signer: error.code }, { cause: error })
  }
}

/** What pending transactions may still cost. */
function reserved(pending: PendingTransactions): bigint {
  return pending.all().reduce((sum, { gas, forms, call }) => {
    return sum + gas * (forms.at(-1)?.maxFeePerGas ?? 0n) + call.value
  }, 0n)
}

function finished({ key, nonce, receipt }: StoredTransaction): LaneTransaction {
  assert(receipt !== undefined, 'a done transaction has a receipt')
  return { key, nonce, hash: receipt.hash, confirmed: Promise.resolve(receipt) }
}
