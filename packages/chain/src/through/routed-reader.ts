/**
 * A reader that asks nodes of the network once enough of them answer, and the network file's endpoints until then (ADR-0034). What nodes contradict each other about is settled by
 * the endpoints; who was wrong is replaced. A network that stops answering for a while is passed by, and asked again as soon as it answers.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { isBywayError } from '@byway/protocol/base'
import type { ChainReader } from '../chain-reader.ts'
import type { BlockHeader } from '../rpc/parse.ts'
import { canonical } from '../rpc/quorum.ts'

/** Where questions go. */
export type ChainRoute = 'endpoints' | 'network'

/** A node that is asked, and whoever takes its place. */
export type RoutedSeat = {
  /** Believes this node alone: to find out which of them is wrong. */
  readonly reader: ChainReader
  /** Another node shall take the place of this one, which was wrong, or is of no use just now. */
  readonly replace: (isWrong: boolean) => void
}

export type RoutedReaderOptions = {
  /** The network file's endpoints. */
  readonly endpoints: ChainReader
  /** The nodes together, of which two must agree. */
  readonly network: ChainReader
  readonly seats: readonly RoutedSeat[]
  /** Told of each change; the first route is the endpoints. Must not throw. */
  readonly onRoute: (route: ChainRoute) => void
  /** Monotonic milliseconds. */
  readonly nowMs: () => number
}

/** The reader, and what moves it. */
export interface RoutedReader {
  readonly reader: ChainReader
  readonly route: ChainRoute
  /** Until the signal aborts: moves to the network whenever it stands. Never rejects. @param everyMs - between two tries, at first */
  keepTrying(everyMs: number, signal: AbortSignal): Promise<void>
}

// Local limits (tunable): docs/LIMITS.md.
/** Without an answer for so long the network is passed by. */
const PATIENCE_MS = 60_000
/** Of one look whether the network answers: circuits are built for it. */
const TRY_MS = 45_000
/** In a network that answers nothing tries get rarer, down to this part: each builds circuits. */
const MAX_WAIT_FACTOR = 16
/** Answers that fail in a row before all nodes are replaced: one that stands still is not seen to be the one. */
const MAX_FAILURES = 3

/** Creates it: the endpoints are asked. */
export function createRoutedReader(options: RoutedReaderOptions): RoutedReader {
  return new Routed(options)
}

/** What is asked of any reader. */
type Ask<Value> = (reader: ChainReader) => Promise<Value>
/** True when a node alone says what the endpoints say. */
type Agrees<Value> = (alone: ChainReader, truth: Value) => Promise<boolean>

class Routed implements RoutedReader {
  route: ChainRoute = 'endpoints'
  readonly reader: ChainReader
  readonly #options: RoutedReaderOptions
  /** When the network began not to answer; undefined while it does. */
  #awaySinceMs: number | undefined
  #failures = 0

  constructor(options: RoutedReaderOptions) {
    this.#options = options
    this.reader = this.#createReader()
  }

  async keepTrying(everyMs: number, signal: AbortSignal): Promise<void> {
    let waitMs = everyMs
    while (!signal.aborted) {
      if (this.route === 'endpoints') {
        const limit = AbortSignal.any([signal, AbortSignal.timeout(TRY_MS)])
        if (await this.#stands(limit)) this.#move('network')
        waitMs = Math.min(2 * waitMs, MAX_WAIT_FACTOR * everyMs)
      }
      if (this.route === 'network') waitMs = everyMs
      await sleep(waitMs, undefined, { signal, ref: false }).catch(() => {})
    }
  }

  /** True when nodes agree on a block that the endpoints have too, as far as these can be asked. */
  async #stands(signal: AbortSignal): Promise<boolean> {
    const { network, endpoints } = this.#options
    let head: BlockHeader
    try {
      head = await network.freshHead(signal)
    } catch (error) {
      this.#onFailure(error, signal)
      return false
    }
    try {
      const own = await endpoints.block(head.number, signal)
      // They may not have it yet.
      if (!own) return false
      if (own.hash === head.hash) return true
      for (const seat of this.#options.seats) seat.replace(true)
      return false
    } catch {
      return !signal.aborted
    }
  }

  async #ask<Value>(
    ask: Ask<Value>,
    signal: AbortSignal,
    agrees: Agrees<Value> = async (alone, truth) =>
      canonical(await ask(alone)) === canonical(truth),
  ): Promise<Value> {
    const { network, endpoints, nowMs } = this.#options
    if (this.route === 'endpoints') return await ask(endpoints)
    try {
      const value = await ask(network)
      this.#awaySinceMs = undefined
      this.#failures = 0
      return value
    } catch (error) {
      signal.throwIfAborted()
      if (codeOf(error) === 'CHAIN_DISAGREE') return await this.#settle(ask, agrees, error)
      if (!this.#onFailure(error, signal)) throw error
      this.#awaySinceMs ??= nowMs()
      if (nowMs() - this.#awaySinceMs < PATIENCE_MS) throw error
      this.#move('endpoints')
      return await ask(endpoints)
    }
  }

  /** Nodes contradict each other: the endpoints say who is wrong. Where these cannot be asked nothing is believed, and nobody stays. */
  async #settle<Value>(ask: Ask<Value>, agrees: Agrees<Value>, error: unknown): Promise<Value> {
    const { endpoints, seats } = this.#options
    let truth: Value
    try {
      truth = await ask(endpoints)
    } catch {
      this.#replaceAll()
      throw error
    }
    const right = await Promise.all(
      seats.map(({ reader }) => agrees(reader, truth).catch(() => false)),
    )
    // Who says it right when asked again may have been the one.
    if (right.every(Boolean)) this.#replaceAll()
    for (const [at, seat] of seats.entries()) if (right[at] === false) seat.replace(true)
    return truth
  }

  /** True for a network that does not answer, false for what is an answer. */
  #onFailure(error: unknown, signal: AbortSignal): boolean {
    const code = codeOf(error)
    if (signal.aborted || (code !== 'CHAIN_UNREACHABLE' && code !== 'CHAIN_DISAGREE')) return false
    if (code === 'CHAIN_DISAGREE' || ++this.#failures >= MAX_FAILURES) this.#replaceAll()
    return true
  }

  #replaceAll(): void {
    this.#failures = 0
    for (const seat of this.#options.seats) seat.replace(false)
  }

  #move(route: ChainRoute): void {
    this.route = route
    this.#failures = 0
    this.#awaySinceMs = undefined
    this.#options.onRoute(route)
  }

  #createReader(): ChainReader {
    const ofBlock: Agrees<BlockHeader> = async (alone, { number, hash }) =>
      (await alone.block(number, AbortSignal.timeout(TRY_MS)))?.hash === hash
    const { endpoints, network } = this.#options
    const route = (): ChainRoute => this.route
    return {
      get quorum() {
        return route() === 'network' ? network.quorum : endpoints.quorum
      },
      head: (signal) => this.#ask((reader) => reader.head(signal), signal, ofBlock),
      freshHead: (signal) => this.#ask((reader) => reader.freshHead(signal), signal, ofBlock),
      recentHead: (maxAgeMs, signal) =>
        this.#ask((reader) => reader.recentHead(maxAgeMs, signal), signal, ofBlock),
      block: (number, signal) => this.#ask((reader) => reader.block(number, signal), signal),
      header: (number, signal) => this.#ask((reader) => reader.header(number, signal), signal),
      call: (to, data, at, signal) =>
        this.#ask((reader) => reader.call(to, data, at, signal), signal),
      logs: (addresses, from, to, signal, topics) =>
        this.#ask((reader) => reader.logs(addresses, from, to, signal, topics), signal),
      logsOf: (addresses, block, signal) =>
        this.#ask((reader) => reader.logsOf(addresses, block, signal), signal),
      callOf: (transaction, signal) =>
        this.#ask((reader) => reader.callOf(transaction, signal), signal),
      receipt: (transaction, signal) =>
        this.#ask((reader) => reader.receipt(transaction, signal), signal),
      balance: (account, at, signal) =>
        this.#ask((reader) => reader.balance(account, at, signal), signal),
      nonce: (account, at, signal) =>
        this.#ask((reader) => reader.nonce(account, at, signal), signal),
    }
  }
}

function codeOf(error: unknown): string {
  return isBywayError(error) ? error.code : ''
}
