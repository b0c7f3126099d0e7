/**
 * The authorisation of slots in zero knowledge (SPEC §13.5): an opening shows that it is of some deposit, and nothing of which. A proof takes a third of a second of a good core and seconds of a slow one, so that some are made
 * ahead, for slots that nobody was shown, as soon as a root is published: how many and when is the stock's.
 * @module
 */
import { setImmediate } from 'node:timers/promises'
import { equalBytes, toHex } from '@byway/protocol/base'
import type { LeafTree, TicketCrypto } from '@byway/protocol/crypto'
import {
  depositLeaf,
  identityCommitment,
  numberOf,
  openingX,
  refundTo,
  proofPath,
  slotCount,
  slotNullifier,
  u256Bytes,
  withdrawalX,
} from '@byway/protocol/ticket'
import type { JoinTerms, Pool, RefundTerms } from '@byway/protocol/ticket'
import type { Opening } from '@byway/protocol/wire'
import { moneyError } from './errors.ts'
import { createLeafBook } from './leaf-book.ts'
import type { DepositChain, LeafBook } from './leaf-book.ts'
import { createOpeningStock } from './opening-stock.ts'
import type { OpeningStock } from './opening-stock.ts'
import type {
  BoundProof,
  JoinProof,
  OpeningRecords,
  Slot,
  SlotAuthoriser,
  LeafRest,
} from './ports.ts'
import { untilAborted } from '../engine/abort.ts'
import type { ReceiptKeys } from './receipt-keys.ts'
import { sessionKeyOf } from './session-keys.ts'
import { createLeafRests } from './leaf-rests.ts'
import type { JoinProver, LeafRests } from './leaf-rests.ts'
import type { SlotProver, SlotWitness } from './slot-prover.ts'

/** One of the client's deposits. Who has its secret can use all of its slots. */
export type SecretDeposit = {
  /** A field element. */
  readonly secret: bigint
  /** Units of leaves. */
  readonly limit: number
  /** False after lost state: any of its slots may have been shown by somebody who forgot it. */
  readonly isPastKnown: boolean
  /** See {@link Slot}. @default true */
  readonly isOwnersAlone?: boolean | undefined
}

/** DESIGN §7.1. */
const ROOT_INTERVAL_S = 6 * 3600

export type ProofAuthoriserDeps = {
  readonly crypto: TicketCrypto
  readonly createTree: () => LeafTree
  readonly pool: Pool
  readonly chain: DepositChain
  /** The client's deposits as they are known now; new ones turn up at the end. */
  readonly deposits: (signal: AbortSignal) => Promise<readonly SecretDeposit[]>
  /** 32 bytes from which every session key is made. */
  readonly sessionSecret: Uint8Array
  /** Makes the key that the slot's receipts are signed with; absent in a network without service proofs. */
  readonly receipts?: Pick<ReceiptKeys, 'keyFor'> | undefined
  readonly prover: SlotProver & JoinProver
  /** Keeps openings made ahead. @default none: a restart makes them anew */
  readonly openings?: OpeningRecords | undefined
  /** Uniform in [0, 1): which slots are proved ahead. Their order within a deposit would tell that two hops have the same client. */
  readonly random: () => number
  /** Monotonic. */
  readonly nowMs: () => number
  /** The network's: from one root to the next, seconds. @default DESIGN §7.1's six hours */
  readonly rootIntervalS?: number | undefined
}

/** Creates the authoriser. */
export function createProofAuthoriser(deps: ProofAuthoriserDeps): SlotAuthoriser {
  return new ProofAuthoriser(deps)
}

// Local limits (tunable): docs/LIMITS.md.
/** Without the chain the last root that it told is good for so long: half of what it is taken for after its successor (SPEC §14.1). */
const ROOT_KEPT_MS = 3 * 3_600_000
/** Nullifiers computed between two looks at the network. */
const SLOTS_AT_ONCE = 8

type ProvableSlot = Slot & {
  readonly deposit: SecretDeposit
  readonly number: number
  readonly leaf: bigint
}

class ProofAuthoriser implements SlotAuthoriser {
  readonly #deps: ProofAuthoriserDeps
  readonly #leaves: LeafBook
  readonly #slots = new Map<string, ProvableSlot>()
  /** By deposit. */
  readonly #leafOfDeposit = new Map<string, bigint>()
  /** By leaf: how many of its slots are in the map. */
  readonly #slotsKnown = new Map<bigint, number>()
  readonly #stock: OpeningStock
  /** The newest root as it was when the chain was last asked. */
  #lastRoot: { readonly root: bigint; readonly askedAtMs: number } | undefined
  readonly #rests: LeafRests

  constructor(deps: ProofAuthoriserDeps) {
    this.#deps = deps
    this.#leaves = createLeafBook(deps)
    this.#rests = createLeafRests({ ...deps, leaves: this.#leaves })
    this.#stock = createOpeningStock({
      make: (nullifier, root, isAhead, signal) => this.#prove(nullifier, root, isAhead, signal),
      isOwn: (opening) => this.#isOwn(opening),
      records: deps.openings,
      random: deps.random,
      nowMs: deps.nowMs,
      rootIntervalS: deps.rootIntervalS ?? ROOT_INTERVAL_S,
    })
  }

  get prepared(): number {
    return this.#stock.size
  }

  async slots(signal: AbortSignal): Promise<readonly Slot[]> {
    const deposits = await untilAborted(this.#deps.deposits(signal), signal)
    await this.#leaves.refresh(signal)
    for (const deposit of deposits) await this.#addSlots(deposit)
    return [...this.#slots.values()]
  }

  async openingFor(nullifier: Uint8Array, signal: AbortSignal): Promise<Opening> {
    const root = await this.#newestRoot(signal)
    const ready = this.#stock.take([nullifier])
    if (ready && numberOf(ready.root) === root) return ready
    return await this.#prove(nullifier, root, false, signal)
  }

  async withdrawalFor(
    nullifier: Uint8Array,
    to: Uint8Array,
    feeTo: Uint8Array,
    signal: AbortSignal,
  ): Promise<BoundProof> {
    return await this.#proofFor(nullifier, withdrawalX(this.#deps.crypto, to, feeTo), signal)
  }

  async refundFor(
    nullifier: Uint8Array,
    terms: RefundTerms,
    signal: AbortSignal,
  ): Promise<BoundProof> {
    return await this.#proofFor(nullifier, refundTo(this.#deps.crypto, terms).x, signal)
  }

  /** Under the newest root. */
  async #proofFor(nullifier: Uint8Array, x: bigint, signal: AbortSignal): Promise<BoundProof> {
    const root = await this.#newestRoot(signal)
    const witness = await this.#witnessFor(nullifier, x, root, signal)
    return { root: u256Bytes(root), proof: await this.#deps.prover.prove(witness, signal) }
  }

  async leafRests(signal: AbortSignal): Promise<readonly LeafRest[]> {
    const published = await this.#deps.chain.newestRoot(signal)
    return published ? await this.#rests.under(numberOf(published.root), signal) : []
  }

  async joiningFor(
    rests: readonly Uint8Array[],
    terms: JoinTerms,
    signal: AbortSignal,
  ): Promise<JoinProof> {
    // After a start nobody may have looked for deposits yet.
    await this.slots(signal)
    return await this.#rests.join(rests, terms, await this.#newestRoot(signal), signal)
  }

  sessionKeyFor(nullifier: Uint8Array): Uint8Array {
    return sessionKeyOf(this.#deps.crypto, this.#deps.sessionSecret, nullifier)
  }

  async prepare(unshown: readonly Uint8Array[], signal: AbortSignal): Promise<void> {
    await this.#stock.keepFull({ unshown, root: await this.#takenRoot(signal) }, signal)
  }

  async prepareOne(unshown: readonly Uint8Array[], signal: AbortSignal): Promise<void> {
    await this.#stock.one({ unshown, root: await this.#takenRoot(signal) }, signal)
  }

  takePrepared(unshown: readonly Uint8Array[]): Opening | undefined {
    return this.#stock.take(unshown)
  }

  async #newestRoot(signal: AbortSignal): Promise<bigint> {
    const published = await this.#deps.chain.newestRoot(signal)
    if (!published) throw moneyError('DEPOSIT_TOO_NEW', {})
    const root = numberOf(published.root)
    this.#lastRoot = { root, askedAtMs: this.#deps.nowMs() }
    return root
  }

  /** A root for an opening: hops take the one before the newest for hours, so that a chain that does not answer now keeps nobody from being paid. */
  async #takenRoot(signal: AbortSignal): Promise<bigint> {
    try {
      return await this.#newestRoot(signal)
    } catch (error) {
      const { root, askedAtMs = Number.NEGATIVE_INFINITY } = this.#lastRoot ?? {}
      const isOld = this.#deps.nowMs() - askedAtMs > ROOT_KEPT_MS
      if (signal.aborted || root === undefined || isOld) throw error
      return root
    }
  }

  async #prove(
    nullifier: Uint8Array,
    root: bigint,
    isAhead: boolean,
    signal: AbortSignal,
  ): Promise<Opening> {
    const { crypto, prover } = this.#deps
    const sessionKey = crypto.addressOfSecret(this.sessionKeyFor(nullifier))
    const receiptKey = (await this.#deps.receipts?.keyFor(nullifier)) ?? NO_RECEIPT_KEY
    const x = openingX(crypto, { sessionKey, receiptKey })
    const witness = await this.#witnessFor(nullifier, x, root, signal)
    const proof = await (isAhead
      ? prover.proveAhead(witness, signal)
      : prover.prove(witness, signal))
    return { root: u256Bytes(root), nullifier, sessionKey, receiptKey, proof }
  }

  async #witnessFor(
    nullifier: Uint8Array,
    x: bigint,
    root: bigint,
    signal: AbortSignal,
  ): Promise<SlotWitness> {
    if (!this.#slots.has(toHex(nullifier))) await this.slots(signal)
    const slot = this.#slots.get(toHex(nullifier))
    if (!slot) throw moneyError('DEPOSIT_TOO_NEW', {})
    const path = await this.#leaves.pathUnder(root, slot.leaf, signal)
    if (!path) throw moneyError('DEPOSIT_TOO_NEW', {})
    const { deposit, number } = slot
    const { pool } = this.#deps
    return {
      secret: deposit.secret,
      limit: deposit.limit,
      j: number,
      path: proofPath(path),
      domain: pool.domain,
      x,
      tag: pool.tag,
      unitsPerSlot: BigInt(pool.unitsPerSlot),
    }
  }

  /** What an earlier run has made is of use while the same keys would be in it. */
  #isOwn({ nullifier, sessionKey, receiptKey }: Opening): boolean {
    const own = this.#deps.crypto.addressOfSecret(this.sessionKeyFor(nullifier))
    const hasReceipts = !equalBytes(receiptKey, NO_RECEIPT_KEY)
    return equalBytes(sessionKey, own) && hasReceipts === (this.#deps.receipts !== undefined)
  }

  /** Each slot costs a hash of half a millisecond, once: cells go between them. */
  async #addSlots(deposit: SecretDeposit): Promise<void> {
    const { crypto, pool } = this.#deps
    const leaf = this.#leafOf(deposit)
    if (!this.#leaves.has(leaf)) return
    const count = slotCount(pool, deposit.limit)
    this.#rests.add({ ...deposit, leaf })
    const { isPastKnown: isKnownUnshown, isOwnersAlone = true } = deposit
    let number = this.#slotsKnown.get(leaf) ?? 0
    for (; number < count; number++) {
      const nullifier = u256Bytes(slotNullifier(crypto, pool, deposit.secret, number))
      const key = toHex(nullifier)
      if (!this.#slots.has(key))
        this.#slots.set(key, {
          nullifier,
          isKnownUnshown,
          isOwnersAlone,
          deposit,
          number,
          leaf,
        })
      if (number % SLOTS_AT_ONCE === 0) await setImmediate()
    }
    this.#slotsKnown.set(leaf, number)
  }

  #leafOf({ secret, limit }: SecretDeposit): bigint {
    const name = `${secret} ${limit}`
    let leaf = this.#leafOfDeposit.get(name)
    if (leaf === undefined) {
      const { crypto, pool } = this.#deps
      leaf = depositLeaf(crypto, pool, identityCommitment(crypto, secret), limit)
      this.#leafOfDeposit.set(name, leaf)
    }
    return leaf
  }
}

/** In networks without service proofs (SPEC §13.2). */
const NO_RECEIPT_KEY = new Uint8Array(32)
