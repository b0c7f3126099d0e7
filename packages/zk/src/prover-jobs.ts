/**
 * What a process that proves and verifies is asked, and what it answers.
 * @module
 */
import type { ProofProgress } from './progress.ts'
import type { ProgramName } from './programs.ts'
import type { SignalInput } from './witness.ts'

/** What the process is asked. */
export type Job = { readonly id: number; readonly program: ProgramName } & (
  | { readonly do: 'prove'; readonly input: SignalInput }
  | { readonly do: 'load' }
  | { readonly do: 'verify'; readonly signals: readonly bigint[]; readonly proof: Uint8Array }
)

/** What it answers. */
export type Answer = { readonly id: number } & (
  | { readonly result: 'proof'; readonly signals: readonly bigint[]; readonly proof: Uint8Array }
  | { readonly result: 'loaded' }
  /** Before the proof of a program that takes all cores. */
  | { readonly result: 'progress'; readonly progress: ProofProgress }
  | { readonly result: 'verdict'; readonly holds: boolean }
  | { readonly result: 'failed'; readonly why: 'artefact' | 'false' }
)

/** A proof and the public signals it is for, in the program's order. */
export type Proved = { readonly signals: readonly bigint[]; readonly proof: Uint8Array }

/** The argument of a process that proves with all cores. */
export const ALL_CORES = 'all-cores'
