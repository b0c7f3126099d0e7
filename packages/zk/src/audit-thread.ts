/**
 * Builds an audit tree in threads, which a hundred thousand receipts keep busy for a minute: parts of the lower levels side by side, then what is above them.
 * @module
 */
import { availableParallelism } from 'node:os'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { AuditLeaf, AuditNode } from './audit-levels.ts'
import { type AuditTree, auditTreeOf, sortForAudit } from './audit-tree.ts'
import type { HashTask } from './audit-worker.ts'
import type { ProofOptions } from './progress.ts'
import type { Receipt } from './receipt.ts'
import { createThreads } from './threads.ts'

// Local limit (tunable): docs/LIMITS.md.
/** Levels of a part, which a thread hashes in some seconds: 4096 leaves. */
const PART_LEVELS = 12

/** How a tree is built. */
export type AuditBuildOptions = ProofOptions & {
  /** A thread hashes 2^n receipts at a time. @default 12, some seconds of work */
  readonly partLevels?: number | undefined
}

/**
 * The tree of {@link buildAuditTree}, off the event loop.
 *
 * @throws ZK_AUDIT when there are none, too many, or two of one slot; ZK_STOPPED; the signal's reason
 */
export async function buildAuditTreeInThreads(
  receipts: readonly Receipt[],
  depth: number,
  { onProgress, partLevels = PART_LEVELS, signal }: AuditBuildOptions = {},
): Promise<AuditTree> {
  const sorted = await sortInTurns(receipts, depth)
  const low = Math.min(partLevels, depth)
  const size = 2 ** low
  const parts = Array.from({ length: Math.ceil(sorted.length / size) }, (_, i) =>
    sorted.slice(i * size, (i + 1) * size).map(leafOf),
  )
  let done = 0
  const tell = (): void => onProgress?.({ stage: 'tree', done, total: sorted.length })
  tell()
  const tasks = parts.map((leaves): HashTask => ({ lowest: { of: 'leaves', leaves }, height: low }))
  const hashed = await hashAll(tasks, signal, (i) => {
    done += parts[i]?.length ?? 0
    tell()
  })
  const lower = Array.from({ length: low + 1 }, (_, level) =>
    hashed.flatMap((levels) => levels[level] ?? []),
  )
  const top: HashTask = {
    lowest: { of: 'nodes', nodes: lower.at(-1) ?? [] },
    height: depth - low,
  }
  const [upper = []] = await hashAll([top], signal, () => {})
  return auditTreeOf(sorted, [...lower, ...upper.slice(1)])
}

/** Lets the event loop turn on the way: a hundred thousand receipts take a tenth of a second. */
async function sortInTurns(
  receipts: readonly Receipt[],
  depth: number,
): Promise<readonly Receipt[]> {
  const steps = sortForAudit(receipts, depth)
  for (;;) {
    const step = steps.next()
    if (step.done) return step.value
    await nextTurn()
  }
}

/** Does the tasks in as many threads as there are cores; gives what each made, in their order. */
async function hashAll(
  tasks: readonly HashTask[],
  signal: AbortSignal | undefined,
  onDone: (task: number) => void,
): Promise<readonly AuditNode[][][]> {
  signal?.throwIfAborted()
  await using threads = createThreads<HashTask, AuditNode[][]>({
    url: WORKER_URL,
    name: 'audit',
    program: 'service-audit',
    count: availableParallelism(),
    limits: THREAD_SIZES,
    signal,
  })
  const made = tasks.map(async (task, i) => {
    const levels = await threads.run(task)
    onDone(i)
    return levels
  })
  return await Promise.all(made)
}

function leafOf({ publicKey, nullifier, units }: Receipt): AuditLeaf {
  return { publicKey, nullifier, units }
}

/** Beside this file, with its ending: `.ts` from source, `.js` from a build. */
const WORKER_URL = new URL(`./audit-worker${import.meta.url.slice(-3)}`, import.meta.url)
/** A part's leaves and nodes, and Poseidon's constants. */
const THREAD_SIZES = { maxOldGenerationSizeMb: 128, maxYoungGenerationSizeMb: 32 }
