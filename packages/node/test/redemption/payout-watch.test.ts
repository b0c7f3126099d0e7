/** A change of where earnings go is told while it can be taken back. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { chainError } from '@byway/chain'
import type { Registration } from '@byway/protocol/payment'
import { createPayoutWatch, type PayoutChange } from '../../src/redemption/payout-watch.ts'

const address = (byte: number): Uint8Array => new Uint8Array(20).fill(byte)
const REGISTERED: Registration = {
  provider: address(1),
  nodeId: new Uint8Array(32).fill(2),
  payout: address(3),
  nextPayout: undefined,
  stake: 5n,
  stakeFreeS: undefined,
  isActive: true,
}
const CHANGE: PayoutChange = { to: address(4), fromS: 1_800_000_000 }

test('a change is told once, another one too, and that none waits any more; the chain is asked seldom', async (t) => {
  const told: (PayoutChange | undefined)[] = []
  let nextPayout: PayoutChange | undefined
  let isAway = false
  let nowMs = 0
  let asked = 0
  const watch = createPayoutWatch({
    chain: {
      async registration() {
        asked++
        if (!isAway) return { ...REGISTERED, nextPayout }
        const fault = 'timeout'
        throw chainError('CHAIN_UNREACHABLE', { method: 'eth_call', answers: 0, needed: 2, fault })
      },
    },
    provider: address(1),
    onChange: (change) => void told.push(change),
    nowMs: () => nowMs,
  })
  const look = async (): Promise<void> => {
    nowMs += 600_000
    await watch.look(t.signal)
  }
  await look()
  assert.deepEqual(told, [])
  nextPayout = CHANGE
  await look()
  await look()
  isAway = true
  await look()
  isAway = false
  const later = { ...CHANGE, fromS: CHANGE.fromS + 1 }
  nextPayout = later
  await look()
  nextPayout = undefined
  await look()
  await look()
  assert.deepEqual(told, [CHANGE, later, undefined])
  const before = asked
  for (let second = 0; second < 60; second++) {
    nowMs += 1000
    await watch.look(t.signal)
  }
  assert.equal(asked, before)
})
