/**
 * Openings made before somebody asks (ADR-0027): a proof takes a third of a second of a good core, and a circuit waits for none. Two are made at a time, one of them yielding to the rest of the machine;
 * while there are few, or somebody waits, the other works too. What is in stock is on the disk as well.
 * @module
 */
import { toHex } from '@byway/protocol/base'
import { numberOf } from '@byway/protocol/ticket'
import type { Opening } from '@byway/protocol/wire'
import { untilAborted } from '../engine/abort.ts'
import type { OpeningRecords } from './ports.ts'

// Local limits (tunable): docs/LIMITS.md.
/** Two guards, an attachment relay, two exits, and the circuits in stock around them; then some for a morning's new exits. */
const MOST_OPENINGS = 16
/** With more, none is made yet: starting what proves takes as long as a proof or more, so that four are made in one run. */
const ENOUGH_OPENINGS = 12
/** With fewer, making more does not yield: a guard, a relay, an exit and a spare guard. */
const LEAST_OPENINGS = 4
/**
 * The whole stock is made anew for newer roots at most this often where roots come in less than {@link LONG_INTERVAL_S}: a local network with one each second would have us prove
 * without end. Elsewhere at once: who shows an older root than others tells its hops apart from theirs.
 */
const REMAKE_MIN_MS = 600_000
const LONG_INTERVAL_S = 3600

/** What is to be had in stock. */
export type OpeningsWanted = {
  /** Nullifiers of slots that nobody was shown. */
  readonly unshown: readonly Uint8Array[]
  readonly root: bigint
}

export type OpeningStockDeps = {
  /** Makes one. `isAhead`: nobody waits. */
  readonly make: (
    nullifier: Uint8Array,
    root: bigint,
    isAhead: boolean,
    signal: AbortSignal,
  ) => Promise<Opening>
  /** True when the opening, of an earlier run, is as one made now would be. */
  readonly isOwn: (opening: Opening) => boolean
  /** Absent: a restart begins with nothing. */
  readonly records?: OpeningRecords | undefined
  /** Uniform in [0, 1): which slots are taken, since their order within a deposit would tell that two hops have the same client. */
  readonly random: () => number
  /** Monotonic. */
  readonly nowMs: () => number
  /** The network's: from one root to the next, seconds. */
  readonly rootIntervalS: number
}

/** A stock of openings. */
export interface OpeningStock {
  readonly size: number
  has(nullifier: Uint8Array): boolean
  /** Takes one of these out, any of them. */
  take(nullifiers: readonly Uint8Array[]): Opening | undefined
  /** Drops what is not wanted any more, makes what is missing when that is worth a run. Resolves when nothing is to be made. @throws what making throws, or the signal's reason */
  keepFull(wanted: OpeningsWanted, signal: AbortSignal): Promise<void>
  /** The same, and resolves with the next one that is made: before who comes later. @throws what making throws, or the signal's reason */
  one(wanted: OpeningsWanted, signal: AbortSignal): Promise<void>
}

/** Creates an empty stock. */
export function createOpeningStock(deps: OpeningStockDeps): OpeningStock {
  return new Stock(deps)
}

/** A nullifier in hexadecimal digits. */
type SlotKey = string

class Stock implements OpeningStock {
  readonly #deps: OpeningStockDeps
  readonly #ready = new Map<SlotKey, Opening>()
  readonly #making = new Set<SlotKey>()
  /** Who waits for the next one, oldest first. */
  #waiting: PromiseWithResolvers<void>[] = []
  #unshown = new Map<SlotKey, Uint8Array>()
  /** The newest, under which openings are made. */
  #root = 0n
  /** It, and those before under which what is in stock may stand. */
  #rootsKept = new Set<bigint>()
  #remadeAtMs = Number.NEGATIVE_INFINITY
  /** What makes openings now: for who waits (false), and ahead (true). */
  readonly #makers = new Map<boolean, Promise<void>>()
  #loading: Promise<void> | undefined

  constructor(deps: OpeningStockDeps) {
    this.#deps = deps
  }

  get size(): number {
    return this.#ready.size
  }

  has(nullifier: Uint8Array): boolean {
    return this.#ready.has(toHex(nullifier))
  }

  take(nullifiers: readonly Uint8Array[]): Opening | undefined {
    const ready = nullifiers.filter((nullifier) => this.has(nullifier))
    const chosen = this.#anyOf(ready)
    const opening = chosen && this.#ready.get(toHex(chosen))
    if (!opening) return undefined
    this.#drop(opening)
    this.#unshown.delete(toHex(opening.nullifier))
    return opening
  }

  async keepFull(wanted: OpeningsWanted, signal: AbortSignal): Promise<void> {
    await this.#want(wanted)
    this.#work(signal)
    await untilAborted(Promise.all(this.#makers.values()), signal)
  }

  async one(wanted: OpeningsWanted, signal: AbortSignal): Promise<void> {
    await this.#want(wanted)
    if (this.#ready.size > 0) return
    const next = Promise.withResolvers<void>()
    this.#waiting.push(next)
    this.#work(signal)
    await untilAborted(next.promise, signal)
  }

  async #want({ unshown, root }: OpeningsWanted): Promise<void> {
    await (this.#loading ??= this.#load())
    this.#unshown = new Map(unshown.map((nullifier) => [toHex(nullifier), nullifier]))
    this.#root = root
    this.#keepRoot(root)
    for (const opening of this.#ready.values()) if (!this.#isWanted(opening)) this.#drop(opening)
  }

  #keepRoot(root: bigint): void {
    const nowMs = this.#deps.nowMs()
    const isOnly = this.#rootsKept.size === 1 && this.#rootsKept.has(root)
    const leastMs = this.#deps.rootIntervalS < LONG_INTERVAL_S ? REMAKE_MIN_MS : 0
    if (!isOnly && nowMs - this.#remadeAtMs >= leastMs) {
      this.#rootsKept.clear()
      this.#remadeAtMs = nowMs
    }
    this.#rootsKept.add(root)
  }

  async #load(): Promise<void> {
    // What a disk that fails has lost is made anew; the slots' journal is on the same one and says so.
    const kept = (await this.#deps.records?.all().catch(() => [])) ?? []
    for (const opening of kept) {
      if (this.#deps.isOwn(opening)) this.#ready.set(toHex(opening.nullifier), opening)
      else this.#drop(opening)
    }
  }

  /** Sees that as many work as there is work for. */
  #work(signal: AbortSignal): void {
    for (const isAhead of [false, true]) {
      const isEnough = isAhead && this.#ready.size + this.#making.size > ENOUGH_OPENINGS
      const first = isEnough || this.#makers.has(isAhead) ? undefined : this.#next(isAhead)
      if (!first) continue
      const maker = this.#makeAll(first, isAhead, signal)
      this.#makers.set(isAhead, maker)
      // Who waits for it hears of a failure; a stock for which nobody waits is filled at the next look.
      maker.catch(() => {})
    }
    if (this.#makers.size === 0) this.#wakeAll(undefined)
  }

  async #makeAll(first: Uint8Array, isAhead: boolean, signal: AbortSignal): Promise<void> {
    let failure: unknown
    try {
      for (let next: Uint8Array | undefined = first; next; next = this.#next(isAhead))
        await this.#make(next, isAhead, signal)
    } catch (error) {
      failure = error
      throw error
    } finally {
      this.#makers.delete(isAhead)
      if (this.#makers.size === 0) this.#wakeAll(failure)
    }
  }

  #next(isAhead: boolean): Uint8Array | undefined {
    const isShort = isAhead
      ? this.#ready.size + this.#making.size < MOST_OPENINGS
      : this.#ready.size < LEAST_OPENINGS || this.#waiting.length > 0
    return isShort ? this.#anyOf(this.#missing) : undefined
  }

  get #missing(): readonly Uint8Array[] {
    const keys = [...this.#unshown.keys()]
    return keys
      .filter((key) => !this.#ready.has(key) && !this.#making.has(key))
      .flatMap((key) => this.#unshown.get(key) ?? [])
  }

  async #make(nullifier: Uint8Array, isAhead: boolean, signal: AbortSignal): Promise<void> {
    const key = toHex(nullifier)
    this.#making.add(key)
    try {
      const opening = await this.#deps.make(nullifier, this.#root, isAhead, signal)
      // Else it has come too late: its root is kept no more, or its slot was shown.
      if (this.#isWanted(opening)) this.#add(opening)
    } finally {
      this.#making.delete(key)
    }
  }

  #add(opening: Opening): void {
    this.#ready.set(toHex(opening.nullifier), opening)
    this.#deps.records?.put(opening).catch(reportedByStore)
    this.#waiting.shift()?.resolve()
  }

  #isWanted({ nullifier, root }: Opening): boolean {
    return this.#unshown.has(toHex(nullifier)) && this.#rootsKept.has(numberOf(root))
  }

  #drop({ nullifier }: Opening): void {
    this.#ready.delete(toHex(nullifier))
    this.#deps.records?.remove(nullifier).catch(reportedByStore)
  }

  /** Nobody works any more: who waits looks again, or hears why. */
  #wakeAll(failure: unknown): void {
    for (const { resolve, reject } of this.#waiting.splice(0)) {
      if (failure === undefined) resolve()
      else reject(failure)
    }
  }

  #anyOf(nullifiers: readonly Uint8Array[]): Uint8Array | undefined {
    return nullifiers[Math.floor(this.#deps.random() * nullifiers.length)]
  }
}

/** A store that fails says so itself. What it could not keep is made again. */
function reportedByStore(): void {}
