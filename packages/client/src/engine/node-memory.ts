/**
 * All that a client remembers of nodes between runs, each in a file of its own: how circuits fared with them, for how long they were up, how their addresses change, and how fast and how far they are behind each guard.
 * @module
 */
import { join } from 'node:path'
import type { Logger } from '@byway/protocol/base'
import { mayShareCircuit } from '@byway/protocol/directory'
import type { DirectoryEntry, LineSeen, NodeKey, PathNode } from '@byway/protocol/directory'
import type { Transfer } from './goodput-meter.ts'
import { createDialTimes, type DialTimes } from './dial-times.ts'
import { createGuardDelays } from './guard-delays.ts'
import { createGuardLevels } from './guard-levels.ts'
import { createGuardSpeeds, type GuardSpeeds } from './guard-speeds.ts'
import { createNodeAddresses } from './node-addresses.ts'
import { createNodeRecords, type NodeRecords } from './node-records.ts'
import { createNodeUptimes, type NodeUptimes } from './node-uptimes.ts'

export type NodeMemoryDeps = {
  /** None in memory-only clients. */
  readonly home: string | undefined
  readonly nodeOf: (key: NodeKey) => PathNode | undefined
  readonly primary: () => readonly NodeKey[]
  readonly log: Pick<Logger, 'warn'>
  /** Wall clock. */
  readonly nowMs: () => number
  readonly monotonicMs: () => number
}

/** What is remembered. */
export interface NodeMemory {
  readonly records: NodeRecords
  readonly uptimes: NodeUptimes
  readonly speeds: GuardSpeeds
  /** In memory alone. */
  readonly dials: DialTimes
  /** Takes in an edition that was accepted. @param stakeAgeMs - undefined where nobody knows */
  onEdition(entry: DirectoryEntry, stakeAgeMs: number | undefined): void
  /** What was seen of the lines of these nodes over time. */
  linesOf(nodes: readonly PathNode[]): (key: NodeKey) => LineSeen
  /** Takes in what a path, entry first, has brought in a busy second. */
  onTransfer(path: readonly PathNode[], transfer: Transfer): void
  /** Takes in the least round trip over a path, entry first, to its last hop. */
  onRtt(path: readonly PathNode[], rttMs: number): void
  /** Reads what was stored. */
  load(): Promise<void>
  /** Stores all of it. Never rejects. */
  flush(): Promise<void>
}

/** Creates a memory without anything in it. */
export function createNodeMemory(deps: NodeMemoryDeps): NodeMemory {
  const { home, nodeOf, primary, log, nowMs, monotonicMs } = deps
  const fileOf = (name: string) => ({ path: home && join(home, name), nowMs })
  const records = createNodeRecords(fileOf('nodes.json'))
  const uptimes = createNodeUptimes(fileOf('uptimes.json'))
  const addresses = createNodeAddresses(fileOf('addresses.json'))
  const dials = createDialTimes(monotonicMs)
  const levels = createGuardLevels({ ...fileOf('levels.json'), monotonicMs })
  const delays = createGuardDelays(fileOf('delays.json'))
  const speeds = createGuardSpeeds({
    ...fileOf('speeds.json'),
    levels,
    delays,
    primary,
    areApart: (a, b) => areApart(nodeOf(a), nodeOf(b)),
    onSlow: ({ nodes }) =>
      log.warn('clearly less comes through one guard than through another: it is used last', {
        nodes,
      }),
    monotonicMs,
  })
  const files = [records, uptimes, addresses, levels, delays, speeds]
  return {
    records,
    uptimes,
    speeds,
    dials,
    onEdition(entry, stakeAgeMs) {
      uptimes.onEdition(entry)
      const node = nodeOf(entry.key)
      if (node) addresses.onEdition(node, stakeAgeMs)
    },
    linesOf(nodes) {
      const reasons = addresses.reasons()
      const late = dials.late(nodes)
      return (key) => ({ addresses: reasons(key), late: late.get(key) })
    },
    onTransfer(path, transfer) {
      const keys = path.map(({ key }) => key)
      for (const key of keys) records.observe(key, { type: 'transfer', ...transfer })
      speeds.observe(keys, transfer)
    },
    onRtt: (path, rttMs) =>
      speeds.observeRtt(
        path.map(({ key }) => key),
        rttMs,
      ),
    load: async () => void (await Promise.all(files.map((file) => file.load()))),
    flush: async () => void (await Promise.all(files.map((file) => file.flush()))),
  }
}

/** True where nobody knows that two are one party's, and both are listed. */
function areApart(a: PathNode | undefined, b: PathNode | undefined): boolean {
  return a !== undefined && b !== undefined && mayShareCircuit(a, b)
}
