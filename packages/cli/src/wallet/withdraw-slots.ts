/**
 * Takes slots back that were never shown (SPEC §14.4): asks for them, and once the delay is over has them paid. A slot that the client has shown to anybody is never among them:
 * two proofs of one slot burn its bond. So each is written into the client's journal before its proof leaves.
 */
import { toHex } from '@byway/protocol/base'
import { nodeKeyOf } from '@byway/protocol/directory'
import { createLeafTree, nodeTicketCrypto } from '@byway/protocol/node-ticket'
import type { LeafTree } from '@byway/protocol/crypto'
import { elementOf, proofPath, withdrawalX } from '@byway/protocol/ticket'
import type { Opening } from '@byway/protocol/wire'
import { assertSetUpServes, createSlotProver, createZkEngine } from '@byway/zk'
import { openOwnStore } from '../engine/own-store.ts'
import { recordWithdrawn } from '../ledger/deposit-events.ts'
import { openSender, type Wallet } from './open-wallet.ts'
import { queueReturns } from './queued-returns.ts'
import { depositsOf, wordedSlotsOf, type WalletSlot, type WordedSlot } from './slots-of.ts'
import { walletError } from './wallet-errors.ts'

export type WithdrawResult = {
  /** Slots that were paid now. */
  readonly finished: number
  /** Slots that were asked for now. */
  readonly begun: number
  /** Slots whose delay is not over. */
  readonly pending: number
  /** When the last of them can be finished, seconds since 1970; undefined with none. */
  readonly dueAtS: number | undefined
}

// Local limits (tunable): docs/LIMITS.md.
/** Slots in one transaction: each takes a proof to be checked. */
const MAX_BATCH = 12

/**
 * Finishes what is due and asks for up to `most` further slots.
 * @throws WALLET_NOTHING, STORE_LOCKED while the client runs, and what lane and signer throw
 */
export async function withdrawSlots(
  wallet: Wallet,
  { to, most, signal, nowS }: { to: Uint8Array; most: number; signal: AbortSignal; nowS: number },
): Promise<WithdrawResult> {
  const { chain, payment, pool, home, poolCalls } = wallet
  await using store = await openOwnStore(home, 'client')
  const slots = (await wordedSlotsOf(wallet, signal)).filter(isOwn)
  const waiting = slots.filter(({ word }) => word.state === 'withdrawing')
  const { timeS } = await chain.view.head(signal)
  const isDue = ({ word }: WordedSlot): boolean => timeS >= word.timeS + payment.refundDelayS
  const due = waiting.filter(isDue)
  // What is on its way through a relayer has its proof: a second one would burn the bond.
  const taken = [...(await store.slots.all()), ...(await store.returns.all())]
  const shown = new Set(taken.map(({ nullifier }) => toHex(nullifier)))
  const unused = slots.filter((slot) => isWithdrawable(slot, shown)).slice(0, most)
  if (waiting.length + unused.length === 0) {
    throw walletError('WALLET_NOTHING', { slots: slots.length })
  }
  await using sender = await openSender(wallet, 'funds', signal)
  for (const [number, batch] of batchesOf(due).entries()) {
    const nullifiers = batch.map(({ nullifier }) => nullifier)
    await sender.send(`finish${number}`, poolCalls.finishWithdraw(nullifiers))
    await recordWithdrawn(store.ledger, nullifiers, pool.slotValue, nowS * 1000)
  }
  const openings = await provenFor(wallet, unused, to, signal)
  for (const opening of openings) {
    const record = {
      nullifier: opening.nullifier,
      hop: NOBODY,
      use: 'link',
      standing: 'refused',
    } as const
    await store.slots.put({ ...record, shownAtS: nowS, opening, floor: 0 })
  }
  for (const [number, batch] of batchesOf(openings).entries()) {
    await sender.send(`withdraw${number}`, poolCalls.withdrawUnused(batch, to))
  }
  const open = waiting.filter((slot) => !isDue(slot))
  const since = [...open.map(({ word }) => word.timeS), ...(openings.length > 0 ? [timeS] : [])]
  return {
    finished: due.length,
    begun: openings.length,
    pending: open.length + openings.length,
    dueAtS: since.length === 0 ? undefined : Math.max(...since) + payment.refundDelayS,
  }
}

/**
 * Writes down which slots that were never shown are to be paid out through relayers, for the client to do when it runs. Gives how many were not asked for before.
 * @throws WALLET_NOTHING, STORE_LOCKED while the client runs
 */
export async function queueWithdrawals(
  wallet: Wallet,
  options: {
    readonly to: Uint8Array
    readonly most: number
    readonly nowMs: () => number
    readonly signal: AbortSignal
  },
): Promise<number> {
  await using store = await openOwnStore(wallet.home, 'client')
  const all = await depositsOf(wallet, options.signal)
  const slots = all.flatMap((one) => one.slots).filter(isOwn)
  const shown = new Set((await store.slots.all()).map(({ nullifier }) => toHex(nullifier)))
  const unused = slots.filter((slot) => isWithdrawable(slot, shown)).slice(0, options.most)
  if (unused.length === 0) throw walletError('WALLET_NOTHING', { slots: slots.length })
  const { to } = options
  const orders = unused.map(({ nullifier }) => ({ nullifier, kind: 'withdraw', to }) as const)
  return await queueReturns(wallet, store, orders, options)
}

/** What became of a voucher that was given away is its holder's business. */
function isOwn({ deposit }: WalletSlot): boolean {
  return deposit.kind !== 'voucher'
}

function isWithdrawable(
  { deposit, state, nullifier }: WalletSlot,
  shown: ReadonlySet<string>,
): boolean {
  return deposit.isPastKnown && state === 'none' && !shown.has(toHex(nullifier))
}

/** Slot proofs (SPEC §13.5) that are bound to the receiver. */
async function provenFor(
  { chain, pool, payment }: Wallet,
  slots: readonly WalletSlot[],
  to: Uint8Array,
  signal: AbortSignal,
): Promise<readonly Opening[]> {
  if (slots.length === 0) return []
  const published = await chain.view.newestRoot(signal)
  if (!published) return []
  const { root } = published
  const leaves = await chain.view.leaves(0, signal)
  const tree = treeUnder(
    elementOf(root),
    leaves.map(({ leaf }) => leaf),
  )
  await assertSetUpServes(payment.chainId)
  using engine = createZkEngine()
  const prover = createSlotProver(engine)
  const { domain, tag } = pool
  const profile = { domain, tag, unitsPerSlot: BigInt(pool.unitsPerSlot) }
  const x = withdrawalX(nodeTicketCrypto, to)
  const openings: Opening[] = []
  for (const { deposit, number, nullifier } of slots) {
    const way = tree.pathOf(deposit.leafIndex)
    // Too new: no published root holds it.
    if (!way) continue
    const { secret } = deposit.owner
    const path = proofPath(way)
    const witness = { ...profile, secret, limit: deposit.limit, j: number, path, x }
    const proof = await prover.prove(witness, signal)
    // In the journal the receiver stands where a session key would: no hop is ever shown this.
    const receiver = { sessionKey: to, receiptKey: new Uint8Array(32) }
    openings.push({ root, nullifier, ...receiver, proof })
  }
  return openings
}

function treeUnder(root: bigint | undefined, leaves: readonly bigint[]): LeafTree {
  const tree = createLeafTree()
  for (const leaf of leaves) {
    tree.insert(leaf)
    if (tree.root === root) break
  }
  return tree
}

function batchesOf<Item>(items: readonly Item[]): readonly (readonly Item[])[] {
  const count = Math.ceil(items.length / MAX_BATCH)
  return Array.from({ length: count }, (_, at) => items.slice(at * MAX_BATCH, (at + 1) * MAX_BATCH))
}

/** No hop was shown it. */
const NOBODY = nodeKeyOf(new Uint8Array(32))
