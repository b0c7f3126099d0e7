import assert from 'node:assert/strict'
import { getEventListeners } from 'node:events'
import { test } from 'node:test'
import { pause } from '../src/pause.ts'

test('a pause ends by itself and leaves no listener behind', async () => {
  const { signal } = new AbortController()
  await pause(signal)
  assert.equal(getEventListeners(signal, 'abort').length, 0)
})

test('a pause ends in the same turn when the signal aborts, and never rejects', async () => {
  const stop = new AbortController()
  const order: string[] = []
  const paused = pause(stop.signal).then(() => order.push('pause'))
  setImmediate(() => order.push('next turn'))
  stop.abort(new Error('stop'))
  await paused
  assert.deepEqual(order, ['pause'])
})

test('a pause with an aborted signal does not wait', async () => {
  const order: string[] = []
  setImmediate(() => order.push('next turn'))
  await pause(AbortSignal.abort())
  assert.deepEqual(order, [])
})
