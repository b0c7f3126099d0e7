import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { world } from './attachment-world.ts'
import { relayNode } from './relay-nodes.ts'

const SECOND_MS = 1000
const MINUTE_MS = 60_000

suite('attachments', () => {
  test('six candidates are named, three links are live', async () => {
    const { look, live, candidates, dialled, hasTimer } = world(10)
    await look()
    assert.deepEqual(candidates(), [0, 1, 2, 3, 4, 5])
    assert.deepEqual(live(), [0, 1, 2])
    assert.deepEqual(dialled, [0, 1, 2])
    assert.equal(hasTimer(), false)
  })

  test('a directory that grows one by one within a turn makes one edition', async () => {
    const { attachments, relays, settle, editions, dialled } = world(0)
    for (let i = 0; i < 8; i++) {
      relays.push(relayNode(i))
      attachments.maintain()
    }
    await settle()
    assert.deepEqual(editions, [6])
    assert.deepEqual(dialled, [0, 1, 2])
  })

  test('nothing is published again while the candidates stay', async () => {
    const { look, relays, editions, drop, clock } = world(6)
    await look()
    relays.push(relayNode(6))
    await look()
    clock.nowMs = MINUTE_MS
    await drop(1)
    assert.deepEqual(editions, [6])
  })

  test('a relay that is not listed any more makes way', async () => {
    const { look, relays, live, attachments, editions } = world(7)
    await look()
    relays.shift()
    await look()
    assert.deepEqual(editions, [6, 6])
    assert.equal(attachments.candidates.length, 6)
    assert.equal(live().length, 3)
  })

  test('a link that closes is replaced in the same turn', async () => {
    const { look, drop, live, clock } = world(6)
    await look()
    clock.nowMs = MINUTE_MS
    await drop(1)
    assert.equal(live().length, 3)
  })

  test('a relay that went down is replaced by another candidate', async () => {
    const { look, drop, live, down, clock } = world(6)
    await look()
    clock.nowMs = MINUTE_MS
    down.add(1)
    await drop(1)
    assert.deepEqual(live(), [0, 2, 3])
  })

  test('dials that fail rest for twice as long each time, a minute at most', async () => {
    const { look, dialled, down, pass } = world(1)
    down.add(0)
    await look()
    await pass(2 * MINUTE_MS)
    // At 0, 0.5, 1.5, 3.5, 7.5, 15.5, 31.5, 63.5 s: then once a minute.
    assert.equal(dialled.length, 8)
    await pass(10 * MINUTE_MS)
    assert.equal(dialled.length, 18)
  })

  test('a relay that takes links and drops them at once is no circle', async () => {
    const { look, drop, dialled } = world(1)
    await look()
    for (let i = 0; i < 50; i++) await drop(0)
    assert.deepEqual(dialled, [0])
  })

  test('a relay that drops links early rests longer each time, one that held for a minute is dialled at once', async () => {
    const { look, drop, pass, clock, dialled } = world(1)
    await look()
    await drop(0)
    await pass(500)
    assert.equal(dialled.length, 2)
    await drop(0)
    await pass(500)
    assert.equal(dialled.length, 2)
    await pass(500)
    assert.equal(dialled.length, 3)
    clock.nowMs += MINUTE_MS
    await drop(0)
    assert.equal(dialled.length, 4)
  })

  test('no more than the missing links are dialled, however often it looks', async () => {
    const { holdDials, look, dialled, attachments } = world(6)
    holdDials()
    for (let i = 0; i < 20; i++) await look()
    assert.deepEqual(dialled, [0, 1, 2])
    attachments.stop()
  })

  test('while nothing answers each candidate is tried, none in a storm', async () => {
    const { look, down, dialled, pass } = world(6)
    for (let i = 0; i < 6; i++) down.add(i)
    await look()
    assert.deepEqual(dialled, [0, 1, 2, 3, 4, 5])
    await pass(SECOND_MS)
    assert.equal(dialled.length, 12)
  })

  test('candidates that are gone for good make way for other relays, one in ten minutes', async () => {
    const { look, down, pass, live, candidates, editions } = world(12)
    for (let i = 0; i < 6; i++) down.add(i)
    await look()
    await pass(5 * MINUTE_MS)
    assert.equal(editions.length, 2)
    assert.deepEqual(live(), [6])
    await pass(20 * MINUTE_MS)
    assert.deepEqual(live(), [6, 7, 8])
    assert.equal(candidates().length, 6)
    await pass(60 * MINUTE_MS)
    assert.equal(editions.length, 4, 'three live links are enough')
  })

  test('candidates stay when there is nobody to take their place', async () => {
    const { look, down, pass, editions, live } = world(6)
    for (let i = 0; i < 6; i++) down.add(i)
    await look()
    await pass(30 * MINUTE_MS)
    assert.deepEqual(editions, [6])
    down.clear()
    await pass(2 * MINUTE_MS)
    assert.equal(live().length, 3)
  })

  test('stop calls off what is under way and looks no more', async () => {
    const { holdDials, look, attachments, pending, settle, dialled, hasTimer } = world(6)
    holdDials()
    await look()
    attachments.stop()
    await settle()
    assert.ok(pending.every(({ signal }) => signal.aborted))
    await look()
    assert.equal(dialled.length, 3)
    assert.equal(hasTimer(), false)
  })
})
