/** A node's token machines on a real store: keys, balances and spent tokens through a restart (SPEC §16). */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { createNodeBlindSigner, nodeBlindTokens as scheme } from '@byway/protocol/node-blind'
import { nodeCrypto as hash } from '@byway/protocol/node-crypto'
import {
  createTokenIssuer,
  createTokenKeyring,
  createTokenRedeemer,
  createTokenStock,
} from '@byway/protocol/payment'
import { PAY, TOKEN_KIND, VERDICT } from '@byway/protocol/wire'
import { bytes, openAt, temporaryFolder } from './support/records.ts'

const NOW = 1_800_000_000_000
const NODE = bytes('node', 32)
const SLOT = bytes('slot', 32)
const { BANDWIDTH } = TOKEN_KIND
const random = (count: number): Uint8Array => new Uint8Array(randomBytes(count))

async function openHop(path: string) {
  const store = await openAt(path)
  const signer = createNodeBlindSigner()
  const damaged = await store.spentTokens.damagedKeys()
  const keyring = createTokenKeyring({
    scheme,
    hash,
    records: store.tokenKeys,
    damaged,
    nodeId: NODE,
  })
  const issuer = createTokenIssuer({
    keyring,
    signer,
    hash,
    records: store.balances,
    issueDelayMs: 15_000,
  })
  const redeemer = createTokenRedeemer({ scheme, hash, keyring, spent: store.spentTokens, random })
  await keyring.rotate(NOW)
  await issuer.load(NOW)
  const close = async (): Promise<void> => {
    await signer[Symbol.asyncDispose]()
    await store[Symbol.asyncDispose]()
  }
  return { store, keyring, issuer, redeemer, [Symbol.asyncDispose]: close }
}

test('keys, balances, bought and spent tokens survive a restart of hop and client', async () => {
  await using hopFolder = await temporaryFolder()
  await using clientFolder = await temporaryFolder()
  await using clientStore = await openAt(clientFolder.path)
  const stock = createTokenStock({ scheme, hash, records: clientStore.tokens, random })
  await stock.open(NODE, [BANDWIDTH], NOW)
  const before = await (async () => {
    await using hop = await openHop(hopFolder.path)
    assert.equal(stock.acceptKeys(NODE, hop.keyring.keysMessage(), hop.keyring.hash(), NOW), 'ok')
    hop.issuer.credit(SLOT, 70, NOW)
    const order = { node: NODE, kind: BANDWIDTH, count: 16, units: 64 }
    const message = stock.startPurchase(order, NOW)
    assert.ok(message)
    const sale = await hop.issuer.buy(message, SLOT, 'mine', NOW)
    assert.equal((await stock.finishPurchase(NODE, sale.message, NOW)).type, 'stocked')
    const spend = stock.spend(NODE, BANDWIDTH, NOW)
    assert.ok(spend)
    const taken = hop.redeemer.spend(spend, NOW)
    assert.ok(taken.verdict === VERDICT.OK && (await taken.kept) === 'fresh')
    return { hash: hop.keyring.hash(), spend }
  })()
  await stock.closeAll()
  await using hop = await openHop(hopFolder.path)
  assert.deepEqual(hop.keyring.hash(), before.hash)
  assert.equal(hop.issuer.balance(SLOT), 6)
  const again = hop.redeemer.spend(before.spend, NOW)
  assert.ok(again.verdict === VERDICT.OK)
  assert.equal(await again.kept, 'spent')
  await stock.open(NODE, [BANDWIDTH], NOW)
  assert.equal(stock.held(NODE, BANDWIDTH), 15)
  const next = stock.spend(NODE, BANDWIDTH, NOW)
  assert.ok(next)
  const taken = hop.redeemer.spend(next, NOW)
  assert.ok(taken.verdict === VERDICT.OK && (await taken.kept) === 'fresh')
})

test('a day later but one, keys and what was spent under them are gone from the disk', async () => {
  await using folder = await temporaryFolder()
  await using hop = await openHop(folder.path)
  const [key] = await hop.store.tokenKeys.list()
  assert.ok(key)
  assert.equal(await hop.store.spentTokens.spend(key.keyId, bytes('nonce', 32)), 'fresh')
  hop.issuer.credit(SLOT, 16, NOW)
  const message = {
    kind: PAY.BUY,
    request: 1,
    tokenKind: BANDWIDTH,
    keyId: key.keyId,
    elements: [1, 2, 3].map((byte) => new Uint8Array(256).fill(byte)),
  }
  assert.equal((await hop.issuer.buy(message, SLOT, 'mine', NOW)).sold, 3)
  const gone = await hop.keyring.rotate(NOW + 2 * 86_400_000)
  assert.deepEqual(
    gone.map(({ unspent }) => unspent),
    [2, 0, 0],
  )
  assert.equal((await hop.store.counters.all()).size, 0)
  const kept = await hop.store.tokenKeys.list()
  assert.equal(kept.length, 3)
  assert.ok(kept.every(({ keyId }) => Buffer.compare(keyId, key.keyId) !== 0))
  assert.equal(await hop.store.spentTokens.spend(key.keyId, bytes('nonce', 32)), 'fresh')
})
