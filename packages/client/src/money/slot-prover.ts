/** What makes slot proofs for the client (SPEC §13.5); the implementation is `@byway/zk`'s. @module */

/** What is to be proved of a slot, as the program wants it. */
export type SlotWitness = {
  readonly secret: bigint
  readonly limit: number
  /** Which slot. */
  readonly j: number
  /** From the leaf upwards. */
  readonly path: readonly { readonly sibling: bigint; readonly isLeft: boolean }[]
  readonly domain: bigint
  readonly x: bigint
  readonly tag: bigint
  readonly unitsPerSlot: bigint
}

/** Makes proofs, off the event loop. */
export interface SlotProver {
  /** 256 bytes (SPEC §13.5), for somebody who waits. @throws when the statement is false or proving fails, or the signal's reason */
  prove(witness: SlotWitness, signal: AbortSignal): Promise<Uint8Array>
  /** The same for a stock: behind all that is awaited. @throws as `prove` does */
  proveAhead(witness: SlotWitness, signal: AbortSignal): Promise<Uint8Array>
}
