/** A depositor with slots of his own on a fake chain, and what he sends: honest tickets, and every other kind. Real hashes and signatures. */
import { randomBytes } from 'node:crypto'
import { createLeafTree, nodeTicketCrypto } from '@byway/protocol/node-ticket'
import {
  createPool,
  depositLeaf,
  identityCommitment,
  openingX,
  slotNullifier,
  ticketDigest,
  u256Bytes,
} from '@byway/protocol/ticket'
import type { Pool } from '@byway/protocol/ticket'
import { PAY } from '@byway/protocol/wire'
import type { CommitsMessage, Opening, TicketMessage } from '@byway/protocol/wire'
import { TEST_PAYMENT } from '../../../protocol/test/directory/payment-parameters.ts'
import { stamp } from '../../../protocol/test/ticket/stamp-proofs.ts'
import type { FakeChain } from './fake-chain.ts'

export const TEST_POOL: Pool = createPool(nodeTicketCrypto, {
  ...TEST_PAYMENT,
  faceValue: TEST_PAYMENT.winValue,
})

/** A slot and the key that signs its tickets. */
export type TestSlot = {
  readonly opening: Opening
  readonly sessionSecret: Uint8Array
  /** The same slot under another session key. */
  again(): TestSlot
}

/** Deposits and gives the slots of the deposit, under a root that is published now. */
export function depositSlots(chain: FakeChain, count: number): readonly TestSlot[] {
  const crypto = nodeTicketCrypto
  const secret = BigInt(`0x${randomBytes(31).toString('hex')}`)
  const limit = count * TEST_POOL.unitsPerSlot
  const tree = createLeafTree([3n, 5n, 7n])
  tree.insert(depositLeaf(crypto, TEST_POOL, identityCommitment(crypto, secret), limit))
  const root = u256Bytes(tree.root)
  chain.publish(root, chain.nowS)
  const slotOf = (slot: number): TestSlot => {
    const sessionSecret = secretOf()
    const sessionKey = crypto.addressOfSecret(sessionSecret)
    const nullifier = slotNullifier(crypto, TEST_POOL, secret, slot)
    const receiptKey = new Uint8Array(32)
    const x = openingX(crypto, { sessionKey, receiptKey })
    const proof = stamp({ root: tree.root, nullifier, domain: TEST_POOL.domain, x })
    const opening = { root, nullifier: u256Bytes(nullifier), sessionKey, receiptKey, proof }
    return { opening, sessionSecret, again: () => slotOf(slot) }
  }
  return Array.from({ length: count }, (_, slot) => slotOf(slot))
}

export type TicketChoice = {
  readonly index: number
  readonly commit: Uint8Array
  readonly amount: bigint
  readonly provider: Uint8Array
  readonly pool?: Pool
  readonly signer?: Uint8Array
}

/** Signs a ticket of a slot. */
export function ticketOf(
  slot: Pick<TestSlot, 'opening' | 'sessionSecret'>,
  choice: TicketChoice,
): TicketMessage {
  const { index, commit, amount, provider, pool = TEST_POOL } = choice
  const { nullifier } = slot.opening
  const nonce = new Uint8Array(randomBytes(16))
  const digest = ticketDigest(
    nodeTicketCrypto,
    { pool, provider, nullifier },
    { index, amount, commit, nonce },
  )
  const signature = nodeTicketCrypto.signDigest(choice.signer ?? slot.sessionSecret, digest)
  return { kind: PAY.TICKET, index, amount, nonce, signature }
}

/** The commit of an index, if these have it. */
export function commitFor(all: readonly CommitsMessage[], index: number): Uint8Array {
  for (const { firstIndex, commits } of all) {
    const commit = commits[index - firstIndex]
    if (commit) return commit
  }
  throw new Error('no such commit')
}

export function secretOf(): Uint8Array {
  for (;;) {
    const secret = new Uint8Array(randomBytes(32))
    if (nodeTicketCrypto.isSecret(secret)) return secret
  }
}
