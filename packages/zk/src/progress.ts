/**
 * How far a proof is that somebody waits for: a large program's takes a minute.
 * @module
 */

/** What is done of a stage. Stages come in this order; each is told of at its start. */
export type ProofProgress = {
  /** A tree's receipts hashed; a witness, which is one; a key's points summed. */
  readonly stage: 'tree' | 'witness' | 'sums'
  readonly done: number
  readonly total: number
}

/** Is told of it. It must not throw. */
export type OnProofProgress = (progress: ProofProgress) => void

/** How a proof is made that somebody waits for. */
export type ProofOptions = {
  readonly onProgress?: OnProofProgress | undefined
  readonly signal?: AbortSignal | undefined
}
