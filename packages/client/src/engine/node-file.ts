/**
 * Numbers about nodes, in memory and in a state file between runs: what was heard of last stays, and the file is written once in a while. What the numbers mean is the caller's.
 * @module
 */
import { utf8Text } from '@byway/protocol/base'
import type { NodeKey } from '@byway/protocol/directory'
import { readStateFile, writeStateFile } from './state-file.ts'

/** Where the file is, and what time it is. */
export type NodeFileDeps = {
  /** None in memory-only clients. */
  readonly path: string | undefined
  /** Wall clock. */
  readonly nowMs: () => number
}

export type NodeFileForm<T, K> = {
  /** What the name of a row names; undefined for what is none. */
  readonly parseKey: (name: unknown) => K | undefined
  /** Rows kept; those set longest ago are forgotten first. */
  readonly most: number
  /** Between two times that the file is written. */
  readonly storeEveryMs: number
  /** A record as numbers, none below 0. */
  readonly format: (record: T) => readonly number[]
  /** The record, or undefined when these are not numbers of one. */
  readonly parse: (numbers: readonly number[]) => T | undefined
}

/** Records by node, or by what else names a row. */
export interface NodeFile<T, K extends string = NodeKey> {
  /** Reads what was stored. A file that is damaged is as good as none. */
  load(): Promise<void>
  get(key: K): T | undefined
  set(key: K, record: T): void
  /** Names of all rows, the oldest first. */
  keys(): Iterable<K>
  /** Stores all of it now. What cannot be stored is forgotten at the end. Never rejects. */
  flush(): Promise<void>
}

/** Creates empty records. */
export function createNodeFile<T, K extends string>(
  { path, nowMs }: NodeFileDeps,
  form: NodeFileForm<T, K>,
): NodeFile<T, K> {
  const records = new Map<K, T>()
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
    keys: () => records.keys(),
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

function formatFile<T, K>(records: ReadonlyMap<K, T>, { format }: NodeFileForm<T, K>): string {
  const nodes = Array.from(records, ([key, record]) => [key, ...format(record)])
  return JSON.stringify({ version: VERSION, nodes })
}

function parseFile<T, K>(
  stored: Uint8Array,
  form: NodeFileForm<T, K>,
): readonly (readonly [K, T])[] {
  try {
    const { version, nodes } = JSON.parse(utf8Text(stored) ?? '') as Record<string, unknown>
    if (version !== VERSION || !Array.isArray(nodes)) return []
    return nodes.slice(-form.most).flatMap((row) => parseRow(row, form))
  } catch {
    return []
  }
}

function parseRow<T, K>(
  row: unknown,
  { parseKey, parse }: NodeFileForm<T, K>,
): readonly (readonly [K, T])[] {
  if (!Array.isArray(row)) return []
  const [name, ...numbers] = row as readonly unknown[]
  const key = parseKey(name)
  const record = numbers.every(isAmount) ? parse(numbers) : undefined
  return key === undefined || record === undefined ? [] : [[key, record]]
}

function isAmount(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0
}
