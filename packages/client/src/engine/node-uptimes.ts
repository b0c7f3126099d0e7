/**
 * How long each node of the directory has been seen up, on disk between runs: by the editions that it signs, and by what circuits showed. Kept of all nodes alike, so that the file
 * tells little of which were used.
 * @module
 */
import { equalBytes, utf8Text } from '@byway/protocol/base'
import { noteSighting, parseNodeKey } from '@byway/protocol/directory'
import type { DirectoryEntry, NodeKey, Sighting, UptimeRecord } from '@byway/protocol/directory'
import { readStateFile, writeStateFile } from './state-file.ts'

// Local limits (tunable): docs/LIMITS.md.
/** As many nodes as a directory holds; those heard of longest ago are forgotten first. */
const MAX_UPTIMES = 20_000
/** Between two times that what was seen is stored: a large network's file is a megabyte or two. */
const STORE_EVERY_MS = 3_600_000
/** A node that runs keeps an onion key for six hours at least (SPEC §2): one that has another sooner began anew. */
const LEAST_KEY_LIFE_MS: number = 5.5 * 3_600_000
/** An edition that comes later after it was made may not be the first with its key. */
const FRESH_MS = 1_800_000

export type NodeUptimesDeps = {
  /** None in memory-only clients. */
  readonly path: string | undefined
  /** Wall clock. */
  readonly nowMs: () => number
}

/** Sightings of nodes. */
export interface NodeUptimes {
  /** Reads what was stored. A file that is damaged is as good as none: nodes are watched anew. */
  load(): Promise<void>
  get(key: NodeKey): UptimeRecord | undefined
  note(key: NodeKey, sighting: Sighting): void
  /** Takes in an edition that was accepted. */
  onEdition(entry: DirectoryEntry): void
  /** Stores what was seen. */
  flush(): Promise<void>
}

type OnionKey = {
  readonly key: Uint8Array
  /** When it was first published; before all times where that was not seen. */
  readonly sinceMs: number
}

/** Creates empty records. */
export function createNodeUptimes({ path, nowMs }: NodeUptimesDeps): NodeUptimes {
  const records = new Map<NodeKey, UptimeRecord>()
  const onionKeys = new Map<NodeKey, OnionKey>()
  let storedAtMs = nowMs()
  let writing: Promise<void> = Promise.resolve()

  async function store(before: Promise<void>): Promise<void> {
    await before
    if (!path) return
    try {
      await writeStateFile(path, formatUptimes(records))
    } catch {
      // What cannot be stored is watched anew next time.
    }
  }

  function note(key: NodeKey, sighting: Sighting): void {
    const record = noteSighting(records.get(key), sighting, nowMs())
    records.delete(key)
    records.set(key, record)
    forgetOldest(records)
    if (nowMs() - storedAtMs < STORE_EVERY_MS) return
    storedAtMs = nowMs()
    writing = store(writing)
  }

  /** True when the key changed sooner than a node that runs changes it. */
  function hasBegunAnew(key: NodeKey, onionKey: Uint8Array, publishedMs: number): boolean {
    const last = onionKeys.get(key)
    if (last && equalBytes(last.key, onionKey)) return false
    onionKeys.delete(key)
    const isFirst = last !== undefined && nowMs() - publishedMs < FRESH_MS
    onionKeys.set(key, { key: onionKey, sinceMs: isFirst ? publishedMs : NEVER_MS })
    forgetOldest(onionKeys)
    return last !== undefined && publishedMs - last.sinceMs < LEAST_KEY_LIFE_MS
  }

  return {
    async load() {
      const stored = path && (await readStateFile(path))
      for (const [key, record] of stored ? parseUptimes(stored) : []) records.set(key, record)
    },
    get: (key) => records.get(key),
    note,
    onEdition({ key, descriptor }) {
      const publishedMs = descriptor.publishedS * 1000
      if (hasBegunAnew(key, descriptor.onionKey, publishedMs)) {
        note(key, { type: 'gone', atMs: publishedMs - 1 })
      }
      note(key, { type: 'seen', atMs: publishedMs })
    },
    flush() {
      writing = store(writing)
      return writing
    },
  }
}

function forgetOldest<T>(map: Map<NodeKey, T>): void {
  const [oldest] = map.keys()
  if (map.size > MAX_UPTIMES && oldest !== undefined) map.delete(oldest)
}

const NEVER_MS = Number.NEGATIVE_INFINITY
const VERSION = 1

function formatUptimes(records: ReadonlyMap<NodeKey, UptimeRecord>): string {
  const rows = Array.from(records, ([key, { upMs, departures, isUp, atMs }]) => [
    key,
    Math.round(upMs),
    Number(departures.toFixed(3)),
    isUp ? 1 : 0,
    atMs,
  ])
  return JSON.stringify({ version: VERSION, nodes: rows })
}

function parseUptimes(stored: Uint8Array): readonly (readonly [NodeKey, UptimeRecord])[] {
  try {
    const { version, nodes } = JSON.parse(utf8Text(stored) ?? '') as Record<string, unknown>
    if (version !== VERSION || !Array.isArray(nodes)) return []
    return nodes.slice(-MAX_UPTIMES).flatMap(parseRow)
  } catch {
    return []
  }
}

function parseRow(row: unknown): readonly (readonly [NodeKey, UptimeRecord])[] {
  if (!Array.isArray(row) || row.length !== 5) return []
  const [name, ...numbers] = row as readonly unknown[]
  const key = parseNodeKey(name)
  const [upMs, departures, up, atMs] = numbers.map(amountOf)
  if (key === undefined || upMs === undefined || departures === undefined) return []
  if (atMs === undefined || (up !== 0 && up !== 1)) return []
  return [[key, { upMs, departures, isUp: up === 1, atMs, doubts: 0 }]]
}

function amountOf(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0 ? value : undefined
}
