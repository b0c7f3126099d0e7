/** What a client's stock of tokens does when the slot that filled it is over (SPEC §16.3). */
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import {
  BANDWIDTH,
  buy,
  createClientDisk,
  createHopDisk,
  NODE,
  NOON,
  startClient,
  startHop,
} from './token-harness.ts'

suite('stock between two slots', () => {
  test('a fast stream begins its next slot at once, and has stock for its pace where the hop held the last', async () => {
    for (const isHeld of [true, false]) {
      await using hop = await startHop(createHopDisk())
      const stock = await startClient(createClientDisk(), hop)
      for (let batches = 0; batches < 2; batches++) await buy(stock, hop, BANDWIDTH, 32)
      stock.setLocked(NODE, isHeld)
      // Forty tokens in two seconds: 84 MB/s.
      for (let i = 0; i < 40; i++) {
        stock.spend(NODE, BANDWIDTH, NOON + i * 50)
        await stock.refill(NODE, BANDWIDTH)
      }
      const nowMs = NOON + 2000
      const isLow = stock.isShort(NODE, nowMs)
      stock.orders(nowMs + 1500)
      stock.onNewSlot(NODE, nowMs)
      assert.ok(isLow, 'both are low: twenty-four are left')
      assert.ok((stock.wakeAtMs() ?? 0) <= nowMs + 1500, 'not at its drawn time')
      // Twenty seconds of use, or what a hop has that nobody knows to serve: 64 in all.
      assert.equal(stock.roomOf(NODE, nowMs), isHeld ? 200 - 24 : 64 - 24)
    }
  })
})
