/** Slots over all carriers (SPEC §15.2): what happens while one is in use. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { suite, test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { toHex } from '@byway/protocol/base'
import { nodeCrypto } from '@byway/protocol/node-crypto'
import { nodeTicketCrypto } from '@byway/protocol/node-ticket'
import { createPayeeSlot, UNLOCKED_BYTES_PER_S } from '@byway/protocol/payment'
import { unitPrice } from '@byway/protocol/ticket'
import { VERDICT } from '@byway/protocol/wire'
import type { SlotFullMessage } from '@byway/protocol/wire'
import { openCommitKeys, SLOT_LIFE_MS } from '../../src/money/commit-keys.ts'
import { createLinkPace } from '../../src/money/link-pace.ts'
import { createSlotBook } from '../../src/money/slot-book.ts'
import type { ShownSlot } from '../../src/money/slot-book.ts'
import { createSlotJudge } from '../../src/money/slot-judge.ts'
import { createFakeChain } from './fake-chain.ts'
import { createMemoryStore } from './memory-store.ts'
import { TEST_PAYMENT } from '../../../protocol/test/directory/payment-parameters.ts'
import { commitFor, depositSlots, TEST_POOL, ticketOf } from './paying-client.ts'
import type { TestSlot } from './paying-client.ts'

const PROVIDER = randomBytes(20)
const PRICE = unitPrice(TEST_POOL, 4)

async function worldOf() {
  const chain = createFakeChain()
  const store = createMemoryStore()
  const clock = { nowMs: 1_700_000_000_000 }
  const keys = await openCommitKeys(store.commitKeys, randomBytes, clock.nowMs)
  let failures = 0
  const book = createSlotBook({
    records: store,
    keys,
    judge: createSlotJudge({
      ...TEST_PAYMENT,
      chain,
      hash: nodeCrypto,
      provider: PROVIDER,
      records: store.slotWords,
      stored: [],
      nowMs: () => clock.nowMs,
      wallMs: () => clock.nowMs,
    }),
    holds: () => Promise.resolve(true),
    createPayee: (options) =>
      createPayeeSlot(
        { crypto: nodeTicketCrypto, pool: TEST_POOL, provider: PROVIDER, price: PRICE },
        options,
      ),
    provider: PROVIDER,
    nowMs: () => clock.nowMs,
    onWin() {},
    onStoreFailed: () => failures++,
  })
  const [slot] = depositSlots(chain, 1)
  assert.ok(slot)
  return { chain, store, clock, keys, book, slot, failures: () => failures }
}

/** Sends tickets of one unit over the commits that come first. */
async function payerOf(shown: ShownSlot, slot: TestSlot) {
  const commits = await shown.commits()
  assert.ok(commits)
  let index = commits.firstIndex
  return (amount = PRICE) => {
    const commit = commitFor([commits], index)
    return shown.onTicket(ticketOf(slot, { index: index++, commit, amount, provider: PROVIDER }))
  }
}

async function show(world: Awaited<ReturnType<typeof worldOf>>): Promise<ShownSlot> {
  const shown = await world.book.show(world.slot.opening)
  assert.ok(typeof shown === 'object' && !('kind' in shown))
  return shown
}

suite('the slots of a node', () => {
  test('a slot shown again with another receipt key is refused, on its carrier and after a restart', async () => {
    const world = await worldOf()
    const { book, slot } = world
    const other = { ...slot.opening, receiptKey: new Uint8Array(32).fill(7) }
    const shown = await show(world)
    assert.equal(await book.show(other), VERDICT.SLOT_USED)
    shown.release()
    assert.equal(await book.show(other), VERDICT.SLOT_USED)
    assert.ok(await show(world), 'under its own keys it goes on')
  })

  for (const state of ['refunding', 'closing', 'withdrawing'] as const) {
    test(`a payer who takes the deposit back (${state}) in the middle of a session pays with nothing more`, async () => {
      const world = await worldOf()
      const { chain, clock, book, slot } = world
      const pay = await payerOf(await show(world), slot)
      assert.equal(pay().verdict, VERDICT.OK)
      chain.setSlot(slot.opening.nullifier, state)
      clock.nowMs += 20_000
      await book.recheck()
      // What was taken before is all that the node may have served for nothing.
      assert.equal(pay().verdict, VERDICT.SLOT_TAKEN)
    })
  }

  test('a slot that another provider locks in the middle of a session pays nothing more; one of our own goes on', async () => {
    for (const [holder, verdict] of [
      [randomBytes(20), VERDICT.SLOT_TAKEN],
      [PROVIDER, VERDICT.OK],
    ] as const) {
      const world = await worldOf()
      const pay = await payerOf(await show(world), world.slot)
      world.chain.setSlot(world.slot.opening.nullifier, 'locked', holder)
      world.clock.nowMs += 20_000
      await world.book.recheck()
      assert.equal(pay().verdict, verdict)
    }
  })

  test('a slot that another provider binds is refused as soon as anybody asks where it stands: the pace of its link does each second (SPEC §15.2)', async () => {
    const world = await worldOf()
    const { chain, clock, slot } = world
    const shown = await show(world)
    const pay = await payerOf(shown, slot)
    const pace = createLinkPace(() => shown)
    let [passedBytes, isRefused] = [0, false]
    const boundAtMs = clock.nowMs
    chain.setSlot(slot.opening.nullifier, 'bound', randomBytes(20))
    while (!isRefused) {
      assert.ok(clock.nowMs - boundAtMs <= 3000, 'noticed within three seconds')
      clock.nowMs += 10
      while (pace.take(16_384, clock.nowMs)) passedBytes += 16_384
      for (let turn = 0; turn < 4; turn++) await setImmediate()
      if (clock.nowMs % 100 === 0) isRefused = pay().verdict === VERDICT.SLOT_TAKEN
    }
    assert.ok(passedBytes <= 3 * UNLOCKED_BYTES_PER_S + 4 * 1024 * 1024 + 16_384)
  })

  test('a slot shown again under another root is taken only if that root was published, and kept with one that was', async () => {
    const world = await worldOf()
    const { chain, store, clock, book, slot } = world
    const shown = await show(world)
    const invented = { ...slot.opening, root: randomBytes(32), proof: randomBytes(128) }
    assert.equal(await book.show(invented), VERDICT.UNKNOWN_ROOT)
    shown.release()
    assert.equal(await book.show(invented), VERDICT.UNKNOWN_ROOT, 'on a fresh carrier too')
    const later = { ...invented, root: randomBytes(32) }
    chain.publish(later.root, clock.nowMs / 1000)
    const again = await book.show(later)
    assert.ok(typeof again === 'object' && !('kind' in again))
    assert.deepEqual(again.opening.root, later.root)
    again.release()
    // The chain cannot be asked: it goes on with the opening that was judged.
    chain.mood = 'fails'
    clock.nowMs += 60_000
    const away = await book.show({ ...invented, root: randomBytes(32) })
    assert.ok(typeof away === 'object' && !('kind' in away))
    const pay = await payerOf(away, slot)
    assert.equal(pay(TEST_POOL.faceValue).verdict, VERDICT.OK)
    assert.equal(await away.kept(), true)
    const [winner] = await store.winners.ofSlot(slot.opening.nullifier)
    assert.ok(winner)
    assert.deepEqual(away.opening.root, slot.opening.root)
  })

  test('a slot that is full says its wins again on the next carrier: the client may not have heard', async () => {
    const world = await worldOf()
    const shown = await show(world)
    const pay = await payerOf(shown, world.slot)
    const results = [pay(), pay(TEST_POOL.faceValue), pay(), pay(TEST_POOL.faceValue)]
    const last = results.at(-1)
    assert.ok(last?.verdict === VERDICT.OK && last.full)
    assert.equal(await shown.kept(), true)
    shown.release()
    const again = await world.book.show(world.slot.opening)
    assert.ok(typeof again === 'object' && 'kind' in again)
    const wins = ({ reveals }: SlotFullMessage): readonly string[] =>
      reveals.map(({ index, reveal }) => `${index} ${toHex(reveal)}`)
    assert.deepEqual(wins(again), wins(last.full))
    assert.equal(world.book.size, 0)
  })

  test('a slot that is shown again while it is looked at is taken on both carriers: the first may be dead', async () => {
    const { book, slot } = await worldOf()
    const showings = await Promise.all([book.show(slot.opening), book.show(slot.opening)])
    for (const shown of showings) assert.ok(typeof shown === 'object' && !('kind' in shown))
  })

  test('a chain that cannot be asked stops no session', async () => {
    const world = await worldOf()
    const pay = await payerOf(await show(world), world.slot)
    world.chain.mood = 'fails'
    world.clock.nowMs += 20_000
    await world.book.recheck()
    assert.equal(pay().verdict, VERDICT.OK)
  })

  test('without the disk no commits go out, and no win is given away', async () => {
    const world = await worldOf()
    const shown = await show(world)
    const pay = await payerOf(shown, world.slot)
    world.store.isBroken = true
    const won = pay(TEST_PAYMENT.winValue)
    assert.ok(won.verdict === VERDICT.OK && won.reveal)
    assert.equal(await shown.kept(), false)
    assert.equal(await shown.commits(), undefined)
    assert.equal(world.failures(), 2)
  })

  test('a slot is taken for 30 days, and goes on where it was under its own key', async () => {
    const world = await worldOf()
    const { clock, keys, book, slot } = world
    const first = await show(world)
    await first.commits()
    first.release()
    clock.nowMs += SLOT_LIFE_MS - 1000
    await keys.rotate(clock.nowMs + 5000)
    const again = await show(world)
    assert.equal((await again.commits())?.firstIndex, 64)
    again.release()
    clock.nowMs += 2000
    assert.equal(await book.show(slot.opening), VERDICT.EXPIRED)
  })

  test('a ticket in a session that outlives its slot is refused as expired, and cannot win', async () => {
    const world = await worldOf()
    const { clock, store, slot } = world
    const shown = await show(world)
    const pay = await payerOf(shown, slot)
    clock.nowMs += SLOT_LIFE_MS
    assert.equal(pay().verdict, VERDICT.OK)
    clock.nowMs += 1
    for (const amount of [PRICE, TEST_POOL.faceValue])
      assert.deepEqual(pay(amount), { verdict: VERDICT.EXPIRED })
    // A restart of the session counts from the first showing too.
    shown.release()
    clock.nowMs -= 1
    const again = await show(world)
    const payAgain = await payerOf(again, slot)
    assert.equal(payAgain().verdict, VERDICT.OK)
    clock.nowMs += 1
    assert.deepEqual(payAgain(TEST_POOL.faceValue), { verdict: VERDICT.EXPIRED })
    assert.deepEqual(await store.winners.ofSlot(slot.opening.nullifier), [])
  })
})
