import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { destroyCell } from '@byway/protocol/circuit'
import type { PathNode } from '@byway/protocol/directory'
import { CLOSE_REASON } from '@byway/protocol/wire'
import type { CircuitSink } from '../../src/engine/client-link.ts'
import type { ReadyCircuit } from '../../src/engine/circuit-source.ts'
import type { CircuitNeed } from '../../src/engine/circuit-need.ts'
import { createCircuitStock } from '../../src/engine/circuit-stock.ts'
import { createClientLink } from '../../src/engine/client-link.ts'
import { createFakeLink } from './fake-link.ts'
import { createHandTimers, settle } from './hand-timers.ts'
import { pathNodes } from './tunnel-world.ts'

const MINUTE_MS = 60_000
const NEED: CircuitNeed = { port: 443 }
const PATH = pathNodes(2)

/** A source whose circuits the test can kill; `failing` makes it refuse. */
function world() {
  const timers = createHandTimers()
  const built: { ready: ReadyCircuit; sinks: CircuitSink[]; destroyed: number }[] = []
  const control = { failing: false, isExitGone: false, builds: 0, needs: [] as CircuitNeed[] }
  const ended: (readonly PathNode[])[] = []
  const gates: (() => void)[] = []
  let holds = false
  const stock = createCircuitStock({
    source: {
      async build(need) {
        control.builds++
        control.needs.push(need)
        if (holds) await new Promise<void>((resolve) => void gates.push(resolve))
        if (control.failing) throw new Error('no path')
        if (control.isExitGone && need.exit !== undefined) throw new Error('no way to it')
        const link = createFakeLink()
        const sinks: CircuitSink[] = []
        const item = {
          sinks,
          destroyed: 0,
          ready: {
            path: PATH,
            circuit: {
              clientLink: createClientLink(link, new Uint8Array(32)),
              link,
              queue: link.openQueue(1),
              circuitId: 1,
              hops: [],
              entryLayer: false,
              buildMs: 1,
              seen: [],
              setSink: (sink: CircuitSink) => void sinks.push(sink),
              destroy: () => void item.destroyed++,
            },
          },
        }
        built.push(item)
        return item.ready
      },
    },
    need: NEED,
    onEnded: (path) => void ended.push(path),
    nowMs: timers.nowMs,
    timers,
  })
  return {
    stock,
    timers,
    built,
    control,
    ended,
    gates,
    hold: () => void (holds = true),
    kill: (i: number) => built[i]?.sinks[0]?.onCell(destroyCell(CLOSE_REASON.FINISHED), 0),
  }
}

const any = (): boolean => true

suite('circuits in stock (DESIGN §9)', () => {
  test('two are built for what was asked, before anybody asks', async () => {
    const { stock, control } = world()
    assert.equal(stock.size, 0)
    assert.equal(
      stock.take(() => false),
      undefined,
    )
    await settle()
    assert.equal(stock.size, 2)
    assert.deepEqual(control.needs, [NEED, NEED])
  })

  test('each is given once, and another built in its place', async () => {
    const { stock, built } = world()
    stock.start()
    await settle()
    const taken = [stock.take(any), stock.take(any), stock.take(any)]
    assert.deepEqual(taken, [built[0]?.ready, built[1]?.ready, undefined])
    await settle()
    assert.equal(stock.size, 2)
    assert.equal(new Set([...taken, stock.take(any), stock.take(any)]).size, 5)
  })

  test('one that does not fit stays', async () => {
    const { stock, built } = world()
    stock.start()
    await settle()
    assert.equal(
      stock.take((ready) => ready === built[1]?.ready),
      built[1]?.ready,
    )
    assert.equal(
      stock.take(() => false),
      undefined,
    )
    await settle()
    assert.equal(stock.take(any), built[0]?.ready)
  })

  test('starting twice builds no more', async () => {
    const { stock, control } = world()
    stock.start()
    stock.start()
    await settle()
    stock.start()
    await settle()
    assert.equal(control.builds, 2)
  })

  test('one that died is not given, and is replaced without being asked for', async () => {
    const { stock, kill, timers, built } = world()
    stock.start()
    await settle()
    kill(0)
    assert.equal(stock.size, 1)
    await timers.pass(2000)
    assert.equal(stock.size, 2)
    assert.equal(stock.take(any), built[1]?.ready)
  })

  test('one that somebody ended has its exit come again, and the guard counts as the one who did it', async () => {
    const { stock, kill, timers, control, ended } = world()
    stock.start()
    await settle()
    kill(0)
    await timers.pass(2000)
    assert.deepEqual(control.needs.slice(2), [{ ...NEED, exit: PATH.at(-1)?.key }])
    assert.deepEqual(ended, [PATH])
  })

  test('one whose exit is gone is replaced by any other, and counts against nobody', async () => {
    const { stock, kill, timers, control, ended } = world()
    stock.start()
    await settle()
    control.isExitGone = true
    kill(0)
    await timers.pass(2000)
    assert.deepEqual(control.needs.slice(3), [NEED])
    assert.equal(stock.size, 2)
    assert.deepEqual(ended, [])
  })

  test('one whose link closed is not given', async () => {
    const { stock, built } = world()
    stock.start()
    await settle()
    built[0]?.ready.circuit.link.close('io')
    assert.equal(stock.take(any), built[1]?.ready)
  })

  test('a guard that ends all it is given is not asked in a circle', async () => {
    const { stock, kill, timers, built, control } = world()
    stock.start()
    await settle()
    for (let round = 0; round < 20; round++) {
      for (const i of built.keys()) kill(i)
      await settle()
    }
    assert.equal(control.builds, 2)
    await timers.pass(2000)
    assert.equal(control.builds, 4)
  })

  test('one that is ten minutes old is destroyed and replaced without being asked for', async () => {
    const { stock, timers, built } = world()
    stock.start()
    await timers.pass(10 * MINUTE_MS - 1)
    assert.equal(built.length, 2)
    await timers.pass(1)
    assert.equal(built.length, 4)
    assert.deepEqual(
      built.map(({ destroyed }) => destroyed),
      [1, 1, 0, 0],
    )
    assert.equal(stock.size, 2)
  })
})

suite('when circuits cannot be built', () => {
  test('the shelf tries again every two seconds', async () => {
    const { stock, control, timers } = world()
    control.failing = true
    stock.start()
    await timers.pass(9000)
    assert.equal(control.builds, 5)
    control.failing = false
    await timers.pass(1000)
    assert.equal(stock.size, 2)
  })

  test('an application that asks finds none and has it tried at once', async () => {
    const { stock, control, timers } = world()
    control.failing = true
    stock.start()
    await settle()
    assert.equal(stock.take(any), undefined)
    await settle()
    assert.equal(control.builds, 2)
    assert.deepEqual(timers.waiting(), [2000], 'one more look, not two')
  })
})

suite('stopping', () => {
  test('destroys what is there and builds no more', async () => {
    const { stock, built, timers, control } = world()
    stock.start()
    await settle()
    stock.stop()
    assert.deepEqual(
      built.map(({ destroyed }) => destroyed),
      [1, 1],
    )
    assert.equal(stock.take(any), undefined)
    await timers.pass(60 * MINUTE_MS)
    assert.equal(control.builds, 2)
    assert.deepEqual(timers.waiting(), [])
  })

  test('destroys a circuit that is ready after that', async () => {
    const { stock, built, gates, hold, timers } = world()
    hold()
    stock.start()
    await settle()
    stock.stop()
    gates[0]?.()
    await settle()
    assert.equal(built[0]?.destroyed, 1)
    assert.equal(stock.size, 0)
    assert.deepEqual(timers.waiting(), [])
  })
})
