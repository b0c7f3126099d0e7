/** When nodes publish by the clock alone (SPEC §10.1): two hundred nodes over a week, looked at each 20 s as a node does. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createOnionKeys } from '@byway/protocol/circuit'
import { nodeCrypto } from '@byway/protocol/node-crypto'
import { createTokenKeyring, keyDayStartS } from '@byway/protocol/payment'
import { TokenOffer } from '../../src/payment/token-offer.ts'
import { createHopDisk, DAY, pooledScheme } from './token-harness.ts'

const NODES = 200
const LOOK_MS = 20_000
const T0 = 20_000 * DAY
const HOUR = DAY / 24
/** A client hears of an edition within ten minutes (SPEC §10.2). */
const HEARD_AFTER_MS = 600_000

const idOf = (number: number): Uint8Array => nodeCrypto.sha256(Uint8Array.of(number))
const ringOf = (number: number) =>
  createTokenKeyring({
    scheme: pooledScheme(),
    hash: nodeCrypto,
    records: createHopDisk().keys,
    nodeId: idOf(number),
  })

test('the beginning of a day is that of SPEC §16.1', () => {
  // By hand: Python's hashlib and whole numbers.
  assert.equal(keyDayStartS(nodeCrypto, new Uint8Array(32).fill(7)), 71_163)
})

test('no node publishes more than twice a day, and no hour has twice its share of them', async () => {
  const perHour = new Map<number, number>()
  for (let number = 0; number < NODES; number++) {
    const startMs = T0 + (number * DAY) / NODES + (number % 20) * 1000
    const ring = ringOf(number)
    await ring.rotate(startMs)
    const nodeId = idOf(number)
    let draws = number
    const randomBytes = (count: number) => new Uint8Array(count).fill(++draws)
    const filter = { capacity: 8 }
    const onion = createOnionKeys({ provider: nodeCrypto, nodeId, randomBytes, filter }, startMs)
    const perDay = new Map<number, number>()
    for (let nowMs = startMs + LOOK_MS; nowMs < T0 + 10 * DAY; nowMs += LOOK_MS) {
      const isTurn = ring.isDue(nowMs)
      if (isTurn) await ring.rotate(nowMs)
      if (!onion.rotate(nowMs, isTurn) && !isTurn) continue
      // What the moment of the start decides is over a day and a turn later.
      if (nowMs < T0 + 3 * DAY) continue
      const day = Math.floor(nowMs / DAY)
      perDay.set(day, (perDay.get(day) ?? 0) + 1)
      const hour = Math.floor(nowMs / HOUR)
      perHour.set(hour, (perHour.get(hour) ?? 0) + 1)
    }
    assert.deepEqual(new Set(perDay.values()), new Set([2]), `node ${number}`)
  }
  // 16.7 on average; of so many drawn by chance no hour of twelve has twice as many.
  const busiest = Math.max(...perHour.values())
  assert.ok(busiest <= (2 * 2 * NODES) / 24, `${busiest} of ${NODES} in one hour`)
  assert.equal(perHour.size, 7 * 24, 'no hour is without')
})

test('a client always has a key to buy under, and the node signs with it', async () => {
  for (let number = 0; number < NODES; number += 10) {
    const ring = ringOf(number)
    const offer = new TokenOffer({ scheme: pooledScheme(), hash: nodeCrypto }, idOf(number))
    let turnedMs = T0
    await ring.rotate(T0)
    assert.equal(offer.accept(ring.keysMessage(), ring.hash(), T0), 'ok')
    for (let nowMs = T0; nowMs < T0 + 2 * DAY; nowMs += LOOK_MS) {
      if (ring.isDue(nowMs)) {
        await ring.rotate(nowMs)
        turnedMs = nowMs
      }
      if (nowMs === turnedMs + HEARD_AFTER_MS)
        assert.equal(offer.accept(ring.keysMessage(), ring.hash(), nowMs), 'ok')
      const key = offer.current(1, nowMs)
      assert.ok(key && ring.issuing(1, key.keyId, nowMs), `node ${number}, ${nowMs - T0} ms`)
    }
  }
})

test('a client takes keys whose day begins when the id says, and at no other time', async () => {
  const hop = ringOf(1)
  const startMs = 1000 * keyDayStartS(nodeCrypto, idOf(1))
  const dayMs = T0 + startMs
  await hop.rotate(dayMs)
  const judge = (number: number, nowMs: number) =>
    new TokenOffer({ scheme: pooledScheme(), hash: nodeCrypto }, idOf(number)).accept(
      hop.keysMessage(),
      hop.hash(),
      nowMs,
    )
  assert.equal(judge(1, dayMs), 'ok')
  // Clocks differ by ten minutes, and an hour into the next day the old key still signs.
  assert.equal(judge(1, dayMs - 600_000), 'ok')
  assert.equal(judge(1, dayMs - 600_001), 'dates')
  assert.equal(judge(1, dayMs + DAY + HOUR - 1), 'ok')
  assert.equal(judge(1, dayMs + DAY + HOUR), 'dates')
  assert.equal(judge(2, dayMs), 'dates', "another node's day")
})
