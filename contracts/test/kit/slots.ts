/** A client's side: leaves, plain proofs, openings, tickets that win, and what the session key signs. */
import assert from 'node:assert/strict'
import { bywayPoolArtifact } from '@byway/chain'
import { LeanIMT, type LeanIMTMerkleProof } from '@zk-kit/lean-imt'
import { poseidon1 } from 'poseidon-lite/poseidon1'
import { poseidon2 } from 'poseidon-lite/poseidon2'
import { poseidon3 } from 'poseidon-lite/poseidon3'
import { type Address, concat, type Hex, slice } from 'viem'
import {
  hash,
  isWin,
  openingX,
  type Place,
  plainDigest,
  poolDomain,
  profileTag,
  refundSaid,
  returnDigest,
  text,
  ticketDigest,
  toField,
  uint,
  withdrawalX,
} from './bytes.ts'
import { type Key, keyOf } from './keys.ts'
import { eventsOf, type Receipt } from './rpc.ts'
import type { World } from './world.ts'

export const ZERO: Address = '0x0000000000000000000000000000000000000000'
export const NO_TERMS = { fee: 0n, deadline: 0n, signature: '0x' } as const

export type Terms = { readonly fee: bigint; readonly deadline: bigint; readonly signature: Hex }
export type Opening = {
  readonly root: bigint
  readonly nullifier: bigint
  readonly sessionKey: Address
  readonly receiptKey: Hex
  readonly proof: Hex
}
export type Ticket = {
  readonly index: number
  readonly amount: bigint
  readonly reveal: Hex
  readonly nonce: Hex
  readonly signature: Hex
}
/** Where a slot that was not won goes, with its proof. */
export type Refund = {
  readonly root: bigint
  readonly nullifier: bigint
  readonly idc: bigint
  readonly feeTo: Address
  readonly attempt: number
  readonly proof: Hex
}
/** Where a bound slot goes. */
export type Destination = { readonly idc: bigint; readonly feeTo: Address; readonly signature: Hex }

/** A deposited leaf and its owner. */
export type Leaf = { readonly owner: Key; readonly limit: number; readonly index: number }

/** One slot of a leaf with the session key it is shown under. */
export type Slot = {
  readonly leaf: Leaf
  readonly j: number
  readonly nullifier: bigint
  readonly session: Key
  readonly opening: Opening
  /** Of its leaf, under the opening's root. */
  readonly path: LeanIMTMerkleProof
}

/** A proof that a slot was never shown, for one receiver. */
export type Unused = { readonly root: bigint; readonly nullifier: bigint; readonly proof: Hex }

/** A ticket with what the tests want to know about it. */
export type Drawn = Ticket & { readonly isWin: boolean; readonly digest: Hex; readonly commit: Hex }

/** Follows one pool's leaves and makes all that a client makes. */
export interface Client {
  readonly tree: LeanIMT
  readonly pool: Place
  readonly domain: bigint
  readonly tag: bigint
  idcOf(owner: Key): bigint
  leafOf(idc: bigint, limit: number): bigint
  nullifierOf(owner: Key, j: number): bigint
  /** A plain proof under the tree's present root. */
  prove(leaf: Leaf, j: number, x: bigint): Hex
  /** Shows a slot, under a session key of that name. */
  open(leaf: Leaf, j: number, sessionName?: string): Slot
  unused(leaf: Leaf, j: number, to: Address, feeTo?: Address): Unused
  draw(slot: Slot, provider: Address, index: number, amount: bigint, attempt: number): Drawn
  /** A ticket that wins with this nonce, for the draw of all of `V`. */
  certain(slot: Slot, provider: Address, index: number, nonce: Hex): Drawn
  /** A ticket that wins: nonces are tried until one does, as no honest pair can. */
  winning(slot: Slot, provider: Address, index: number, amount?: bigint): Drawn
  destination(slot: Slot, idc: bigint, feeTo?: Address): Destination
  /** Under the root of the slot's opening. */
  refund(slot: Slot, idc: bigint, feeTo?: Address, attempt?: number): Refund
  /** Deposits for an owner of that name. */
  deposit(from: Address, ownerName: string, limit: number): Promise<Leaf>
  /** Notes the leaf that a call inserted for this destination, if any; gives its limit, or 0. */
  noteInserted(receipt: Receipt, idc: bigint): number
  /** Publishes the root in a new interval. */
  snapshot(from: Address): Promise<void>
}

export function createClient(world: World): Client {
  const tree = new LeanIMT((left: bigint, right: bigint) => poseidon2([left, right]))
  const pool: Place = { chainId: 31_337n, contract: world.pool }
  const domain = poolDomain(pool)
  const { winValue, winsPerSlot, bond } = world.profile
  const tag = profileTag(winValue, winsPerSlot, bond)

  const idcOf = (owner: Key): bigint => poseidon1([BigInt(owner.address)])
  const leafOf = (idc: bigint, limit: number): bigint => poseidon3([idc, BigInt(limit), tag])
  const nullifierOf = (owner: Key, j: number): bigint =>
    poseidon3([BigInt(owner.address), domain, BigInt(j)])

  const prove = (leaf: Leaf, j: number, x: bigint): Hex =>
    proveUnder(tree.generateProof(leaf.index), leaf, j, x)

  function proveUnder(path: LeanIMTMerkleProof, leaf: Leaf, j: number, x: bigint): Hex {
    const { siblings, index, root } = path
    return concat([
      leaf.owner.sign(plainDigest(root, nullifierOf(leaf.owner, j), domain, x)),
      uint(leaf.limit, 32),
      uint(j, 32),
      uint(index, 32),
      uint(siblings.length, 8),
      ...siblings.map((sibling) => uint(sibling, 256)),
    ])
  }

  function open(leaf: Leaf, j: number, sessionName = `${leaf.owner.address} ${j}`): Slot {
    const session = keyOf(sessionName)
    const receiptKey = uint(0, 256)
    const proof = prove(leaf, j, openingX(session.address, receiptKey))
    const nullifier = nullifierOf(leaf.owner, j)
    const opening = {
      root: tree.root,
      nullifier,
      sessionKey: session.address,
      receiptKey,
      proof,
    }
    return { leaf, j, nullifier, session, opening, path: tree.generateProof(leaf.index) }
  }

  function winning(slot: Slot, provider: Address, index: number, amount = winValue): Drawn {
    for (let attempt = 0; ; attempt++) {
      const ticket = draw(slot, provider, index, amount, attempt)
      if (ticket.isWin) return ticket
    }
  }

  function draw(
    slot: Slot,
    provider: Address,
    index: number,
    amount: bigint,
    attempt: number,
  ): Drawn {
    const nonce = slice(hash(revealOf(slot, index), uint(attempt, 32)), 0, 16)
    return ticketOf(slot, provider, { index, amount, nonce })
  }

  function ticketOf(
    slot: Slot,
    provider: Address,
    terms: Pick<Ticket, 'index' | 'amount' | 'nonce'>,
  ): Drawn {
    const { nullifier, session } = slot
    const reveal = revealOf(slot, terms.index)
    const commit = hash(reveal)
    const digest = ticketDigest(pool, { provider, nullifier, commit, ...terms })
    return {
      ...terms,
      reveal,
      signature: session.sign(digest),
      isWin: isWin(digest, reveal, terms.amount, winValue),
      digest,
      commit,
    }
  }

  function destination(slot: Slot, idc: bigint, feeTo: Address = ZERO): Destination {
    const signature = slot.session.sign(returnDigest(pool, slot.nullifier, idc, feeTo))
    return { idc, feeTo, signature }
  }

  function refund(slot: Slot, idc: bigint, feeTo: Address = ZERO, attempt = 0): Refund {
    const { leaf, j, nullifier, path } = slot
    const proof = proveUnder(path, leaf, j, toField(hash(refundSaid(idc, feeTo, attempt))))
    return { root: path.root, nullifier, idc, feeTo, attempt, proof }
  }

  return {
    tree,
    pool,
    domain,
    tag,
    idcOf,
    leafOf,
    nullifierOf,
    prove,
    open,
    winning,
    certain: (slot, provider, index, nonce) =>
      ticketOf(slot, provider, { index, amount: winValue, nonce }),
    draw,
    destination,
    refund,
    async deposit(from, ownerName, limit) {
      const owner = keyOf(ownerName)
      await world.sendPool(from, 'deposit', idcOf(owner), limit)
      const leaf = { owner, limit, index: tree.size }
      tree.insert(leafOf(idcOf(owner), limit))
      return leaf
    },
    noteInserted(receipt, idc) {
      const event = eventsOf(bywayPoolArtifact.abi, receipt).find(
        ({ eventName }) => eventName === 'Inserted',
      )
      if (!event) return 0
      const limit = Number(event.args['limit'])
      assert.equal(event.args['leaf'], leafOf(idc, limit))
      assert.equal(event.args['index'], BigInt(tree.size))
      tree.insert(leafOf(idc, limit))
      return limit
    },
    async snapshot(from) {
      await world.rpc.pass(world.profile.snapshotInterval)
      await world.sendPool(from, 'snapshot')
    },
    unused(leaf, j, to, feeTo) {
      const proof = prove(leaf, j, withdrawalX(to, feeTo))
      return { root: tree.root, nullifier: nullifierOf(leaf.owner, j), proof }
    },
  }
}

function revealOf({ nullifier }: Slot, index: number): Hex {
  return hash(text('reveal'), uint(nullifier, 256), uint(index, 32))
}
