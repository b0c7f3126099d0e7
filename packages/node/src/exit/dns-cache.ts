/**
 * What a circuit has looked up, kept for it alone: another circuit's lookup is never answered from here, so no client can
 * learn from the time of an answer what others visited. Lifetimes are clipped and fuzzed, as Tor does, so that an
 * entry's age says nothing either. Failures are not kept. In memory only.
 */
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
}

/** Creates an empty cache in front of a resolver. */
export function createDnsCache(deps: DnsCacheDeps): DnsCache {
  const views = new Map<string, Map<string, Entry>>()

  function entriesOf(circuit: string): Map<string, Entry> {
    const entries = views.get(circuit) ?? new Map<string, Entry>()
    views.set(circuit, entries)
    if (views.size > MAX_CIRCUITS) dropOldest(views)
    return entries
  }

  function remember(circuit: string, key: string, lookup: DnsLookup): DnsLookup {
    const ttlMs = Math.min(Math.max(lookup.ttlMs, MIN_TTL_MS), MAX_TTL_MS)
    const shown = { addresses: lookup.addresses, ttlMs }
    const entries = entriesOf(circuit)
    entries.delete(key)
    entries.set(key, {
      lookup: shown,
      expiresAtMs: deps.nowMs() + ttlMs + fuzzMs(deps.randomBytes(4)),
    })
    if (entries.size > MAX_NAMES) dropOldest(entries)
    return shown
  }

  return {
    view: (circuit) => ({
      async lookup(name, families, signal) {
        const key = `${families.toSorted((a, b) => a - b).join()}/${name}`
        const entry = views.get(circuit)?.get(key)
        if (entry !== undefined && deps.nowMs() < entry.expiresAtMs) return entry.lookup
        return remember(circuit, key, await deps.resolver.lookup(name, families, signal))
      },
    }),
    forget: (circuit) => void views.delete(circuit),
  }
}

type Entry = { readonly lookup: DnsLookup; readonly expiresAtMs: number }

function dropOldest(map: Map<string, unknown>): void {
  const oldest = map.keys().next()
  if (oldest.done !== true) map.delete(oldest.value)
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
/** As many circuits as one exit is sized for. */
const MAX_CIRCUITS = 8192
