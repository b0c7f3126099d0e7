import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createCreditReceiver, createCreditSender } from '@byway/protocol/link'

const CELL = 16384

/** A link of a given rate and round trip with an endless queue behind it, in virtual time. */
function runLink(options: {
  bytesPerMs: number
  oneWayMs: number
  forMs: number
  cellBytes?: number
  /** The line's rate from half of the time on. */
  laterBytesPerMs?: number
}) {
  const { oneWayMs, forMs, cellBytes = CELL, laterBytesPerMs = options.bytesPerMs } = options
  let { bytesPerMs } = options
  let laterTotal = 0
  const sender = createCreditSender(0)
  const receiver = createCreditReceiver(0)
  const arrivals: { atMs: number; bytes: number }[] = []
  const reports: { atMs: number; readBytes: number }[] = []
  let lineFreeAtMs = 0
  let readTotal = 0
  const queuesMs: number[] = []
  let dueAtMs = Number.POSITIVE_INFINITY
  for (let now = 0; now < forMs; now += 0.25) {
    if (now === forMs / 2) {
      bytesPerMs = laterBytesPerMs
      laterTotal = -readTotal
    }
    while (arrivals[0] && arrivals[0].atMs <= now) {
      readTotal += arrivals[0].bytes
      receiver.onRead(arrivals.shift()?.bytes ?? 0)
    }
    if (receiver.isWaiting() && dueAtMs === Number.POSITIVE_INFINITY) dueAtMs = now + 2
    if (receiver.isDue(now) || now >= dueAtMs) {
      reports.push({ atMs: now + oneWayMs, readBytes: receiver.readBytes })
      receiver.onReported()
      dueAtMs = Number.POSITIVE_INFINITY
    }
    while (reports[0] && reports[0].atMs <= now)
      assert.ok(sender.onReport(reports.shift()?.readBytes ?? 0, now))
    while (sender.maySend(cellBytes, now)) {
      sender.onSent(cellBytes, now, false)
      lineFreeAtMs = Math.max(lineFreeAtMs, now) + cellBytes / bytesPerMs
      arrivals.push({ atMs: lineFreeAtMs + oneWayMs, bytes: cellBytes })
    }
    if (now > forMs / 3) queuesMs.push(lineFreeAtMs - now)
  }
  queuesMs.sort((a, b) => a - b)
  const p95QueueMs = queuesMs[Math.floor(queuesMs.length * 0.95)] ?? Number.NaN
  const laterGoodput = (laterTotal + readTotal) / (forMs / 2) / bytesPerMs
  return { goodput: readTotal / forMs / bytesPerMs, laterGoodput, p95QueueMs }
}

for (const oneWayMs of [1, 10, 50]) {
  test(`keeps the queue on a 10 Mbit/s link of ${2 * oneWayMs} ms within 30 ms and the line full (SPEC §8.4)`, () => {
    const { goodput, p95QueueMs } = runLink({ bytesPerMs: 1250, oneWayMs, forMs: 30_000 })
    assert.ok(p95QueueMs <= 30, `queue ${p95QueueMs} ms`)
    assert.ok(goodput >= 0.93, `goodput ${goodput}`)
  })
}

for (const cellBytes of [1024, 4096, 5120]) {
  for (const oneWayMs of [0.25, 10, 50]) {
    test(`a probe of the round trip never waits for a report that need not come: ${cellBytes}-byte cells, ${2 * oneWayMs} ms (SPEC §8.4)`, () => {
      const { goodput, p95QueueMs } = runLink({
        bytesPerMs: 1250,
        oneWayMs,
        forMs: 30_000,
        cellBytes,
      })
      assert.ok(p95QueueMs <= 30, `queue ${p95QueueMs} ms`)
      assert.ok(goodput >= 0.93, `goodput ${goodput}`)
    })
  }
}

test('follows a line that becomes ten times faster (SPEC §8.4)', () => {
  const line = { bytesPerMs: 1250, laterBytesPerMs: 12_500, oneWayMs: 25, forMs: 120_000 }
  const { laterGoodput } = runLink(line)
  assert.ok(laterGoodput >= 0.8, `goodput ${laterGoodput}`)
})

test('fills a fast link of 100 MB/s and 2 ms (SPEC §8.4)', () => {
  const { goodput } = runLink({ bytesPerMs: 100_000, oneWayMs: 1, forMs: 3000 })
  assert.ok(goodput >= 0.95, `goodput ${goodput}`)
})

test('refuses a report that runs ahead of what was sent (SPEC §8.4)', () => {
  const sender = createCreditSender(0)
  sender.onSent(CELL, 0, true)
  assert.equal(sender.onReport(CELL + 1, 1), false)
  assert.equal(sender.outstandingBytes, CELL)
})

test('refuses a report that runs backwards (SPEC §8.4)', () => {
  const sender = createCreditSender(0)
  sender.onSent(CELL, 0, true)
  assert.ok(sender.onReport(CELL, 1))
  assert.equal(sender.onReport(CELL - 1, 2), false)
})

test('counts on when the total passes 2^32 (SPEC §4.1)', () => {
  const sender = createCreditSender(0)
  const receiver = createCreditReceiver(0)
  const step = 2 ** 28
  for (let i = 1; i <= 40; i++) {
    sender.onSent(step, i, true)
    receiver.onRead(step)
    assert.ok(sender.onReport(receiver.readBytes, i + 0.5))
    assert.equal(sender.outstandingBytes, 0)
  }
})

test('holds back at the limit until a report comes', () => {
  const sender = createCreditSender(0)
  let sent = 0
  while (sender.maySend(CELL, 0)) {
    sender.onSent(CELL, 0, false)
    sent += CELL
  }
  assert.equal(sent, 64 * 1024)
  assert.ok(sender.onReport(CELL, 10))
  assert.ok(sender.maySend(CELL, 0))
})
