/**
 * How soon circuits of each guard answer as a whole (SPEC §10.3, ADR-0052): the mean of the middle half of the round trips that came last over different nodes. What a circuit takes beyond that says
 * something of its nodes; the way to the guard, and what the guard itself holds back from all alike, is in both and falls out. By length, since one hop more is no fault of those that it leads to.
 * @module
 */
import { parseNodeKey } from '@byway/protocol/directory'
import type { NodeKey } from '@byway/protocol/directory'
import { createNewestNumbers, type NewestNumbers } from './newest-numbers.ts'
import type { NodeFileDeps } from './node-file.ts'

// Local limits (tunable): docs/LIMITS.md.
/** Guards with lengths of circuits: more than are in use at a time. */
const MAX_ROWS = 12
/** What is slower says nothing of a way: somebody stood still. */
const MAX_RTT_MS = 10_000

/** What is usual. */
export interface GuardDelays extends Pick<NewestNumbers<Row>, 'load' | 'flush'> {
  /** Takes in the least round trip of a circuit to its last hop. Gives how much later than usual it came, ms; undefined while nothing is usual, and for what is no round trip. @param path - entry first, two hops at least */
  note(path: readonly NodeKey[], rttMs: number): number | undefined
  /** True where circuits of some length have shown what is usual. */
  has(guard: NodeKey): boolean
}

/** A guard, and how many hops its circuits have. */
type Row = `${NodeKey} ${number}`

/** Creates an empty record. */
export function createGuardDelays(deps: NodeFileDeps): GuardDelays {
  const numbers = createNewestNumbers<Row>(deps, { parseKey: parseRow, most: MAX_ROWS })

  function usualOf(row: Row): number | undefined {
    const sorted = numbers.sorted(row)
    if (sorted === undefined) return undefined
    const outer = sorted.length >> 2
    const middle = sorted.slice(outer, sorted.length - outer)
    return middle.reduce((sum, each) => sum + each, 0) / middle.length
  }

  return {
    load: () => numbers.load(),
    flush: () => numbers.flush(),
    note([guard, ...nodes], rttMs) {
      if (guard === undefined || nodes.length === 0) return undefined
      if (!(rttMs > 0) || rttMs > MAX_RTT_MS) return undefined
      const row = rowOf(guard, nodes.length + 1)
      for (const node of nodes) numbers.note(row, node, rttMs)
      const usual = usualOf(row)
      return usual === undefined ? undefined : rttMs - usual
    },
    has: (guard) => LENGTHS.some((hops) => numbers.sorted(rowOf(guard, hops)) !== undefined),
  }
}

/** Hops of circuits that more is measured of than their guard. */
const LENGTHS = [2, 3] as const

function rowOf(guard: NodeKey, hops: number): Row {
  return `${guard} ${hops}`
}

function parseRow(name: unknown): Row | undefined {
  const [key, hops, ...rest] = typeof name === 'string' ? name.split(' ') : []
  const guard = parseNodeKey(key)
  const length = LENGTHS.find((each) => String(each) === hops)
  if (guard === undefined || length === undefined || rest.length > 0) return undefined
  return rowOf(guard, length)
}
