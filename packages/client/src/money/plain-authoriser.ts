/**
 * The plain authorisation of slots (SPEC §13.3): the owner of a deposit signs for each slot, so **everyone who sees an opening sees the payer**. For the development
 * chain alone; slot proofs in zero knowledge take its place behind the same port.
 * @module
 */
import { toHex } from '@byway/protocol/base'
import type { LeafTree, TicketCrypto } from '@byway/protocol/crypto'
import {
  depositLeaf,
  identityCommitment,
  numberOf,
  openingX,
  PLAIN_CHAIN_ID,
  plainSecret,
  slotCount,
  slotNullifier,
  u256Bytes,
} from '@byway/protocol/ticket'
import type { Pool } from '@byway/protocol/ticket'
import { encodePlainProof } from '@byway/protocol/wire'
import type { Opening } from '@byway/protocol/wire'
import { moneyError } from './errors.ts'
import { createLeafBook } from './leaf-book.ts'
import type { DepositChain, LeafBook } from './leaf-book.ts'
import type { Slot, SlotAuthoriser } from './ports.ts'
import { sessionKeyOf } from './session-keys.ts'

/** Signs for a deposit of its own. */
export interface PlainOwner {
  /** 20 bytes. */
  readonly address: Uint8Array
  /** 65 bytes over the digest of SPEC §13.3; the fields have 32 bytes each. */
  signPlainProof(statement: {
    readonly root: Uint8Array
    readonly nullifier: Uint8Array
    readonly domain: Uint8Array
    readonly x: Uint8Array
  }): Promise<Uint8Array>
}

/** One of the client's deposits. */
export type OwnedDeposit = {
  readonly owner: PlainOwner
  /** Bond units. */
  readonly limit: number
  /** False after lost state: any of its slots may have been shown by somebody who forgot it. */
  readonly isPastKnown: boolean
}

export type PlainAuthoriserDeps = {
  readonly crypto: TicketCrypto
  readonly createTree: () => LeafTree
  readonly pool: Pool
  readonly chain: DepositChain
  /** The client's deposits as they are known now; new ones turn up at the end. */
  readonly deposits: () => Promise<readonly OwnedDeposit[]>
  /** 32 bytes from which every session key is made. */
  readonly sessionSecret: Uint8Array
}

/** Creates the authoriser. @throws PLAIN_AUTHORISATION on any chain but the development chain */
export function createPlainAuthoriser(deps: PlainAuthoriserDeps): SlotAuthoriser {
  const { chainId } = deps.pool
  if (chainId !== PLAIN_CHAIN_ID) throw moneyError('PLAIN_AUTHORISATION', { chainId })
  return new PlainAuthoriser(deps)
}

type PlainSlot = Slot & {
  readonly deposit: OwnedDeposit
  readonly number: number
  readonly leafIndex: number
}

class PlainAuthoriser implements SlotAuthoriser {
  readonly #deps: PlainAuthoriserDeps
  readonly #slots = new Map<string, PlainSlot>()
  readonly #leaves: LeafBook

  constructor(deps: PlainAuthoriserDeps) {
    this.#deps = deps
    this.#leaves = createLeafBook(deps)
  }

  async slots(signal: AbortSignal): Promise<readonly Slot[]> {
    const deposits = await this.#deps.deposits()
    await this.#leaves.refresh(signal)
    for (const deposit of deposits) this.#addSlots(deposit)
    return [...this.#slots.values()]
  }

  async openingFor(nullifier: Uint8Array, signal: AbortSignal): Promise<Opening> {
    const { crypto, pool, chain } = this.#deps
    if (!this.#slots.has(toHex(nullifier))) await this.slots(signal)
    const slot = this.#slots.get(toHex(nullifier))
    const published = await chain.newestRoot(signal)
    if (!slot || !published) throw moneyError('DEPOSIT_TOO_NEW', {})
    const path = await this.#leaves.pathUnder(numberOf(published.root), slot.leafIndex, signal)
    const sessionKey = crypto.addressOfSecret(this.sessionKeyFor(nullifier))
    const receiptKey = new Uint8Array(32)
    const x = u256Bytes(openingX(crypto, { sessionKey, receiptKey }))
    const { root } = published
    const domain = u256Bytes(pool.domain)
    const { owner, limit } = slot.deposit
    const signature = await owner.signPlainProof({ root, nullifier, domain, x })
    const siblings = path.siblings.map(u256Bytes)
    const { pathBits } = path
    const proof = encodePlainProof({ signature, limit, slot: slot.number, pathBits, siblings })
    return { root, nullifier, sessionKey, receiptKey, proof }
  }

  sessionKeyFor(nullifier: Uint8Array): Uint8Array {
    return sessionKeyOf(this.#deps.crypto, this.#deps.sessionSecret, nullifier)
  }

  /** A signature takes no time worth saving. */
  prepare(): Promise<void> {
    return Promise.resolve()
  }

  isPrepared(): boolean {
    return true
  }

  #addSlots(deposit: OwnedDeposit): void {
    const { crypto, pool } = this.#deps
    const secret = plainSecret(deposit.owner.address)
    const idc = identityCommitment(crypto, secret)
    const leafIndex = this.#leaves.indexOf(depositLeaf(crypto, pool, idc, deposit.limit))
    if (leafIndex === undefined) return
    for (let number = 0; number < slotCount(pool, deposit.limit); number++) {
      const nullifier = u256Bytes(slotNullifier(crypto, pool, secret, number))
      const key = toHex(nullifier)
      if (this.#slots.has(key)) continue
      const isKnownUnshown = deposit.isPastKnown
      this.#slots.set(key, { nullifier, isKnownUnshown, deposit, number, leafIndex })
    }
  }
}
