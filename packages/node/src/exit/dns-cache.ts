/**
 * What a circuit has looked up, kept for it alone: another circuit's lookup is never answered from here, so no client can
 * learn from the time of an answer what others visited. Lifetimes are clipped and fuzzed, as Tor does, so that an
 * entry's age says nothing either. Failures are not kept. In memory only, and first to be cut when memory runs out.
 */
import type { Accountant } from '@byway/protocol/circuit'
import type { DnsLookup, DnsResolver } from './dns-stub.ts'

/** The exit's DNS memory. */
export interface DnsCache {
  /** A resolver that remembers what this circuit asked. */
  view(circuit: string): DnsResolver
  /** Forgets a circuit that is gone. */
  forget(circuit: string): void
}

/** Needs of the cache. */
export type DnsCacheDeps = {
  readonly resolver: DnsResolver
  readonly nowMs: () => number
  readonly randomBytes: (count: number) => Uint8Array
  /** Counts what is kept, and has it cut. */
  readonly accountant: Pick<Accountant<never>, 'openCache'>
}

/** Creates an empty cache in front of a resolver. @param maxBytes - of all circuits together @default 16 MiB */
export function createDnsCache(deps: DnsCacheDeps, maxBytes: number = MAX_BYTES): DnsCache {
  const memory = new Memory(deps.accountant, maxBytes)
  return {
    view: (circuit) => ({
      async lookup(name, families, signal) {
        const key = `${families.toSorted((a, b) => a - b).join()}/${name}`
        const known = memory.get(circuit, key)
        if (known !== undefined && deps.nowMs() < known.expiresAtMs) return known.lookup
        const lookup = await deps.resolver.lookup(name, families, signal)
        const ttlMs = Math.min(Math.max(lookup.ttlMs, MIN_TTL_MS), MAX_TTL_MS)
        const shown = { addresses: lookup.addresses, ttlMs }
        const expiresAtMs = deps.nowMs() + ttlMs + fuzzMs(deps.randomBytes(4))
        memory.set(circuit, key, { lookup: shown, expiresAtMs })
        return shown
      },
    }),
    forget: (circuit) => memory.forget(circuit),
  }
}

type Entry = { readonly lookup: DnsLookup; readonly expiresAtMs: number }

/** Entries by circuit and question, oldest first, counted in bytes. No circuit's map is empty. */
class Memory {
  readonly #maxBytes: number
  readonly #account
  readonly #views = new Map<string, Map<string, Entry>>()

  constructor(accountant: DnsCacheDeps['accountant'], maxBytes: number) {
    this.#maxBytes = maxBytes
    this.#account = accountant.openCache({ trimTo: (bytes) => this.#trimTo(bytes) })
  }

  get(circuit: string, key: string): Entry | undefined {
    return this.#views.get(circuit)?.get(key)
  }

  set(circuit: string, key: string, entry: Entry): void {
    this.#delete(circuit, key)
    const entries = this.#views.get(circuit) ?? new Map<string, Entry>()
    this.#views.set(circuit, entries)
    entries.set(key, entry)
    this.#account.add(bytesOf(key, entry))
    if (entries.size > MAX_NAMES) this.#deleteOldest(circuit, entries)
    if (this.#account.heldBytes > this.#maxBytes) this.#trimTo(this.#maxBytes)
  }

  forget(circuit: string): void {
    for (const key of this.#views.get(circuit)?.keys() ?? []) this.#delete(circuit, key)
  }

  /** The circuit that has been here longest gives first: it takes no new streams soonest. */
  #trimTo(bytes: number): void {
    for (const [circuit, entries] of this.#views) {
      while (entries.size > 0 && this.#account.heldBytes > bytes)
        this.#deleteOldest(circuit, entries)
      if (this.#account.heldBytes <= bytes) return
    }
  }

  #deleteOldest(circuit: string, entries: ReadonlyMap<string, Entry>): void {
    const [oldest] = entries.keys()
    if (oldest !== undefined) this.#delete(circuit, oldest)
  }

  #delete(circuit: string, key: string): void {
    const entries = this.#views.get(circuit)
    const entry = entries?.get(key)
    if (!entries || !entry) return
    entries.delete(key)
    this.#account.add(-bytesOf(key, entry))
    if (entries.size === 0) this.#views.delete(circuit)
  }
}

function bytesOf(key: string, { lookup }: Entry): number {
  return ENTRY_BYTES + key.length + lookup.addresses.length * ADDRESS_BYTES
}

/** Even over ±4 min. */
function fuzzMs(random: Uint8Array): number {
  const fraction = new DataView(random.buffer, random.byteOffset, 4).getUint32(0) / 0xffff_ffff
  return Math.round((fraction * 2 - 1) * FUZZ_MS)
}

// Local limits (tunable). The three times are Tor's (`dns_clip_ttl`, `clip_dns_fuzzy_ttl`).
const MIN_TTL_MS = 5 * 60_000
/** Longer lifetimes would show in a probe of the cache, and addresses move. */
const MAX_TTL_MS = 60 * 60_000
const FUZZ_MS = 4 * 60_000
/** A page of many hosts needs a hundred; a circuit takes new streams for ten minutes only. */
const MAX_NAMES = 256
/** Of all circuits together: forty thousand names. */
const MAX_BYTES = 16 * 1024 * 1024
/** An entry in Node 24 without its name and addresses, and a share of its circuit's map; two addresses and a name of 18 bytes measured 326 bytes. */
const ENTRY_BYTES = 256
const ADDRESS_BYTES = 48
