import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ChainReader } from '../src/chain-reader.ts'
import { createRpcEndpoint } from '../src/rpc/endpoint.ts'
import { startHostileProxy, type Manner } from './support/hostile-proxy.ts'
import { CHAIN_ID, hexNumber, readerOf, startTestChain } from './support/test-chain.ts'

const ACCOUNT = '0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266'

async function balanceOver(reader: ChainReader, signal: AbortSignal): Promise<bigint> {
  return reader.balance(ACCOUNT, await reader.freshHead(signal), signal)
}

/** A clock that runs so fast that nothing rests. */
function restless(): () => number {
  let nowMs = 0
  return () => (nowMs += 600_000)
}

test('believes what two endpoints say (ADR-0009)', async (t) => {
  const chain = await startTestChain(t)
  const proxy = await startHostileProxy(t, chain.url)
  const { reader, alerts } = readerOf([chain.url, proxy.url])
  assert.equal(await balanceOver(reader, t.signal), 10_000n * 10n ** 18n)
  assert.deepEqual(alerts, [])
  assert.ok(proxy.asked.includes('eth_getBalance'))
})

test('one endpoint is enough in a local network alone', async (t) => {
  const chain = await startTestChain(t)
  assert.throws(() => readerOf([chain.url], { isLocal: false }), {
    code: 'CHAIN_ENDPOINTS',
    context: { endpoints: 1, needed: 2 },
  })
  assert.ok(await balanceOver(readerOf([chain.url], { isLocal: true }).reader, t.signal))
})

const LIES: readonly (readonly [
  what: string,
  method: string,
  lie: (result: unknown) => unknown,
])[] = [
  ['a balance', 'eth_getBalance', () => '0x1'],
  [
    'the newest block',
    'eth_getBlockByNumber',
    (block) => ({ ...(block as object), hash: `0x${'ab'.repeat(32)}` }),
  ],
]
for (const [what, method, lie] of LIES) {
  test(`an endpoint that lies about ${what} is found out: nothing is believed, and the alarm goes off`, async (t) => {
    const chain = await startTestChain(t)
    await chain.mine(40)
    const change = (result: unknown, asked: { readonly method: string }): unknown =>
      asked.method === method ? lie(result) : result
    const proxy = await startHostileProxy(t, chain.url, { type: 'change', change })
    const { reader, alerts } = readerOf([chain.url, proxy.url])
    await assert.rejects(balanceOver(reader, t.signal), {
      code: 'CHAIN_DISAGREE',
      context: { method, answers: 2 },
    })
    assert.deepEqual(alerts, [{ type: 'disagree', method }])
  })
}

test('an endpoint that holds logs back is found out', async (t) => {
  const chain = await startTestChain(t)
  // PUSH0 PUSH0 LOG0 as creation code: a contract that says something.
  const transaction = { from: ACCOUNT, data: '0x5f5fa0', gas: hexNumber(100_000) }
  const hash = await chain.rpc('eth_sendTransaction', transaction)
  // anvil answers with the hash before it has made the block.
  type Receipt = { readonly contractAddress: `0x${string}` }
  let receipt: Receipt | null = null
  while (!receipt) receipt = (await chain.rpc('eth_getTransactionReceipt', hash)) as Receipt | null
  const manner: Manner = {
    type: 'change',
    change: (result, { method }) => (method === 'eth_getLogs' ? [] : result),
  }
  const proxy = await startHostileProxy(t, chain.url, manner)
  const { reader } = readerOf([chain.url, proxy.url])
  await assert.rejects(reader.logs([receipt.contractAddress], 0, 1, t.signal), {
    code: 'CHAIN_DISAGREE',
  })
})

const FAULTS: readonly (readonly [fault: string, manner: Manner])[] = [
  ['timeout', { type: 'hang' }],
  ['connect', { type: 'hang-up' }],
  ['rate-limit', { type: 'status', status: 429, headers: { 'retry-after': '1' } }],
  ['http', { type: 'status', status: 503 }],
  ['format', { type: 'body', body: '<html>not a chain</html>' }],
  ['format', { type: 'body', body: '{"jsonrpc":"2.0","id":1,"result":' }],
  ['rate-limit', { type: 'body', body: '{"error":{"code":-32005,"message":"limit exceeded"}}' }],
  ['too-large', { type: 'endless' }],
]
for (const [fault, manner] of FAULTS) {
  test(`an endpoint that fails with ${fault} (${manner.type}) leaves one, and one is not believed`, async (t) => {
    const chain = await startTestChain(t)
    const proxy = await startHostileProxy(t, chain.url)
    // Sixteen MiB take their time on a busy machine.
    const timeoutMs = fault === 'timeout' ? 300 : 20_000
    const { reader, alerts } = readerOf([proxy.url, chain.url], { timeoutMs })
    const head = await reader.freshHead(t.signal)
    proxy.manner = manner
    await assert.rejects(reader.balance(ACCOUNT, head, t.signal), {
      code: 'CHAIN_UNREACHABLE',
      context: { method: 'eth_getBalance', answers: 1, needed: 2, fault },
    })
    assert.deepEqual(alerts, [{ type: 'down', endpoint: 0, fault }])
  })
}

test('with three endpoints one may be away', async (t) => {
  const chain = await startTestChain(t)
  const proxy = await startHostileProxy(t, chain.url)
  const away = await startHostileProxy(t, chain.url, { type: 'hang-up' })
  const { reader } = readerOf([away.url, proxy.url, chain.url])
  assert.ok(await balanceOver(reader, t.signal))
})

test('an endpoint that is back counts again, and that is told', async (t) => {
  const chain = await startTestChain(t)
  const proxy = await startHostileProxy(t, chain.url)
  const { reader, alerts } = readerOf([chain.url, proxy.url], { nowMs: restless() })
  proxy.manner = { type: 'hang-up' }
  await assert.rejects(reader.freshHead(t.signal), { code: 'CHAIN_UNREACHABLE' })
  proxy.manner = { type: 'honest' }
  assert.ok(await balanceOver(reader, t.signal))
  assert.deepEqual(
    alerts.map(({ type }) => type),
    ['down', 'back'],
  )
})

test('an endpoint that failed is left alone, longer each time, and longer when it says so', async (t) => {
  const chain = await startTestChain(t)
  const proxy = await startHostileProxy(t, chain.url, { type: 'hang-up' })
  let nowMs = 0
  const endpoint = createRpcEndpoint({ url: proxy.url, nowMs: () => nowMs })
  const askAt = async (atMs: number): Promise<boolean> => {
    nowMs = atMs
    const before = proxy.asked.length
    await endpoint.ask('eth_chainId', [], t.signal)
    return proxy.asked.length > before
  }
  assert.deepEqual([await askAt(0), await askAt(249), await askAt(250)], [true, false, true])
  assert.deepEqual([await askAt(749), await askAt(750)], [false, true])
  proxy.manner = { type: 'status', status: 429, headers: { 'retry-after': '30' } }
  assert.deepEqual(
    [await askAt(1750), await askAt(31_749), await askAt(31_750)],
    [true, false, true],
  )
})

test('an endpoint far behind the other does not count', async (t) => {
  const chain = await startTestChain(t)
  await chain.mine(5)
  const old = await chain.rpc('eth_getBlockByNumber', 'latest', false)
  const change: Extract<Manner, { type: 'change' }>['change'] = (result, { method, params }) =>
    method === 'eth_getBlockByNumber' && params[0] === 'latest' ? old : result
  const proxy = await startHostileProxy(t, chain.url, { type: 'change', change })
  const { reader } = readerOf([chain.url, proxy.url])
  await chain.mine(20)
  // A little behind: what both have is taken.
  assert.equal((await reader.freshHead(t.signal)).number, 5)
  await chain.mine(20)
  await assert.rejects(reader.freshHead(t.signal), {
    code: 'CHAIN_UNREACHABLE',
    context: { method: 'eth_getBlockByNumber', answers: 1, needed: 2, fault: 'lagging' },
  })
})

test('a fork of some blocks is no lie: the last common block is taken', async (t) => {
  const chain = await startTestChain(t)
  await chain.mine(10)
  // The other endpoint is on another fork from block 8 on.
  const change: Extract<Manner, { type: 'change' }>['change'] = (result, { method }) => {
    if (method !== 'eth_getBlockByNumber') return result
    const block = result as { readonly number: string }
    return Number(block.number) < 8 ? block : { ...block, hash: `0x${'ab'.repeat(32)}` }
  }
  const proxy = await startHostileProxy(t, chain.url, { type: 'change', change })
  const { reader, alerts } = readerOf([chain.url, proxy.url])
  assert.equal((await reader.freshHead(t.signal)).number, 7)
  assert.deepEqual(alerts, [])
})

test('an endpoint of another chain is a fault of the settings', async (t) => {
  const chain = await startTestChain(t)
  const change: Extract<Manner, { type: 'change' }>['change'] = (result, { method }) =>
    method === 'eth_chainId' ? '0xa' : result
  const proxy = await startHostileProxy(t, chain.url, { type: 'change', change })
  const { reader } = readerOf([chain.url, proxy.url])
  await assert.rejects(reader.freshHead(t.signal), {
    code: 'CHAIN_WRONG_CHAIN',
    context: { expected: CHAIN_ID, found: 10 },
  })
})

test('a question ends when its asker has had enough', async (t) => {
  const chain = await startTestChain(t)
  const proxy = await startHostileProxy(t, chain.url, { type: 'hang' })
  const { reader } = readerOf([chain.url, proxy.url])
  const enough = new AbortController()
  const asked = reader.freshHead(enough.signal)
  enough.abort(new Error('enough'))
  await assert.rejects(asked, { message: 'enough' })
})

test('no error and no alert holds the address of an endpoint, which may hold a key (SECURITY T28)', async (t) => {
  const chain = await startTestChain(t)
  const proxy = await startHostileProxy(t, chain.url, { type: 'hang-up' })
  const { reader, alerts } = readerOf([`${chain.url}/canary-key`, `${proxy.url}/canary-key`])
  const error: unknown = await reader.freshHead(t.signal).catch((caught: unknown) => caught)
  assert.ok(error instanceof Error)
  const said = JSON.stringify([error, error.message, error.stack, String(error.cause), alerts])
  assert.equal(/canary|127\.0\.0\.1/.test(said), false)
})
