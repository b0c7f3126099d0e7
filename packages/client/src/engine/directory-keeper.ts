/**
 * The client's view of the network: the whole set of descriptors, verified, from a guard's link or a file (SPEC §10.2). A client that asked for single
 * nodes would tell its neighbours where it is going, so it always takes all.
 * @module
 */
import { createDescriptorSet, createPathNodeSet } from '@byway/protocol/directory'
import type { DescriptorSet, NetworkParameters, PathNodeSet } from '@byway/protocol/directory'
import type { CryptoProvider } from '@byway/protocol/crypto'
import type { ClientLink } from './client-link.ts'
import { clientError } from './errors.ts'
import { readStateFile, writeStateFile } from './state-file.ts'

// Local limits (tunable). A directory of thousands of descriptors takes some seconds on a slow line.
const FETCH_TIMEOUT_MS = 30_000
/** A node that is missing is looked for again at most this often. */
const MIN_REFRESH_MS = 2000
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
  /** Reads the stored set, and fetches one when that is empty or old. @throws DIRECTORY_INCOMPLETE */
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

  constructor(deps: DirectoryKeeperDeps) {
    this.#deps = deps
    this.set = createDescriptorSet(deps.provider)
    this.nodes = createPathNodeSet(this.set, deps.network)
  }

  async start(signal: AbortSignal): Promise<void> {
    await this.#load()
    if (this.set.size === 0) await this.#fetch(signal)
    if (this.set.size === 0) throw clientError('DIRECTORY_INCOMPLETE', { descriptors: 0 })
    this.#timer = setInterval(() => void this.#refresh(), REFRESH_MS)
    this.#timer.unref()
  }

  async refreshIfOld(signal: AbortSignal): Promise<boolean> {
    if (this.#deps.nowMs() - this.#fetchedAtMs < MIN_REFRESH_MS) return false
    try {
      await this.#fetch(signal)
      return true
    } catch {
      signal.throwIfAborted()
      return false
    }
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  async #refresh(): Promise<void> {
    await this.refreshIfOld(AbortSignal.timeout(FETCH_TIMEOUT_MS))
  }

  async #fetch(signal: AbortSignal): Promise<void> {
    this.#fetching ??= this.#fetchOnce(signal).finally(() => (this.#fetching = undefined))
    await this.#fetching
  }

  async #fetchOnce(outer: AbortSignal): Promise<void> {
    const signal = AbortSignal.any([outer, AbortSignal.timeout(FETCH_TIMEOUT_MS)])
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

  async #load(): Promise<void> {
    const { cachePath } = this.#deps
    const stored = cachePath && (await readStateFile(cachePath))
    if (stored) this.#offerAll(splitDescriptors(stored))
  }

  async #store(): Promise<void> {
    const { cachePath } = this.#deps
    if (!cachePath) return
    await writeStateFile(
      cachePath,
      joinDescriptors(Array.from(this.set.entries(), ({ bytes }) => bytes)),
    )
  }
}

/** The file is a sequence of `u16 bytes ‖ descriptor`, as in DIRECTORY_PART. What is cut off or damaged is not there. */
function splitDescriptors(stored: Uint8Array): Uint8Array[] {
  const found: Uint8Array[] = []
  for (let at = 0; at + 2 <= stored.length;) {
    const bytes = ((stored[at] ?? 0) << 8) | (stored[at + 1] ?? 0)
    if (bytes === 0 || at + 2 + bytes > stored.length) break
    found.push(stored.subarray(at + 2, at + 2 + bytes))
    at += 2 + bytes
  }
  return found
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
