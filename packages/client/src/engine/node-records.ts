/**
 * What this client has seen of the nodes it used, on disk between runs: growth of a weight is bounded by the day (THREAT-MODEL T10), which means nothing to a client that
 * forgets at night. Holds no time of use, no destination, and no node that was never used.
 * @module
 */
import { utf8Text } from '@byway/protocol/base'
import { observeNode, parseNodeKey } from '@byway/protocol/directory'
import type { NodeKey, NodeRecord, Observation } from '@byway/protocol/directory'
import { readStateFile, writeStateFile } from './state-file.ts'

// Local limits (tunable): docs/LIMITS.md.
/** Nodes remembered; those seen longest ago are forgotten first. */
const MAX_RECORDS = 4096
/** Between two times that what was seen is stored. */
const STORE_EVERY_MS = 600_000

export type NodeRecordsDeps = {
  /** None in memory-only clients. */
  readonly path: string | undefined
  /** Wall clock. */
  readonly nowMs: () => number
}

/** Observations of nodes. */
export interface NodeRecords {
  /** Reads what was stored. A file that is damaged is as good as none: nodes are measured anew. */
  load(): Promise<void>
  get(key: NodeKey): NodeRecord | undefined
  observe(key: NodeKey, observation: Observation): void
  /** Stores what was seen. */
  flush(): Promise<void>
}

/** Creates empty records. */
export function createNodeRecords({ path, nowMs }: NodeRecordsDeps): NodeRecords {
  const records = new Map<NodeKey, NodeRecord>()
  let storedAtMs = nowMs()
  let writing: Promise<void> = Promise.resolve()

  async function store(before: Promise<void>): Promise<void> {
    await before
    if (!path) return
    try {
      await writeStateFile(path, formatRecords(records))
    } catch {
      // What cannot be stored is measured anew next time.
    }
  }

  return {
    async load() {
      const stored = path && (await readStateFile(path))
      for (const [key, record] of stored ? parseRecords(stored) : []) records.set(key, record)
    },
    get: (key) => records.get(key),
    observe(key, observation) {
      const record = observeNode(records.get(key), observation, nowMs())
      records.delete(key)
      records.set(key, record)
      const [oldest] = records.keys()
      if (records.size > MAX_RECORDS && oldest !== undefined) records.delete(oldest)
      if (nowMs() - storedAtMs < STORE_EVERY_MS) return
      storedAtMs = nowMs()
      writing = store(writing)
    },
    flush() {
      writing = store(writing)
      return writing
    },
  }
}

const VERSION = 1

function formatRecords(records: ReadonlyMap<NodeKey, NodeRecord>): string {
  const rows = Array.from(records, ([key, record]) => [
    key,
    record.goodputKbps,
    record.success,
    record.dayStartMs,
    record.dayStartKbps,
  ])
  return JSON.stringify({ version: VERSION, nodes: rows })
}

function parseRecords(stored: Uint8Array): readonly (readonly [NodeKey, NodeRecord])[] {
  try {
    const { version, nodes } = JSON.parse(utf8Text(stored) ?? '') as Record<string, unknown>
    if (version !== VERSION || !Array.isArray(nodes)) return []
    return nodes.slice(-MAX_RECORDS).flatMap(parseRow)
  } catch {
    return []
  }
}

function parseRow(row: unknown): readonly (readonly [NodeKey, NodeRecord])[] {
  if (!Array.isArray(row)) return []
  const [name, ...numbers] = row as readonly unknown[]
  const key = parseNodeKey(name)
  const [goodputKbps, success, dayStartMs, dayStartKbps] = numbers.map(amountOf)
  if (key === undefined || goodputKbps === undefined || success === undefined || success > 1) {
    return []
  }
  if (dayStartMs === undefined || dayStartKbps === undefined) return []
  return [[key, { goodputKbps, success, dayStartMs, dayStartKbps }]]
}

function amountOf(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0 ? value : undefined
}
