/** What a node tells of the chain (SPEC §15.9), and what it does not, over a real chain. */
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import {
  CHAIN_CONTRACT,
  CHAIN_QUESTION,
  CHAIN_VERDICT,
  type ChainQuestion,
  type ChainVerdict,
  decodeChainHeader,
  decodeChainLogs,
  MAX_CHAIN_ANSWER_BYTES,
  MAX_CHAIN_LOG_BLOCKS,
} from '@byway/protocol/wire'
import { encodeFunctionData } from 'viem/utils'
import { POOL_ABI } from '../../src/contracts/abi.ts'
import { bytesOf, hexOf } from '../../src/contracts/bytes.ts'
import { MAX_LOG_BLOCKS } from '../../src/leaf-reader.ts'
import { openChain } from '../../src/open-chain.ts'
import { createChainAnswerer } from '../../src/through/chain-answerer.ts'
import { deployWorld, type DeployedWorld } from '../support/deployed-world.ts'
import { startHostileProxy } from '../support/hostile-proxy.ts'
import { signerOf } from '../support/test-chain.ts'
import { answererOf } from '../support/through-nodes.ts'

const VIEW = bytesOf(encodeFunctionData({ abi: POOL_ABI, functionName: 'newestRoot' }))
const CHANGE = bytesOf(encodeFunctionData({ abi: POOL_ABI, functionName: 'snapshot' }))

/** A chain with some deposits. */
async function depositedWorld(t: TestContext, deposits: number): Promise<DeployedWorld> {
  const world = await deployWorld(t)
  const { token, lane, payment, pool, run } = world
  await run(token.mint(lane.account, 10n ** 20n))
  await run(token.approve(payment.pool, 10n ** 20n))
  for (let i = 0; i < deposits; i++) await run(pool.deposit(BigInt(7 + i), 50))
  return world
}

async function headHash(world: DeployedWorld, signal: AbortSignal): Promise<Uint8Array> {
  return bytesOf((await world.chain.reader.freshHead(signal)).hash)
}

test('the blocks of one question are those that the endpoints take', () => {
  assert.equal(MAX_CHAIN_LOG_BLOCKS, MAX_LOG_BLOCKS)
})

test('refuses what is no view of a contract, and transactions that go elsewhere', async (t) => {
  const world = await depositedWorld(t, 1)
  const { payment } = world
  const answerer = answererOf({ ...world, payment: { ...payment, proofs: undefined } })
  const blockHash = await headHash(world, t.signal)
  const account = signerOf(0).address
  const { POOL, TOKEN, PROOFS } = CHAIN_CONTRACT
  const call = (contract: 0 | 1 | 2 | 3, data: Uint8Array, at = blockHash): ChainQuestion => {
    return { kind: CHAIN_QUESTION.CALL, contract, blockHash: at, data }
  }
  const send = async (to: Uint8Array, chainId: number): Promise<ChainQuestion> => ({
    kind: CHAIN_QUESTION.SEND,
    transaction: bytesOf(
      await signerOf(0).signTransaction({
        chainId,
        nonce: 1000,
        to,
        data: CHANGE,
        value: 0n,
        gas: 100_000n,
        maxFeePerGas: 10n ** 9n,
        maxPriorityFeePerGas: 1n,
      }),
    ),
  })
  const { OK, NOT_ALLOWED, NONE, CHAIN_AWAY, TRY_LATER } = CHAIN_VERDICT
  const all = { kind: CHAIN_QUESTION.LOGS, contracts: 7, from: 0, to: 1, skip: 0 } as const
  const cases: readonly (readonly [string, ChainQuestion, ChainVerdict])[] = [
    ['a view', call(POOL, VIEW), OK],
    ['a function that changes something', call(POOL, CHANGE), NOT_ALLOWED],
    ['a view of another contract', call(TOKEN, VIEW), NOT_ALLOWED],
    ['a contract that the network does not have', call(PROOFS, VIEW), NOT_ALLOWED],
    ['less than a selector', call(POOL, VIEW.subarray(0, 3)), NOT_ALLOWED],
    ['a block that nobody has', call(POOL, VIEW, new Uint8Array(32)), CHAIN_AWAY],
    ['logs of a contract that the network does not have', all, NOT_ALLOWED],
    ['logs of blocks to come', { ...all, contracts: 3, to: 4000 }, TRY_LATER],
    ['a block to come', { kind: CHAIN_QUESTION.BLOCK, number: 4000 }, NONE],
    ['no receipt', { kind: CHAIN_QUESTION.RECEIPT, transaction: blockHash }, NONE],
    [
      'gas of no function',
      { kind: CHAIN_QUESTION.GAS, account, contract: POOL, data: blockHash },
      NOT_ALLOWED,
    ],
    ['gas of a function', { kind: CHAIN_QUESTION.GAS, account, contract: POOL, data: CHANGE }, OK],
    ['a transaction to the pool', await send(payment.pool, payment.chainId), OK],
    ['a transaction to somebody', await send(account, payment.chainId), NOT_ALLOWED],
    ['a transaction of another chain', await send(payment.pool, 10), NOT_ALLOWED],
    ['what is no transaction', { kind: CHAIN_QUESTION.SEND, transaction: VIEW }, NOT_ALLOWED],
  ]
  for (const [name, question, verdict] of cases) {
    const told = await answerer.answer(question, t.signal)
    assert.equal(told.verdict, verdict, name)
    if (verdict !== OK) assert.equal(told.body.length, 0, name)
  }
})

test('tells what a contract refuses with', async (t) => {
  const world = await deployWorld(t)
  const data = bytesOf(
    encodeFunctionData({ abi: POOL_ABI, functionName: 'deposit', args: [7n, 50] }),
  )
  const question = {
    kind: CHAIN_QUESTION.GAS,
    account: signerOf(1).address,
    contract: CHAIN_CONTRACT.POOL,
    data,
  }
  const { verdict, body } = await answererOf(world).answer(question, t.signal)
  assert.equal(verdict, CHAIN_VERDICT.REVERTED)
  assert.ok(body.length >= 4)
})

test('tells logs in pages of one set, in order, each within the bound', async (t) => {
  const world = await depositedWorld(t, 3)
  const answerer = answererOf(world)
  const { number: to } = await world.chain.reader.freshHead(t.signal)
  const from = world.payment.deployBlock
  const ask = async (skip: number) => {
    const question = { kind: CHAIN_QUESTION.LOGS, contracts: 1, from, to, skip }
    const { verdict, body } = await answerer.answer(question, t.signal)
    assert.equal(verdict, CHAIN_VERDICT.OK)
    assert.ok(body.length <= MAX_CHAIN_ANSWER_BYTES)
    return decodeChainLogs(body)
  }
  const whole = await ask(0)
  assert.equal(whole.logs.length, whole.total)
  const [part, over] = [await ask(2), await ask(whole.total + 5)]
  assert.deepEqual(part.logs, whole.logs.slice(2))
  assert.deepEqual([part.total, part.set], [whole.total, whole.set])
  assert.deepEqual([over.total, over.logs], [whole.total, []])
})

test('asks the chain once for what many ask, and not at all beyond its rate', async (t) => {
  const world = await depositedWorld(t, 1)
  const { payment, anvil } = world
  const proxy = await startHostileProxy(t, anvil.url)
  const counted = { ...payment, rpcUrls: [proxy.url] }
  const { reader } = openChain({ payment: counted, isLocal: true, onAlert() {}, pollMs: 600_000 })
  // Nothing is gained back while the clock stands.
  const answerer = createChainAnswerer({ reader, payment, nowMs: () => 0 })
  const blockHash = bytesOf((await reader.head(t.signal)).hash)
  const call = (data: Uint8Array): ChainQuestion => {
    return { kind: CHAIN_QUESTION.CALL, contract: CHAIN_CONTRACT.POOL, blockHash, data }
  }
  const head = { kind: CHAIN_QUESTION.HEAD } as const
  const logs = { kind: CHAIN_QUESTION.LOGS_OF, contracts: 3, blockHash, skip: 0 } as const
  const same = Array.from({ length: 100 }, (_, skip) => [
    call(VIEW),
    head,
    logs,
    { ...logs, skip },
  ]).flat()
  const told = await Promise.all(same.map((question) => answerer.answer(question, t.signal)))
  assert.ok(told.every(({ verdict }) => verdict === CHAIN_VERDICT.OK))
  const before = proxy.asked.length
  assert.deepEqual(proxy.asked.toSorted(), [
    'eth_call',
    'eth_chainId',
    'eth_getBlockByNumber',
    'eth_getLogs',
  ])
  const flood: ChainVerdict[] = []
  for (let i = 0; i < 400; i++) {
    const data = new Uint8Array([...VIEW, i >> 8, i & 255])
    flood.push((await answerer.answer(call(data), t.signal)).verdict)
  }
  assert.equal(flood.at(-1), CHAIN_VERDICT.TRY_LATER)
  assert.ok(proxy.asked.length - before <= 200)
  assert.equal((await answerer.answer(call(VIEW), t.signal)).verdict, CHAIN_VERDICT.OK)
})

test('a chain that cannot be asked is a verdict', async (t) => {
  const world = await deployWorld(t)
  const proxy = await startHostileProxy(t, world.anvil.url, { type: 'hang-up' })
  const payment = { ...world.payment, rpcUrls: [proxy.url] }
  const { reader } = openChain({ payment, isLocal: true, onAlert() {} })
  const answerer = createChainAnswerer({ reader, payment, nowMs: () => performance.now() })
  const { verdict } = await answerer.answer({ kind: CHAIN_QUESTION.HEAD }, t.signal)
  assert.equal(verdict, CHAIN_VERDICT.CHAIN_AWAY)
})

test('what is told of the newest block follows the chain', async (t) => {
  const world = await deployWorld(t)
  const answerer = answererOf(world)
  const ask = async () =>
    decodeChainHeader((await answerer.answer({ kind: CHAIN_QUESTION.HEAD }, t.signal)).body)
  const first = await ask()
  await world.anvil.mine(2)
  const second = await ask()
  assert.equal(second.number, first.number + 2)
  assert.equal(hexOf(second.hash), (await world.chain.reader.freshHead(t.signal)).hash)
})
