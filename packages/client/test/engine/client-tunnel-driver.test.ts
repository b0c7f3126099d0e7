import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { suite, test } from 'node:test'
import { nodeCrypto } from '@byway/protocol/node-crypto'
import { CLOSE_REASON, RESET_REASON } from '@byway/protocol/wire'
import { ClientTunnelDriver } from '../../src/engine/client-tunnel-driver.ts'
import type { TunnelStream } from '../../src/engine/tunnel-stream.ts'
import { createHandTimers, settle, until } from './hand-timers.ts'
import { createTestExit, keysOf, pathNodes, type TestCircuit } from './tunnel-world.ts'

const TERMS = { trafficClass: 'browse', classStep: 0, priceStep: 0 } as const

const PATH = pathNodes(3)

/** A tunnel with an exit; `rejoinsWith` gives the circuits to join with, and none makes the rejoin fail. */
function world(setUp: { early?: (circuit: TestCircuit) => void } = {}) {
  const timers = createHandTimers()
  const exit = createTestExit(timers.nowMs)
  const first = exit.circuit(PATH)
  const control = {
    over: 0,
    paths: 0,
    rejoins: 0,
    circuits: [] as TestCircuit[],
    lost: [] as unknown[],
    refusedBy: [] as unknown[],
    rtts: [] as unknown[],
  }
  setUp.early?.(first)
  const driver = new ClientTunnelDriver(first, {
    provider: nodeCrypto,
    terms: TERMS,
    randomBytes,
    nowMs: timers.nowMs,
    timers,
    onTransfer: () => {},
    onRtt: (path, rttMs) => void control.rtts.push([path.at(-1)!.key, rttMs]),
    rejoin: () => {
      control.rejoins++
      const next = control.circuits.shift()
      return next ? Promise.resolve(next) : Promise.reject(new Error('no way'))
    },
    onOver: () => void control.over++,
    onPath: () => void control.paths++,
    onLost: (cause, streams) => void control.lost.push({ cause, streams }),
    onLeaving: () => {},
    onRefused: (path) => void control.refusedBy.push(path.at(-1)!.key),
  })
  return { driver, exit, first, control, timers }
}

/** Collects what a stream gives, and how it ends. */
function read(stream: TunnelStream) {
  const seen = { text: '', end: '' }
  stream.on('data', (chunk: Buffer) => (seen.text += chunk.toString()))
  stream.on('end', () => (seen.end = 'end'))
  stream.on('error', (error: Error & { code?: string }) => (seen.end = error.code ?? 'error'))
  return seen
}

suite('streams of a tunnel', () => {
  test('carry bytes both ways and end cleanly by DONE only', async () => {
    const { driver, exit, control } = world()
    const stream = driver.connect('example.org', 443)
    const seen = read(stream)
    stream.end('request')
    await until(() => exit.received.get(1) === 'request')
    assert.deepEqual(exit.begun, ['example.org:443'])
    assert.deepEqual(await stream.connected, { family: 4 })
    exit.tunnel().write(1, Buffer.from('answer'), 0)
    await until(() => seen.text === 'answer')
    assert.equal(seen.end, '')
    exit.tunnel().end(1)
    await until(() => seen.end === 'end')
    await settle()
    assert.equal(driver.useCount, 0)
    assert.equal(control.over, 0)
  })

  test('a reset by the exit reaches its stream alone', async () => {
    const { driver, exit } = world()
    const [bad, good] = [driver.connect('a', 1), driver.connect('b', 2)]
    const [badSeen, goodSeen] = [read(bad), read(good)]
    await until(() => exit.begun.length === 2)
    exit.tunnel().reset(1, RESET_REASON.CONNECT_REFUSED)
    await until(() => badSeen.end !== '')
    assert.equal(badSeen.end, 'EXIT_CONNECT_REFUSED')
    exit.tunnel().write(2, Buffer.from('fine'), 0)
    await until(() => goodSeen.text === 'fine')
  })

  test('destroying one without its end resets it at the exit', async () => {
    const { driver, exit } = world()
    const stream = driver.connect('a', 1)
    await stream.connected
    stream.destroy()
    await until(() => exit.resets.length > 0)
    assert.deepEqual(exit.resets, [1])
    assert.equal(driver.useCount, 0)
  })

  test('lookups are answered, or fail with the reason of the exit', async () => {
    const { driver, exit } = world()
    const [good, bad] = [driver.resolve('one.example'), driver.resolve('two.example')]
    await until(() => exit.begun.length === 2)
    const addresses = [{ family: 4, bytes: Uint8Array.of(192, 0, 2, 1) }] as const
    exit.tunnel().resolved(1, { reason: undefined, ttlS: 60, addresses })
    exit.tunnel().reset(2, RESET_REASON.RESOURCE_LIMIT)
    assert.equal((await good).addresses.length, 1)
    await assert.rejects(bad, { code: 'EXIT_BUSY' })
  })
})

suite('when the exit takes no tunnel of the class', () => {
  test('the tunnel is over at once, and the exit is named', async () => {
    const { driver, first, control } = world()
    const seen = read(driver.connect('a', 1))
    first.die(CLOSE_REASON.NOT_EXIT)
    await until(() => seen.end !== '')
    assert.equal(seen.end, 'CIRCUIT_FAILED')
    assert.equal(control.rejoins, 0)
    assert.equal(control.over, 1)
    assert.deepEqual(control.refusedBy, [PATH.at(-1)?.key])
  })

  test('nobody else is: one that has served, or that another reason ended', async () => {
    const served = world()
    const stream = served.driver.connect('a', 1)
    read(stream)
    await stream.connected
    served.first.die(CLOSE_REASON.NOT_EXIT)
    const broken = world()
    read(broken.driver.connect('a', 1))
    broken.first.die(CLOSE_REASON.TIMEOUT)
    await settle()
    assert.deepEqual([...served.control.refusedBy, ...broken.control.refusedBy], [])
  })
})

suite('the round trip of a leg', () => {
  const exitKey = PATH.at(-1)?.key

  test('is told once for each leg, when it is over', async () => {
    const { driver, exit, first, control } = world()
    const stream = driver.connect('a', 1)
    read(stream)
    await stream.connected
    assert.deepEqual(control.rtts, [])
    control.circuits.push(exit.circuit(PATH))
    first.die(CLOSE_REASON.TIMEOUT)
    assert.deepEqual(control.rtts, [[exitKey, 1]])
    await until(() => driver.rejoins === 1)
    driver.close()
    await settle()
    assert.deepEqual(control.rtts, [
      [exitKey, 1],
      [exitKey, 1],
    ])
  })

  test('is told of a leg that died and was not followed by another', async () => {
    const { driver, first, control } = world()
    read(driver.connect('a', 1))
    first.die(CLOSE_REASON.TIMEOUT)
    await until(() => control.over === 1)
    assert.deepEqual(control.rtts, [[exitKey, 1]])
  })
})

suite('when the circuit dies', () => {
  test('the streams go on over another one, and no byte is lost or doubled', async () => {
    const { driver, exit, first, control } = world()
    const stream = driver.connect('a', 1)
    const seen = read(stream)
    await stream.connected
    control.circuits.push(exit.circuit(PATH.toReversed()))
    stream.write('one ')
    exit.tunnel().write(1, Buffer.from('eins '), 0)
    first.die()
    stream.write('two')
    await until(() => exit.received.get(1) === 'one two')
    exit.tunnel().write(1, Buffer.from('zwei'), 0)
    await until(() => seen.text === 'eins zwei')
    assert.equal(driver.rejoins, 1)
    assert.equal(control.paths, 2)
    assert.deepEqual(keysOf(driver.path), keysOf(PATH.toReversed()))
    assert.equal(seen.end, '')
  })

  test('a relay that swallows every cell in a download is found, and the download goes on, within 12 s (SPEC §8.1)', async (t) => {
    t.mock.timers.enable({ apis: ['setInterval'] })
    const { driver, exit, first, control, timers } = world()
    const stream = driver.connect('a', 1)
    const seen = read(stream)
    await stream.connected
    exit.tunnel().write(1, Buffer.from('one '), timers.nowMs())
    await until(() => seen.text === 'one ')
    first.swallow()
    exit.tunnel().write(1, Buffer.from('two'), timers.nowMs())
    control.circuits.push(exit.circuit(PATH.toReversed()))
    let seconds = 0
    while (seen.text !== 'one two' && seconds < 60) {
      await timers.pass(1000)
      t.mock.timers.tick(1000)
      await settle(20)
      seconds++
      assert.equal(control.rejoins, seen.text === 'one two' ? 1 : 0, `at ${seconds} s`)
    }
    assert.ok(seconds >= 8 && seconds <= 12, `${seconds} s`)
    assert.deepEqual([driver.rejoins, first.destroyed.length], [1, 1])
  })

  test('a leg that dies again after its JOIN is replaced again', async () => {
    const { driver, exit, first, control } = world()
    const stream = driver.connect('a', 1)
    await stream.connected
    const [second, third] = [exit.circuit(PATH), exit.circuit(PATH)]
    control.circuits.push(second, third)
    first.die()
    await settle(1)
    second.die()
    stream.write('still here')
    await until(() => exit.received.get(1) === 'still here')
    assert.equal(control.rejoins, 2)
  })

  test('the application sees a reset, never a clean end, when there is no other way', async () => {
    const { driver, first, control } = world()
    const stream = driver.connect('a', 1)
    const seen = read(stream)
    const lookup = driver.resolve('name')
    await stream.connected
    first.die()
    await assert.rejects(lookup)
    await settle()
    assert.notEqual(seen.end, 'end')
    assert.notEqual(seen.end, '')
    assert.equal(control.over, 1)
    assert.equal(driver.isOver, true)
    assert.deepEqual(control.lost, [{ cause: new Error('no way'), streams: 2 }])
  })

  test('an exit that has forgotten the tunnel ends it: UNKNOWN_TUNNEL (SPEC §9.2)', async () => {
    const { driver, exit, first, control } = world()
    const stream = driver.connect('a', 1)
    const seen = read(stream)
    await stream.connected
    exit.restart()
    control.circuits.push(exit.circuit(PATH), exit.circuit(PATH))
    first.die()
    await until(() => driver.isOver)
    await settle()
    assert.notEqual(seen.end, 'end')
    assert.equal(control.rejoins, 1, 'another circuit to it would be of no use')
  })

  test('a leg that dies with OPEN on it: the tunnel is opened on another, and its streams begin once (SPEC §9.2)', async () => {
    const { driver, exit, first, control } = world()
    const stream = driver.connect('a', 1)
    stream.write('early')
    control.circuits.push(exit.circuit(PATH), exit.circuit(PATH))
    await Promise.resolve()
    first.die()
    assert.deepEqual(await stream.connected, { family: 4 })
    await until(() => exit.received.get(1) === 'early')
    assert.deepEqual(exit.begun, ['a:1'])
    assert.equal(control.rejoins, 2, 'JOIN first, for the exit might have had it')
    control.circuits.push(exit.circuit(PATH))
    stream.write(' late')
    await until(() => exit.received.get(1) === 'early late')
  })

  test('a relay that says UNKNOWN_TUNNEL for the exit does not have a stream begun twice', async () => {
    const { driver, exit, first, control } = world()
    exit.onBegin = () => {}
    const seen = read(driver.connect('a', 1))
    await until(() => exit.begun.length === 1)
    for (let i = 0; i < 20; i++) {
      const circuit = exit.circuit(PATH)
      if (i === 0) circuit.die(CLOSE_REASON.UNKNOWN_TUNNEL)
      control.circuits.push(circuit)
    }
    first.die()
    await until(() => seen.end !== '')
    assert.deepEqual(exit.begun, ['a:1'])
  })

  for (const reason of [
    CLOSE_REASON.NOT_EXIT,
    CLOSE_REASON.FINISHED,
    CLOSE_REASON.UNKNOWN_TUNNEL,
  ]) {
    test(`close reason ${reason} is final`, async () => {
      const { driver, first, control } = world()
      const seen = read(driver.connect('a', 1))
      await settle()
      first.die(reason)
      await until(() => seen.end !== '')
      assert.notEqual(seen.end, 'end')
      assert.equal(control.rejoins, 0)
    })
  }

  test('a tunnel that nobody uses is given up', async () => {
    const { driver, first, control } = world()
    await settle()
    first.die()
    assert.equal(driver.isOver, true)
    assert.equal(control.rejoins, 0)
    assert.equal(control.over, 1)
    assert.deepEqual(control.lost, [])
  })

  test('a tunnel with bytes to send for an application that has left is not', async () => {
    const { driver, exit, first, control } = world()
    const stream = driver.connect('a', 1)
    const seen = read(stream)
    await stream.connected
    exit.tunnel().end(1)
    await until(() => seen.end === 'end')
    exit.consumes = false
    const windowBytes = 256 * 1024
    stream.write(Buffer.alloc(windowBytes, 'x'))
    stream.end('the last words')
    await once(stream, 'close')
    await until(() => exit.received.get(1)?.length === windowBytes)
    control.circuits.push(exit.circuit(PATH))
    first.die()
    exit.tunnel().consumed(1, windowBytes, 0)
    await until(() => exit.received.get(1)?.endsWith('the last words') === true)
    assert.equal(control.rejoins, 1)
  })

  test('a circuit that died before its first user came ends the tunnel at once', () => {
    const { driver, control } = world({ early: (circuit) => circuit.die() })
    assert.equal(driver.isOver, true)
    assert.equal(control.over, 1)
  })
})

suite('closing a tunnel', () => {
  test('ends streams, lookups and flows with an error, and the circuit two seconds later', async () => {
    const { driver, first, control, timers } = world()
    const seen = read(driver.connect('a', 1))
    const lookup = driver.resolve('name')
    const flowErrors: unknown[] = []
    driver.associate({ onDatagram() {}, onClosed: (error) => void flowErrors.push(error) })
    driver.close()
    driver.close()
    await assert.rejects(lookup, { code: 'CIRCUIT_FAILED' })
    await settle()
    assert.equal(seen.end, 'CIRCUIT_FAILED')
    assert.equal(flowErrors.length, 1)
    assert.equal(control.over, 1)
    assert.deepEqual(first.destroyed, [])
    await timers.pass(2000)
    assert.deepEqual(first.destroyed, [CLOSE_REASON.FINISHED])
  })

  test('what is asked of it afterwards fails at once', async () => {
    const { driver } = world()
    driver.close()
    const seen = read(driver.connect('a', 1))
    await settle()
    assert.equal(seen.end, 'EXIT_FAILED')
    await assert.rejects(driver.resolve('name'), { code: 'EXIT_FAILED' })
    assert.throws(() => driver.associate({ onDatagram() {}, onClosed() {} }), {
      code: 'EXIT_FAILED',
    })
  })

  test('a rejoin that comes too late is thrown away', async () => {
    const { driver, exit, first, control } = world()
    await driver.connect('a', 1).on('error', () => {}).connected
    const late = exit.circuit(PATH)
    control.circuits.push(late)
    first.die()
    driver.close()
    await settle()
    assert.deepEqual(late.destroyed, [CLOSE_REASON.FINISHED])
  })
})
