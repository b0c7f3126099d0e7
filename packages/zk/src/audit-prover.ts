/**
 * Makes service proofs: ten seconds of a core and less than half a gigabyte, once a week, in a process of its own that gives way to everything else and ends with its work.
 * @module
 */
import { type ChildProcess, fork } from 'node:child_process'
import { constants, setPriority, totalmem } from 'node:os'
import { fileURLToPath } from 'node:url'
import { assertMade } from './artefacts.ts'
import type { ProgramName } from './programs.ts'
import { zkError } from './errors.ts'
import type { OnProofProgress, ProofOptions } from './progress.ts'
import type { SignalInput } from './witness.ts'
import { ALL_CORES, type Answer, type Job, type Proved } from './prover-jobs.ts'

const PROGRAM = 'service-audit'

// Local limits (tunable): docs/LIMITS.md.
/** A proof takes 0.35 GB on two cores and 0.8 GB with eight threads, the tree before it as much; the rest is the node's and the system's. A board sold with two gigabytes says that it has less. */
const LEAST_MEMORY_BYTES = 1.5e9
/** Of the prover's own objects; its tables and points are outside of it. */
const HEAP_MB = 512

/** Tells a small board that it is one, before it promises a proof. @throws ZK_SMALL_MACHINE */
export function assertRoomToProve(
  memoryBytes: number = Math.min(totalmem(), process.constrainedMemory() || Infinity),
): void {
  if (memoryBytes < LEAST_MEMORY_BYTES)
    throw zkError('ZK_SMALL_MACHINE', { memoryBytes, leastBytes: LEAST_MEMORY_BYTES })
}

/**
 * Proves the audit's statement for the inputs of {@link auditInput}.
 *
 * @throws ZK_SMALL_MACHINE, ZK_NOT_MADE, ZK_ARTEFACT, ZK_FALSE_STATEMENT, ZK_STOPPED, or the signal's reason
 */
export async function proveAudit(input: SignalInput, options?: ProofOptions): Promise<Proved> {
  assertRoomToProve()
  await assertMade(PROGRAM)
  return await proveWithAllCores(PROGRAM, input, options)
}

/**
 * Proves any program's statement in a process of its own, which has ended before this does.
 *
 * @throws ZK_ARTEFACT, ZK_FALSE_STATEMENT, ZK_STOPPED, or the signal's reason
 */
export async function proveWithAllCores(
  program: ProgramName,
  input: SignalInput,
  { onProgress, signal }: ProofOptions = {},
): Promise<Proved> {
  signal?.throwIfAborted()
  const stdio = ['ignore', 'ignore', 'ignore', 'ipc'] as const
  const child = fork(PROVER, [ALL_CORES], {
    serialization: 'advanced',
    stdio: [...stdio],
    execArgv: [...process.execArgv, `--max-old-space-size=${HEAP_MB}`],
  })
  const { promise: ended, resolve: hasEnded } = Promise.withResolvers<void>()
  child.once('close', () => hasEnded())
  // One that could not start does not end either.
  child.once('error', () => hasEnded())
  const end = (): void => void child.kill('SIGKILL')
  signal?.addEventListener('abort', end)
  try {
    giveWay(child)
    const answer = await answerOf(child, { id: 1, do: 'prove', program, input }, onProgress)
    if (answer?.result === 'proof') return { signals: answer.signals, proof: answer.proof }
    signal?.throwIfAborted()
    if (answer?.result !== 'failed') throw zkError('ZK_STOPPED', { program })
    const isFalse = answer.why === 'false'
    throw zkError(isFalse ? 'ZK_FALSE_STATEMENT' : 'ZK_ARTEFACT', { program })
  } finally {
    signal?.removeEventListener('abort', end)
    end()
    await ended
  }
}

/** Undefined when the process ended without one. */
async function answerOf(
  child: ChildProcess,
  job: Job,
  onProgress: OnProofProgress | undefined,
): Promise<Answer | undefined> {
  const { promise, resolve } = Promise.withResolvers<Answer | undefined>()
  child.on('message', (answer: Answer) => {
    if (answer.result === 'progress') onProgress?.(answer.progress)
    else resolve(answer)
  })
  child.once('error', () => resolve(undefined))
  child.once('close', () => resolve(undefined))
  child.send(job)
  return await promise
}

function giveWay({ pid }: ChildProcess): void {
  try {
    if (pid !== undefined) setPriority(pid, constants.priority.PRIORITY_BELOW_NORMAL)
  } catch {
    // The system does not let us: then it is only less polite.
  }
}

const PROVER = fileURLToPath(
  new URL(`./prover-process${import.meta.url.slice(-3)}`, import.meta.url),
)
