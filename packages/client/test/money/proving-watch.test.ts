import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { watchProving } from '../../src/money/proving-watch.ts'
import { createHandTimers } from '../engine/hand-timers.ts'

function watch(counts = { unshown: 0, ready: 0, inUse: 0 }) {
  const timers = createHandTimers()
  const closing = new AbortController()
  const told: string[] = []
  const onProving = (proved: number, wanted: number): void => void told.push(`${proved}/${wanted}`)
  watchProving({ counts: () => counts, onProving, timers, closing: closing.signal })
  return { counts, timers, closing, told }
}

describe('what a person hears of the first proofs', () => {
  it('begins with the deposit and ends with a path, each step once', async () => {
    const { counts, timers, told } = watch()
    await timers.pass(5000)
    assert.deepEqual(told, [])
    counts.unshown = 40
    await timers.pass(1000)
    Object.assign(counts, { ready: 1 })
    await timers.pass(1000)
    Object.assign(counts, { unshown: 39, ready: 1, inUse: 1 })
    await timers.pass(1000)
    Object.assign(counts, { ready: 6 })
    await timers.pass(1000)
    assert.deepEqual(told, ['0/3', '1/3', '2/3', '3/3'])
    assert.deepEqual(timers.waiting(), [])
  })

  it('is nothing where slots are proved, and no more than there are is waited for', async () => {
    assert.deepEqual(watch({ unshown: 40, ready: 16, inUse: 0 }).told, [])
    const { counts, timers, told } = watch({ unshown: 1, ready: 0, inUse: 0 })
    counts.ready = 1
    await timers.pass(1000)
    assert.deepEqual(told, ['0/1', '1/1'])
  })

  it('ends with the client', async () => {
    const { closing, timers } = watch()
    closing.abort()
    await timers.pass(1000)
    assert.deepEqual(timers.waiting(), [])
  })
})
