import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ChainNews } from '../src/chain-view.ts'
import { deployContracts } from '../src/deploy/deploy-contracts.ts'
import { PROOF_CONTRACTS } from '../src/deploy/proof-contracts.ts'
import { wordOf } from '../src/contracts/bytes.ts'
import { paymentOf } from '../src/deploy/payment-of.ts'
import { openChain } from '../src/open-chain.ts'
import { deployWorld, PARAMETERS } from './support/deployed-world.ts'
import { startHostileProxy } from './support/hostile-proxy.ts'

/** Reads news until the head has come to a block. */
async function newsUntil(
  news: AsyncIterator<ChainNews>,
  isEnough: (all: readonly ChainNews[]) => boolean,
): Promise<readonly ChainNews[]> {
  const all: ChainNews[] = []
  while (!isEnough(all)) {
    const next = await news.next()
    assert.ok(next.done !== true)
    all.push(next.value)
  }
  return all
}

const eventsOf = (news: readonly ChainNews[], type: 'event' | 'removed'): readonly string[] =>
  news.flatMap((each) => (each.type === type ? [each.event.name] : []))

test('deploys all contracts, and the record says where they are and of what they were made', async (t) => {
  const { record, anvil, payment } = await deployWorld(t)
  assert.deepEqual(Object.keys(record.contracts).toSorted(), [
    'auditor',
    'authoriser',
    'pool',
    'poseidonT2',
    'poseidonT3',
    'poseidonT4',
    'registry',
    'serviceProofs',
    'token',
  ])
  for (const { address, codeHash } of Object.values(record.contracts)) {
    assert.notEqual(await anvil.rpc('eth_getCode', address, 'latest'), '0x')
    assert.match(codeHash, /^[0-9a-f]{64}$/)
  }
  assert.equal(record.deployBlock, record.contracts.pool?.block)
  assert.equal(record.parameters.winValue, '100000')
  assert.equal(payment.winValue, PARAMETERS.winValue)
  // A record is written as JSON.
  assert.deepEqual(JSON.parse(JSON.stringify(record)), record)
})

test('refuses to deploy under a development set-up on any other chain, before anything is sent', async (t) => {
  const { lane, anvil } = await deployWorld(t)
  const before = await anvil.rpc('eth_blockNumber')
  const proofContracts = PROOF_CONTRACTS
  const options = { lane, chainId: 10, parameters: PARAMETERS, proofContracts, signal: t.signal }
  await assert.rejects(deployContracts(options), {
    code: 'CHAIN_DEVELOPMENT_SET_UP',
    message: /anybody could forge/,
  })
  assert.equal(await anvil.rpc('eth_blockNumber'), before)
})

test('reads deposits, roots, slots, credit and money', async (t) => {
  const world = await deployWorld(t)
  const { chain, lane, pool, token, payment, run } = world
  const { view } = chain
  assert.equal(await view.newestRoot(t.signal), undefined)
  assert.deepEqual(await view.leaves(0, t.signal), [])
  await run(token.mint(lane.account, 10n ** 18n))
  await run(token.approve(payment.pool, 10n ** 18n))
  assert.equal(await view.tokenAllowance(lane.account, payment.pool, t.signal), 10n ** 18n)
  await run(pool.deposit(7n, 50))
  await run(pool.deposit(9n, 60))
  assert.equal(await view.tokenBalance(lane.account, t.signal), 10n ** 18n - 110n * payment.unit)
  assert.equal(await view.tokenBalance(payment.pool, t.signal), 110n * payment.unit)
  await run(pool.snapshot())
  const leaves = await view.leaves(0, t.signal)
  assert.deepEqual(
    leaves.map(({ index }) => index),
    [0, 1],
  )
  assert.deepEqual(await view.leaves(1, t.signal), leaves.slice(1))
  const newest = await view.newestRoot(t.signal)
  assert.ok(newest && newest.publishedAtS > 0)
  assert.deepEqual(await view.publishedRoot(newest.root, t.signal), newest)
  assert.equal(await view.publishedRoot(wordOf(5n), t.signal), undefined)
  assert.deepEqual(await view.slot(wordOf(5n), t.signal), {
    holder: new Uint8Array(20),
    lastIndex: 0,
    wins: 0,
    state: 'none',
    isBurned: false,
    timeS: 0,
  })
  assert.equal(await view.credit(lane.account, t.signal), 0n)
  assert.ok((await view.gasBalance(lane.account, t.signal)) > 0n)
  assert.equal(await view.registration(lane.account, t.signal), undefined)
})

test('a call that the contract refuses fails with the name of its error', async (t) => {
  const { lane, pool, token, payment, run } = await deployWorld(t)
  await run(token.mint(lane.account, 10n ** 18n))
  await run(token.approve(payment.pool, 10n ** 18n))
  await assert.rejects(run(pool.deposit(0n, 50)), {
    code: 'CHAIN_REVERTED',
    context: { reason: 'BadCommitment' },
  })
  await assert.rejects(run(pool.snapshot()), { context: { reason: 'NothingNew' } })
})

test('tells what a transaction did, and nothing of one that is in no block', async (t) => {
  const { chain, lane, pool, token, payment, run } = await deployWorld(t)
  await run(token.mint(lane.account, 10n ** 18n))
  await run(token.approve(payment.pool, 10n ** 18n))
  const events = await chain.view.eventsOf(await run(pool.deposit(7n, 50)), t.signal)
  assert.deepEqual(
    events?.map(({ name }) => name),
    ['leaf'],
  )
  // A lock by one who has no stake is left out, and says why.
  const batch = {
    provider: lane.account,
    nullifiers: [wordOf(5n)],
    terms: { fee: 0n, deadlineS: 0, signature: new Uint8Array(0) },
  }
  const [skipped] = (await chain.view.eventsOf(await run(pool.lock([batch])), t.signal)) ?? []
  assert.ok(skipped?.name === 'skipped')
  assert.deepEqual([skipped.reason, skipped.nullifier], ['not-active', wordOf(5n)])
  assert.equal(await chain.view.eventsOf(`0x${'11'.repeat(32)}`, t.signal), undefined)
})

test('follows events in order, and takes them back when their block is gone', async (t) => {
  const { anvil, chain, lane, pool, token, payment, run } = await deployWorld(t)
  await run(token.mint(lane.account, 10n ** 18n))
  await run(token.approve(payment.pool, 10n ** 18n))
  await run(pool.deposit(7n, 50))
  const stop = new AbortController()
  const news = chain.view.events(payment.deployBlock, stop.signal)[Symbol.asyncIterator]()
  const isAtHead = (all: readonly ChainNews[]): boolean => all.at(-1)?.type === 'head'
  assert.deepEqual(eventsOf(await newsUntil(news, isAtHead), 'event'), ['leaf'])
  await run(pool.deposit(9n, 60))
  await run(pool.snapshot())
  const more = await newsUntil(news, (all) => eventsOf(all, 'event').length === 2 && isAtHead(all))
  assert.deepEqual(eventsOf(more, 'event'), ['leaf', 'root'])
  // The last two blocks are replaced by empty ones.
  await anvil.rpc('anvil_reorg', 2, [])
  const back = await newsUntil(
    news,
    (all) => eventsOf(all, 'removed').length === 2 && isAtHead(all),
  )
  assert.deepEqual(eventsOf(back, 'removed'), ['root', 'leaf'])
  assert.deepEqual(eventsOf(back, 'event'), [])
  stop.abort()
  assert.equal((await news.next()).done, true)
})

test('says that state must be read anew when a reorg is deeper than it remembers', async (t) => {
  const { anvil, chain, lane, pool, token, payment, run } = await deployWorld(t)
  await run(token.mint(lane.account, 10n ** 18n))
  await run(token.approve(payment.pool, 10n ** 18n))
  await run(pool.deposit(7n, 50))
  await anvil.mine(260)
  const news = chain.view.events(payment.deployBlock, t.signal)[Symbol.asyncIterator]()
  await newsUntil(news, (all) => all.at(-1)?.type === 'head')
  // The deposit's block goes too.
  await anvil.rpc('anvil_reorg', 262, [])
  await assert.rejects(news.next(), { code: 'CHAIN_REORG_DEPTH', context: { remembered: 256 } })
})

test('a history with a hole is not taken for one of ours', async (t) => {
  const { anvil, lane, pool, token, payment, run } = await deployWorld(t)
  await run(token.mint(lane.account, 10n ** 18n))
  await run(token.approve(payment.pool, 10n ** 18n))
  await run(pool.deposit(7n, 50))
  await run(pool.deposit(9n, 50))
  const proxy = await startHostileProxy(t, anvil.url, {
    type: 'change',
    change: (result, { method }) =>
      method === 'eth_getLogs' && Array.isArray(result) ? result.slice(1) : result,
  })
  const cheated = openChain({
    payment: { ...payment, rpcUrls: [proxy.url] },
    isLocal: true,
    onAlert: () => {},
  })
  await assert.rejects(cheated.view.leaves(0, t.signal), {
    code: 'CHAIN_CONTRACT',
    context: { what: 'leaves' },
  })
})

test('a record without the contracts makes no network file', async (t) => {
  const { record } = await deployWorld(t)
  const choices = {
    rpcUrls: [],
    tokenSymbol: 'TEST',
    tokenDecimals: 6,
    issueDelayS: 1,
    rootMaxAgeS: 1,
    confirmations: 1,
  }
  assert.throws(() => paymentOf({ ...record, contracts: {} }, PARAMETERS, choices), {
    code: 'CHAIN_DEPLOY',
    context: { step: 'record' },
  })
})
