import assert from 'node:assert/strict'
import { nodeKeyOf } from '@byway/protocol/directory'
import type { MoneyEvent } from '@byway/protocol/ledger'
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import test from 'node:test'
import {
  bytes,
  collect,
  openAt,
  opening,
  signedTransaction,
  temporaryFolder,
  winner,
} from './support/records.ts'

test('keeps winners with all their parts, in the order in which they came', async () => {
  await using folder = await temporaryFolder()
  {
    await using store = await openAt(folder.path)
    assert.equal(store.report.isNew, true)
    assert.equal(await store.winners.add(winner(1)), 'new')
    assert.equal(await store.winners.add(winner(2)), 'new')
    assert.equal(await store.winners.add({ ...winner(1), amount: 5n }), 'known')
  }
  await using store = await openAt(folder.path)
  const { isNew, damagedRows, missingRows, isTailLost } = store.report
  assert.deepEqual(
    { isNew, damagedRows, missingRows, isTailLost },
    { isNew: false, damagedRows: 0, missingRows: 0, isTailLost: false },
  )
  const rest = { state: 'received', reason: undefined, carrier: undefined }
  assert.deepEqual(await store.winners.list(['received', 'sent']), [
    { ...winner(1), ...rest, changedAtMs: winner(1).receivedAtMs },
    { ...winner(2), ...rest, changedAtMs: winner(2).receivedAtMs },
  ])
})

test('moves a winner only from a state that is named', async () => {
  await using folder = await temporaryFolder()
  await using store = await openAt(folder.path)
  await store.winners.add(winner(1))
  const id = { nullifier: winner(1).nullifier, index: 1 }
  const send = { id, from: ['queued'], to: 'sent', carrier: 'bind:7', atMs: 9 } as const
  assert.equal(await store.winners.move(send), false)
  assert.equal(await store.winners.move({ id, from: ['received'], to: 'queued', atMs: 8 }), true)
  assert.equal(await store.winners.move(send), true)
  const found = await store.winners.get(id)
  assert.deepEqual([found?.state, found?.carrier, found?.changedAtMs], ['sent', 'bind:7', 9])
  assert.equal(await store.winners.move({ ...send, id: { ...id, index: 2 } }), false)
})

test('never lowers a floor', async () => {
  await using folder = await temporaryFolder()
  await using store = await openAt(folder.path)
  const { nullifier } = opening(1)
  assert.equal(await store.openings.raiseFloor(nullifier, 128), undefined)
  assert.equal(await store.openings.remember(opening(1)), 'new')
  assert.equal(await store.openings.raiseFloor(nullifier, 128), 128)
  assert.equal(await store.openings.raiseFloor(nullifier, 64), 128)
  assert.equal((await store.openings.get(nullifier))?.floor, 128)
})

test('keeps the first session key of a slot, and forgets openings by age', async () => {
  await using folder = await temporaryFolder()
  await using store = await openAt(folder.path)
  await Promise.all([1, 2, 3].map((number) => store.openings.remember(opening(number))))
  const other = { ...opening(2), sessionKey: bytes('other', 20) }
  assert.equal(await store.openings.remember(other), 'known')
  assert.deepEqual(await store.openings.get(opening(2).nullifier), opening(2))
  assert.equal(await store.openings.forgetBefore(opening(3).firstSeenMs), 2)
  assert.equal(await store.openings.get(opening(2).nullifier), undefined)
  assert.deepEqual(await store.openings.get(opening(3).nullifier), opening(3))
})

test('takes a token once, also after a restart, and forgets a key', async () => {
  await using folder = await temporaryFolder()
  const key = bytes('token key', 8)
  const nonces = [1, 2, 3].map((number) => bytes(`nonce ${number}`, 32))
  {
    await using store = await openAt(folder.path)
    const given = await Promise.all(nonces.map((nonce) => store.spentTokens.spend(key, nonce)))
    assert.deepEqual(given, ['fresh', 'fresh', 'fresh'])
  }
  await using store = await openAt(folder.path)
  assert.deepEqual(await store.spentTokens.damagedKeys(), [])
  const again = await Promise.all(nonces.map((nonce) => store.spentTokens.spend(key, nonce)))
  assert.deepEqual(again, ['spent', 'spent', 'spent'])
  assert.equal(await store.spentTokens.spend(bytes('other', 8), bytes('nonce 1', 32)), 'fresh')
  await store.spentTokens.forget(key)
  assert.equal(await store.spentTokens.spend(key, bytes('nonce 1', 32)), 'fresh')
})

test('hands out a token of the stock once', async () => {
  await using folder = await temporaryFolder()
  await using store = await openAt(folder.path)
  const node = bytes('node', 32)
  const tokens = [1, 2, 3].map((number) => ({
    node,
    kind: 1,
    keyId: bytes('token key', 8),
    nonce: bytes(`nonce ${number}`, 32),
    token: bytes(`token ${number}`, 256),
    notAfterMs: 1000 * number,
  }))
  await store.tokens.add(tokens)
  const [first, second] = await Promise.all([
    store.tokens.take(node, 1, 2),
    store.tokens.take(node, 1, 2),
  ])
  assert.deepEqual([...first, ...second], tokens)
  await store.tokens.giveBack(tokens.slice(1))
  assert.equal(await store.tokens.forgetExpired(2500), 1)
  assert.deepEqual(await store.tokens.list(node, 1), tokens.slice(2))
  assert.deepEqual(await store.tokens.list(node, 2), [])
})

test('does a group all or none', async () => {
  await using folder = await temporaryFolder()
  await using store = await openAt(folder.path)
  const transaction = { ...signedTransaction(1), key: 'lock:1' }
  await store.transactions.put(transaction)
  const contradiction = store.atomically((records) => {
    void records.counters.add('spent', 7n)
    void records.transactions.put({ ...signedTransaction(2), key: 'lock:1' })
  })
  await assert.rejects(contradiction, { code: 'STORE_CONFLICT' })
  assert.equal(await store.counters.get('spent'), 0n)
  let sum: Promise<bigint> | undefined
  await store.atomically((records) => {
    sum = records.counters.add('spent', 7n)
    void records.transactions.put({ ...transaction, state: 'lost' })
    void records.transactions.put({ ...signedTransaction(2), key: 'lock:1' })
  })
  assert.equal(await sum, 7n)
  const found = await store.transactions.byKey(transaction.account, 'lock:1')
  assert.deepEqual(found, { ...signedTransaction(2), key: 'lock:1' })
})

test('keeps transactions whole, and gives the pending ones by nonce', async () => {
  await using folder = await temporaryFolder()
  await using store = await openAt(folder.path)
  for (const nonce of [12, 9, 10]) await store.transactions.put(signedTransaction(nonce))
  const receipt = {
    hash: '0x01',
    block: 7,
    blockHash: '0x02',
    isSuccess: true,
    gasUsed: 50_000n,
    gasPrice: 7n,
  } as const
  const done = { ...signedTransaction(10), state: 'done', receipt } as const
  await store.transactions.put(done)
  const { account } = done
  const pending = await store.transactions.pending(account)
  assert.deepEqual(pending, [signedTransaction(9), signedTransaction(12)])
  assert.deepEqual(await store.transactions.byKey(account, done.key), done)
  assert.deepEqual(await store.transactions.pending(bytes('other', 20)), [])
})

test('puts a slot in the place of its older record, and never lowers its floor', async () => {
  await using folder = await temporaryFolder()
  const nullifier = bytes('nullifier', 32)
  const slot = {
    nullifier,
    hop: nodeKeyOf(bytes('node', 32)),
    use: 'tokens',
    standing: 'shown',
    shownAtS: 1_800_000_000,
    opening: {
      root: bytes('root', 32),
      nullifier,
      sessionKey: bytes('session', 20),
      receiptKey: new Uint8Array(32),
      proof: bytes('proof', 300),
    },
    floor: 0,
  } as const
  {
    await using store = await openAt(folder.path, { name: 'client' })
    await store.slots.put(slot)
    await store.slots.raiseFloor(nullifier, 64)
    await store.slots.put({ ...slot, standing: 'full', floor: 16 })
  }
  await using store = await openAt(folder.path, { name: 'client' })
  assert.deepEqual(await store.slots.all(), [{ ...slot, standing: 'full', floor: 64 }])
})

test('keeps openings made ahead until they are taken, one for a slot', async () => {
  await using folder = await temporaryFolder()
  const made = (name: string, root: string) => ({
    root: bytes(root, 32),
    nullifier: bytes(name, 32),
    sessionKey: bytes('session', 20),
    receiptKey: new Uint8Array(32),
    proof: bytes('proof', 256),
  })
  {
    await using store = await openAt(folder.path, { name: 'client' })
    await store.madeOpenings.put(made('one', 'root'))
    await store.madeOpenings.put(made('two', 'root'))
    await store.madeOpenings.put(made('one', 'newer root'))
    await store.madeOpenings.remove(bytes('two', 32))
    await store.madeOpenings.remove(bytes('three', 32))
  }
  await using store = await openAt(folder.path, { name: 'client' })
  assert.deepEqual(await store.madeOpenings.all(), [made('one', 'newer root')])
})

test('keeps what the chain said last of a slot, until its time is over', async () => {
  await using folder = await temporaryFolder()
  const word = (name: string, untilMs: number, timeS = 7) => ({
    nullifier: bytes(name, 32),
    state: 'locked' as const,
    holder: bytes('provider', 20),
    timeS,
    untilMs,
  })
  {
    await using store = await openAt(folder.path)
    for (const each of [word('one', 1000), word('two', 2000), word('three', 3000)])
      await store.slotWords.put(each)
    await store.slotWords.put(word('one', 4000, 9))
    await store.slotWords.remove(bytes('three', 32))
    await store.slotWords.remove(bytes('four', 32))
  }
  await using store = await openAt(folder.path)
  assert.deepEqual(await store.slotWords.all(), [word('one', 4000, 9), word('two', 2000)])
  await store.slotWords.forgetBefore(2001)
  assert.deepEqual(await store.slotWords.all(), [word('one', 4000, 9)])
})

test('forgets with a token key what was spent under it', async () => {
  await using folder = await temporaryFolder()
  await using store = await openAt(folder.path)
  const keyId = bytes('token key', 8)
  const key = { kind: 1, day: 20_000, keyId, privateKey: bytes('private', 1200) } as const
  await store.tokenKeys.add(key)
  assert.deepEqual(await store.tokenKeys.list(), [key])
  await store.spentTokens.spend(keyId, bytes('nonce', 32))
  await store.tokenKeys.remove(keyId)
  assert.deepEqual(await store.tokenKeys.list(), [])
  assert.equal(await store.spentTokens.spend(keyId, bytes('nonce', 32)), 'fresh')
})

test('keeps what a slot has paid for tokens', async () => {
  await using folder = await temporaryFolder()
  await using store = await openAt(folder.path)
  const balance = {
    nullifier: bytes('nullifier', 32),
    units: 16,
    paidAtMs: 1_800_000_000_000,
    admissionDay: 20_000,
    admissions: 3,
    lastSales: bytes('sales', 64),
  }
  await store.balances.put(balance)
  await store.balances.put({ ...balance, units: 12 })
  assert.deepEqual(await store.balances.list(), [{ ...balance, units: 12 }])
  await store.balances.remove(balance.nullifier)
  assert.deepEqual(await store.balances.list(), [])
})

test('keeps ledger events once each, in order, over several pages', async () => {
  await using folder = await temporaryFolder()
  await using store = await openAt(folder.path)
  const events = Array.from({ length: 2500 }, (_, at): MoneyEvent => ({
    id: `win:${at}`,
    atMs: at,
    type: 'won',
    slot: 'ab'.repeat(32),
    index: at,
    amount: 10n ** 17n + BigInt(at),
  }))
  await Promise.all(events.map((event) => store.ledger.record(event)))
  await store.ledger.record({ id: 'win:7', atMs: 0, type: 'staked', amount: -5n })
  const read = await collect(store.ledger.read())
  assert.deepEqual(
    read.map(({ event }) => event),
    events,
  )
  const rest = await collect(store.ledger.read(read[2400]?.sequence))
  assert.equal(rest.length, 99)
})

test('keeps its files to their owner', async () => {
  await using folder = await temporaryFolder()
  const home = join(folder.path, 'home')
  await using store = await openAt(home)
  await store.winners.add(winner(1))
  assert.equal((await stat(home)).mode & 0o777, 0o700)
  for (const name of ['node.db', 'node.db-wal', 'node.db-shm', 'node.lock', 'node.reserve'])
    assert.equal((await stat(join(home, name))).mode & 0o777, 0o600, name)
})

test('keeps the last receipt of each slot and epoch, and forgets old epochs', async () => {
  await using folder = await temporaryFolder()
  const receipt = { nullifier: bytes('nullifier', 32), epoch: 7, publicKey: bytes('key', 64) }
  {
    await using store = await openAt(folder.path)
    await store.receipts.put({ ...receipt, units: 16, signature: bytes('signature 3', 96) })
    await store.receipts.put({ ...receipt, units: 32, signature: bytes('signature 4', 96) })
    await store.receipts.put({
      ...receipt,
      epoch: 8,
      units: 16,
      signature: bytes('signature 5', 96),
    })
  }
  await using store = await openAt(folder.path)
  assert.deepEqual(await collect(store.receipts.ofEpoch(7)), [
    { ...receipt, units: 32, signature: bytes('signature 4', 96) },
  ])
  assert.equal(await store.receipts.forgetBefore(8), 1)
  assert.equal(await store.receipts.get(receipt.nullifier, 7), undefined)
  assert.equal((await store.receipts.get(receipt.nullifier, 8))?.units, 16)
})

test('keeps what is asked back until it has come, each kind with what it is about', async () => {
  await using folder = await temporaryFolder()
  const order = { owner: 3, dueMs: 1_800_000_000_000, state: 'waiting', relay: undefined } as const
  const rests = [1, 2, 3].map((number) => bytes(`rest ${number}`, 32))
  const [to, none, nullifier] = [bytes('to', 20), new Uint8Array(), bytes('rest 1', 32)]
  const joining = { ...order, nullifier, kind: 'join', to: none, rests, body: none } as const
  const withdraw = {
    ...joining,
    nullifier: bytes('slot', 32),
    kind: 'withdraw',
    to,
    rests: [],
  } as const
  const asked = {
    ...joining,
    state: 'asked',
    relay: nodeKeyOf(bytes('node', 32)),
    body: to,
  } as const
  {
    await using store = await openAt(folder.path)
    for (const one of [joining, withdraw, asked]) await store.returns.put(one)
  }
  {
    await using store = await openAt(folder.path)
    assert.deepEqual(await store.returns.all(), [asked, withdraw])
    await store.returns.remove(asked.nullifier)
  }
  await using store = await openAt(folder.path)
  assert.deepEqual(await store.returns.all(), [withdraw])
})

test('brings a store of the first version up to date without taking it for damaged', async () => {
  await using folder = await temporaryFolder()
  {
    await using store = await openAt(folder.path)
    await store.winners.add(winner(1))
  }
  const file = new DatabaseSync(join(folder.path, 'node.db'))
  const later = ['receipt', 'made_opening', 'slot_return', 'slot_word', 'exit_span', 'exit_page']
  for (const table of later)
    file.exec(`DROP TABLE ${table}; DELETE FROM tally WHERE name = '${table}'`)
  file.exec('PRAGMA user_version = 1')
  file.close()
  await using store = await openAt(folder.path)
  const { keptRows, damagedRows, missingRows } = store.report
  assert.deepEqual(
    { keptRows, damagedRows, missingRows },
    { keptRows: 1, damagedRows: 0, missingRows: 0 },
  )
})
