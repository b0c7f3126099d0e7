/**
 * Join proofs for a client (SPEC §14.6).
 * @module
 */
import type { ZkEngine } from './engine.ts'
import { joinInput, type JoinWitness } from './join.ts'

/** Makes join proofs of 256 bytes. */
export interface JoinProver {
  /** Behind all that somebody awaits: a joining has hours. @throws what the engine throws, or the signal's reason */
  proveJoin(witness: JoinWitness, signal: AbortSignal): Promise<Uint8Array>
}

/** A prover over the engine. */
export function createJoinProver(engine: Pick<ZkEngine, 'proveAhead'>): JoinProver {
  return {
    async proveJoin(witness, signal) {
      return (await engine.proveAhead('join', joinInput(witness), signal)).proof
    },
  }
}
