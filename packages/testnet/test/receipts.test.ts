/** Receipts over real links (SPEC §17.1): a download is acknowledged to hops that were paid for it, with keys that link no two slots; and a client that signs nothing is served as well. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { suite, test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { createReceiptKeys } from '@byway/client'
import { toHex } from '@byway/protocol/base'
import { nodeTicketCrypto } from '@byway/protocol/node-ticket'
import { epochOf, type ReceiptCrypto } from '@byway/protocol/payment'
import type { StoredReceipt } from '@byway/store'
import { buildAuditTree, createReceiptCrypto, isSignedReceipt, receiptOf } from '@byway/zk'
import { testnet, type TestnetPayment } from '../src/index.ts'
import { curl } from './support/curl.ts'
import { bodyOf, startOrigin } from './support/origin.ts'
import { createPaidWorld, eventsOf, PARAMETERS, type PaidWorld } from './support/paid-world.ts'

const BYTES = 2 * 1024 * 1024
/** Long: a test must not meet its end. */
const EPOCH_S = 7 * 86_400 * 1000

function keysOver(receipts: ReceiptCrypto) {
  return createReceiptKeys({
    receipts,
    crypto: nodeTicketCrypto,
    sessionSecret: randomBytes(32),
  })
}

type Signing = {
  /** The nodes'. */
  readonly receipts: ReceiptCrypto
  readonly keys: ReturnType<typeof keysOver> | undefined
}

function paymentWith({ payment }: PaidWorld, { receipts, keys }: Signing): TestnetPayment {
  return {
    parameters: { ...PARAMETERS, proofs: { epochS: EPOCH_S } },
    nodeOf: async (plan) => ({ ...(await payment.nodeOf(plan)), receipts }),
    client: { ...payment.client, receipts: keys },
  }
}

/** Downloads, waits for what the test wants to see, and stops everything. */
async function downloadWith(
  payment: TestnetPayment,
  isSeen: () => Promise<boolean> = () => Promise.resolve(true),
): Promise<void> {
  await using origin = await startOrigin()
  await using net = await testnet({
    hops: 2,
    payment,
    exitTargets: [{ address: '127.0.0.1', port: origin.port }],
  })
  const url = `${origin.url}/receipts/${BYTES}`
  const answer = await curl(`socks5h://127.0.0.1:${net.proxyPort}`, url)
  assert.ok(answer.equals(bodyOf('receipts', BYTES)))
  while (!(await isSeen())) await setTimeout(100)
}

async function receiptsOf({ nodes }: PaidWorld) {
  const epoch = epochOf(Date.now() / 1000, EPOCH_S)
  const all: (StoredReceipt & { readonly provider: Uint8Array; readonly node: string })[] = []
  for (const { name, store, provider } of nodes.values()) {
    for await (const receipt of store.receipts.ofEpoch(epoch))
      all.push({ ...receipt, provider, node: name })
  }
  return all
}

async function paidUnits(world: PaidWorld): Promise<Map<string, number>> {
  const units = new Map<string, number>()
  for (const { name, store } of world.nodes.values()) {
    for (const event of await eventsOf(store)) {
      if (event.type === 'tickets-received') units.set(name, (units.get(name) ?? 0) + event.units)
    }
  }
  return units
}

suite('receipts over real links', () => {
  test('hops hold signatures over what they were paid and no more, under a key for each slot', async () => {
    await using crypto = createReceiptCrypto()
    const keys = keysOver(crypto)
    await using world = await createPaidWorld({ receipts: keys })
    const isAcknowledged = async (): Promise<boolean> =>
      (await receiptsOf(world)).some(({ units }) => units >= 16)
    await downloadWith(paymentWith(world, { receipts: crypto, keys }), isAcknowledged)
    const receipts = await receiptsOf(world)
    const paid = await paidUnits(world)
    const signed = new Map<string, number>()
    for (const receipt of receipts) {
      assert.ok(isSignedReceipt(receiptOf(receipt)))
      signed.set(receipt.node, (signed.get(receipt.node) ?? 0) + receipt.units)
    }
    for (const [node, units] of signed)
      assert.ok(units <= (paid.get(node) ?? 0), `${node} was paid less than ${units}`)
    assert.equal(new Set(receipts.map(({ publicKey }) => toHex(publicKey))).size, receipts.length)
    for (const name of signed.keys()) {
      const own = receipts.filter(({ node }) => node === name).map(receiptOf)
      assert.equal(buildAuditTree(own, 6).total, BigInt(signed.get(name) ?? 0))
    }
  })

  test('a client that signs nothing is served as well, and its units are unproven', async () => {
    await using crypto = createReceiptCrypto()
    await using world = await createPaidWorld()
    await downloadWith(paymentWith(world, { receipts: crypto, keys: undefined }))
    assert.deepEqual(await receiptsOf(world), [])
    assert.ok((await paidUnits(world)).size >= 2)
  })
})
