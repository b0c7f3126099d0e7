import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { nodeKeyOf, type NodeKey } from '@byway/protocol/directory'
import { createHopRecords } from '../../src/money/hop-records.ts'

const hop = (number: number): NodeKey => nodeKeyOf(new Uint8Array(32).fill(number))

suite('what each hop has done in a run', () => {
  test('a hop is believed for 128 units of refused tickets and a sixteenth of those that count', () => {
    const records = createHopRecords()
    records.onPaid(hop(1), 320)
    assert.equal(records.mayRefuse(hop(1), 64), true)
    records.onPaid(hop(1), -64)
    assert.equal(records.mayRefuse(hop(1), 80), true, '144 units of 256')
    assert.equal(records.mayRefuse(hop(1), 1), false)
    records.onPaid(hop(1), 16)
    assert.equal(records.mayRefuse(hop(1), 0), true)
    assert.equal(records.mayRefuse(hop(2), 128), true, 'another hop')
    assert.equal(records.mayRefuse(hop(2), 1), false)
  })

  test('the hop that nobody asked for the longest is forgotten first', () => {
    const records = createHopRecords(2)
    const first = records.of(hop(1))
    records.of(hop(2)).servedBytes = 7
    assert.equal(records.of(hop(1)), first)
    records.of(hop(3))
    assert.equal(records.of(hop(1)), first)
    assert.equal(records.of(hop(2)).servedBytes, 0)
  })
})
