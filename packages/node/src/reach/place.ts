/**
 * Where a node is reached (SPEC §10.5): at an address that the operator named, at a port that the home's router opened, or through relays. What others find when
 * they try decides which of them the descriptor names.
 * @module
 */
import { REACH_RESULT } from '@byway/protocol/wire'
import type { ReachResult } from '@byway/protocol/wire'
import type { Attachments } from '../attachments.ts'
import type { SocketAddress } from '../socket-address.ts'
import type { PortMap, PortMapping } from './port-map.ts'
import type { ReachWitnesses } from './reach-witnesses.ts'

/**
 * `public`: others reached the address; `claimed`: nobody has tried yet; `attached`: no address, reached through relays; `unreachable`: an address that nobody reached,
 * so that relays stand in for it.
 */
export type ReachState = 'public' | 'claimed' | 'attached' | 'unreachable'

export type ReachStatus = {
  readonly state: ReachState
  /** What the nodes said that tried last, one each. */
  readonly trials: readonly ReachResult[]
  /** How the router opened the port; absent where it did not. */
  readonly mappedBy?: PortMapping['protocol'] | undefined
}

export type PlaceDeps = {
  /** What the operator says others reach; absent for a node that does not know. */
  readonly claimed: SocketAddress | undefined
  /** The port that this node listens at; absent for one that only dials. */
  readonly listenPort: number | undefined
  /** The home's router; absent where it shall not be asked. */
  readonly portMap: PortMap | undefined
  /** Has others try an address. */
  readonly witnesses: ReachWitnesses
  /** Makes the keeper of attachments; it dials nothing before `maintain`. */
  readonly attach: () => Attachments
  /** The address or the candidates changed: a new edition of the descriptor is due. */
  readonly onChange: () => void
  /** A trial has ended. */
  readonly onStatus: (status: ReachStatus) => void
  /** Milliseconds until the first trial of a claimed address: nodes that start together try one after the other. */
  readonly firstTrialMs: number
}

// Local limits (tunable): docs/LIMITS.md.
/** A router that answers at all does so within two or three, a busy small board later. */
const MAP_TIMEOUT_MS = 8000
/** Between trials of an address that others reach. */
const TRIAL_MS = 3_600_000
/** Between trials of one that they do not: the operator may be at the router just now. */
const RETRIAL_MS = 600_000
/** The soonest that a router is asked again, however soon it wants to forget. */
const LEAST_RENEWAL_MS = 30_000

/** The keeper of a node's place in the network. */
export interface Place {
  /** What the descriptor names; absent while relays stand in for it. */
  readonly address: SocketAddress | undefined
  /** Absent while others reach the address. */
  readonly attachments: Attachments | undefined
  /** True where the router opened this one port and no other. */
  readonly isMapped: boolean
  readonly status: ReachStatus
  /** Finds the place: for a node without an address, asks the router, or attaches to relays. Needs links to other nodes. */
  start(): Promise<void>
  /** A link has closed, or the directory has grown. */
  maintain(): void
  stop(): void
}

/** Creates the keeper; nothing happens before `start`. */
export function createPlace(deps: PlaceDeps): Place {
  return new Keeper(deps)
}

class Keeper implements Place {
  readonly #deps: PlaceDeps
  readonly #stop = new AbortController()
  #address: SocketAddress | undefined
  #mapping: PortMapping | undefined
  #attachments: Attachments | undefined
  #state: ReachState
  #trials: readonly ReachResult[] = []
  #timer: NodeJS.Timeout | undefined

  constructor(deps: PlaceDeps) {
    this.#deps = deps
    this.#address = deps.claimed
    this.#state = deps.claimed ? 'claimed' : 'attached'
  }

  get address(): SocketAddress | undefined {
    return this.#address
  }

  get attachments(): Attachments | undefined {
    return this.#attachments
  }

  get isMapped(): boolean {
    return this.#mapping !== undefined
  }

  get status(): ReachStatus {
    return { state: this.#state, trials: this.#trials, mappedBy: this.#mapping?.protocol }
  }

  async start(): Promise<void> {
    if (this.#deps.claimed) return this.#tryAgainIn(this.#deps.firstTrialMs)
    const isPublic = await this.#openPort()
    if (this.#stop.signal.aborted) return
    if (isPublic) this.#deps.onChange()
    else this.#attach()
    if (this.#deps.portMap) this.#tryAgainIn(isPublic ? this.#renewalMs() : RETRIAL_MS)
  }

  maintain(): void {
    this.#attachments?.maintain()
  }

  stop(): void {
    this.#stop.abort()
    clearTimeout(this.#timer)
    this.#attachments?.stop()
  }

  #tryAgainIn(delayMs: number): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => void this.#tryAgain(), delayMs).unref()
  }

  async #tryAgain(): Promise<void> {
    const before = this.#address
    const isPublic = this.#deps.claimed ? await this.#tryClaimed() : await this.#openPort()
    if (this.#stop.signal.aborted) return
    if (isPublic === true) this.#leaveRelays()
    else if (isPublic === false) this.#attach()
    if (isPublic === true && !isSame(before, this.#address)) this.#deps.onChange()
    this.#tryAgainIn(isPublic === true ? this.#renewalMs() : RETRIAL_MS)
  }

  /** RFC 6887 §11.2.1: at half of the lifetime that the router gave, which may be less than was asked. */
  #renewalMs(): number {
    const { lifetimeS } = this.#mapping ?? {}
    if (lifetimeS === undefined) return TRIAL_MS
    return Math.min(TRIAL_MS, Math.max(LEAST_RENEWAL_MS, lifetimeS * 500))
  }

  /** True when others reached it, false when they did not, nothing when nobody can tell. */
  async #tryClaimed(): Promise<boolean | undefined> {
    const { claimed } = this.#deps
    const isReached = claimed && (await this.#isReachedAt(claimed))
    if (isReached !== undefined) this.#settle(isReached ? 'public' : 'unreachable', claimed)
    return isReached
  }

  /** Asks the router for a port, and others whether they reach it. */
  async #openPort(): Promise<boolean> {
    const { portMap, listenPort } = this.#deps
    if (!portMap || listenPort === undefined) return false
    const limit = AbortSignal.any([this.#stop.signal, AbortSignal.timeout(MAP_TIMEOUT_MS)])
    const mapping = await portMap.open(listenPort, limit)
    this.#mapping = mapping
    const isReached = mapping && (await this.#isReachedAt(mapping))
    // Nobody can say now: what others reached before stays named.
    if (isReached === undefined && mapping && isSame(mapping, this.#address)) return true
    this.#settle(
      isReached === true ? 'public' : 'attached',
      mapping && { host: mapping.host, port: mapping.port },
    )
    return isReached === true
  }

  #settle(state: ReachState, address: SocketAddress | undefined): void {
    this.#state = state
    this.#address = state === 'public' ? address : undefined
    this.#deps.onStatus(this.status)
  }

  async #isReachedAt({ host, port }: SocketAddress): Promise<boolean | undefined> {
    const { witnesses } = this.#deps
    this.#trials = await witnesses.askAll({ host, port }, this.#stop.signal)
    return judgeTrials(this.#trials, witnesses.enough)
  }

  #attach(): void {
    if (this.#attachments) return
    this.#attachments = this.#deps.attach()
    this.#attachments.maintain()
  }

  #leaveRelays(): void {
    if (!this.#attachments) return
    this.#attachments.stop()
    this.#attachments = undefined
  }
}

function isSame(one: SocketAddress | undefined, other: SocketAddress | undefined): boolean {
  return one?.host === other?.host && one?.port === other?.port
}

/**
 * True when one of them reached it: that was seen, while a silent word costs nothing to say. False when enough tried in vain and none reached it; nothing when fewer tried.
 * @param enough - at least 1
 */
export function judgeTrials(trials: readonly ReachResult[], enough: number): boolean | undefined {
  if (trials.includes(REACH_RESULT.REACHED)) return true
  const inVain = trials.filter((result) => result !== REACH_RESULT.UNTRIED)
  return inVain.length >= enough ? false : undefined
}
