/**
 * The client's view of the network: the whole set of descriptors, verified and held against the registry, from its guards' links or a file (SPEC §10.2). A client that
 * asked for single nodes would tell its neighbours where it is going, so it takes all, and later all that is new.
 * @module
 */
import {
  createDescriptorSet,
  createPathNodeSet,
  nodeKeyOf,
  offerUntilForged,
  ownersIn,
} from '@byway/protocol/directory'
import type {
  DescriptorSet,
  NetworkParameters,
  NodeKey,
  OriginBooks,
  PathNodeSet,
  ProvenService,
  SeenPlaceOf,
  StakeClaim,
  StakeSource,
} from '@byway/protocol/directory'
import type { CryptoProvider } from '@byway/protocol/crypto'
import { untilAborted } from './abort.ts'
import type { ClientLink } from './client-link.ts'
import { clientError } from './errors.ts'
import { setNewest } from './node-file.ts'
import { createSetAge } from './set-age.ts'
import type { SetAge } from './set-age.ts'
import { readStoredSet, writeStoredSet } from './stored-set.ts'
import { createWholeSets } from './whole-sets.ts'
import type { HiddenNodes, WholeSets } from './whole-sets.ts'

// Local limits (tunable). A directory of thousands of descriptors takes some seconds on a slow line.
const FETCH_TIMEOUT_MS = 30_000
/** The same of a further one, once one has served. */
const SECOND_TIMEOUT_MS = 10_000
/** A node that is missing is looked for again at most this often: a guard answers no more than that for long. */
const MIN_REFRESH_MS = 5000
const REFRESH_MS = 600_000
/** What a guard took in so shortly before its last answer is asked for again: it may have waited for the registry on either side. */
const OVERLAP_S = 60
/** Clocks of two guards differ by so much, and news takes so long from one to the other. */
const BETWEEN_GUARDS_S = 1200
/** A guard that was eclipsed gave a client no more than a part: the whole set is taken once a day, and once more of another guard. */
const WHOLE_EVERY_MS = 86_400_000
/** So many guards are asked before a set that is too small is said to be. */
const MAX_GUARDS_ASKED = 3
/** Guards and first contacts whose clocks are remembered. */
const MAX_GUARDS_KNOWN = 64
/** SPEC §10.2: "less than 60 % of the active stake". */
export const LEAST_STAKE_PERCENT = 60
/** DESIGN §6: what the chain said longer ago is no measure. */
const MAX_REGISTRY_AGE_MS = 86_400_000

export type DirectoryKeeperDeps = {
  readonly provider: CryptoProvider
  readonly network: NetworkParameters
  /** What is known of addresses besides the network's table. */
  readonly places?: OriginBooks | undefined
  /** Where relays see nodes that name no address. */
  readonly seenPlaceOf?: SeenPlaceOf | undefined
  /** Where the last set is kept; none in memory-only clients. */
  readonly cachePath: string | undefined
  /** The stakes, and how long ago the chain said so; absent in a network without a registry, where each descriptor counts. */
  readonly stakes?: ClientStakes | undefined
  /** A link to ask: a guard's, or a first contact's; one that was not asked just now if there is any. @param turn - grows with each time: guards are asked in turn */
  readonly linkToAsk: (
    asked: readonly ClientLink[],
    signal: AbortSignal,
    turn: number,
  ) => Promise<ClientLink>
  /** A link to a guard other than this one, to hold its set against; undefined when there is none now. @default there never is */
  readonly guardBeside?:
    | ((guard: NodeKey, signal: AbortSignal) => Promise<ClientLink | undefined>)
    | undefined
  /** Told when one guard has shown clearly less of the network than another. */
  readonly onHidden?: ((facts: HiddenNodes) => void) | undefined
  /** Told once when no guard has answered for hours, with for how long. */
  readonly onOld?: ((ageMs: number) => void) | undefined
  /** Wall clock. */
  readonly nowMs: () => number
  /** Called after each fetch. */
  readonly onFetched: () => void
}

/** What a client must know of the registry (SPEC §14.7). */
export type ClientStakes = StakeSource & {
  readonly ageMs: number
  /** How long ago the stake behind a descriptor was registered; undefined when nobody knows. */
  stakeAgeMs?(claim: StakeClaim): number | undefined
  /** What its provider has proven lately; undefined when nobody knows. */
  provenOf?(claim: StakeClaim): ProvenService | undefined
}

/** What a client's user may know of it. */
export type DirectoryFacts = {
  readonly nodes: number
  /** Since a guard last answered; -1 where nobody knows. */
  readonly directoryAgeS: number
}

/** Keeps the view current. */
export interface DirectoryKeeper {
  readonly set: DescriptorSet
  readonly nodes: PathNodeSet
  /**
   * Reads the stored set, and fetches one when that is empty, damaged or old. A part of it would pass for the whole network, and
   * guards that are not in it for gone.
   * @throws DIRECTORY_INCOMPLETE, what the fetch failed with, or the signal's reason
   */
  start(signal: AbortSignal): Promise<void>
  readonly facts: DirectoryFacts
  /** False while {@link requireComplete} throws. */
  readonly isComplete: boolean
  /**
   * Nothing when the set holds enough of the network to choose from.
   * @throws DIRECTORY_INCOMPLETE: who answers may be hiding nodes, and what is left may be all theirs
   * @throws DIRECTORY_OLD: nobody has answered for a day
   */
  requireComplete(): void
  /** Fetches the set unless that was done just now; true when it was fetched. */
  refreshIfOld(signal: AbortSignal): Promise<boolean>
  stop(): void
}

/** How much of all active stake the nodes of a set have, those that have expired left out: they can be used no more. */
export function heldPercent(
  set: Pick<DescriptorSet, 'entries'>,
  { view }: Pick<StakeSource, 'view'>,
  nowMs: number,
): number {
  let held = 0n
  for (const { descriptor } of set.entries())
    if (descriptor.expiresS * 1000 > nowMs) held += view.stakeOf(descriptor)
  return view.activeStake === 0n ? 0 : Number((held * 100n) / view.activeStake)
}

/** Creates an empty view. */
export function createDirectoryKeeper(deps: DirectoryKeeperDeps): DirectoryKeeper {
  return new Keeper(deps)
}

class Keeper implements DirectoryKeeper {
  readonly set: DescriptorSet
  readonly nodes: PathNodeSet
  readonly #deps: DirectoryKeeperDeps
  readonly #age: SetAge
  #wholeAtMs = Number.NEGATIVE_INFINITY
  /** What each guard was last asked for, by its own clock. */
  readonly #asOfS = new Map<NodeKey, number>()
  readonly #wholeSets: WholeSets
  #turn = 0
  #fetching: Promise<void> | undefined
  #timer: NodeJS.Timeout | undefined
  readonly #stopWatching: (() => void) | undefined
  readonly #stop = new AbortController()

  constructor(deps: DirectoryKeeperDeps) {
    this.#deps = deps
    this.#wholeSets = createWholeSets((facts) => deps.onHidden?.(facts))
    this.#age = createSetAge((ageMs) => deps.onOld?.(ageMs))
    const { stakes } = deps
    const admits = stakes && ((claim: StakeClaim) => stakes.view.stakeOf(claim) > 0n)
    this.set = createDescriptorSet(deps.provider, { admits })
    this.#stopWatching = stakes?.onChange(() => this.set.prune(deps.nowMs()))
    this.nodes = createPathNodeSet(this.set, deps.network, deps.places, {
      seenPlaceOf: deps.seenPlaceOf,
      ownerOf: ownersIn(stakes),
    })
  }

  async start(signal: AbortSignal): Promise<void> {
    const { nowMs } = this.#deps
    const isWhole = await this.#load()
    if (!isWhole) await this.#fetch(signal)
    if (this.set.size === 0) {
      throw clientError('DIRECTORY_INCOMPLETE', { descriptors: 0, stakePercent: 0 })
    }
    this.#timer = setInterval(() => void this.#refresh(), REFRESH_MS)
    this.#timer.unref()
    // What was stored is good to begin with, and may be hours old.
    if (isWhole && nowMs() - this.#age.fetchedAtMs >= REFRESH_MS) void this.#refresh()
    else void this.#compare()
  }

  get facts(): DirectoryFacts {
    return { nodes: this.set.size, directoryAgeS: this.#age.ageS(this.#deps.nowMs()) }
  }

  get isComplete(): boolean {
    return this.#hasEnough && this.#age.isFresh(this.#deps.nowMs())
  }

  requireComplete(): void {
    if (this.#hasEnough) this.#age.requireFresh(this.#deps.nowMs())
    else {
      const stakePercent = this.#stakePercent()
      throw clientError('DIRECTORY_INCOMPLETE', { descriptors: this.set.size, stakePercent })
    }
  }

  async refreshIfOld(signal: AbortSignal): Promise<boolean> {
    const ageMs = this.#deps.nowMs() - this.#age.fetchedAtMs
    if (ageMs >= 0 && ageMs < MIN_REFRESH_MS) return false
    try {
      await this.#fetch(signal)
      return true
    } catch {
      signal.throwIfAborted()
      return false
    }
  }

  stop(): void {
    this.#stop.abort(clientError('CLIENT_CLOSED', {}))
    clearInterval(this.#timer)
    this.#stopWatching?.()
  }

  async #refresh(): Promise<void> {
    // One that fails is tried again in ten minutes, or when a circuit needs it.
    await this.refreshIfOld(this.#stop.signal).catch(() => {})
    this.#age.look(this.#deps.nowMs())
    await this.#compare()
  }

  /** Takes the whole set once more, from another guard: the one that gave it may hide nodes. One that fails is tried again at the next refresh. */
  async #compare(): Promise<void> {
    const guard = this.#wholeSets.uncompared()
    if (guard === undefined) return
    try {
      const signal = AbortSignal.any([this.#stop.signal, AbortSignal.timeout(FETCH_TIMEOUT_MS)])
      const link = await this.#deps.guardBeside?.(guard, signal)
      if (!link) return
      await this.#fetchFrom(link, true, signal)
      this.#deps.onFetched()
      await this.#store()
    } catch {
      // Nobody waits for it.
    }
  }

  /** All who ask meanwhile share one fetch; it goes on when one of them gives up. */
  async #fetch(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    this.#fetching ??= this.#fetchOnce().finally(() => (this.#fetching = undefined))
    await untilAborted(this.#fetching, signal)
  }

  async #fetchOnce(): Promise<void> {
    const signal = AbortSignal.any([this.#stop.signal, AbortSignal.timeout(FETCH_TIMEOUT_MS)])
    const asked: ClientLink[] = []
    const turn = this.#turn++
    // Who knows nobody yet takes what two say together: one alone would choose from whom the guards are drawn.
    const wanted = this.set.size === 0 ? 2 : 1
    let served = 0
    let fault: unknown
    do {
      // One that links and then says nothing keeps nobody waiting who was served before.
      const limit =
        served > 0 ? AbortSignal.any([signal, AbortSignal.timeout(SECOND_TIMEOUT_MS)]) : signal
      const link = await this.#nextLink(asked, limit, turn, served > 0)
      if (!link) break
      const isWhole = asked.length > 0 || this.#needsWhole()
      asked.push(link)
      try {
        await this.#fetchFrom(link, isWhole, limit)
        served++
      } catch (error) {
        // A guard that forges, or hangs up, does not keep the client from the others.
        if (served === 0) signal.throwIfAborted()
        fault = error
      }
    } while ((served < wanted || !this.#hasEnough) && asked.length < MAX_GUARDS_ASKED)
    this.#stop.signal.throwIfAborted()
    if (served === 0) throw fault
    this.#deps.onFetched()
    await this.#store()
  }

  /** One that was not asked yet; undefined where there is no other: what is known is all that there is to go on with. */
  async #nextLink(
    asked: readonly ClientLink[],
    signal: AbortSignal,
    turn: number,
    isServed: boolean,
  ): Promise<ClientLink | undefined> {
    try {
      const link = await this.#deps.linkToAsk(asked, signal, turn)
      return asked.includes(link) ? undefined : link
    } catch (error) {
      if (isServed) return undefined
      throw error
    }
  }

  async #fetchFrom(link: ClientLink, isWhole: boolean, signal: AbortSignal): Promise<void> {
    const guard = nodeKeyOf(link.nodeId)
    const whole = isWhole ? this.#wholeSets.begin(guard, this.set) : undefined
    const taking = whole?.taking ?? this.set
    const take = (descriptors: readonly Uint8Array[]): boolean =>
      offerUntilForged(taking, descriptors, this.#deps.nowMs())
    const asOfS = await link.fetchDirectory(isWhole ? 0 : this.#sinceS(guard), take, signal)
    setNewest(this.#asOfS, guard, asOfS, MAX_GUARDS_KNOWN)
    const nowMs = this.#deps.nowMs()
    this.#age.onFetched(nowMs)
    if (isWhole) this.#wholeAtMs = nowMs
    whole?.end(nowMs)
    this.set.prune(nowMs)
  }

  #needsWhole(): boolean {
    const ageMs = this.#deps.nowMs() - this.#wholeAtMs
    return ageMs < 0 || ageMs >= WHOLE_EVERY_MS || this.set.size === 0 || !this.#hasEnough
  }

  #sinceS(guard: NodeKey): number {
    const asOfS = this.#asOfS.get(guard)
    const sinceS =
      asOfS === undefined ? this.#age.fetchedAtMs / 1000 - BETWEEN_GUARDS_S : asOfS - OVERLAP_S
    return Math.max(0, Math.floor(sinceS))
  }

  get #hasEnough(): boolean {
    return this.#stakePercent() >= LEAST_STAKE_PERCENT
  }

  /** How much of all active stake the set's nodes have. */
  #stakePercent(): number {
    const { stakes } = this.#deps
    if (!stakes) return 100
    if (stakes.ageMs > MAX_REGISTRY_AGE_MS || stakes.view.activeStake === 0n) return 0
    return heldPercent(this.set, stakes, this.#deps.nowMs())
  }

  /** True when the set was stored, and each descriptor of it is there and still good. */
  async #load(): Promise<boolean> {
    const { cachePath } = this.#deps
    const stored = cachePath ? await readStoredSet(cachePath) : undefined
    if (!stored) return false
    const { descriptors, fetchedAtMs, isCutOff } = stored
    this.#age.restore(fetchedAtMs)
    const nowMs = this.#deps.nowMs()
    for (const bytes of descriptors) this.set.offer(bytes, nowMs)
    return !isCutOff && this.set.size > 0 && this.set.size === descriptors.length
  }

  async #store(): Promise<void> {
    const { cachePath } = this.#deps
    if (!cachePath) return
    const descriptors = Array.from(this.set.entries(), ({ bytes }) => bytes)
    try {
      await writeStoredSet(cachePath, { fetchedAtMs: this.#age.fetchedAtMs, descriptors })
    } catch {
      // A set that cannot be stored is fetched again next time; what was fetched now is good.
    }
  }
}
