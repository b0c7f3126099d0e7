/**
 * The registry as the directory needs it (SPEC §14.7): every stake, and what its provider has proven (§17.5), kept current by events alone, so that a look costs one question for the newest block. Survives
 * reorganisations, and starts from what it stored when the chain cannot be asked. Judges no descriptor: that is the stake table's.
 * @module
 */
import { setTimeout as delay } from 'node:timers/promises'
import { isBywayError, toHex } from '@byway/protocol/base'
import {
  createStakeTable,
  type PaymentParameters,
  type ProvenService,
  provenService,
  type StakeClaim,
  type StakeSource,
  type StakeTable,
} from '@byway/protocol/directory'
import { epochOf } from '@byway/protocol/payment'
import type { ChainReader } from '../chain-reader.ts'
import type { ChainNews } from '../chain-view.ts'
import { hexOf } from '../contracts/bytes.ts'
import { chainError } from '../errors.ts'
import { followEvents, REMEMBERED_BLOCKS } from '../follow-events.ts'
import { changeOf, readRegistryTerms, type RegistryTerms } from './registry-terms.ts'
import {
  type BlockTime,
  formatRegistry,
  parseRegistry,
  type StoredRegistry,
} from './stored-registry.ts'

/** Where the view is kept between runs. Whoever provides it decides on the place. */
export interface RegistryCache {
  /** Undefined when there is none. */
  load(): Promise<string | undefined>
  save(text: string): Promise<void>
}

export type RegistryClientOptions = {
  readonly reader: ChainReader
  readonly payment: Pick<
    PaymentParameters,
    'chainId' | 'registry' | 'pool' | 'deployBlock' | 'winValue' | 'proofs'
  >
  readonly isLocal: boolean
  /** @default nothing is kept */
  readonly cache?: RegistryCache | undefined
  /** Wall clock. */
  readonly nowMs: () => number
  /** Between two looks. @default 4000, in a local network 1000 */
  readonly pollMs?: number | undefined
}

/** A view of the registry that follows the chain. Disposing stores it. */
export interface RegistryClient extends StakeSource, AsyncDisposable {
  /**
   * Resolves when the view is that of the chain's newest block, or at most 24 h old while the chain cannot be asked.
   * @throws CHAIN_UNREACHABLE and CHAIN_DISAGREE without such a stored view, CHAIN_CONTRACT, or the signal's reason
   */
  start(signal: AbortSignal): Promise<void>
  /** How long ago the chain was last seen to say what the view says; infinite before the first time, and where the clock was put back since. */
  readonly ageMs: number
  /** How long ago the stake behind a descriptor was registered, reckoned from blocks; undefined when none stands behind it, or before the chain has answered. From a stored view it is the age at its block. */
  stakeAgeMs(claim: StakeClaim): number | undefined
  /** What the provider behind a descriptor has proven lately (SPEC §17.5); undefined in a network without service proofs. */
  provenOf(claim: StakeClaim): ProvenService | undefined
}

// Local limits (tunable): docs/LIMITS.md.
/** Nodes come and go in hours; a new one shall be known to all within ten seconds. */
const POLL_MS = 4000
/** A chain on this machine makes a block a second. Asked oftener, it takes more of a small machine than its nodes do at rest. */
const LOCAL_POLL_MS = 1000
/** A view that was stored longer ago is no start: what it calls active may have been slashed and gone (DESIGN §6). */
const MAX_STORED_AGE_MS: number = 24 * 3_600_000
/** A clock that was put back by less is no reason to take a view for old. */
const MAX_BACK_MS = 3_600_000
/** A view is stored this often, and at the end. */
const STORE_EVERY_MS = 600_000
/** Between two tries after the history was reorganised deeper than is remembered. */
const ANEW_MS = 1000

/** The pool's events are not asked for. */
const NO_CONTRACT = '0x'

/** Creates a client that has asked nothing yet. */
export function createRegistryClient(options: RegistryClientOptions): RegistryClient {
  return new Client(options)
}

class Client implements RegistryClient {
  readonly #options: RegistryClientOptions
  readonly #listeners = new Set<() => void>()
  readonly #stop = new AbortController()
  #terms: RegistryTerms = { minStake: 0n, feeBps: 0, holdBps: 0 }
  #table: StakeTable = createStakeTable(0n)
  #at: { readonly block: number; readonly hash: StoredRegistry['blockHash'] } | undefined
  /** The stored block that the view is built on, while it may still be taken back. */
  #base: { readonly block: number; readonly hash: StoredRegistry['blockHash'] } | undefined
  #seenAtMs = Number.NEGATIVE_INFINITY
  /** The contract's first block and the newest seen: times between them are reckoned. */
  #first: BlockTime | undefined
  #head: BlockTime | undefined
  #storedAtMs = Number.NEGATIVE_INFINITY
  #following: Promise<void> = Promise.resolve()

  constructor(options: RegistryClientOptions) {
    this.#options = options
  }

  get view(): StakeTable {
    return this.#table
  }

  get ageMs(): number {
    const passedMs = this.#options.nowMs() - this.#seenAtMs
    // Of a clock that was ahead: nobody knows.
    return passedMs < -MAX_BACK_MS ? Number.POSITIVE_INFINITY : Math.max(0, passedMs)
  }

  stakeAgeMs(claim: StakeClaim): number | undefined {
    const [first, head] = [this.#first, this.#head]
    const since = this.#table.sinceBlockOf(claim)
    if (since === undefined || !first || !head || head.number <= first.number) return undefined
    const blockMs = ((head.timeS - first.timeS) * 1000) / (head.number - first.number)
    return Math.max(0, (head.number - since) * blockMs)
  }

  provenOf(claim: StakeClaim): ProvenService | undefined {
    const { payment, nowMs } = this.#options
    if (!payment.proofs?.contract) return undefined
    const epoch = epochOf(nowMs() / 1000, payment.proofs.epochS)
    return provenService(this.#table.provenOf(claim), epoch, payment.winValue)
  }

  get #pollMs(): number {
    const { pollMs, isLocal } = this.#options
    return pollMs ?? (isLocal ? LOCAL_POLL_MS : POLL_MS)
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  async start(signal: AbortSignal): Promise<void> {
    const either = AbortSignal.any([signal, this.#stop.signal])
    const stored = await this.#load()
    if (stored) this.#takeStored(stored)
    else {
      this.#terms = await readRegistryTerms(this.#options.reader, this.#options.payment, either)
      this.#table = createStakeTable(this.#terms.minStake)
    }
    const inStep = Promise.withResolvers<void>()
    // Rejected after the caller has gone: there is nobody left to tell.
    inStep.promise.catch(() => {})
    const onAbort = (): void => inStep.reject(signal.reason)
    signal.addEventListener('abort', onAbort, { once: true })
    this.#following = this.#follow(inStep, stored !== undefined)
    try {
      await inStep.promise
    } finally {
      signal.removeEventListener('abort', onAbort)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort()
    await this.#following
    await this.#store()
  }

  /** Until the end. History that was reorganised too deep is read anew, from the contract's block on. */
  async #follow(inStep: PromiseWithResolvers<void>, isStored: boolean): Promise<void> {
    let mayStand = isStored
    while (!this.#stop.signal.aborted) {
      try {
        await this.#followOnce(inStep, mayStand)
      } catch (error) {
        if (this.#stop.signal.aborted) return
        if (!isBywayError(error) || error.code !== 'CHAIN_REORG_DEPTH') inStep.reject(error)
        await this.#pause()
      }
      // What was seen last is stored at the end.
      if (this.#stop.signal.aborted) return
      mayStand = false
      this.#at = undefined
    }
  }

  async #pause(): Promise<void> {
    await delay(ANEW_MS, undefined, { ref: false, signal: this.#stop.signal }).catch(() => {})
  }

  async #followOnce(inStep: PromiseWithResolvers<void>, mayStand: boolean): Promise<void> {
    const { reader, payment } = this.#options
    const signal = this.#stop.signal
    if (this.#at && !(await this.#isInChain(signal, mayStand, inStep))) this.#at = undefined
    this.#base = this.#at
    const fresh = this.#at ? this.#table : createStakeTable(this.#terms.minStake)
    const registry = hexOf(payment.registry)
    const proofs = payment.proofs?.contract && hexOf(payment.proofs.contract)
    const news = followEvents({
      reader,
      sources: { pool: NO_CONTRACT, registry, proofs },
      addresses: proofs ? [registry, proofs] : [registry],
      fromBlock: this.#at ? this.#at.block + 1 : payment.deployBlock,
      pollMs: this.#pollMs,
      signal,
    })
    for await (const each of news) {
      if (each.type === 'quiet') this.#onQuiet(inStep, mayStand)
      else if (each.type === 'head') await this.#onHead(each, fresh, inStep)
      else if (takeNews(fresh, each, this.#terms) && fresh === this.#table) this.#tell()
    }
  }

  /** A stored view whose block is gone is not built upon. While the chain cannot be asked it stands, and is asked about again. */
  async #isInChain(
    signal: AbortSignal,
    mayStand: boolean,
    inStep: PromiseWithResolvers<void>,
  ): Promise<boolean> {
    while (this.#at) {
      try {
        const found = await this.#options.reader.block(this.#at.block, signal)
        return found?.hash === this.#at.hash
      } catch (error) {
        if (signal.aborted) throw error
        if (mayStand) inStep.resolve()
        else inStep.reject(error)
        await this.#pause()
      }
    }
    return false
  }

  #onQuiet(inStep: PromiseWithResolvers<void>, mayStand: boolean): void {
    if (mayStand) inStep.resolve()
    else
      inStep.reject(
        chainError('CHAIN_UNREACHABLE', {
          method: 'eth_getLogs',
          answers: 0,
          needed: 1,
          fault: 'none',
        }),
      )
  }

  async #onHead(
    { head }: Extract<ChainNews, { type: 'head' }>,
    fresh: StakeTable,
    inStep: PromiseWithResolvers<void>,
  ): Promise<void> {
    fresh.settle(head.number - REMEMBERED_BLOCKS)
    await this.#requireBase(head.number)
    const { reader } = this.#options
    const top = await reader.recentHead(this.#pollMs, this.#stop.signal).catch(() => undefined)
    if (!top || head.number < top.number) return
    this.#at = { block: head.number, hash: head.hash }
    this.#head = head
    this.#first ??= await this.#firstBlock()
    this.#seenAtMs = this.#options.nowMs()
    if (fresh !== this.#table) {
      // A view that was read anew takes the old one's place at once, never half of it.
      this.#table = fresh
      this.#tell()
    }
    inStep.resolve()
    if (this.#seenAtMs - this.#storedAtMs >= STORE_EVERY_MS) await this.#store()
  }

  /** The follower knows nothing of blocks before its first: that one is asked about until no reorganisation reaches it. @throws CHAIN_REORG_DEPTH */
  async #requireBase(head: number): Promise<void> {
    const base = this.#base
    if (!base) return
    if (head > base.block + REMEMBERED_BLOCKS) this.#base = undefined
    // Asked again with the next head when the chain cannot be asked now.
    const found = await this.#options.reader.block(base.block, this.#stop.signal).catch(() => base)
    if (found?.hash !== base.hash) {
      throw chainError('CHAIN_REORG_DEPTH', { remembered: REMEMBERED_BLOCKS })
    }
  }

  /** Without it a stake's age is unknown, and asked for with the next block. */
  async #firstBlock(): Promise<BlockTime | undefined> {
    const { reader, payment } = this.#options
    return await reader.block(payment.deployBlock, this.#stop.signal).catch(() => undefined)
  }

  #tell(): void {
    for (const listener of this.#listeners) listener()
  }

  async #load(): Promise<StoredRegistry | undefined> {
    const { cache, payment, nowMs } = this.#options
    const text = await cache?.load().catch(() => undefined)
    const stored = text === undefined ? undefined : parseRegistry(text)
    if (!stored || stored.chainId !== payment.chainId) return undefined
    if (stored.registry !== toHex(payment.registry)) return undefined
    const ageMs = nowMs() - stored.seenAtMs
    return ageMs >= 0 && ageMs <= MAX_STORED_AGE_MS ? stored : undefined
  }

  #takeStored({ records, block, blockHash, seenAtMs, span, ...terms }: StoredRegistry): void {
    const { minStake, feeBps, holdBps } = terms
    this.#terms = { minStake, feeBps, holdBps }
    this.#table = createStakeTable(minStake, records)
    this.#at = { block, hash: blockHash }
    this.#seenAtMs = seenAtMs
    this.#first = span?.first
    this.#head = span?.head
  }

  /** A view that cannot be stored is read anew next time; what was read now is good. */
  async #store(): Promise<void> {
    const { cache, payment } = this.#options
    if (!cache || !this.#at) return
    this.#storedAtMs = this.#options.nowMs()
    const { chainId, registry } = payment
    const text = formatRegistry({
      chainId,
      registry: toHex(registry),
      ...this.#terms,
      block: this.#at.block,
      blockHash: this.#at.hash,
      seenAtMs: this.#seenAtMs,
      span:
        this.#first && this.#head ? { first: timeOf(this.#first), head: timeOf(this.#head) } : null,
      records: this.#table.records(),
    })
    await cache.save(text).catch(() => {})
  }
}

function timeOf({ number, timeS }: BlockTime): BlockTime {
  return { number, timeS }
}

/** True when it changed the table. */
function takeNews(table: StakeTable, news: ChainNews, terms: RegistryTerms): boolean {
  if (news.type !== 'event' && news.type !== 'removed') return false
  const found = changeOf(news.event, terms)
  if (!found) return false
  if (news.type === 'event') table.apply(found.provider, found.change, news.event.block)
  else table.undo(found.provider)
  return true
}
