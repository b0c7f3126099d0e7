import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { CLOSE_REASON } from '@byway/protocol/wire'
import { circuitError } from '../../src/engine/errors.ts'
import { settle, until } from './hand-timers.ts'
import { EXIT, GUARD, MIDDLE, open, poolWorld as world } from './pool-world.ts'

/** As long as a client waits for a circuit that is not answered. */
const BUILD_MS = 12_000

suite('joining again', () => {
  test('goes to the same exit, around the dead middle at first', async () => {
    const { acquire, needs, circuits, control, timers, exit, build } = world()
    const driver = await acquire()
    const stream = driver.connect('a', 443).on('error', () => {})
    await stream.connected
    let failures = 3
    control.onBuild = () =>
      failures-- > 0
        ? Promise.reject(circuitError(CLOSE_REASON.TIMEOUT, 2))
        : Promise.resolve(build())
    circuits[0]?.die()
    await timers.pass(150 + 400 + 800)
    const joins = needs.slice(1)
    assert.equal(joins.length, 4)
    assert.ok(joins.every((need) => need.exit === EXIT?.key && need.hops === 3))
    const excluded = joins.map(({ excludeNodes }) => (excludeNodes ? [...excludeNodes] : []))
    assert.deepEqual(excluded, [[MIDDLE?.key], [MIDDLE?.key], [], [MIDDLE?.key]])
    stream.write('on')
    await until(() => exit.received.get(1) === 'on')
    assert.equal(driver.rejoins, 1)
  })

  test('may take the same relay when the link to the entry was lost, and shuns it when that fails', async () => {
    const { acquire, needs, circuits, control, timers, build } = world()
    const driver = await acquire()
    driver.connect('a', 443).on('error', () => {})
    await settle()
    let failures = 1
    control.onBuild = () =>
      failures-- > 0
        ? Promise.reject(circuitError(CLOSE_REASON.TIMEOUT, 2))
        : Promise.resolve(build())
    circuits[0]?.loseLink()
    await timers.pass(150)
    const excluded = needs.slice(1).map(({ excludeNodes }) => [...(excludeNodes ?? [])])
    assert.deepEqual(excluded, [[], [MIDDLE?.key]])
  })

  test('waits once at most for a relay that is stopped, however often the ways round it are busy', async () => {
    const { acquire, needs, circuits, control, timers, exit, build } = world()
    const driver = await acquire()
    const stream = driver.connect('a', 443).on('error', () => {})
    await stream.connected
    let busy = 3
    control.onBuild = async ({ excludeNodes }) => {
      if (!MIDDLE || !excludeNodes?.has(MIDDLE.key)) {
        await new Promise<void>((resolve) => void timers.after(BUILD_MS, resolve))
        throw circuitError(CLOSE_REASON.TIMEOUT, 2)
      }
      if (busy-- > 0) throw circuitError(CLOSE_REASON.RESOURCE_LIMIT, 2)
      return build()
    }
    circuits[0]?.die()
    await timers.pass(150 + 400 + BUILD_MS + 800 + 1000)
    const isRound = needs.slice(1).map(({ excludeNodes }) => excludeNodes !== undefined)
    assert.deepEqual(isRound, [true, true, false, true, true])
    stream.write('on')
    await until(() => exit.received.get(1) === 'on')
    assert.equal(driver.rejoins, 1)
  })

  test('leaves out a silent entry again in each round, and tries it between', async () => {
    const { acquire, needs, circuits, control, timers } = world()
    const driver = await acquire()
    open(driver)
    await settle()
    control.onBuild = () => Promise.reject(circuitError(CLOSE_REASON.TIMEOUT, 2))
    // As the watch of a leg counts it.
    driver.silentLegs = 1
    circuits[0]?.die()
    await timers.pass(10_000)
    const excluded = needs.slice(1, 7).map(({ excludeNodes }) => [...(excludeNodes ?? [])])
    const [both, middle, none] = [[GUARD?.key, MIDDLE?.key], [MIDDLE?.key], []]
    assert.deepEqual(excluded, [both, middle, none, both, middle, none])
    driver.close()
  })

  test('gives up when the exit could not be reached four times: the application is reset', async () => {
    const { acquire, circuits, control, timers, pool, needs } = world()
    const driver = await acquire()
    const ends: string[] = []
    driver
      .connect('a', 443)
      .on('end', () => ends.push('end'))
      .on('error', () => ends.push('error'))
      .resume()
    await settle()
    control.onBuild = () => Promise.reject(circuitError(CLOSE_REASON.CONNECT_FAILED, 3))
    circuits[0]?.die()
    await timers.pass(150 + 400)
    assert.deepEqual(ends, [])
    await timers.pass(800)
    assert.deepEqual(ends, ['error'])
    assert.equal(needs.length, 5)
    assert.equal(pool.tunnels.length, 0)
  })

  test('does not give up for relays that cannot be reached', async () => {
    const { acquire, circuits, control, timers, needs } = world()
    const driver = await acquire()
    open(driver)
    await settle()
    control.onBuild = () => Promise.reject(circuitError(CLOSE_REASON.CONNECT_FAILED, 2))
    circuits[0]?.die()
    await timers.pass(10_000)
    assert.ok(needs.length > 8)
    assert.equal(driver.isOver, false)
    driver.close()
  })
})
