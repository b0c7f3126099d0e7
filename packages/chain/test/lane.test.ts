import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { BywayError } from '@byway/protocol/base'
import type { RawTransactionStore } from '@byway/protocol/payment'
import type { ChainReader } from '../src/chain-reader.ts'
import { createTransactionLane } from '../src/lane/create-lane.ts'
import { type LaneOptions } from '../src/lane/lane-state.ts'
import { createMemoryTransactionStore } from '../src/lane/memory-store.ts'
import type { LaneAlert, LaneCall, TransactionLane } from '../src/transaction-lane.ts'
import { startHostileProxy } from './support/hostile-proxy.ts'
import { CHAIN_ID, hexNumber, readerOf, signerOf, startTestChain } from './support/test-chain.ts'

const GWEI = 10n ** 9n
const RECEIVER = new Uint8Array(20).fill(0x77)
const RECEIVER_HEX = `0x${'77'.repeat(20)}`

type TestLane = {
  readonly lane: TransactionLane
  readonly alerts: readonly LaneAlert[]
  readonly store: RawTransactionStore
}

function laneOver(
  t: TestContext,
  reader: ChainReader,
  options: Partial<LaneOptions> = {},
): TestLane {
  const alerts: LaneAlert[] = []
  const store = options.store ?? createMemoryTransactionStore()
  const lane = createTransactionLane({
    reader,
    chainId: CHAIN_ID,
    signer: signerOf(0),
    store,
    confirmations: 1,
    feeCap: 100n * GWEI,
    onAlert: (alert) => alerts.push(alert),
    ...options,
  })
  t.after(() => lane[Symbol.asyncDispose]())
  return { lane, alerts, store }
}

const pay = (key: string, more: Partial<LaneCall> = {}): LaneCall => ({
  key,
  to: RECEIVER,
  data: new Uint8Array(0),
  value: 1n,
  gasCap: 30_000n,
  ...more,
})

const received = async (chain: {
  rpc(method: string, ...params: unknown[]): Promise<unknown>
}): Promise<bigint> => BigInt(String(await chain.rpc('eth_getBalance', RECEIVER_HEX, 'latest')))

test('a transaction settles once it is as deep as the network asks', async (t) => {
  const chain = await startTestChain(t, { isMining: false })
  const { lane } = laneOver(t, readerOf([chain.url]).reader, { confirmations: 3 })
  const sent = await lane.send(pay('a'), t.signal)
  await chain.mine(2)
  assert.equal((await lane.look(t.signal)).pending, 1)
  await chain.mine(1)
  assert.equal((await lane.look(t.signal)).pending, 0)
  const receipt = await sent.confirmed
  assert.deepEqual([receipt.hash, receipt.isSuccess, receipt.gasUsed], [sent.hash, true, 21_000n])
})

test('the same key sends nothing new, pending or done', async (t) => {
  const chain = await startTestChain(t, { isMining: false })
  const { lane } = laneOver(t, readerOf([chain.url]).reader)
  const first = await lane.send(pay('a'), t.signal)
  assert.equal((await lane.send(pay('a'), t.signal)).hash, first.hash)
  await chain.mine(1)
  await lane.look(t.signal)
  const again = await lane.send(pay('a'), t.signal)
  assert.equal(again.hash, first.hash)
  assert.equal((await again.confirmed).hash, first.hash)
  assert.equal(await received(chain), 1n)
})

test('calls that come at once get nonces in a row', async (t) => {
  const chain = await startTestChain(t, { isMining: false })
  const { lane } = laneOver(t, readerOf([chain.url]).reader)
  const sent = await Promise.all(['a', 'b', 'c', 'd'].map((key) => lane.send(pay(key), t.signal)))
  assert.deepEqual(
    sent.map(({ nonce }) => nonce),
    [0, 1, 2, 3],
  )
  await chain.mine(1)
  await lane.look(t.signal)
  assert.equal(await received(chain), 4n)
})

test('the transaction is on disk before any endpoint hears of it', async (t) => {
  const chain = await startTestChain(t, { isMining: false })
  const proxy = await startHostileProxy(t, chain.url)
  const memory = createMemoryTransactionStore()
  let sentBefore = true
  const store: RawTransactionStore = {
    ...memory,
    async put(transaction) {
      await new Promise(setImmediate)
      sentBefore = proxy.asked.includes('eth_sendRawTransaction')
      await memory.put(transaction)
    },
  }
  const { lane } = laneOver(t, readerOf([proxy.url]).reader, { store })
  await lane.send(pay('a'), t.signal)
  assert.equal(sentBefore, false)
  assert.ok(proxy.asked.includes('eth_sendRawTransaction'))
})

test('nothing is sent when the disk refuses', async (t) => {
  const chain = await startTestChain(t, { isMining: false })
  const proxy = await startHostileProxy(t, chain.url)
  const full = Object.assign(new Error('full'), { code: 'ENOSPC' })
  const store = { ...createMemoryTransactionStore(), put: () => Promise.reject(full) }
  const { lane } = laneOver(t, readerOf([proxy.url]).reader, { store })
  await assert.rejects(lane.send(pay('a'), t.signal), { code: 'ENOSPC' })
  assert.equal(proxy.asked.includes('eth_sendRawTransaction'), false)
})

test('a program that died before it sent goes on after the restart, and pays once', async (t) => {
  const chain = await startTestChain(t, { isMining: false })
  const proxy = await startHostileProxy(t, chain.url)
  const store = createMemoryTransactionStore()
  const first = laneOver(t, readerOf([proxy.url], { nowMs: () => 0 }).reader, { store })
  proxy.manner = {
    type: 'change',
    change: (result, { method }) =>
      method === 'eth_sendRawTransaction' ? (proxy.manner = { type: 'hang-up' }) : result,
  }
  // The proxy hands the transaction on and then dies, and with it the program.
  const sent = await first.lane.send(pay('a'), t.signal)
  await first.lane[Symbol.asyncDispose]()
  await assert.rejects(sent.confirmed, { code: 'CHAIN_LANE_STOPPED' })
  await chain.rpc('anvil_dropTransaction', sent.hash)
  const second = laneOver(t, readerOf([chain.url]).reader, { store })
  await second.lane.look(t.signal)
  const again = await second.lane.send(pay('a'), t.signal)
  assert.equal(again.hash, sent.hash)
  await chain.mine(1)
  await second.lane.look(t.signal)
  await again.confirmed
  assert.equal(await received(chain), 1n)
})

test('a reorg of 12 blocks sends the same transaction again, and pays once (SECURITY R19)', async (t) => {
  const chain = await startTestChain(t, { isMining: false })
  const { lane } = laneOver(t, readerOf([chain.url]).reader, { confirmations: 20 })
  await chain.mine(5)
  const sent = await lane.send(pay('a'), t.signal)
  await chain.mine(12)
  await lane.look(t.signal)
  assert.equal(await received(chain), 1n)
  await chain.rpc('anvil_reorg', 12, [])
  assert.equal(await received(chain), 0n)
  await lane.look(t.signal)
  await chain.mine(20)
  assert.equal((await lane.look(t.signal)).pending, 0)
  assert.equal((await sent.confirmed).hash, sent.hash)
  assert.equal(await received(chain), 1n)
})

test('a stuck transaction is replaced at an eighth more, and the forms pay once', async (t) => {
  const chain = await startTestChain(t, { isMining: false })
  const { lane, alerts, store } = laneOver(t, readerOf([chain.url]).reader, { stuckBlocks: 3 })
  const sent = await lane.send(pay('a'), t.signal)
  const before = (await store.byKey(lane.account, 'a'))?.forms[0]
  for (let block = 0; block < 3; block++) {
    await chain.rpc('anvil_setNextBlockBaseFeePerGas', hexNumber(5n * GWEI))
    await chain.mine(1)
  }
  await lane.look(t.signal)
  assert.deepEqual(alerts, [{ type: 'stuck', nonce: 0, blocks: 3 }])
  const forms = (await store.byKey(lane.account, 'a'))?.forms ?? []
  assert.equal(forms.length, 2)
  assert.ok(before && (forms[1]?.maxFeePerGas ?? 0n) >= (before.maxFeePerGas * 9n) / 8n)
  assert.ok((forms[1]?.maxPriorityFeePerGas ?? 0n) >= (before.maxPriorityFeePerGas * 9n) / 8n)
  await chain.mine(1)
  await lane.look(t.signal)
  assert.equal((await sent.confirmed).hash, forms[1]?.hash)
  assert.equal(await received(chain), 1n)
})

test('gas that costs ten times as much defers the call, typed, with nothing stored', async (t) => {
  const chain = await startTestChain(t, { isMining: false })
  const { lane, store } = laneOver(t, readerOf([chain.url]).reader, { feeCap: 3n * GWEI })
  await chain.rpc('anvil_setNextBlockBaseFeePerGas', hexNumber(10n * GWEI))
  await chain.mine(1)
  await assert.rejects(lane.send(pay('a'), t.signal), {
    code: 'CHAIN_GAS_DEAR',
    context: { baseFeeGwei: 10, feeCapGwei: 3 },
  })
  assert.equal(await store.byKey(lane.account, 'a'), undefined)
  // What must not wait brings a higher cap.
  assert.equal((await lane.send(pay('a', { feeCap: 30n * GWEI }), t.signal)).nonce, 0)
})

test('a pending transaction waits below its cap while gas is dear, and says so', async (t) => {
  const chain = await startTestChain(t, { isMining: false })
  const { lane, alerts, store } = laneOver(t, readerOf([chain.url]).reader, {
    feeCap: 3n * GWEI,
    stuckBlocks: 1,
  })
  await lane.send(pay('a'), t.signal)
  await chain.rpc('anvil_setNextBlockBaseFeePerGas', hexNumber(10n * GWEI))
  await chain.mine(1)
  assert.equal((await lane.look(t.signal)).isWaitingForGas, true)
  assert.ok(alerts.some(({ type }) => type === 'gas-dear'))
  assert.equal((await store.byKey(lane.account, 'a'))?.forms.length, 1)
  await chain.rpc('anvil_setNextBlockBaseFeePerGas', hexNumber(1n * GWEI))
  await chain.mine(1)
  // The pool had thrown it out; a look brings it back.
  await lane.look(t.signal)
  await chain.mine(1)
  assert.equal((await lane.look(t.signal)).pending, 0)
})

test('a pending transaction whose cap is raised is replaced within it, and what is before it, also after a restart', async (t) => {
  const chain = await startTestChain(t, { isMining: false })
  const { reader } = readerOf([chain.url])
  const store = createMemoryTransactionStore()
  const options = { store, feeCap: 3n * GWEI, stuckBlocks: 1 }
  const first = laneOver(t, reader, options)
  for (const key of ['a', 'b', 'c']) await first.lane.send(pay(key), t.signal)
  const dear = async (): Promise<void> => {
    await chain.rpc('anvil_setNextBlockBaseFeePerGas', hexNumber(10n * GWEI))
    await chain.mine(1)
  }
  await dear()
  await first.lane.raise('b', 20n * GWEI)
  await first.lane[Symbol.asyncDispose]()
  const { lane } = laneOver(t, reader, options)
  // No lower cap takes it back, and a key that is not there changes nothing.
  await lane.raise('b', 5n * GWEI)
  await lane.raise('x', 50n * GWEI)
  for (let looks = 0; looks < 4; looks++) {
    await lane.look(t.signal)
    await dear()
  }
  const status = await lane.look(t.signal)
  assert.deepEqual([status.pending, status.isWaitingForGas], [1, true])
  const caps = ['a', 'b', 'c'].map(async (key) => (await store.byKey(lane.account, key))?.feeCap)
  assert.deepEqual(await Promise.all(caps), [20n * GWEI, 20n * GWEI, 3n * GWEI])
  assert.equal(await received(chain), 2n)
})

test('a signer that signs nothing now defers a call, typed, and stops nothing that is under way', async (t) => {
  const chain = await startTestChain(t, { isMining: false })
  const own = signerOf(0)
  let isUnsigned = false
  const signer: LaneOptions['signer'] = {
    address: own.address,
    signTransaction: async (transaction) => {
      if (!isUnsigned) return await own.signTransaction(transaction)
      throw new BywayError('PURSE_REFUSED', 'payment', 'the signer refuses', { rule: 'gas-of-day' })
    },
  }
  const { reader } = readerOf([chain.url])
  const first = laneOver(t, reader, { signer, stuckBlocks: 1 })
  for (const key of ['a', 'b']) await first.lane.send(pay(key), t.signal)
  isUnsigned = true
  await assert.rejects(first.lane.send(pay('c'), t.signal), {
    code: 'CHAIN_UNSIGNED',
    context: { signer: 'PURSE_REFUSED' },
  })
  assert.equal(await first.store.byKey(first.lane.account, 'c'), undefined)
  await chain.rpc('anvil_setNextBlockBaseFeePerGas', hexNumber(5n * GWEI))
  await chain.mine(1)
  const status = await first.lane.look(t.signal)
  assert.deepEqual([status.pending, status.isWaitingForGas, status.isChainAway], [2, false, false])
  assert.deepEqual(
    first.alerts.map(({ type }) => type),
    ['stuck', 'unsigned'],
  )
  // The disk has lost the first.
  const store = createMemoryTransactionStore()
  await store.put((await first.store.byKey(first.lane.account, 'b')) ?? assert.fail())
  await first.lane[Symbol.asyncDispose]()
  await chain.rpc(
    'anvil_removePoolTransactions',
    `0x${Buffer.from(first.lane.account).toString('hex')}`,
  )
  await chain.rpc('anvil_setNextBlockBaseFeePerGas', hexNumber(GWEI))
  await chain.mine(1)
  const { lane, alerts } = laneOver(t, reader, { signer, store })
  await lane.look(t.signal)
  assert.deepEqual(
    alerts.map(({ type }) => type),
    ['nonce-gap', 'unsigned'],
  )
  isUnsigned = false
  await lane.look(t.signal)
  await chain.mine(1)
  assert.equal((await lane.look(t.signal)).pending, 0)
  assert.equal(await received(chain), 1n)
})

test('a gap in the nonces is filled, so that what lies above it is mined', async (t) => {
  const chain = await startTestChain(t, { isMining: false })
  const { reader } = readerOf([chain.url])
  const first = laneOver(t, reader)
  for (const key of ['a', 'b', 'c']) await first.lane.send(pay(key), t.signal)
  await chain.rpc(
    'anvil_removePoolTransactions',
    `0x${Buffer.from(first.lane.account).toString('hex')}`,
  )
  // The disk has lost the first two.
  const store = createMemoryTransactionStore()
  const last = await first.store.byKey(first.lane.account, 'c')
  assert.ok(last)
  await store.put(last)
  await first.lane[Symbol.asyncDispose]()
  const { lane, alerts } = laneOver(t, reader, { store })
  await lane.look(t.signal)
  assert.deepEqual(
    alerts.map(({ type }) => type),
    ['nonce-gap', 'nonce-gap'],
  )
  await chain.mine(1)
  assert.equal((await lane.look(t.signal)).pending, 0)
  assert.equal(await received(chain), 1n)
})

test('a nonce that another program used is lost, typed, and the key is free again', async (t) => {
  const chain = await startTestChain(t, { isMining: false })
  const { reader } = readerOf([chain.url])
  const ours = laneOver(t, reader)
  const sent = await ours.lane.send(pay('a'), t.signal)
  await chain.rpc('anvil_dropTransaction', sent.hash)
  const theirs = laneOver(t, reader)
  await theirs.lane.send(pay('b', { value: 5n }), t.signal)
  for (let block = 0; block < 3; block++) {
    await chain.mine(1)
    assert.equal((await ours.lane.look(t.signal)).pending, block === 2 ? 0 : 1)
  }
  await assert.rejects(sent.confirmed, { code: 'CHAIN_TRANSACTION_LOST' })
  assert.equal((await ours.lane.send(pay('a'), t.signal)).nonce, 1)
})

test('a transaction is not lost while its endpoint counts it and has no receipt of it yet', async (t) => {
  const chain = await startTestChain(t, { isMining: false })
  const { reader } = readerOf([chain.url])
  // As an endpoint that is adding a block: the new state shows with the block before, for as long as it takes.
  const isAdding = { block: false }
  const early: ChainReader = {
    ...reader,
    nonce: async (...args) => (await reader.nonce(...args)) + (isAdding.block ? 1 : 0),
  }
  const { lane, alerts } = laneOver(t, early)
  const sent = await lane.send(pay('a'), t.signal)
  isAdding.block = true
  for (let look = 0; look < 5; look++) assert.equal((await lane.look(t.signal)).pending, 1)
  isAdding.block = false
  await chain.mine(1)
  assert.equal((await lane.look(t.signal)).pending, 0)
  assert.equal((await sent.confirmed).hash, sent.hash)
  assert.deepEqual(alerts, [])
})

test('while the chain is down nothing is lost and nothing is paid twice', async (t) => {
  const chain = await startTestChain(t, { isMining: false })
  const proxy = await startHostileProxy(t, chain.url)
  let nowMs = 0
  const { lane } = laneOver(t, readerOf([proxy.url], { nowMs: () => (nowMs += 60_000) }).reader)
  const sent = await lane.send(pay('a'), t.signal)
  proxy.manner = { type: 'hang-up' }
  for (let look = 0; look < 5; look++) {
    assert.deepEqual(await lane.look(t.signal), {
      pending: 1,
      oldestBlocks: 0,
      isWaitingForGas: false,
      isChainAway: true,
    })
  }
  await assert.rejects(lane.send(pay('b'), t.signal), { code: 'CHAIN_UNREACHABLE' })
  await chain.mine(1)
  proxy.manner = { type: 'honest' }
  assert.equal((await lane.look(t.signal)).isChainAway, false)
  await sent.confirmed
  assert.equal(await received(chain), 1n)
})

test('a call is refused before it costs anything', async (t) => {
  const chain = await startTestChain(t, { isMining: false })
  const { reader } = readerOf([chain.url])
  const { lane } = laneOver(t, reader)
  // PUSH0 PUSH0 REVERT as creation code.
  const reverting = { to: undefined, data: Uint8Array.of(0x5f, 0x5f, 0xfd), value: 0n }
  await assert.rejects(lane.send(pay('a', { ...reverting, gasCap: 100_000n }), t.signal), {
    code: 'CHAIN_REVERTED',
    context: { reason: 'unknown' },
  })
  await assert.rejects(lane.send(pay('b', { gasCap: 20_000n }), t.signal), {
    code: 'CHAIN_GAS_CAP',
  })
  const poor = laneOver(t, reader, { signer: { ...signerOf(0), address: RECEIVER } })
  await assert.rejects(poor.lane.send(pay('c', { gas: 21_000n }), t.signal), {
    code: 'CHAIN_NO_COIN',
  })
  assert.equal((await lane.look(t.signal)).pending, 0)
})

test('a transaction that is mined and fails says so, and its key is free again', async (t) => {
  const chain = await startTestChain(t, { isMining: false })
  const { lane } = laneOver(t, readerOf([chain.url]).reader)
  const reverting = {
    to: undefined,
    data: Uint8Array.of(0x5f, 0x5f, 0xfd),
    value: 0n,
    gas: 100_000n,
  }
  const sent = await lane.send(pay('a', { ...reverting, gasCap: 100_000n }), t.signal)
  await chain.mine(1)
  await lane.look(t.signal)
  await assert.rejects(sent.confirmed, { code: 'CHAIN_TRANSACTION_FAILED' })
  assert.equal((await lane.send(pay('a'), t.signal)).nonce, 1)
})

test('a lane holds a bounded number of transactions', async (t) => {
  const chain = await startTestChain(t, { isMining: false })
  const { lane } = laneOver(t, readerOf([chain.url]).reader)
  for (let i = 0; i < 48; i++) await lane.send(pay(`k${i}`, { gas: 21_000n }), t.signal)
  await assert.rejects(lane.send(pay('one-more'), t.signal), { code: 'CHAIN_LANE_FULL' })
})
