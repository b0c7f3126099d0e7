/**
 * The client's view of the network: the whole set of descriptors, verified, from a guard's link or a file (SPEC §10.2). A client that asked for single
 * nodes would tell its neighbours where it is going, so it always takes all.
 * @module
 */
import { createDescriptorSet, createPathNodeSet } from '@byway/protocol/directory'
import type { DescriptorSet, NetworkParameters, PathNodeSet } from '@byway/protocol/directory'
import type { CryptoProvider } from '@byway/protocol/crypto'
import { untilAborted } from './abort.ts'
import type { ClientLink } from './client-link.ts'
import { clientError } from './errors.ts'
import { readStateFile, writeStateFile } from './state-file.ts'

// Local limits (tunable). A directory of thousands of descriptors takes some seconds on a slow line.
const FETCH_TIMEOUT_MS = 30_000
/** A node that is missing is looked for again at most this often: a guard answers no more than that for long. */
const MIN_REFRESH_MS = 5000
const REFRESH_MS = 3_600_000

export type DirectoryKeeperDeps = {
  readonly provider: CryptoProvider
  readonly network: NetworkParameters
  /** Where the last set is kept; none in memory-only clients. */
  readonly cachePath: string | undefined
  /** A link to ask: a guard's, or a first contact's. */
  readonly linkToAsk: (signal: AbortSignal) => Promise<ClientLink>
  /** Wall clock. */
  readonly nowMs: () => number
  /** Called after each fetch. */
  readonly onFetched: () => void
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
  /** Fetches the set unless that was done just now; true when it was fetched. */
  refreshIfOld(signal: AbortSignal): Promise<boolean>
  stop(): void
}

/** Creates an empty view. */
export function createDirectoryKeeper(deps: DirectoryKeeperDeps): DirectoryKeeper {
  return new Keeper(deps)
}

class Keeper implements DirectoryKeeper {
  readonly set: DescriptorSet
  readonly nodes: PathNodeSet
  readonly #deps: DirectoryKeeperDeps
  #fetchedAtMs = Number.NEGATIVE_INFINITY
  #fetching: Promise<void> | undefined
  #timer: NodeJS.Timeout | undefined
  readonly #stop = new AbortController()

  constructor(deps: DirectoryKeeperDeps) {
    this.#deps = deps
    this.set = createDescriptorSet(deps.provider)
    this.nodes = createPathNodeSet(this.set, deps.network)
  }

  async start(signal: AbortSignal): Promise<void> {
    const isWhole = await this.#load()
    if (!isWhole) await this.#fetch(signal)
    if (this.set.size === 0) throw clientError('DIRECTORY_INCOMPLETE', { descriptors: 0 })
    this.#timer = setInterval(() => void this.#refresh(), REFRESH_MS)
    this.#timer.unref()
  }

  async refreshIfOld(signal: AbortSignal): Promise<boolean> {
    const ageMs = this.#deps.nowMs() - this.#fetchedAtMs
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
  }

  async #refresh(): Promise<void> {
    // One that fails is tried again in an hour, or when a circuit needs it.
    await this.refreshIfOld(this.#stop.signal).catch(() => {})
  }

  /** All who ask meanwhile share one fetch; it goes on when one of them gives up. */
  async #fetch(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    this.#fetching ??= this.#fetchOnce().finally(() => (this.#fetching = undefined))
    await untilAborted(this.#fetching, signal)
  }

  async #fetchOnce(): Promise<void> {
    const signal = AbortSignal.any([this.#stop.signal, AbortSignal.timeout(FETCH_TIMEOUT_MS)])
    const link = await this.#deps.linkToAsk(signal)
    await link.fetchDirectory((descriptors) => this.#offerAll(descriptors), signal)
    this.#fetchedAtMs = this.#deps.nowMs()
    this.set.prune(this.#fetchedAtMs)
    this.#deps.onFetched()
    await this.#store()
  }

  #offerAll(descriptors: readonly Uint8Array[]): void {
    const nowMs = this.#deps.nowMs()
    for (const bytes of descriptors) this.set.offer(bytes, nowMs)
  }

  /** True when the set was stored, and each descriptor of it is there and still good. */
  async #load(): Promise<boolean> {
    const { cachePath } = this.#deps
    const stored = cachePath && (await readStateFile(cachePath))
    if (!stored) return false
    const { descriptors, isCutOff } = splitDescriptors(stored)
    this.#offerAll(descriptors)
    return !isCutOff && this.set.size > 0 && this.set.size === descriptors.length
  }

  async #store(): Promise<void> {
    const { cachePath } = this.#deps
    if (!cachePath) return
    const descriptors = Array.from(this.set.entries(), ({ bytes }) => bytes)
    try {
      await writeStateFile(cachePath, joinDescriptors(descriptors))
    } catch {
      // A set that cannot be stored is fetched again next time; what was fetched now is good.
    }
  }
}

/** The file is a sequence of `u16 bytes ‖ descriptor`, as in DIRECTORY_PART. What is cut off or damaged is not there. */
function splitDescriptors(stored: Uint8Array): {
  readonly descriptors: readonly Uint8Array[]
  readonly isCutOff: boolean
} {
  const descriptors: Uint8Array[] = []
  let at = 0
  while (at + 2 <= stored.length) {
    const bytes = ((stored[at] ?? 0) << 8) | (stored[at + 1] ?? 0)
    if (bytes === 0 || at + 2 + bytes > stored.length) break
    descriptors.push(stored.subarray(at + 2, at + 2 + bytes))
    at += 2 + bytes
  }
  return { descriptors, isCutOff: at < stored.length }
}

function joinDescriptors(descriptors: readonly Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(descriptors.reduce((sum, { length }) => sum + 2 + length, 0))
  let at = 0
  for (const descriptor of descriptors) {
    joined[at] = descriptor.length >> 8
    joined[at + 1] = descriptor.length & 255
    joined.set(descriptor, at + 2)
    at += 2 + descriptor.length
  }
  return joined
}
