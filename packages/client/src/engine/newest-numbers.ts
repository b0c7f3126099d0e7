/**
 * The newest number of each of few nodes, for each guard: of which is made what is usual behind it. On disk between runs as bare numbers, since behind a guard that is seldom used it takes days.
 * @module
 */
import type { NodeKey } from '@byway/protocol/directory'
import { createNodeFile, setNewest, type NodeFile, type NodeFileDeps } from './node-file.ts'

// Local limits (tunable): docs/LIMITS.md.
/** Nodes of which the newest number is kept: few, so that a client that comes to another line has another level soon. */
const MAX_NODES = 24
/** One alone would be measured by itself. */
const LEAST_NODES = 5
/** Between two times that numbers are stored. */
const STORE_EVERY_MS = 600_000

/** Numbers by guard, or by what else names a row. */
export interface NewestNumbers<K extends string> extends Pick<NodeFile<number>, 'load' | 'flush'> {
  note(row: K, node: NodeKey, value: number): void
  /** Those of a row in order of size; undefined while too few nodes were used. */
  sorted(row: K): readonly number[] | undefined
}

export type NewestNumbersForm<K> = {
  readonly parseKey: (name: unknown) => K | undefined
  /** Rows kept. */
  readonly most: number
}

/** Creates empty rows. */
export function createNewestNumbers<K extends string>(
  deps: NodeFileDeps,
  { parseKey, most }: NewestNumbersForm<K>,
): NewestNumbers<K> {
  const file = createNodeFile<readonly number[], K>(deps, {
    parseKey,
    most,
    storeEveryMs: STORE_EVERY_MS,
    format: (values) => values.map(Math.round),
    parse: (values) => (values.length <= MAX_NODES ? values : undefined),
  })
  const rows = new Map<K, Map<NodeKey, number>>()
  /** Of the run before, until there are enough of this one. */
  const earlier = new Map<K, readonly number[]>()

  /** The newest last. */
  function valuesOf(row: K): readonly number[] {
    return [...(earlier.get(row) ?? []), ...(rows.get(row)?.values() ?? [])].slice(-MAX_NODES)
  }

  return {
    async load() {
      await file.load()
      for (const row of file.keys()) earlier.set(row, file.get(row) ?? [])
    },
    flush: () => file.flush(),
    note(row, node, value) {
      const nodes = rows.get(row) ?? new Map<NodeKey, number>()
      setNewest(nodes, node, value, MAX_NODES)
      setNewest(rows, row, nodes, most)
      file.set(row, valuesOf(row))
    },
    sorted(row) {
      const values = valuesOf(row)
      return values.length < LEAST_NODES ? undefined : values.toSorted((a, b) => a - b)
    },
  }
}
