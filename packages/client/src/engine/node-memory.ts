/**
 * All that a client remembers of nodes between runs, each in a file of its own: how circuits fared with them, for how long they were up, and how fast they are behind each guard.
 * @module
 */
import { join } from 'node:path'
import type { Logger } from '@byway/protocol/base'
import { mayShareCircuit } from '@byway/protocol/directory'
import type { NodeKey, PathNode } from '@byway/protocol/directory'
import type { Transfer } from './goodput-meter.ts'
import { createGuardLevels } from './guard-levels.ts'
import { createGuardSpeeds, type GuardSpeeds } from './guard-speeds.ts'
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
  /** Takes in what a path, entry first, has brought in a busy second. */
  onTransfer(path: readonly PathNode[], transfer: Transfer): void
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
  const levels = createGuardLevels({ ...fileOf('levels.json'), monotonicMs })
  const speeds = createGuardSpeeds({
    ...fileOf('speeds.json'),
    levels,
    primary,
    areApart: (a, b) => areApart(nodeOf(a), nodeOf(b)),
    onSlow: ({ nodes }) =>
      log.warn('clearly less comes through one guard than through another: it is used last', {
        nodes,
      }),
    monotonicMs,
  })
  const files = [records, uptimes, levels, speeds]
  return {
    records,
    uptimes,
    speeds,
    onTransfer(path, transfer) {
      const keys = path.map(({ key }) => key)
      for (const key of keys) records.observe(key, { type: 'transfer', ...transfer })
      speeds.observe(keys, transfer)
    },
    load: async () => void (await Promise.all(files.map((file) => file.load()))),
    flush: async () => void (await Promise.all(files.map((file) => file.flush()))),
  }
}

/** True where nobody knows that two are one party's, and both are listed. */
function areApart(a: PathNode | undefined, b: PathNode | undefined): boolean {
  return a !== undefined && b !== undefined && mayShareCircuit(a, b)
}
