/**
 * What proving throws. Contexts name programs and counts, never a witness.
 * @module
 */
import { errorBuilder, type ErrorBuilder, type ErrorOf } from '@byway/protocol/base'
import type { ProgramName } from './programs.ts'

/** Context carried by each code. One row here is one row of docs/ERRORS.md. */
type ZkErrors = {
  /** A file that a program needs is missing, or is not the one of the manifest. */
  ZK_ARTEFACT: { program: ProgramName }
  /** The program's large files are not on this machine: make them with `npm run zk -- PROGRAM`. */
  ZK_NOT_MADE: { program: ProgramName }
  /** A proof of this size takes more memory than this machine has. */
  ZK_SMALL_MACHINE: { memoryBytes: number; leastBytes: number }
  /** The development set-up, under which anybody can forge, outside a local network. */
  ZK_DEVELOPMENT_SET_UP: { chainId: number }
  /** The statement is false for this witness: there is no proof. */
  ZK_FALSE_STATEMENT: { program: ProgramName }
  /** Receipts that make no tree: none, more than it holds, two of one slot; or a unit that is not in it. */
  ZK_AUDIT: { receipts: number; most: number }
  /** A sampled slot's opening is not kept any more, or is of another receipt key. */
  ZK_NO_OPENING: { sample: number }
  /** More jobs wait than may. */
  ZK_BUSY: { waiting: number }
  /** The worker died, or the engine was disposed. */
  ZK_STOPPED: { program: ProgramName | 'receipt' }
}

/** Every error this package throws. */
export type ZkError = ErrorOf<ZkErrors>

/** Builds, does not throw. */
export const zkError: ErrorBuilder<ZkErrors> = errorBuilder<ZkErrors>({
  ZK_ARTEFACT: ['local', 'a file of a zero-knowledge program is missing or changed'],
  ZK_NOT_MADE: ['local', 'the large files of a zero-knowledge program were not made yet'],
  ZK_SMALL_MACHINE: ['local', 'this machine has too little memory for a service proof'],
  ZK_DEVELOPMENT_SET_UP: ['local', 'the development set-up proves nothing on a real network'],
  ZK_FALSE_STATEMENT: ['local', 'the statement to prove is false'],
  ZK_AUDIT: ['local', 'these receipts make no tree'],
  ZK_NO_OPENING: ['local', 'the slot proof of a sampled receipt is not here'],
  ZK_BUSY: ['local', 'too many proofs wait'],
  ZK_STOPPED: ['local', 'proving was stopped'],
})
