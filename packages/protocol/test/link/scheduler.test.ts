import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { createScheduler } from '@byway/protocol/link'

const cell = (bytes: number) => new Uint8Array(bytes)

test('takes the cells of one circuit in order', () => {
  const scheduler = createScheduler(0)
  const queue = scheduler.open(1)
  for (let i = 0; i < 200; i++) scheduler.push(queue, Uint8Array.of(i), i)
  for (let i = 0; i < 200; i++) {
    assert.equal(queue.oldestAtMs, i)
    assert.equal(scheduler.pop(0)?.cell[0], i)
  }
  assert.equal(scheduler.pop(0), undefined)
})

test('gives a light circuit its turn at once beside a bulk one', () => {
  const scheduler = createScheduler(0)
  const bulk = scheduler.open(1)
  const light = scheduler.open(2)
  for (let i = 0; i < 100; i++) scheduler.push(bulk, cell(16384), 0)
  for (let i = 0; i < 50; i++) scheduler.pop(0)
  scheduler.push(light, cell(1024), 0)
  assert.equal(scheduler.pop(0)?.queue, light)
})

test('shares evenly between two bulk circuits, the newcomer being at most 256 KiB ahead', () => {
  const scheduler = createScheduler(0)
  const old = scheduler.open(1)
  const fresh = scheduler.open(2)
  const served = new Map([
    [old, 0],
    [fresh, 0],
  ])
  for (let i = 0; i < 3000; i++) scheduler.push(old, cell(16384), 0)
  for (let i = 0; i < 1000; i++) scheduler.pop(i)
  for (let i = 0; i < 1000; i++) scheduler.push(fresh, cell(16384), 1000)
  for (let i = 0; i < 200; i++) {
    const next = scheduler.pop(1000 + i)
    if (next) served.set(next.queue, (served.get(next.queue) ?? 0) + 1)
  }
  assert.ok(Math.abs((served.get(fresh) ?? 0) - (served.get(old) ?? 0)) <= 17)
})

test('says when a queue has room again, once', () => {
  const scheduler = createScheduler(0)
  const queue = scheduler.open(1)
  let calls = 0
  queue.onRoom = () => calls++
  for (let i = 0; i < 4; i++) scheduler.push(queue, cell(1000), 0)
  queue.wantRoom(2500)
  scheduler.pop(0)
  assert.equal(calls, 0)
  scheduler.pop(0)
  scheduler.pop(0)
  assert.equal(calls, 1)
})

test('drops what waits in a closed queue but still sends its last cell, then forgets it', () => {
  const scheduler = createScheduler(0)
  const queue = scheduler.open(7)
  scheduler.push(queue, cell(16384), 0)
  scheduler.close(queue, Uint8Array.of(9), 0)
  scheduler.push(queue, cell(16384), 0)
  const last = scheduler.pop(0)
  assert.deepEqual([last?.queue.circuitId, last?.cell], [7, Uint8Array.of(9)])
  assert.equal(scheduler.pop(0), undefined)
  assert.equal([...scheduler.queues].length, 0)
})

test('loses no cell, invents none and keeps its byte count, whatever is pushed, popped and closed', () => {
  const step = fc.record({
    circuit: fc.nat(9),
    action: fc.constantFrom('push', 'pop', 'close'),
    ms: fc.nat(100_000),
  })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
      const scheduler = createScheduler(0)
      const queues = new Map(Array.from({ length: 10 }, (_, id) => [id, scheduler.open(id)]))
      const model = new Map<number, number[]>()
      let now = 0
      let serial = 0
      for (const { circuit, action, ms } of steps) {
        now += ms
        const queue = queues.get(circuit)
        assert.ok(queue)
        if (action === 'push') {
          serial++
          scheduler.push(queue, Uint8Array.of(serial & 255, serial >> 8), now)
          model.set(circuit, [...(model.get(circuit) ?? []), serial])
        } else if (action === 'close') {
          scheduler.close(queue)
          queues.set(circuit, scheduler.open(circuit))
          model.delete(circuit)
        } else {
          const next = scheduler.pop(now)
          const expected = next && model.get(next.queue.circuitId)?.shift()
          assert.equal(next && (next.cell[0] ?? 0) + ((next.cell[1] ?? 0) << 8), expected)
        }
        const waiting = [...model.values()].reduce((sum, list) => sum + list.length, 0)
        assert.equal(scheduler.waitingBytes, 2 * waiting)
      }
    }),
  )
})
