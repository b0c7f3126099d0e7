/** What the packages make, before the contracts: names, leaves, openings and tickets of the core, statements of the signer. */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { createLeafTree, nodeTicketCrypto as crypto } from '@byway/protocol/node-ticket'
import {
  bytesOf,
  commitOf,
  createPool,
  depositLeaf,
  identityCommitment,
  openingX,
  slotNullifier,
  ticketDigest,
  u256Bytes,
} from '@byway/protocol/ticket'
import { bytesToHex, type Hex, hexToBytes } from 'viem'
import {
  redeemDigest as signedTerms,
  registerDigest as signedRegistration,
} from '../../packages/purse/src/signer/statements.ts'
import {
  BIND_KIND,
  CLAIM_KIND,
  hash,
  LOCK_KIND,
  redeemDigest,
  registerDigest,
} from './kit/bytes.ts'
import { type Key, keyOf } from './kit/keys.ts'
import { startScene } from './kit/scene.ts'
import { NO_TERMS } from './kit/slots.ts'
import { PROFILE } from './kit/world.ts'
import { plainSecret, provePlain } from '../../packages/protocol/test/ticket/plain-authorisation.ts'

const scene = await startScene()
const { payer, world } = scene
after(() => scene[Symbol.asyncDispose]())

const pool = createPool(crypto, {
  chainId: 31_337,
  pool: hexToBytes(world.pool),
  faceValue: PROFILE.winValue,
  winsPerSlot: PROFILE.winsPerSlot,
  bond: PROFILE.bond,
  unit: PROFILE.unit,
})
const provider = await scene.provider('provider')
const signWith = (key: Key) => (digest: Uint8Array) => hexToBytes(key.sign(bytesToHex(digest)))

test('the core names pool, profile and tickets as the contract does (SPEC §13.1, §13.2)', async () => {
  assert.equal(await world.readPool('domain'), pool.domain)
  assert.equal(await world.readPool('ticketDomain'), bytesToHex(pool.ticketDomain))
  assert.equal(await world.readPool('tag'), pool.tag)
})

test('a slot proved and a ticket signed by the core are paid by the contract (SPEC §13)', async () => {
  const tree = createLeafTree()
  const limit = 12
  const owners = ['first', 'second', 'third'].map((name) => keyOf(`core ${name}`))
  const secretOf = (owner: Key) => plainSecret(hexToBytes(owner.address))
  for (const owner of owners) {
    const idc = identityCommitment(crypto, secretOf(owner))
    await world.sendPool(payer, 'deposit', idc, limit)
    tree.insert(depositLeaf(crypto, pool, idc, limit))
  }
  await world.rpc.pass(1)
  await world.sendPool(payer, 'snapshot')
  assert.equal(await world.readPool('newestRoot'), tree.root)
  const [owner, session] = [owners[2] ?? assert.fail(), keyOf('core session')]
  const [root, slot] = [tree.root, 1]
  const receiptKey = bytesOf(0n, 32)
  const x = openingX(crypto, { sessionKey: hexToBytes(session.address), receiptKey })
  const nullifier = slotNullifier(crypto, pool, secretOf(owner), slot)
  const statement = { root, nullifier, domain: pool.domain, x }
  const path = tree.pathOf(2) ?? assert.fail()
  const proof = provePlain(crypto, { statement, limit, slot, path, sign: signWith(owner) })
  const [reveal, nonce] = [bytesOf(7n, 32), bytesOf(9n, 16)]
  const terms = { index: 3, amount: PROFILE.winValue, commit: commitOf(crypto, reveal), nonce }
  const scope = { pool, provider: hexToBytes(provider.address), nullifier: u256Bytes(nullifier) }
  const signature = signWith(session)(ticketDigest(crypto, scope, terms))
  const batch = {
    provider: provider.address,
    openings: [
      {
        root,
        nullifier,
        sessionKey: session.address,
        receiptKey: bytesToHex(receiptKey),
        proof: bytesToHex(proof),
      },
    ],
    tickets: [
      {
        index: terms.index,
        amount: terms.amount,
        reveal: bytesToHex(reveal),
        nonce: bytesToHex(nonce),
        signature: bytesToHex(signature),
      },
    ],
    terms: NO_TERMS,
  }
  assert.deepEqual(scene.skips(await world.sendPool(payer, 'bind', [batch])), [])
  assert.equal((await scene.word(nullifier)).state, 'BOUND')
})

test('the signer signs terms and registrations as the contracts read them (SPEC §14.5, §14.6)', () => {
  const chainId = 31_337
  const rules = {
    chainId,
    pool: hexToBytes(world.pool),
    registry: hexToBytes(world.registry),
  } as never
  const items: readonly Hex[] = [hash('0x01'), hash('0x02')]
  for (const [kind, number] of [
    ['lock', LOCK_KIND],
    ['bind', BIND_KIND],
    ['claim', CLAIM_KIND],
  ] as const) {
    const terms = { kind, items: hexToBytes(hash(...items)), fee: 5n, deadlineS: 1_800_000_000 }
    const place = { chainId: BigInt(chainId), contract: world.pool }
    const expected = redeemDigest(place, number, provider.address, items, 5n, 1_800_000_000n)
    assert.equal(bytesToHex(signedTerms(terms, hexToBytes(provider.address), rules)), expected)
  }
  const place = { chainId: BigInt(chainId), contract: world.registry }
  const [owner, payout] = [keyOf('owner').address, keyOf('payout').address]
  const statement = {
    owner: hexToBytes(owner),
    nodeId: hexToBytes(hash('0x03')),
    payout: hexToBytes(payout),
  }
  assert.equal(
    bytesToHex(signedRegistration(statement, rules)),
    registerDigest(place, owner, hash('0x03'), payout),
  )
})
