/**
 * Numbers about nodes, in memory and in a state file between runs: what was heard of last stays, and the file is written once in a while. What the numbers mean is the caller's.
 * @module
 */
import { utf8Text } from '@byway/protocol/base'
import { parseNodeKey } from '@byway/protocol/directory'
import type { NodeKey } from '@byway/protocol/directory'
import { readStateFile, writeStateFile } from './state-file.ts'

/** Where the file is, and what time it is. */
export type NodeFileDeps = {
  /** None in memory-only clients. */
  readonly path: string | undefined
  /** Wall clock. */
  readonly nowMs: () => number
}

export type NodeFileForm<T> = {
  /** Nodes kept; those set longest ago are forgotten first. */
  readonly most: number
  /** Between two times that the file is written. */
  readonly storeEveryMs: number
  /** A record as numbers, none below 0. */
  readonly format: (record: T) => readonly number[]
  /** The record, or undefined when these are not numbers of one. */
  readonly parse: (numbers: readonly number[]) => T | undefined
}

/** Records by node. */
export interface NodeFile<T> {
  /** Reads what was stored. A file that is damaged is as good as none. */
  load(): Promise<void>
  get(key: NodeKey): T | undefined
  set(key: NodeKey, record: T): void
  /** Stores all of it now. What cannot be stored is forgotten at the end. Never rejects. */
  flush(): Promise<void>
}

/** Creates empty records. */
export function createNodeFile<T>(
  { path, nowMs }: NodeFileDeps,
  form: NodeFileForm<T>,
): NodeFile<T> {
  const records = new Map<NodeKey, T>()
  let storedAtMs = nowMs()
  let writing: Promise<void> = Promise.resolve()

  async function store(before: Promise<void>): Promise<void> {
    await before
    if (!path) return
    try {
      await writeStateFile(path, formatFile(records, form))
    } catch {
      // What cannot be stored is learnt anew next time.
    }
  }

  return {
    async load() {
      const stored = path && (await readStateFile(path))
      for (const [key, record] of stored ? parseFile(stored, form) : []) records.set(key, record)
    },
    get: (key) => records.get(key),
    set(key, record) {
      setNewest(records, key, record, form.most)
      if (nowMs() - storedAtMs < form.storeEveryMs) return
      storedAtMs = nowMs()
      writing = store(writing)
    },
    flush() {
      writing = store(writing)
      return writing
    },
  }
}

/** Sets a value as the newest, and forgets the oldest of too many. */
export function setNewest<K, V>(map: Map<K, V>, key: K, value: V, most: number): void {
  map.delete(key)
  map.set(key, value)
  const [oldest] = map.keys()
  if (map.size > most && oldest !== undefined) map.delete(oldest)
}

const VERSION = 1

function formatFile<T>(records: ReadonlyMap<NodeKey, T>, { format }: NodeFileForm<T>): string {
  const nodes = Array.from(records, ([key, record]) => [key, ...format(record)])
  return JSON.stringify({ version: VERSION, nodes })
}

function parseFile<T>(
  stored: Uint8Array,
  { most, parse }: NodeFileForm<T>,
): readonly (readonly [NodeKey, T])[] {
  try {
    const { version, nodes } = JSON.parse(utf8Text(stored) ?? '') as Record<string, unknown>
    if (version !== VERSION || !Array.isArray(nodes)) return []
    return nodes.slice(-most).flatMap((row) => parseRow(row, parse))
  } catch {
    return []
  }
}

function parseRow<T>(
  row: unknown,
  parse: (numbers: readonly number[]) => T | undefined,
): readonly (readonly [NodeKey, T])[] {
  if (!Array.isArray(row)) return []
  const [name, ...numbers] = row as readonly unknown[]
  const key = parseNodeKey(name)
  const record = numbers.every(isAmount) ? parse(numbers) : undefined
  return key === undefined || record === undefined ? [] : [[key, record]]
}

function isAmount(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0
}
