/** What it takes to follow a chain on which nothing happens: one look for all followers, and no question about blocks whose header says that they have nothing of ours. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Hex } from '@byway/protocol/payment'
import { lookForLogs, provenBloom } from '../src/contracts/log-bloom.ts'
import { followEvents } from '../src/follow-events.ts'
import { shareLook } from '../src/rpc/shared-look.ts'
import { startHostileProxy, type HostileProxy } from './support/hostile-proxy.ts'
import { hexNumber, readerOf, startTestChain, type TestChain } from './support/test-chain.ts'

const ACCOUNT = '0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266'
const NO_BLOOM = `0x${'00'.repeat(256)}`
const STRANGER: Hex = '0x00000000000000000000000000000000000000aa'
/** PUSH0 PUSH0 LOG0 as creation code: a contract that says something, once. */
const SPEAKER = '0x5f5fa0'

/** Has a contract say something in a block of its own. */
async function speak(chain: TestChain): Promise<{ readonly contract: Hex; readonly block: Hex }> {
  const transaction = { from: ACCOUNT, data: SPEAKER, gas: hexNumber(100_000) }
  const hash = await chain.rpc('eth_sendTransaction', transaction)
  type Receipt = { readonly contractAddress: Hex; readonly blockNumber: Hex }
  // anvil answers with the hash before it has made the block.
  for (;;) {
    const found = (await chain.rpc('eth_getTransactionReceipt', hash)) as Receipt | null
    if (found) return { contract: found.contractAddress, block: found.blockNumber }
  }
}

const blockOf = (chain: TestChain, number: Hex) => chain.rpc('eth_getBlockByNumber', number, false)

test('a proven bloom says in which contracts there can be logs', async (t) => {
  const chain = await startTestChain(t)
  const { contract, block } = await speak(chain)
  await chain.mine(1)
  const spoken = provenBloom(await blockOf(chain, block))
  const silent = provenBloom(await blockOf(chain, hexNumber(Number(block) + 1)))
  assert.ok(spoken && silent)
  assert.equal(lookForLogs([contract])(spoken), true)
  assert.equal(lookForLogs([STRANGER, contract])(spoken), true)
  assert.equal(lookForLogs([STRANGER])(spoken), false)
  assert.equal(lookForLogs([contract])(silent), false)
})

test('a bloom that the hash of its block does not prove is none', async (t) => {
  const chain = await startTestChain(t)
  const { block } = await speak(chain)
  const told = (await blockOf(chain, block)) as Readonly<Record<string, unknown>>
  for (const change of [
    { logsBloom: NO_BLOOM },
    { logsBloom: undefined },
    { logsBloom: '0x' },
    { stateRoot: undefined },
    { hash: `0x${'ab'.repeat(32)}` },
  ])
    assert.equal(provenBloom({ ...told, ...change }), undefined)
  assert.equal(provenBloom(null), undefined)
})

/** Follows a contract until it has seen its chain's head; gives what the endpoint was asked of logs. */
async function followOnce(
  t: { readonly signal: AbortSignal },
  { url, asked }: HostileProxy,
  contract: Hex,
): Promise<number> {
  const { reader } = readerOf([url])
  const stop = new AbortController()
  const signal = AbortSignal.any([t.signal, stop.signal])
  const { number } = await reader.freshHead(signal)
  const sources = { pool: contract, registry: contract, proofs: undefined }
  const news = followEvents({ reader, sources, fromBlock: number, pollMs: 1, signal })
  for await (const each of news) if (each.type === 'head') break
  stop.abort()
  return asked.filter((method) => method === 'eth_getLogs').length
}

test('asks for logs only where there can be some, or where nobody can know', async (t) => {
  const chain = await startTestChain(t)
  const { contract } = await speak(chain)
  const honest = await startHostileProxy(t, chain.url)
  assert.equal(await followOnce(t, honest, contract), 1)
  assert.equal(await followOnce(t, honest, STRANGER), 1, 'no further one')
  const hiding = await startHostileProxy(t, chain.url, {
    type: 'change',
    change: (result, { method }) =>
      method === 'eth_getBlockByNumber' ? { ...(result as object), logsBloom: NO_BLOOM } : result,
  })
  assert.equal(await followOnce(t, hiding, contract), 1, 'a hidden bloom hides nothing')
})

test('all who look for the newest block at once share a look, and those who come soon after its answer', async (t) => {
  const chain = await startTestChain(t)
  const proxy = await startHostileProxy(t, chain.url)
  let nowMs = 0
  const { reader } = readerOf([proxy.url], { nowMs: () => nowMs })
  const looks = (): number => proxy.asked.filter((method) => method.includes('Block')).length
  const all = [1, 2, 3].map(() => reader.recentHead(750, t.signal))
  const [first, ...others] = await Promise.all(all)
  for (const other of others) assert.equal(other, first)
  assert.equal(looks(), 1)
  nowMs += 749
  assert.equal(await reader.recentHead(750, t.signal), first)
  assert.equal(looks(), 1)
  nowMs++
  await chain.mine(1)
  assert.equal((await reader.recentHead(750, t.signal)).number, (first?.number ?? 0) + 1)
  assert.equal(looks(), 2)
})

test('a shared look goes on while one waits for it, and ends with the last', async () => {
  const begun: AbortSignal[] = []
  const answer = Promise.withResolvers<string>()
  const look = shareLook((signal) => {
    begun.push(signal)
    return answer.promise
  })
  const [one, two] = [new AbortController(), new AbortController()]
  const first = look(one.signal)
  const second = look(two.signal)
  one.abort(new Error('enough'))
  await assert.rejects(first, /enough/)
  assert.equal(begun[0]?.aborted, false)
  two.abort(new Error('enough too'))
  await assert.rejects(second, /enough too/)
  assert.equal(begun[0]?.aborted, true)
  // Whoever comes then does not wait for what was given up.
  const third = look(new AbortController().signal)
  assert.equal(begun.length, 2)
  answer.resolve('said')
  assert.equal(await third, 'said')
  await assert.rejects(look(one.signal), /enough/)
})

test('a shared look that fails fails for all, and is not kept', async () => {
  let looks = 0
  const look = shareLook(() => Promise.reject(new Error(`failed ${++looks}`)))
  const { signal } = new AbortController()
  const results = await Promise.allSettled([look(signal), look(signal)])
  assert.deepEqual(
    results.map((each) => each.status === 'rejected' && String(each.reason)),
    ['Error: failed 1', 'Error: failed 1'],
  )
  await assert.rejects(look(signal), /failed 2/)
})
