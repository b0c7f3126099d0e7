/** The way back of slots at a client, with a clock by hand and hops in memory (SPEC §15.8). */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { toHex } from '@byway/protocol/base'
import { REDEEM_ANSWER, RETURN_KIND, returnFeeTo } from '@byway/protocol/wire'
import { exponential } from '../../src/returns/order-returns.ts'
import { seededRandom } from '../../../protocol/test/circuit/seeded.ts'
import { back, createWorld, HOUR_MS, join, MEAN_MS, nameOf, TO, withdraw } from './return-world.ts'

describe('slots on their way back', () => {
  it('go one a circuit, at independent exponential delays, to relays drawn anew, each to a deposit of its own', async () => {
    const { start, pass, told, world } = createWorld(1, 20)
    const queue = await start()
    const orders = Array.from({ length: 40 }, (_, number) => back(number))
    assert.equal(await queue.add(orders), 40)
    assert.equal(await queue.add(orders), 0, 'each is asked for once')
    for (let hour = 0; hour < 40; hour++) await pass(HOUR_MS)
    assert.deepEqual(world.failures, [])
    const first = new Map(told.map((one) => [nameOf(one), one] as const).toReversed())
    assert.equal(first.size, 40)
    assert.equal(new Set(told.map(({ circuit }) => circuit)).size, told.length)
    assert.equal(new Set(told.map(({ relay }) => relay)).size, 20)
    const idcs = [...first.values()].map(({ request }) =>
      toHex(request.kind === RETURN_KIND.REFUND ? request.idc : TO),
    )
    assert.equal(new Set(idcs).size, 40)
    const startMs = Date.UTC(2026, 0, 1)
    const delays = [...first.values()].map(({ atMs }) => atMs - startMs)
    const mean = delays.reduce((sum, delay) => sum + delay, 0) / delays.length
    // The mean of forty has a spread of a sixth.
    assert.ok(mean > MEAN_MS / 2 && mean < MEAN_MS * 1.6, `mean ${mean / HOUR_MS} h`)
    await queue.close()
  })

  it('has delays without memory', () => {
    const random = seededRandom(7)
    const delays = Array.from({ length: 20_000 }, () => exponential(1000, random))
    const share = (least: number) => delays.filter((delay) => delay > least).length / delays.length
    assert.ok(Math.abs(share(1000) - Math.exp(-1)) < 0.02)
    assert.ok(Math.abs(share(2000) / share(1000) - Math.exp(-1)) < 0.03)
  })

  it('tells a node of no slot before it has said that it takes some', async () => {
    const { start, pass, told, world } = createWorld()
    world.answers = (relay, request) =>
      relay === 3 || request.kind !== RETURN_KIND.ASK
        ? REDEEM_ANSWER.TAKEN
        : REDEEM_ANSWER.NO_REDEEMER
    const queue = await start()
    await queue.add([back(0), back(1), back(2)])
    for (let hour = 0; hour < 60; hour++) await pass(HOUR_MS)
    assert.deepEqual([...new Set(told.map(({ relay }) => relay))], [3])
    assert.ok(world.circuits > told.length)
    await queue.close()
  })

  it('goes on after a restart, never all at once, and asks another when a relay does nothing', async () => {
    const { start, pass, told, world, records } = createWorld(3)
    const queue = await start()
    await queue.add([back(0), back(1), back(2), back(3)])
    await queue.close()
    await pass(1000 * HOUR_MS)
    assert.equal(told.length, 0)
    const again = await start()
    await pass(60_000)
    assert.ok(told.length <= 1, 'what was overdue does not go at the start')
    for (let hour = 0; hour < 30; hour++) await pass(HOUR_MS)
    assert.equal(new Set(told.map(nameOf)).size, 4)
    const relaysOf = (name: string) => told.filter((one) => nameOf(one) === name)
    for (const name of new Set(told.map(nameOf))) {
      const [one, two] = relaysOf(name)
      assert.ok(one && two, 'nothing happened on the chain: a second is asked')
      assert.notEqual(one.relay, two.relay)
      assert.deepEqual(
        one.request.kind === RETURN_KIND.REFUND && { ...one.request, feeTo: two.relay, attempt: 1 },
        two.request.kind === RETURN_KIND.REFUND && { ...two.request, feeTo: two.relay },
        'to the same deposit, by a later attempt: whoever is faster',
      )
    }
    // The chain shows the effect.
    const asked = told.length
    for (const number of [0, 1, 2, 3]) world.setState(number, 'refunding')
    await pass(24 * HOUR_MS)
    const begun = told.length
    for (let hour = 0; hour < 48; hour++) await pass(HOUR_MS)
    assert.equal(told.length, begun, 'what has begun is left to its relay')
    assert.ok(begun >= asked)
    for (const number of [0, 1, 2, 3]) world.setState(number, 'refunded')
    for (let hour = 0; hour < 120; hour++) await pass(HOUR_MS)
    assert.equal(records.length, 0)
    await again.close()
  })

  it('asks for a slot by the next attempt that somebody began and nobody ended, and by the one after it where that is refused', async () => {
    const { start, pass, told, world } = createWorld(6)
    const queue = await start()
    await queue.add([back(0)])
    for (let hour = 0; hour < 60 && told.length === 0; hour++) await pass(HOUR_MS)
    world.setState(0, 'refunding')
    world.answers = (_relay, { kind }) =>
      kind === RETURN_KIND.ASK || told.length > 2 ? REDEEM_ANSWER.TAKEN : REDEEM_ANSWER.BAD_ORDER
    for (let hour = 0; hour < 120; hour++) await pass(HOUR_MS)
    await queue.close()
    const attempts = told.map(
      ({ request }) => request.kind === RETURN_KIND.REFUND && request.attempt,
    )
    assert.deepEqual(attempts, [0, 1, 2])
    const [first, second] = told
    assert.ok(first && second && second.atMs - first.atMs > 72 * HOUR_MS, 'its relay had its time')
  })

  it('closes what a hop has won in, and asks nothing back while the chain cannot be read', async () => {
    const { start, pass, told, world } = createWorld()
    world.setState(0, 'bound')
    world.isSynced = false
    const queue = await start()
    await queue.add([back(0)])
    await pass(100 * HOUR_MS)
    assert.equal(told.length, 0)
    world.isSynced = true
    for (let hour = 0; hour < 10; hour++) await pass(HOUR_MS)
    assert.equal(told[0]?.request.kind, RETURN_KIND.CLOSE)
    await queue.close()
  })

  it('proves a withdrawal once: the same words go to the same relay for as long as it lasts', async () => {
    const { start, pass, told, world } = createWorld(5)
    let isGrumpy = true
    world.answers = (_relay, request) =>
      isGrumpy && request.kind !== RETURN_KIND.ASK ? REDEEM_ANSWER.TRY_LATER : REDEEM_ANSWER.TAKEN
    let proofs = 0
    world.authoriser.withdrawalFor = () => {
      proofs++
      return Promise.resolve({ root: new Uint8Array(32), proof: Uint8Array.of(proofs) })
    }
    const queue = await start()
    await queue.add([withdraw(0)])
    for (let hour = 0; hour < 40; hour++) await pass(HOUR_MS)
    await queue.close()
    const again = await start()
    for (let hour = 0; hour < 20; hour++) await pass(HOUR_MS)
    isGrumpy = false
    for (let hour = 0; hour < 20; hour++) await pass(HOUR_MS)
    assert.ok(told.length > 2)
    assert.equal(proofs, 1, 'for another relayer a second proof would burn the bond')
    assert.equal(new Set(told.map(({ relay }) => relay)).size, 1)
    const [first] = told
    assert.ok(first)
    for (const { request } of told) assert.deepEqual(request, first.request)
    assert.deepEqual(returnFeeTo(first.request), new Uint8Array(20).fill(first.relay))
    await again.close()
  })

  it('gives up withdrawals that nobody was told, and nothing else', async () => {
    const { start, pass, told, records } = createWorld(5)
    const queue = await start()
    await queue.add([withdraw(0)])
    while (told.length === 0) await pass(60_000)
    await queue.add([withdraw(1), back(2)])
    await queue.forgetUntold()
    assert.deepEqual(
      records.map(({ nullifier }) => nullifier[0]),
      [1, 3],
    )
    assert.equal(queue.counts.waiting + queue.counts.asked, 2)
    await queue.close()
  })

  it('proves a withdrawal anew where a reorganisation took its root, for the same receiver and relay: then it is no second use', async () => {
    const { start, pass, told, world } = createWorld(5)
    let isGrumpy = true
    world.answers = (_relay, request) =>
      isGrumpy && request.kind !== RETURN_KIND.ASK ? REDEEM_ANSWER.TRY_LATER : REDEEM_ANSWER.TAKEN
    const shown: (readonly [to: string, feeTo: string])[] = []
    world.authoriser.withdrawalFor = (_nullifier, to, feeTo) => {
      shown.push([toHex(to), toHex(feeTo)])
      return Promise.resolve({ root: world.root, proof: Uint8Array.of(shown.length) })
    }
    let queue = await start()
    await queue.add([withdraw(0)])
    for (let hour = 0; hour < 30; hour++) await pass(HOUR_MS)
    const before = told.length
    assert.ok(before > 1)
    // The relay that has it may be the only one that is away now, and the client starts again.
    world.root = new Uint8Array(32).fill(7)
    await queue.close()
    queue = await start()
    for (let hour = 0; hour < 30; hour++) await pass(HOUR_MS)
    isGrumpy = false
    for (let hour = 0; hour < 10; hour++) await pass(HOUR_MS)
    const [first, ...others] = told
      .slice(before)
      .map(({ request }) =>
        request.kind === RETURN_KIND.WITHDRAW ? request : assert.fail('a withdrawal'),
      )
    assert.deepEqual(first?.root, world.root)
    assert.ok(others.length > 0)
    for (const again of others) assert.deepEqual(again, first, 'once for each root')
    assert.equal(shown.length, 2)
    assert.deepEqual(shown[1], shown[0])
    assert.deepEqual(shown[0]?.[0], toHex(TO))
    assert.equal(new Set(told.map(({ relay }) => relay)).size, 1)
    await queue.close()
  })

  it('keeps a withdrawal until its end has stood for a while: what is undone is asked of the same relay in the same words', async () => {
    const { start, pass, told, world, records } = createWorld(6)
    const queue = await start()
    await queue.add([withdraw(0)])
    const MINUTE_MS = 60_000
    while (told.length === 0) await pass(MINUTE_MS)
    world.setState(0, 'withdrawn')
    // It looks again when another relay would be asked.
    await pass(MEAN_MS + 5 * MINUTE_MS)
    assert.equal(records.length, 1)
    world.setState(0, 'withdrawing')
    await pass(MINUTE_MS)
    world.setState(0, 'none')
    const before = told.length
    for (let hour = 0; hour < 100 && told.length === before; hour++) await pass(HOUR_MS)
    const [first] = told
    assert.deepEqual([told.at(-1)?.relay, told.at(-1)?.request], [first?.relay, first?.request])
    assert.ok(told.length > before)
    world.setState(0, 'withdrawn')
    for (let hour = 0; hour < 80; hour++) await pass(HOUR_MS)
    assert.deepEqual(records, [])
    await queue.close()
  })

  it('asks for a joining of the same leaves, to the same deposit, until somebody carries it out', async () => {
    const { start, pass, told, world, records } = createWorld(9)
    let proofs = 0
    world.authoriser.joiningFor = (rests, { feeTo }) => {
      proofs++
      const places = Array.from({ length: 4 }, (_, at) => rests[at] ?? new Uint8Array(32))
      return Promise.resolve({ root: new Uint8Array(32), rests: places, units: 72, proof: feeTo })
    }
    const queue = await start()
    assert.equal(await queue.add([join(0, 1, 2)]), 1)
    assert.equal(await queue.add([join(2, 3), join(0, 4)]), 0, 'a leaf is in one joining')
    for (let hour = 0; hour < 40; hour++) await pass(HOUR_MS)
    await queue.close()
    const again = await start()
    for (let hour = 0; hour < 40; hour++) await pass(HOUR_MS)
    assert.ok(told.length > 2)
    const asked = told.map(({ request }) =>
      request.kind === RETURN_KIND.JOIN ? request : assert.fail('a joining'),
    )
    const leaves = asked.map(({ rests, idc, units }) => [...rests, idc].map(toHex).join() + units)
    assert.equal(new Set(leaves).size, 1)
    for (const { request, relay } of told) assert.equal(returnFeeTo(request)[0], relay)
    assert.equal(proofs, told.length, 'each is shown a proof of its own: it costs nothing')
    world.setState(0, 'refunded')
    for (const number of [1, 2]) world.setState(number, 'refunded')
    for (let hour = 0; hour < 40; hour++) await pass(HOUR_MS)
    assert.deepEqual(records, [])
    await again.close()
  })

  it('gives a joining up that can no longer be carried out, and what is left of it is free for another', async () => {
    const { start, pass, told, world, records } = createWorld(10)
    const queue = await start()
    await queue.add([join(0, 1)])
    world.setState(0, 'locked')
    await pass(HOUR_MS / 60)
    assert.equal(records.length, 1, 'a lock on a rest counts for nothing')
    world.setState(1, 'withdrawing')
    for (let hour = 0; hour < 60; hour++) await pass(HOUR_MS)
    assert.deepEqual(records, [])
    assert.equal(told.length, 0)
    assert.equal(await queue.add([join(0, 2)]), 1)
    await queue.close()
  })
})
