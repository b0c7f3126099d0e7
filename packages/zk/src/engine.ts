/**
 * Proves and verifies off the event loop, each in processes of its own: verifications, which take milliseconds, must not wait behind proofs, which take a second, nor a
 * proof that somebody awaits behind those made ahead (ADR-0027).
 * @module
 */
import { availableParallelism } from 'node:os'
import type { ProgramName } from './programs.ts'
import { zkError } from './errors.ts'
import { createLane } from './lane.ts'
import type { JobOptions, Lane } from './lane.ts'
import type { SignalInput } from './witness.ts'
import type { Answer, Proved } from './prover-jobs.ts'

/** Makes and checks proofs. */
export interface ZkEngine extends Disposable {
  /**
   * Proves what somebody waits for: before everything that is proved ahead, though a job that runs already is not cut short.
   * @throws ZK_FALSE_STATEMENT, ZK_ARTEFACT, ZK_BUSY, ZK_STOPPED, or the signal's reason
   */
  prove(program: ProgramName, input: SignalInput, signal?: AbortSignal): Promise<Proved>
  /** Proves what nobody waits for, at low priority where there is a process for it. @throws as `prove` does */
  proveAhead(program: ProgramName, input: SignalInput, signal?: AbortSignal): Promise<Proved>
  /** True when the proof holds for these signals. Malformed ones are false. @throws ZK_ARTEFACT, ZK_BUSY, ZK_STOPPED */
  verify(program: ProgramName, signals: readonly bigint[], proof: Uint8Array): Promise<boolean>
}

// Local limits (tunable): docs/LIMITS.md.
/** A process without a job for so long is ended. */
const IDLE_MS = 60_000
/** The one that proves ahead: it gets some jobs at a time where slots were used, and starting takes as long as one or more. */
const AHEAD_IDLE_MS = 5000
/** What is proved ahead yields to applications, and to us. */
const AHEAD_NICENESS = 10
/** Two processes that prove have 300 MB between them; with less than this free one proves all. */
const TWO_PROVERS_BYTES = 1024 * 1024 * 1024

/** How an engine works. */
export type ZkEngineOptions = {
  /** The program whose verifier is started now and stays: starting takes a third of a second of a core. @default none */
  readonly readyToVerify?: ProgramName | undefined
  /** Processes that prove. With two, what is proved ahead has its own. @default 2; 1 on a machine with one core, or little memory */
  readonly provers?: 1 | 2 | undefined
}

/** Creates an engine. */
export function createZkEngine({ readyToVerify, provers }: ZkEngineOptions = {}): ZkEngine {
  const prover = createLane({ idleMs: IDLE_MS, atOnce: 1 })
  const isAlone = (provers ?? proversOf(machine())) === 1
  const ahead = isAlone
    ? prover
    : createLane({ idleMs: AHEAD_IDLE_MS, atOnce: 1, niceness: AHEAD_NICENESS })
  const verifier = createLane({
    idleMs: readyToVerify ? undefined : IDLE_MS,
    atOnce: Number.POSITIVE_INFINITY,
  })
  // A verifier that does not start says so with the first proof.
  if (readyToVerify) verifier.run({ do: 'load', program: readyToVerify }).catch(() => {})
  return {
    prove: (program, input, signal) => prove(prover, program, input, { signal }),
    proveAhead: (program, input, signal) => prove(ahead, program, input, { signal, isAhead: true }),
    async verify(program, signals, proof) {
      const answer = await verifier.run({ do: 'verify', program, signals, proof })
      if (answer.result !== 'verdict') throw failureOf(answer, program)
      return answer.holds
    },
    [Symbol.dispose]() {
      for (const lane of [prover, ahead, verifier]) lane.stop()
    },
  }
}

/** What a machine has for proving. */
export type Machine = { readonly cores: number; readonly freeBytes: number }

/** How many processes prove on it. */
export function proversOf({ cores, freeBytes }: Machine): 1 | 2 {
  return cores > 1 && freeBytes >= TWO_PROVERS_BYTES ? 2 : 1
}

function machine(): Machine {
  return { cores: availableParallelism(), freeBytes: process.availableMemory() }
}

async function prove(
  lane: Lane,
  program: ProgramName,
  input: SignalInput,
  options: JobOptions,
): Promise<Proved> {
  const answer = await lane.run({ do: 'prove', program, input }, options)
  if (answer.result !== 'proof') throw failureOf(answer, program)
  return { signals: answer.signals, proof: answer.proof }
}

function failureOf(answer: Answer, program: ProgramName): Error {
  const isFalse = answer.result === 'failed' && answer.why === 'false'
  return zkError(isFalse ? 'ZK_FALSE_STATEMENT' : 'ZK_ARTEFACT', { program })
}
