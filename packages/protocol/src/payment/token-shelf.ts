/**
 * The tokens of one hop in a client's hands (SPEC §16): a block in memory that may be spent, the rest on disk. A block is off the disk before it is spent from, so
 * that a crash loses some tokens but never spends one twice: twice would show the hop that two circuits are one client's.
 * @module
 */
import { TOKEN_KIND } from '@byway/protocol/wire'
import type { HeldToken } from './token-purchase.ts'

/** Where tokens are kept. A promise that resolves means that the disk has it. */
export interface HeldTokenRecords {
  /** Keeps tokens, all or none. */
  add(tokens: readonly HeldToken[]): Promise<void>
  /** Hands out up to `limit`, the oldest first; they are off the disk when it resolves. */
  take(node: Uint8Array, kind: number, limit: number): Promise<readonly HeldToken[]>
  /** Takes unspent ones back. */
  giveBack(tokens: readonly HeldToken[]): Promise<void>
  /** What is kept for a hop. */
  list(node: Uint8Array, kind: number): Promise<readonly HeldToken[]>
  /** Removes all there are, of every hop; gives how many. */
  forgetAll(): Promise<readonly TokenCount[]>
}

/** Tokens of one hop and kind. */
export type TokenCount = {
  readonly node: Uint8Array
  readonly kind: number
  readonly count: number
}

/** The tokens of one hop and kind. */
export class TokenShelf {
  readonly #records: HeldTokenRecords
  readonly #node: Uint8Array
  readonly #kind: number
  readonly #blockTokens: number
  #block: HeldToken[] = []
  #onDisk = 0
  #lapsed = 0
  #loading: Promise<void> | undefined
  #isClosed = false

  constructor(records: HeldTokenRecords, node: Uint8Array, kind: number) {
    this.#records = records
    this.#node = node
    this.#kind = kind
    this.#blockTokens = kind === TOKEN_KIND.BULK ? BLOCK_BULK : BLOCK_TOKENS
  }

  /** In memory: what `take` gives at once, unless it is too old. */
  get atHand(): number {
    return this.#block.length
  }

  /** In memory and on disk. */
  get held(): number {
    return this.#block.length + this.#onDisk
  }

  /** Counts what an earlier run has left, and loads a block. */
  async open(): Promise<void> {
    this.#onDisk = (await this.#records.list(this.#node, this.#kind)).length
    await this.refill()
  }

  /** Keeps bought tokens: a first block in memory if there is none, the others on disk. */
  async add(tokens: readonly HeldToken[]): Promise<void> {
    await this.#records.add(tokens)
    this.#onDisk += tokens.length
    await this.refill()
  }

  /** Takes a token out for good; undefined when none is in memory. */
  take(nowMs: number): HeldToken | undefined {
    while (this.#block.length > 0) {
      const token = this.#block.shift()
      if (this.#isLow) this.refill().catch(leaveForNextTake)
      if (token && nowMs < token.notAfterMs - EXPIRY_MARGIN_MS) return token
      this.#lapsed++
    }
    return undefined
  }

  /** How many were dropped as too old since the last call. */
  takeLapsed(): number {
    const lapsed = this.#lapsed
    this.#lapsed = 0
    return lapsed
  }

  /** Loads a block if one is needed; resolves when that is done. Rejects when the records fail. */
  refill(): Promise<void> {
    if (this.#loading) return this.#loading
    if (this.#isClosed || this.#onDisk === 0 || !this.#isLow) {
      return Promise.resolve()
    }
    this.#loading = this.#load().finally(() => (this.#loading = undefined))
    return this.#loading
  }

  /** Puts the block back on the disk. */
  async close(): Promise<void> {
    this.#isClosed = true
    await this.#loading?.catch(leaveForNextTake)
    const block = this.#block
    this.#block = []
    if (block.length > 0) await this.#records.giveBack(block)
  }

  /** Gives the block up; what is on the disk is up to the caller. Gives how many there were. */
  async forget(): Promise<number> {
    await this.#loading?.catch(leaveForNextTake)
    const count = this.#block.length
    this.#block = []
    this.#onDisk = 0
    return count
  }

  /** A new block is loaded below half of one. */
  get #isLow(): boolean {
    return this.#block.length < this.#blockTokens / 2
  }

  async #load(): Promise<void> {
    const tokens = await this.#records.take(this.#node, this.#kind, this.#blockTokens)
    this.#onDisk = tokens.length < this.#blockTokens ? 0 : this.#onDisk - tokens.length
    this.#block.push(...tokens)
  }
}

/** The next `take` or `refill` tries again, and whoever waits for `refill` hears of it. */
function leaveForNextTake(): void {}

/** What a crash loses at most: eight tokens are 32 MiB. */
const BLOCK_TOKENS = 8
/** Two bulk tokens are 64 MiB. */
const BLOCK_BULK = 2
/** A token must reach its hop before the hop forgets the key; clocks differ by ten minutes at most. */
const EXPIRY_MARGIN_MS = 15 * 60 * 1000
