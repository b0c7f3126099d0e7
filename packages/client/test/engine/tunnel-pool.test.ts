import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { BywayError } from '@byway/protocol/base'
import { CLOSE_REASON } from '@byway/protocol/wire'
import type { ClientTunnelDriver } from '../../src/engine/client-tunnel-driver.ts'
import { clientError } from '../../src/engine/errors.ts'
import { settle } from './hand-timers.ts'
import {
  EXIT,
  GUARD,
  isolated,
  MIDDLE,
  MINUTE_MS,
  open,
  OTHER,
  poolWorld as world,
} from './pool-world.ts'
import { type TestCircuit } from './tunnel-world.ts'

suite('isolation', () => {
  test('the same key and wishes share a tunnel', async () => {
    const { acquire, needs } = world()
    const one = await acquire()
    assert.equal(await acquire(), one)
    assert.equal(await acquire({ port: undefined }), one, 'a lookup goes with its streams')
    assert.equal(needs.length, 1)
  })

  for (const [name, change] of [
    ['listener', isolated({ listener: '127.0.0.1:1081' })],
    ['source address', isolated({ sourceAddress: '127.0.0.2' })],
    ['user name', isolated({ username: 'user' })],
    ['password', isolated({ password: 'secret' })],
    ['port class', isolated({ portClass: 'other' })],
    ['country', { selection: { country: 'DE' } }],
    ['ASN', { selection: { asn: 64_500 } }],
    ['city', { selection: { city: 'berlin' } }],
    ['session', { selection: { session: 'a1' } }],
    ['hops', { selection: { hops: 3 } }],
    ['traffic class', { selection: { trafficClass: 'collect' } }],
    ['datagrams', { needsDatagrams: true }],
  ] as const) {
    test(`another ${name} is another tunnel`, async () => {
      const { acquire } = world()
      const one = await acquire()
      const two = await acquire(change)
      assert.notEqual(two, one)
      assert.equal(await acquire(), one)
      assert.equal(await acquire(change), two)
    })
  }

  test('fields do not run together', async () => {
    const { acquire } = world()
    const one = await acquire(isolated({ username: 'ab', password: 'c' }))
    assert.notEqual(await acquire(isolated({ username: 'a', password: 'bc' })), one)
    assert.notEqual(await acquire(isolated({ username: 'ab","c', password: '' })), one)
  })

  test('a city is asked of the path', async () => {
    const { acquire, needs } = world()
    await acquire({ selection: { city: 'new_york', country: 'US' } })
    assert.deepEqual([needs[0]?.city, needs[0]?.country], ['new_york', 'US'])
  })

  test('a class is asked of the path, and said to the exit with its prices', async () => {
    const { acquire, needs } = world()
    const one = await acquire()
    assert.equal(await acquire({ selection: { trafficClass: 'browse' } }), one, 'the default')
    const two = await acquire({ selection: { trafficClass: 'collect' } })
    assert.deepEqual(
      needs.map(({ trafficClass }) => trafficClass),
      ['browse', 'collect'],
    )
    assert.deepEqual(two.terms, { trafficClass: 'collect', classStep: 0, priceStep: 0 })
  })

  test('another class takes no circuit that was built for the default', async () => {
    const { acquire, needs, stock, build } = world()
    stock.push(build())
    await acquire({ selection: { trafficClass: 'collect' } })
    assert.deepEqual([needs.length, stock.length], [1, 1])
    await acquire()
    assert.deepEqual([needs.length, stock.length], [1, 0])
  })
})

suite('room', () => {
  test('after ten minutes a tunnel takes no new streams', async () => {
    const { acquire, timers } = world()
    const one = await acquire()
    open(one)
    await timers.pass(10 * MINUTE_MS)
    assert.equal(await acquire(), one)
    await timers.pass(1)
    assert.notEqual(await acquire(), one)
  })

  test('a port that the exit does not serve is another tunnel', async () => {
    const { acquire, control, exit } = world()
    const one = await acquire()
    control.onBuild = async () => {
      assert.ok(GUARD && OTHER)
      return Promise.resolve(exit.circuit([GUARD, OTHER]))
    }
    const two = await acquire({ port: 80 })
    assert.notEqual(two, one)
    assert.equal(await acquire(), one)
    assert.equal(await acquire({ port: 80 }), two)
  })

  test('the 91st stream at once, and the 121st open one, go into another tunnel', async () => {
    const { acquire, timers } = world()
    const first = await acquire()
    open(first)
    for (let i = 1; i < 90; i++) {
      assert.equal(await acquire(), first)
      open(first)
    }
    assert.notEqual(await acquire(), first)
    const slow = world()
    const one = await slow.acquire()
    open(one)
    for (let i = 1; i < 120; i++) {
      await slow.timers.pass(60)
      assert.equal(await slow.acquire(), one, `stream ${i}`)
      open(one)
    }
    await slow.timers.pass(5000)
    assert.notEqual(await slow.acquire(), one)
    await timers.pass(1000)
    assert.equal(await acquire(), first, 'eighteen a second come back')
  })

  test('a tunnel that drains or is over is passed over', async () => {
    const { acquire, left } = world()
    const one = await acquire()
    one.onDraining(600, undefined)
    assert.deepEqual(left, [EXIT?.key], 'and is known to go')
    const two = await acquire()
    assert.notEqual(two, one)
    two.onDraining(600, 1)
    assert.equal(left.at(-1), MIDDLE?.key, 'as a relay that says so')
    two.close()
    const three = await acquire()
    assert.ok(three !== one && three !== two)
  })

  test('beyond sixteen full tunnels a caller waits until there is room, or it gives up', async () => {
    const { acquire, pool, timers, needs } = world()
    for (let i = 0; i < 16 * 90; i++) open(await acquire())
    assert.equal(pool.tunnels.length, 16)
    let got: ClientTunnelDriver | undefined
    const waiting = acquire().then((driver) => (got = driver))
    const caller = new AbortController()
    const leaving = acquire({}, caller.signal)
    await settle()
    assert.equal(got, undefined)
    caller.abort(new Error('gone'))
    await assert.rejects(leaving, { message: 'gone' })
    await timers.pass(100)
    assert.equal(await waiting, got)
    assert.equal(needs.length, 16)
  })
})

suite('opening', () => {
  test('is shared, and goes on when the one who began it gives up', async () => {
    const { acquire, control, build, needs } = world()
    const gate = Promise.withResolvers<TestCircuit>()
    control.onBuild = () => gate.promise
    const caller = new AbortController()
    const left = acquire({}, caller.signal)
    const stays = acquire()
    caller.abort(new Error('gone'))
    await assert.rejects(left, { message: 'gone' })
    gate.resolve(build())
    assert.equal((await stays).isOver, false)
    assert.equal(needs.length, 1)
  })

  test('that fails is told to all who wait for it, and tried again for the next', async () => {
    const { acquire, control, build } = world()
    control.onBuild = () => Promise.reject(clientError('NO_PATH', { rule: 'MIDDLE' }))
    const both = [acquire(), acquire()]
    for (const waiting of both) await assert.rejects(waiting, { code: 'NO_PATH' })
    control.onBuild = () => Promise.resolve(build())
    assert.equal((await acquire()).isOver, false)
  })

  test('that fails for one port does not fail another', async () => {
    const { acquire, control, build, needs } = world()
    control.onBuild = ({ port }) =>
      port === 25
        ? Promise.reject(clientError('NO_PATH', { rule: 'EXIT_PORT' }))
        : Promise.resolve(build())
    const [bad, good] = [acquire({ port: 25 }), acquire({ port: 443 })]
    await assert.rejects(bad, { code: 'NO_PATH' })
    assert.equal((await good).isOver, false)
    assert.deepEqual(
      needs.map(({ port }) => port),
      [25, 443],
    )
  })

  for (const code of ['CIRCUIT_FAILED', 'CHAIN_UNREACHABLE'] as const) {
    test(`that fails for what passes, ${code}, is tried again before anybody is told`, async () => {
      const { acquire, control, build, needs, timers } = world()
      const passing = new BywayError(code, 'network', 'passes', {})
      control.onBuild = () =>
        needs.length < 3 ? Promise.reject(passing) : Promise.resolve(build())
      const waiting = acquire()
      await timers.pass(150)
      assert.equal(needs.length, 2)
      await timers.pass(400)
      assert.equal((await waiting).isOver, false)
      assert.equal(needs.length, 3)
    })
  }

  test('a circuit that dies in the same breath each time is an error, and leaves nothing behind', async () => {
    const { acquire, control, build, pool, needs, timers } = world()
    control.onBuild = () => {
      const circuit = build()
      circuit.die()
      return Promise.resolve(circuit)
    }
    const failed = assert.rejects(acquire(), { code: 'CIRCUIT_FAILED' })
    await timers.pass(MINUTE_MS)
    await failed
    assert.equal(needs.length, 6)
    assert.equal(pool.tunnels.length, 0)
  })

  test('takes a circuit in stock when it fits, and for plain wishes only', async () => {
    const { acquire, stock, exit, needs, control, build } = world()
    assert.ok(GUARD && EXIT && OTHER)
    const other = exit.circuit([GUARD, OTHER])
    control.onBuild = ({ port }) => Promise.resolve(port === 80 ? other : build())
    stock.push(exit.circuit([GUARD, EXIT]))
    await acquire({ selection: { country: 'DE' } })
    await acquire({ selection: { hops: 3 } })
    assert.equal(stock.length, 1)
    await acquire({ port: 80 })
    assert.equal(stock.length, 1, 'its exit does not serve the port')
    await acquire({ ...isolated({ username: 'x' }) })
    assert.equal(stock.length, 0)
    assert.equal(needs.length, 3)
  })

  test('takes one whose hops can be paid at once before others, and another rather than none', async () => {
    const { acquire, stock, exit, needs, unprovided } = world()
    assert.ok(GUARD && MIDDLE && EXIT)
    const later = [GUARD, MIDDLE, EXIT]
    const now = [GUARD, MIDDLE, EXIT]
    stock.push(exit.circuit(later), exit.circuit(now))
    unprovided.push(later)
    const first = await acquire(isolated({ username: 'x' }))
    assert.equal(first.path, now)
    const second = await acquire(isolated({ username: 'y' }))
    assert.equal(second.path, later)
    assert.equal(needs.length, 0)
  })
})

suite('streams that last', () => {
  const HOURS_6 = 21_600_000
  const terminal = { ...isolated({ portClass: 'remote' }), port: 22 }

  test('ask for nodes that stay, when they open and when they move; others do not', async () => {
    const { pool, needs, acquire } = world()
    await acquire()
    const { openedAtMs } = await acquire({ selection: { session: 'a1' } })
    assert.ok(openedAtMs > 0)
    const life = { session: 'b2', lifeMs: 30 * MINUTE_MS }
    await acquire({ selection: life })
    await acquire(terminal)
    assert.deepEqual(
      needs.map(({ lastsMs }) => lastsMs),
      [undefined, HOURS_6, life.lifeMs, HOURS_6],
    )
    const [ordinary, session] = pool.tunnels
    assert.deepEqual([ordinary?.lastsMs, session?.lastsMs], [undefined, HOURS_6])
  })

  test('share no tunnel with others of the same key', async () => {
    const { acquire } = world()
    const chat = await acquire({ ...isolated({ portClass: 'other' }), port: 6667 })
    const other = await acquire({ ...isolated({ portClass: 'other' }), port: 12_345 })
    assert.notEqual(chat, other)
  })

  test('take a circuit from stock only where its exit is likely to stay', async () => {
    const { acquire, stock, build, needs, staying } = world()
    stock.push(build())
    const session = (name: string) => ({ selection: { session: name } })
    await acquire(session('a1'))
    assert.deepEqual([needs.length, stock.length], [1, 1])
    if (EXIT) staying.add(EXIT.key)
    await acquire(session('b2'))
    assert.deepEqual([needs.length, stock.length], [1, 0])
  })
})

suite('sessions', () => {
  const SESSION = { selection: { session: 'a1', lifeMs: 30 * MINUTE_MS } }

  test('keep their exit for their life, tunnel after tunnel', async () => {
    const { acquire, needs, timers } = world()
    const first = await acquire(SESSION)
    first.close()
    await acquire(SESSION)
    assert.deepEqual(
      needs.map(({ exit }) => exit),
      [undefined, EXIT?.key],
    )
    await timers.pass(30 * MINUTE_MS)
    await acquire(SESSION)
    assert.equal(needs.at(-1)?.exit, undefined, 'its life is over')
  })

  test('without a life keep it as long as the client runs', async () => {
    const { acquire, needs, timers } = world()
    const endless = { selection: { session: 'a1' } }
    ;(await acquire(endless)).close()
    await timers.pass(7 * 24 * 60 * MINUTE_MS)
    await acquire(endless)
    assert.equal(needs.at(-1)?.exit, EXIT?.key)
  })

  test('no other request is bound to it', async () => {
    const { acquire, needs } = world()
    await acquire(SESSION)
    await acquire()
    await acquire({ selection: { session: 'b2' } })
    assert.deepEqual(
      needs.map(({ exit }) => exit),
      [undefined, undefined, undefined],
    )
  })

  test('are forgotten, the oldest first, when there are too many', async () => {
    const { acquire, needs, control, build, timers } = world()
    for (let i = 0; i < 4097; i++) {
      control.onBuild = () => Promise.resolve(build())
      ;(await acquire({ selection: { session: `s${i}` } })).close()
    }
    await timers.pass(30_000)
    await acquire({ selection: { session: 's0' } })
    assert.equal(needs.at(-1)?.exit, undefined)
    await acquire({ selection: { session: 's1' } })
    assert.equal(needs.at(-1)?.exit, EXIT?.key)
  })
})

suite('closing', () => {
  test('a tunnel that nobody uses is closed after two minutes, a used one never', async () => {
    const { acquire, timers, pool } = world()
    const [idle, used] = [await acquire(), await acquire(isolated({ username: 'x' }))]
    open(used)
    await timers.pass(2 * MINUTE_MS)
    assert.equal(pool.tunnels.length, 2)
    await timers.pass(MINUTE_MS)
    assert.equal(idle.isOver, true)
    assert.deepEqual(pool.tunnels, [used])
  })

  test('all: every tunnel, and CLIENT_CLOSED for who waits and who comes later', async () => {
    const { acquire, pool, control, timers } = world()
    const driver = await acquire()
    control.onBuild = (_need, signal) =>
      new Promise((_resolve, reject) =>
        signal.addEventListener('abort', () => reject(signal.reason as Error)),
      )
    const waiting = acquire(isolated({ username: 'x' }))
    pool.closeAll()
    await assert.rejects(waiting, { code: 'CLIENT_CLOSED' })
    await assert.rejects(acquire(), { code: 'CLIENT_CLOSED' })
    assert.equal(driver.isOver, true)
    assert.equal(pool.tunnels.length, 0)
    await timers.pass(2000)
    assert.deepEqual(timers.waiting(), [])
  })

  test('destroys a circuit that is ready after that', async () => {
    const { acquire, pool, control, build } = world()
    const gate = Promise.withResolvers<TestCircuit>()
    control.onBuild = () => gate.promise
    const waiting = acquire()
    pool.closeAll()
    const late = build()
    gate.resolve(late)
    await assert.rejects(waiting, { code: 'CLIENT_CLOSED' })
    assert.deepEqual(late.destroyed, [CLOSE_REASON.FINISHED])
  })
})
