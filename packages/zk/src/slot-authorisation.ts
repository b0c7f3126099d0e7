/**
 * Slot proofs for the two who need them (SPEC §13.5): the client, which makes them, and a node, which judges those it is shown.
 * @module
 */
import type { Pool, SlotVerifier } from '@byway/protocol/ticket'
import type { ZkEngine } from './engine.ts'
import { slotInput, slotSignals, type SlotWitness } from './slot.ts'

/** Makes slot proofs of 256 bytes. */
export interface SlotProver {
  /** For somebody who waits. @throws what the engine throws, or the signal's reason */
  prove(witness: SlotWitness, signal: AbortSignal): Promise<Uint8Array>
  /** For a stock. @throws as `prove` does */
  proveAhead(witness: SlotWitness, signal: AbortSignal): Promise<Uint8Array>
}

/** A prover over the engine. */
export function createSlotProver(engine: Pick<ZkEngine, 'prove' | 'proveAhead'>): SlotProver {
  return {
    async prove(witness, signal) {
      return (await engine.prove('slot', slotInput(witness), signal)).proof
    },
    async proveAhead(witness, signal) {
      return (await engine.proveAhead('slot', slotInput(witness), signal)).proof
    },
  }
}

/** A verifier of the pool's slots over the engine. It rejects with what the engine throws when it is asked more than it can do. */
export function createSlotVerifier(
  engine: Pick<ZkEngine, 'verify'>,
  { tag, unitsPerSlot }: Pick<Pool, 'tag' | 'unitsPerSlot'>,
): SlotVerifier {
  const profile = { tag, unitsPerSlot: BigInt(unitsPerSlot) }
  return {
    verify: (statement, proof) =>
      engine.verify('slot', slotSignals({ ...statement, ...profile }), proof),
  }
}
