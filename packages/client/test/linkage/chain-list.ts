/**
 * The chain as a list: the tree of leaves, and of each slot that comes to it every field of every call and event of the pool (`contracts/src/IBywayPool.sol`), first steps and second ones. What is one slot's
 * belongs to the unit that shows it; who pays in is on the chain for all to see, and so is whom a withdrawal pays.
 */
import { createLeafTree, nodeTicketCrypto } from '@byway/protocol/node-ticket'
import { type DepositLeaf, SLOT_STATES, type SlotState } from '@byway/protocol/payment'
import { depositLeaf, identityCommitment, u256Bytes } from '@byway/protocol/ticket'
import type { Opening, ReturnRequest, TicketMessage } from '@byway/protocol/wire'
import { POOL } from '../money/test-hop.ts'
import type { Recorder } from './recorder.ts'

export type Deposit = {
  readonly secret: bigint
  readonly limit: number
  readonly isPastKnown: boolean
}

/** A ticket that won, and the slot it is of. */
export type Win = {
  readonly opening: Opening
  readonly ticket: TicketMessage
  readonly reveal: Uint8Array
}

export class ChainList {
  readonly leaves: DepositLeaf[] = []
  readonly #recorder: Recorder
  readonly #tree = createLeafTree()
  /** The newest that was published. */
  #root = 0n

  constructor(recorder: Recorder) {
    this.#recorder = recorder
  }

  get root(): bigint {
    return this.#root
  }

  publish(): void {
    this.#root = this.#tree.root
  }

  insert(client: number, unit: string, secret: bigint, limit: number): Deposit {
    const idc = identityCommitment(nodeTicketCrypto, secret)
    const leaf = depositLeaf(nodeTicketCrypto, POOL, idc, limit)
    this.#tree.insert(leaf)
    const index = this.leaves.length
    this.leaves.push({ index, leaf, idc, limit })
    const event = { index, leaf: u256Bytes(leaf), idc: u256Bytes(idc), limit }
    this.#note(client, unit, 'Inserted', event)
    return { secret, limit, isPastKnown: true }
  }

  /** A provider's winnings in one slot: locked, bound with the first, claimed with the next. */
  pay(client: number, unit: string, provider: Uint8Array, wins: readonly Win[]): void {
    for (const [i, { opening, ticket, reveal }] of wins.entries()) {
      const { nullifier } = opening
      const { index, amount, nonce, signature } = ticket
      const shown = { index, amount, reveal, nonce, signature }
      if (i === 0) {
        this.#note(client, unit, 'lock', { provider, nullifier })
        this.#note(client, unit, 'Locked', { nullifier, provider })
        this.#note(client, unit, 'bind', { provider, opening, ticket: shown })
      } else this.#note(client, unit, 'claimMore', { provider, nullifier, ticket: shown })
      const paid = POOL.faceValue
      this.#note(client, unit, 'Won', { nullifier, provider, index, wins: i + 1, paid })
    }
  }

  /** What a relayer sends for a slot, or for its second step. */
  change(
    client: number,
    unit: string,
    call: string,
    request: ReturnRequest | object,
    nullifiers: readonly Uint8Array[],
    state: SlotState,
  ): void {
    this.#note(client, unit, call, request)
    for (const nullifier of nullifiers)
      this.#note(client, unit, 'SlotChanged', { nullifier, state: SLOT_STATES.indexOf(state) })
  }

  #note(client: number, unit: string, name: string, fields: object): void {
    this.#recorder.message(client, unit, `chain.${name}`, fields)
  }
}
