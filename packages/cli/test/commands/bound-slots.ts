/** A provider under stake, and a win of it. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { OWN_TERMS } from '@byway/chain'
import { sessionKeyOf } from '@byway/client'
import { toHex } from '@byway/protocol/base'
import { nodeTicketCrypto } from '@byway/protocol/node-ticket'
import { commitOf, createPool, ticketDigest } from '@byway/protocol/ticket'
import type { Opening } from '@byway/protocol/wire'
import { createLocalPurse, openPurse } from '@byway/purse'
import type { PaidTestNetwork } from './paid-network.ts'

/** Puts a provider under stake; gives its address. */
export async function registerProvider(
  network: PaidTestNetwork,
  home: string,
): Promise<Uint8Array> {
  const { token, registry, payment } = network
  const owner = Buffer.from('f39fd6e51aad88f6f4ce6ab8827279cfffb92266', 'hex')
  const { provider, funds } = await createLocalPurse(home)
  await using purse = await openPurse(home, { isLocal: true, rules: payment })
  const nodeId = new Uint8Array(32).fill(5)
  const signature = await purse.signRegistration({ owner, nodeId, payout: funds })
  const stake = 1_000_000_000n
  await network.run(token.mint(owner, stake))
  await network.run(token.approve(payment.registry, stake))
  await network.run(registry.register({ provider, nodeId, payout: funds, stake, signature }))
  return provider
}

/** Binds a slot with a ticket over V, which always wins. */
export async function bind(
  network: PaidTestNetwork,
  home: string,
  opening: Opening,
  provider: Uint8Array,
): Promise<void> {
  const crypto = nodeTicketCrypto
  const { pool: calls, payment } = network
  await using purse = await openPurse(home, { isLocal: true, rules: payment })
  const { nullifier } = opening
  const pool = createPool(crypto, { ...payment, faceValue: payment.winValue })
  const [reveal, nonce] = [new Uint8Array(randomBytes(32)), new Uint8Array(randomBytes(16))]
  const head = { index: 3, amount: payment.winValue, nonce }
  const commit = commitOf(crypto, reveal)
  const digest = ticketDigest(crypto, { pool, provider, nullifier }, { ...head, commit })
  const key = sessionKeyOf(crypto, purse.sessionSecret(), nullifier)
  const ticket = { ...head, reveal, signature: crypto.signDigest(key, digest) }
  await network.run(calls.bind([{ provider, binds: [{ opening, ticket }], terms: OWN_TERMS }]))
  assert.equal(toHex(crypto.addressOfSecret(key)), toHex(opening.sessionKey))
}
