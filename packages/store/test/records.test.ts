import assert from 'node:assert/strict'
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'node:test'
import { bytes, collect, openAt, opening, temporaryFolder, winner } from './support/records.ts'

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
  assert.deepEqual(await collect(store.openings.all()), [opening(3)])
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
  for (const nonce of nonces) assert.equal(await store.spentTokens.spend(key, nonce), 'spent')
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
  const slot = {
    nullifier: bytes('nullifier 1', 32),
    deposit: 1,
    slot: 0,
    node: bytes('node', 32),
    provider: new Uint8Array(20),
    session: bytes('session', 32),
    opening: bytes('opening', 100),
    floor: 0,
    shownAtMs: 5,
    state: 'shown',
  } as const
  await store.slots.show(slot)
  const contradiction = store.atomically((records) => {
    void records.counters.add('spent', 7n)
    void records.slots.show({ ...slot, nullifier: bytes('nullifier 2', 32) })
  })
  await assert.rejects(contradiction, { code: 'STORE_CONFLICT' })
  assert.equal(await store.counters.get('spent'), 0n)
  let sum: Promise<bigint> | undefined
  await store.atomically((records) => {
    sum = records.counters.add('spent', 7n)
    void records.slots.move(slot.nullifier, 'full')
  })
  assert.equal(await sum, 7n)
  assert.deepEqual(await store.slots.list(['full']), [{ ...slot, state: 'full' }])
})

test('keeps ledger events once each, in order, over several pages', async () => {
  await using folder = await temporaryFolder()
  await using store = await openAt(folder.path)
  const events = Array.from({ length: 2500 }, (_, at) => ({
    id: `e:${at}`,
    atMs: at,
    body: `{${at}}`,
  }))
  await Promise.all(events.map((event) => store.ledger.append(event)))
  assert.equal(await store.ledger.append({ id: 'e:7', atMs: 0, body: '' }), 'known')
  const read = await collect(store.ledger.read())
  assert.deepEqual(
    read.map(({ id, atMs, body }) => ({ id, atMs, body })),
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
