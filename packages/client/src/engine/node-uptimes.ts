/**
 * How long each node of the directory has been seen up, on disk between runs: by the editions that it signs, and by what circuits showed. Kept of all nodes alike, so that the file
 * tells little of which were used.
 * @module
 */
import { equalBytes } from '@byway/protocol/base'
import { noteSighting, parseNodeKey } from '@byway/protocol/directory'
import type { DirectoryEntry, NodeKey, Sighting, UptimeRecord } from '@byway/protocol/directory'
import { createNodeFile, setNewest, type NodeFile, type NodeFileDeps } from './node-file.ts'

// Local limits (tunable): docs/LIMITS.md.
/** As many nodes as a directory holds; those heard of longest ago are forgotten first. */
const MAX_UPTIMES = 20_000
/** Between two times that what was seen is stored: a large network's file is a megabyte or two. */
const STORE_EVERY_MS = 3_600_000
/** A node that runs keeps an onion key for six hours at least (SPEC §2): one that has another sooner began anew. */
const LEAST_KEY_LIFE_MS: number = 5.5 * 3_600_000
/** An edition that comes later after it was made may not be the first with its key. */
const FRESH_MS = 1_800_000

/** Sightings of nodes. */
export interface NodeUptimes extends Pick<NodeFile<UptimeRecord>, 'load' | 'get' | 'flush'> {
  note(key: NodeKey, sighting: Sighting): void
  /** Takes in an edition that was accepted. */
  onEdition(entry: DirectoryEntry): void
}

type OnionKey = {
  readonly key: Uint8Array
  /** When it was first published; before all times where that was not seen. */
  readonly sinceMs: number
}

/** Creates empty records. */
export function createNodeUptimes(deps: NodeFileDeps): NodeUptimes {
  const { nowMs } = deps
  const onionKeys = new Map<NodeKey, OnionKey>()
  const file = createNodeFile<UptimeRecord, NodeKey>(deps, {
    parseKey: parseNodeKey,
    most: MAX_UPTIMES,
    storeEveryMs: STORE_EVERY_MS,
    format: ({ upMs, departures, isUp, atMs }) => [
      Math.round(upMs),
      Number(departures.toFixed(3)),
      isUp ? 1 : 0,
      atMs,
    ],
    parse: recordOf,
  })

  function note(key: NodeKey, sighting: Sighting): void {
    file.set(key, noteSighting(file.get(key), sighting, nowMs()))
  }

  /** True when the key changed sooner than a node that runs changes it. */
  function hasBegunAnew(key: NodeKey, onionKey: Uint8Array, publishedMs: number): boolean {
    const last = onionKeys.get(key)
    if (last && equalBytes(last.key, onionKey)) return false
    const isFirst = last !== undefined && nowMs() - publishedMs < FRESH_MS
    const sinceMs = isFirst ? publishedMs : NEVER_MS
    setNewest(onionKeys, key, { key: onionKey, sinceMs }, MAX_UPTIMES)
    return last !== undefined && publishedMs - last.sinceMs < LEAST_KEY_LIFE_MS
  }

  return {
    ...file,
    note,
    onEdition({ key, descriptor }) {
      const publishedMs = descriptor.publishedS * 1000
      if (hasBegunAnew(key, descriptor.onionKey, publishedMs)) {
        note(key, { type: 'gone', atMs: publishedMs - 1 })
      }
      note(key, { type: 'seen', atMs: publishedMs })
    },
  }
}

const NEVER_MS = Number.NEGATIVE_INFINITY

function recordOf(numbers: readonly number[]): UptimeRecord | undefined {
  const [upMs, departures, up, atMs] = numbers
  if (upMs === undefined || departures === undefined || atMs === undefined) return undefined
  if (numbers.length !== 4 || (up !== 0 && up !== 1)) return undefined
  return { upMs, departures, isUp: up === 1, atMs, doubters: [] }
}
