/**
 * Sells tokens against the tickets of a slot (SPEC §16). To a slot that is locked or bound to this node it issues at once; to any other only `issueDelayMs` after
 * the tickets, and only if nobody else holds the slot by then: one slot shown to a thousand hops must not buy at each.
 *
 * A purchase is on disk before its signatures are given out. One that equals the slot's last is signed again for nothing: RSA gives the very same
 * signatures, so a client whose circuit died with the answer loses nothing and gains nothing.
 * @module
 */
import { concatBytes, equalBytes, toHex } from '@byway/protocol/base'
import { BLIND_TOKEN_BYTES, type BlindTokenSigner } from '@byway/protocol/crypto'
import { TOKEN_UNITS } from '@byway/protocol/ticket'
import {
  PAY,
  TOKEN_KIND,
  VERDICT,
  type BuyMessage,
  type SoldMessage,
  type TokenKind,
  type Verdict,
} from '@byway/protocol/wire'
import { emptyBalance, SlotBalance, type StoredBalance } from './token-balance.ts'
import type { HonouredKey, TokenKeyring } from './token-keyring.ts'
import { DAY_MS, dayOf, unitsOfToken, type TokenHash } from './token-terms.ts'

/**
 * Where a slot stands on the chain, for this node, now. `mine`: locked or bound to it. `open`: nobody holds it. `taken`: another provider does, or it
 * is closed or being asked back. `unknown`: the chain cannot be asked, and nothing that it said before holds still.
 */
export type SlotStanding = 'mine' | 'open' | 'taken' | 'unknown'

/** Tokens sold under a key. */
export type KeySale = { readonly keyId: Uint8Array; readonly count: number }

/** Where balances are kept. Calls take effect in their order; a promise that resolves means that the disk has it. */
export interface BalanceRecords {
  list(): Promise<readonly StoredBalance[]>
  /** Keeps a balance, and with it, both or neither, that so many tokens were sold (or, below zero, not sold after all) under a key. */
  put(balance: StoredBalance, sale?: KeySale): Promise<void>
  remove(nullifier: Uint8Array): Promise<void>
}

/** What a purchase came to. `sold` and `units` are for the ledger: 0 when nothing was sold, or only repeated. */
export type Sale = { readonly message: SoldMessage; readonly sold: number; readonly units: number }

/** The seller of a node's tokens. */
export interface TokenIssuer {
  /** Slots with a balance or a quota that is remembered. */
  readonly slots: number
  /** Reads the balances of an earlier run. Before anything else. */
  load(nowMs: number): Promise<void>
  /** False when there is no room for another slot, and this one is not known: its tickets must be refused with TRY_LATER before they are judged. */
  hasRoom(nullifier: Uint8Array): boolean
  /** Adds what a verified ticket on a control circuit paid for. False, with nothing added, when there is no room. */
  credit(nullifier: Uint8Array, units: number, nowMs: number): boolean
  /** Units that a slot has paid and not used. */
  balance(nullifier: Uint8Array): number
  /** True for a BUY that equals the slot's last of its kind: answered again whoever asks, for only its maker can use the answer. */
  isRepeat(message: BuyMessage, nullifier: Uint8Array): boolean
  /** Serves BUY; never rejects. The standing must be that of this moment, not of when the slot was shown. */
  buy(
    message: BuyMessage,
    nullifier: Uint8Array,
    standing: SlotStanding,
    nowMs: number,
  ): Promise<Sale>
  /** Forgets slots of which nothing has been heard for so long that the slot's life is over; gives the units that lapse with them. */
  sweep(nowMs: number): number
}

export type TokenIssuerDeps = {
  readonly keyring: Pick<TokenKeyring, 'issuing'>
  readonly signer: BlindTokenSigner
  readonly hash: TokenHash
  readonly records: BalanceRecords
  /** The network's (SPEC §13). */
  readonly issueDelayMs: number
}

/** Creates an issuer without balances. */
export function createTokenIssuer(deps: TokenIssuerDeps): TokenIssuer {
  return new Issuer(deps)
}

class Issuer implements TokenIssuer {
  readonly #deps: TokenIssuerDeps
  readonly #slots = new Map<string, SlotBalance>()

  constructor(deps: TokenIssuerDeps) {
    this.#deps = deps
  }

  get slots(): number {
    return this.#slots.size
  }

  async load(nowMs: number): Promise<void> {
    for (const stored of await this.#deps.records.list()) {
      this.#slots.set(toHex(stored.nullifier), new SlotBalance(stored, nowMs))
    }
  }

  hasRoom(nullifier: Uint8Array): boolean {
    return this.#slots.size < MAX_SLOTS || this.#slots.has(toHex(nullifier))
  }

  credit(nullifier: Uint8Array, units: number, nowMs: number): boolean {
    const name = toHex(nullifier)
    let slot = this.#slots.get(name)
    if (!slot) {
      if (this.#slots.size >= MAX_SLOTS) return false
      slot = new SlotBalance(emptyBalance(nullifier.slice()), nowMs)
      this.#slots.set(name, slot)
    }
    slot.credit(units, nowMs)
    // Not waited for: what a crash loses is at most the tickets of the last moment, and the next purchase writes it again.
    this.#deps.records.put(slot.stored()).catch(ignoreUntilPurchase)
    return true
  }

  balance(nullifier: Uint8Array): number {
    return this.#slots.get(toHex(nullifier))?.units ?? 0
  }

  isRepeat(message: BuyMessage, nullifier: Uint8Array): boolean {
    const slot = this.#slots.get(toHex(nullifier))
    return slot !== undefined && equalBytes(this.#asked(message), slot.lastSale(message.tokenKind))
  }

  async buy(
    message: BuyMessage,
    nullifier: Uint8Array,
    standing: SlotStanding,
    nowMs: number,
  ): Promise<Sale> {
    const key = this.#deps.keyring.issuing(message.tokenKind, message.keyId, nowMs)
    if (!key) return refused(message, VERDICT.UNKNOWN_KEY)
    if (message.elements.some(({ length }) => length !== BLIND_TOKEN_BYTES)) {
      return refused(message, VERDICT.BAD_TOKEN)
    }
    if (standing === 'taken') return refused(message, VERDICT.SLOT_TAKEN)
    if (standing === 'unknown') return refused(message, VERDICT.TRY_LATER)
    const slot = this.#slots.get(toHex(nullifier))
    if (!slot) return refused(message, VERDICT.NOT_PAID)
    if (slot.buying.has(message.tokenKind)) return refused(message, VERDICT.TRY_LATER)
    slot.buying.add(message.tokenKind)
    try {
      return await this.#sell(message, key, slot, standing, nowMs)
    } finally {
      slot.buying.delete(message.tokenKind)
    }
  }

  sweep(nowMs: number): number {
    let lapsed = 0
    for (const [name, slot] of this.#slots) {
      const isSpent = slot.units === 0 && nowMs - slot.usedAtMs >= QUOTA_MEMORY_MS
      if (slot.buying.size > 0 || (!isSpent && nowMs - slot.usedAtMs < SLOT_MEMORY_MS)) continue
      lapsed += slot.units
      this.#slots.delete(name)
      this.#deps.records.remove(slot.nullifier).catch(ignoreUntilPurchase)
    }
    return lapsed
  }

  async #sell(
    message: BuyMessage,
    key: HonouredKey,
    slot: SlotBalance,
    standing: 'mine' | 'open',
    nowMs: number,
  ): Promise<Sale> {
    const asked = this.#asked(message)
    if (equalBytes(asked, slot.lastSale(message.tokenKind))) return this.#repeat(message, key, slot)
    const count = message.elements.length
    const day = dayOf(nowMs)
    const free = freeOf(message.tokenKind, count, slot, day)
    const units = priceOf(message.tokenKind, count - free)
    const verdict = this.#judge(slot, units, message, standing, nowMs)
    if (verdict !== VERDICT.OK) return refused(message, verdict)
    const undo = charge(slot, message.tokenKind, { units, free, day, asked })
    slot.usedAtMs = nowMs
    const { keyId } = key
    const kept = this.#deps.records.put(slot.stored(), { keyId, count }).then(
      () => true,
      () => false,
    )
    const sale = await this.#sign(message, key, units)
    if ((await kept) && sale.message.verdict === VERDICT.OK) return { ...sale, sold: count }
    undo()
    const unsold = (await kept) ? { keyId, count: -count } : undefined
    this.#deps.records.put(slot.stored(), unsold).catch(ignoreUntilPurchase)
    return sale.message.verdict === VERDICT.OK ? refused(message, VERDICT.TRY_LATER) : sale
  }

  #asked({ keyId, elements }: BuyMessage): Uint8Array {
    return this.#deps.hash.sha256(keyId, concatBytes(...elements))
  }

  #repeat(message: BuyMessage, key: HonouredKey, slot: SlotBalance): Promise<Sale> | Sale {
    if (slot.repeats >= MAX_REPEATS) return refused(message, VERDICT.TRY_LATER)
    slot.repeats++
    return this.#sign(message, key, 0)
  }

  #judge(
    slot: SlotBalance,
    units: number,
    { tokenKind, elements }: BuyMessage,
    standing: 'mine' | 'open',
    nowMs: number,
  ): Verdict {
    if (slot.units < units) return VERDICT.NOT_PAID
    if (standing === 'mine') return VERDICT.OK
    const { issueDelayMs } = this.#deps
    if (!slot.isKnownFor(issueDelayMs, nowMs)) return VERDICT.TRY_LATER
    if (slot.unitsDue(issueDelayMs, nowMs) < units) return VERDICT.TRY_LATER
    // SPEC §16.3: the pace is one of bytes, whatever tokens they are bought in.
    const tokens = (elements.length * unitsOfToken(tokenKind)) / TOKEN_UNITS
    return slot.allow(tokens, nowMs) ? VERDICT.OK : VERDICT.TRY_LATER
  }

  async #sign(message: BuyMessage, key: HonouredKey, units: number): Promise<Sale> {
    const signatures = await this.#deps.signer.sign(key.privateKey, message.elements)
    if (signatures === 'busy') return refused(message, VERDICT.TRY_LATER)
    if (signatures === 'malformed') return refused(message, VERDICT.BAD_TOKEN)
    const { request } = message
    const answer: SoldMessage = { kind: PAY.SOLD, request, verdict: VERDICT.OK, signatures }
    return { message: answer, sold: 0, units }
  }
}

type Charge = {
  readonly units: number
  readonly free: number
  readonly day: number
  readonly asked: Uint8Array
}

/** Takes what a purchase costs; returns what undoes it. */
function charge(
  slot: SlotBalance,
  kind: TokenKind,
  { units, free, day, asked }: Charge,
): () => void {
  const before = slot.lastSale(kind)
  const putBack = slot.take(units)
  slot.giveAdmissions(free, day)
  slot.setLastSale(kind, asked)
  slot.repeats = 0
  return () => {
    putBack()
    slot.giveAdmissions(-free, day)
    slot.setLastSale(kind, before)
  }
}

function refused({ request }: BuyMessage, verdict: Verdict): Sale {
  return { message: { kind: PAY.SOLD, request, verdict, signatures: [] }, sold: 0, units: 0 }
}

function freeOf(kind: TokenKind, count: number, slot: SlotBalance, day: number): number {
  return kind === TOKEN_KIND.ADMISSION ? Math.min(count, slot.freeAdmissions(day)) : 0
}

function priceOf(kind: TokenKind, count: number): number {
  return kind === TOKEN_KIND.ADMISSION ? count : count * unitsOfToken(kind)
}

/** Writing failed: the store says so by its health, and the next purchase is not given out before it is written. */
function ignoreUntilPurchase(): void {}

/** A quota is of a day; a slot that has nothing left is remembered until it is over for sure. */
const QUOTA_MEMORY_MS = 2 * DAY_MS
/** DESIGN §7.1: providers remember a slot for 30 days. */
const SLOT_MEMORY_MS = 30 * DAY_MS

// Local limits (tunable): docs/LIMITS.md.
/** Slots with a balance: each has paid at least one ticket here. */
const MAX_SLOTS = 65_536
/** How often one purchase is answered again: a circuit that dies with the answer four times over is not luck. */
const MAX_REPEATS = 4
