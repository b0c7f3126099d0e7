/**
 * Warm circuits, built before anybody asks: the first request of an application finds one ready. Each is given away once, so nobody shares one.
 * @module
 */
import type { PathNode } from '@byway/protocol/directory'
import { systemTimers } from '../proxy/timers.ts'
import type { Timers } from '../proxy/timers.ts'
import type { BuiltCircuit } from './build-circuit.ts'
import type { CircuitSource, ReadyCircuit } from './circuit-source.ts'
import type { CircuitNeed } from './circuit-need.ts'
import type { ClientOptions } from './client-types.ts'
import { DEFAULT_CLASS } from './tunnel-group.ts'
import { CLOSE_REASON, COMMAND, commandOf, readKind } from '@byway/protocol/wire'

// Local limits (tunable).
/** One for a page's first request, one for an application beside it; each costs both ends some kilobytes. */
const STOCK_SIZE = 2
/** A circuit that waited longer is replaced: its nodes may have other prices and loads by then. */
const MAX_AGE_MS = 600_000
const RETRY_MS = 2000

export type CircuitStockDeps = {
  readonly source: CircuitSource
  /** What the circuits in stock are built for. */
  readonly need: CircuitNeed
  /** Told of the path of a circuit that somebody ended, whose exit was then reached again. */
  readonly onEnded?: ((path: readonly PathNode[]) => void) | undefined
  /** Monotonic milliseconds. */
  readonly nowMs: () => number
  /** @default the system's */
  readonly timers?: Timers | undefined
}

/** Circuits on the shelf. */
export interface CircuitStock {
  readonly size: number
  /** The nodes of each circuit, entry first. */
  readonly paths: readonly (readonly PathNode[])[]
  /** Takes a circuit that fits, or `undefined`; another one is built in its place. */
  take(fits: (ready: ReadyCircuit) => boolean): ReadyCircuit | undefined
  /** Starts to fill the shelf. */
  start(): void
  stop(): void
}

/** Creates an empty shelf. */
export function createCircuitStock(deps: CircuitStockDeps): CircuitStock {
  return new Stock(deps)
}

/** What an application is likely to ask first. */
export function stockNeed({
  network,
  hops,
  trafficClass = DEFAULT_CLASS,
}: Pick<ClientOptions, 'network' | 'hops' | 'trafficClass'>): CircuitNeed {
  // The web's port, or in a local network that of its only target.
  const port = network.exitTargets[0]?.port ?? 443
  return { port, hops, trafficClass, isAhead: true }
}

type Item = { readonly ready: ReadyCircuit; readonly atMs: number; isDead: boolean }

class Stock implements CircuitStock {
  readonly #deps: CircuitStockDeps
  readonly #stop = new AbortController()
  #items: Item[] = []
  /** Paths of circuits that somebody ended; each one's exit comes again, or whoever ends circuits chose the exits. */
  #ended: (readonly PathNode[])[] = []
  #isFilling = false
  #cancelLater: (() => void) | undefined

  constructor(deps: CircuitStockDeps) {
    this.#deps = deps
  }

  get size(): number {
    this.#sweep()
    return this.#items.length
  }

  get paths(): readonly (readonly PathNode[])[] {
    return this.#items.map(({ ready }) => ready.path)
  }

  take(fits: (ready: ReadyCircuit) => boolean): ReadyCircuit | undefined {
    this.#sweep()
    const item = this.#items.find(({ ready }) => fits(ready))
    this.#items = this.#items.filter((other) => other !== item)
    this.start()
    return item?.ready
  }

  start(): void {
    if (this.#isFilling || this.#stop.signal.aborted) return
    this.#isFilling = true
    void this.#fill()
  }

  stop(): void {
    this.#stop.abort()
    this.#cancelLater?.()
    for (const { ready } of this.#items) ready.circuit.destroy(CLOSE_REASON.FINISHED)
    this.#items = []
  }

  async #fill(): Promise<void> {
    this.#sweep()
    try {
      while (this.#items.length < STOCK_SIZE) await this.#addOne()
      this.#later(this.#items.some(({ isDead }) => isDead) ? RETRY_MS : MAX_AGE_MS)
    } catch {
      // No path or no guard for now: an application that asks is told why, the shelf just tries later.
      this.#later(RETRY_MS)
    } finally {
      this.#isFilling = false
    }
  }

  async #addOne(): Promise<void> {
    const { signal } = this.#stop
    const ready = await this.#buildOne(signal)
    if (signal.aborted) ready.circuit.destroy(CLOSE_REASON.FINISHED)
    signal.throwIfAborted()
    const item = { ready, atMs: this.#deps.nowMs(), isDead: false }
    this.#items.push(item)
    watch(ready.circuit, (isEnded) => {
      item.isDead = true
      if (!this.#items.includes(item)) return
      if (isEnded) this.#ended = [...this.#ended, ready.path].slice(-STOCK_SIZE)
      // Not at once: a guard that ends whatever it is given would have us build in a circle.
      this.#later(RETRY_MS)
    })
  }

  /** The exit of a circuit that was ended comes again; one that is gone is another's place. */
  async #buildOne(signal: AbortSignal): Promise<ReadyCircuit> {
    const { source, need, onEnded } = this.#deps
    const path = this.#ended.shift()
    const exit = path?.at(-1)?.key
    if (!path || exit === undefined) return await source.build(need, signal)
    try {
      const ready = await source.build({ ...need, exit }, signal)
      onEnded?.(path)
      return ready
    } catch {
      signal.throwIfAborted()
      return await source.build(need, signal)
    }
  }

  /** Looks at the shelf again after this time; the last call counts. */
  #later(delayMs: number): void {
    this.#cancelLater?.()
    if (this.#stop.signal.aborted) return
    const { timers = systemTimers } = this.#deps
    this.#cancelLater = timers.after(delayMs, () => this.start())
  }

  #sweep(): void {
    const tooOld = this.#deps.nowMs() - MAX_AGE_MS
    for (const item of this.#items) {
      if (!item.isDead && item.atMs > tooOld && !item.ready.circuit.link.isClosed) continue
      item.isDead = true
      item.ready.circuit.destroy(CLOSE_REASON.FINISHED)
    }
    this.#items = this.#items.filter(({ isDead }) => !isDead)
  }
}

/** Nothing comes on a circuit that was never used but its end, or a relay's word that it stops: either way another takes its place. */
function watch(circuit: BuiltCircuit, onDead: (isEnded: boolean) => void): void {
  circuit.setSink({
    onCell: (cell) => onDead(commandOf(readKind(cell)) === COMMAND.DESTROY),
    onLinkClosed: () => onDead(false),
  })
}
