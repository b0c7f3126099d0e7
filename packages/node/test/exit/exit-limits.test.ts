/** The exit's limits under attack, with a fake clock: the abuse tests A1 to A7 at this level. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type IpAddress, judge, parseAddress, PORT_PROFILES } from '@byway/protocol/policy'
import {
  type ConnectionLease,
  createExitLimits,
  type ExitLimits,
} from '../../src/exit/exit-limits.ts'
import { judgeFirstData } from '../../src/exit/first-data.ts'

function ip(text: string): IpAddress {
  const address = parseAddress(text)
  assert.ok(address)
  return address
}

function open(
  limits: ExitLimits,
  circuit: string,
  host: string,
  port: number,
  nowMs: number,
): ConnectionLease | undefined {
  const result = limits.tryOpen(circuit, { address: ip(host), port }, nowMs)
  return 'refused' in result ? undefined : result
}

function refusal(
  limits: ExitLimits,
  circuit: string,
  host: string,
  port: number,
  nowMs: number,
): string {
  const result = limits.tryOpen(circuit, { address: ip(host), port }, nowMs)
  return 'refused' in result ? result.refused : 'ok'
}

const SCAN_PORTS = Array.from({ length: 1000 }, (_, index) => 1024 + index)

test('A1: a scan of 1000 closed ports through one circuit sends at most 30 SYNs and ends the circuit', () => {
  const limits = createExitLimits()
  let syns = 0
  let isDestroyed = false
  let nowMs = 0
  for (let round = 0; !isDestroyed && round < 3600; round++, nowMs += 1000) {
    const ports = SCAN_PORTS.slice(syns, syns + 10)
    const leases = ports.map((port) => open(limits, 'c', '93.184.216.34', port, nowMs))
    for (const lease of leases) {
      if (lease === undefined) continue
      syns++
      isDestroyed ||= lease.settle('failed', nowMs + 1) === 'destroy'
    }
  }
  assert.ok(isDestroyed)
  assert.ok(syns > 0 && syns <= 30, `${syns} SYNs`)
  assert.equal(refusal(limits, 'c', '1.1.1.1', 443, nowMs + 3_600_000), 'circuit-destroyed')
})

test('A1: a scan whose SYNs are never answered sends at most 30', () => {
  const limits = createExitLimits()
  let syns = 0
  for (const [index, port] of SCAN_PORTS.entries()) {
    if (open(limits, 'c', '93.184.216.34', port, index * 1000) !== undefined) syns++
  }
  assert.ok(syns > 0 && syns <= 30, `${syns} SYNs`)
})

test('A2: the same scan spread over 50 circuits sends at most 150 SYNs in five minutes', () => {
  const limits = createExitLimits()
  let syns = 0
  for (let nowMs = 0; nowMs < 300_000; nowMs += 100) {
    const index = nowMs / 100
    const lease = open(
      limits,
      `c${index % 50}`,
      '93.184.216.34',
      SCAN_PORTS[index % 1000] ?? 1,
      nowMs,
    )
    if (lease === undefined) continue
    syns++
    lease.settle('failed', nowMs)
  }
  assert.ok(syns > 0 && syns <= 150, `${syns} SYNs`)
})

test('A3: a sweep of a /16 on 443 reaches at most 60 addresses a minute', () => {
  const limits = createExitLimits()
  const times: number[] = []
  for (let index = 0; index < 6000; index++) {
    const nowMs = index * 50
    const lease = open(limits, 'c', `93.184.${index >> 8}.${index & 255}`, 443, nowMs)
    if (lease === undefined) continue
    lease.settle('connected', nowMs)
    lease.release(nowMs)
    times.push(nowMs)
  }
  assert.ok(times.length >= 60)
  for (const [index, time] of times.entries()) {
    const later = times[index + 60]
    assert.ok(later === undefined || later - time >= 60_000)
  }
})

test('A4: 200 logins over fresh connections in 10 s to one host make at most 18 connections', () => {
  const limits = createExitLimits()
  let made = 0
  for (let index = 0; index < 200; index++) {
    const lease = open(limits, 'c', '93.184.216.34', 443, index * 50)
    if (lease === undefined) continue
    made++
    lease.settle('connected', index * 50)
    lease.release(index * 50)
  }
  assert.equal(made, 18)
})

test('A5: fifty clients at one /24 or /48 make at most 10 connections in any second', () => {
  for (const host of [(n: number) => `93.184.216.${n}`, (n: number) => `2606:4700:4700:${n}::1`]) {
    const limits = createExitLimits()
    const times: number[] = []
    for (let nowMs = 0; nowMs < 5000; nowMs += 4) {
      const lease = open(limits, `c${(nowMs / 4) % 50}`, host((nowMs / 4) % 50), 443, nowMs)
      if (lease === undefined) continue
      lease.settle('connected', nowMs)
      times.push(nowMs)
    }
    assert.ok(times.length >= 40)
    for (const [index, time] of times.entries()) {
      const eleventh = times[index + 10]
      assert.ok(eleventh === undefined || eleventh - time >= 1000)
    }
  }
})

test('A6: mail ports get no SYN in the default profile, and 25 in none', () => {
  for (const port of [25, 465, 587]) {
    assert.equal(judge({ host: '93.184.216.34', port }).verdict, 'deny')
  }
  assert.equal(judge({ host: '93.184.216.34', port: 25, profile: 'tor-reduced' }).verdict, 'deny')
  assert.ok(!PORT_PROFILES.web.some(([first, last]) => first <= 25 && 25 <= last))
})

test('A7: a browser loading a page of 90 requests from 25 hosts is never refused', () => {
  const limits = createExitLimits()
  for (let index = 0; index < 90; index++) {
    const nowMs = index * 20
    assert.equal(limits.tryBegin('c', nowMs), 'ok')
    const lease = open(limits, 'c', `93.${index % 25}.216.34`, 443, nowMs)
    assert.ok(lease)
    assert.equal(lease.settle('connected', nowMs + 15), 'ok')
  }
  assert.equal(limits.openSockets, 90)
})

test('BEGINs pass at 20 a second after a burst of 100', () => {
  const limits = createExitLimits()
  const passed = (nowMs: number, tries: number): number =>
    Array.from({ length: tries }, () => limits.tryBegin('c', nowMs)).filter((r) => r === 'ok')
      .length
  assert.equal(passed(0, 200), 100)
  assert.equal(passed(1000, 200), 20)
  const refused = limits.tryBegin('c', 1000)
  assert.deepEqual(refused, { refused: 'circuit-begin-rate', retryAfterMs: 50 })
  assert.equal(limits.tryBegin('c', 1050), 'ok')
  assert.equal(limits.tryBegin('other', 1050), 'ok')
})

test('a clock that steps back gives no tokens and no fresh window', () => {
  const limits = createExitLimits()
  for (let i = 0; i < 100; i++) limits.tryBegin('c', 1_000_000)
  assert.notEqual(limits.tryBegin('c', 0), 'ok')
  for (let i = 0; i < 10; i++)
    assert.equal(refusal(limits, `d${i}`, '93.184.216.34', 443, 1_000_000), 'ok')
  assert.equal(refusal(limits, 'e', '93.184.216.34', 443, 0), 'destination-rate')
})

test('a circuit whose last twenty mostly failed is paused for a minute, thrice, then destroyed', () => {
  const limits = createExitLimits()
  const fail = (index: number, nowMs: number): string => {
    const lease = open(limits, 'c', `93.${index}.216.34`, 443, nowMs)
    assert.ok(lease, `attempt ${index}`)
    return lease.settle('failed', nowMs)
  }
  for (let index = 0; index < 10; index++) assert.equal(fail(index, index), 'ok')
  assert.equal(fail(10, 1000), 'paused')
  assert.equal(refusal(limits, 'c', '1.1.1.1', 443, 60_999), 'circuit-paused')
  assert.notEqual(limits.tryBegin('c', 60_999), 'ok')
  assert.equal(fail(11, 61_000), 'paused')
  assert.equal(fail(12, 121_000), 'destroy')
})

test('while most attempts failed only one may be in flight, until successes outweigh', () => {
  const limits = createExitLimits()
  for (let index = 0; index < 11; index++) {
    open(limits, 'c', `93.${index}.216.34`, 443, index)?.settle('failed', index)
  }
  const nowMs = 70_000
  const first = open(limits, 'c', '1.1.1.1', 443, nowMs)
  assert.ok(first)
  assert.equal(refusal(limits, 'c', '1.0.0.1', 443, nowMs), 'circuit-failing')
  first.settle('connected', nowMs)
  for (let index = 0; index < 9; index++) {
    open(limits, 'c', `9.${index}.9.9`, 443, nowMs)?.settle('connected', nowMs)
  }
  const two = [open(limits, 'c', '1.2.0.1', 443, nowMs), open(limits, 'c', '1.3.0.1', 443, nowMs)]
  assert.ok(two.every((lease) => lease !== undefined))
})

test('an attempt that lost a race counts neither as failed nor as open', () => {
  const limits = createExitLimits()
  for (let index = 0; index < 40; index++) {
    const lease = open(limits, 'c', `93.${index}.216.34`, 443, index * 1000)
    assert.ok(lease)
    assert.equal(lease.settle('abandoned', index * 1000), 'ok')
  }
  assert.equal(limits.openSockets, 0)
})

test('a circuit holds at most 128 sockets, an exit 4000, and a released one makes room once', () => {
  const limits = createExitLimits({ maxSockets: 130, connectsPerSecond: 1000 })
  const leases: ConnectionLease[] = []
  for (let index = 0; index < 128; index++) {
    const lease = open(limits, 'c', `93.${index % 50}.216.34`, 443, index * 3000)
    assert.ok(lease, `socket ${index}`)
    lease.settle('connected', index * 3000)
    leases.push(lease)
  }
  const nowMs = 10_000_000
  assert.equal(refusal(limits, 'c', '1.1.1.1', 443, nowMs), 'circuit-open')
  assert.ok(open(limits, 'd', '1.1.1.1', 443, nowMs))
  assert.ok(open(limits, 'd', '1.1.2.1', 443, nowMs))
  assert.equal(refusal(limits, 'd', '1.1.3.1', 443, nowMs), 'exit-open')
  leases[0]?.release(nowMs)
  leases[0]?.release(nowMs)
  leases[0]?.settle('failed', nowMs)
  assert.equal(limits.openSockets, 129)
  assert.ok(open(limits, 'd', '1.1.3.1', 443, nowMs))
})

test('a destination has at most 20 unanswered attempts and 200 open sockets', () => {
  const limits = createExitLimits()
  let nowMs = 0
  const next = (circuit: number): string => {
    nowMs += 200
    return refusal(limits, `c${circuit}`, `93.184.216.${circuit % 250}`, 443, nowMs)
  }
  for (let index = 0; index < 20; index++) assert.equal(next(index), 'ok')
  assert.equal(next(20), 'destination-unanswered')
  const other = createExitLimits()
  for (let index = 0; index < 200; index++) {
    nowMs += 200
    const lease = open(other, `c${index}`, `93.184.216.${index}`, 443, nowMs)
    assert.ok(lease)
    lease.settle('connected', nowMs)
  }
  assert.equal(refusal(other, 'x', '93.184.216.1', 443, nowMs + 5000), 'destination-open')
  assert.equal(refusal(other, 'x', '93.184.217.1', 443, nowMs + 5000), 'ok')
})

test('an exit makes at most 50 connections in any second', () => {
  const limits = createExitLimits()
  let made = 0
  for (let index = 0; index < 100; index++) {
    if (open(limits, `c${index}`, `93.${index}.216.34`, 443, 500) !== undefined) made++
  }
  assert.equal(made, 50)
  assert.equal(refusal(limits, 'x', '1.1.1.1', 443, 1499), 'exit-rate')
  assert.equal(refusal(limits, 'x', '1.1.1.1', 443, 1500), 'ok')
})

test('an origin that the network file names is limited by open sockets only', () => {
  const limits = createExitLimits({ maxSockets: 200 })
  const named = { address: ip('127.0.0.1'), port: 8081, isNamed: true }
  const count = (circuit: string, tries: number): number =>
    Array.from({ length: tries }, () => limits.tryOpen(circuit, named, 0)).filter(
      (r) => !('refused' in r),
    ).length
  assert.equal(count('c', 300), 128)
  assert.equal(count('d', 300), 72)
  assert.equal(limits.openSockets, 200)
  const other = createExitLimits()
  for (let index = 0; index < 100; index++) {
    const lease = other.tryOpen('c', named, 0)
    assert.ok(!('refused' in lease))
    assert.equal(lease.settle('failed', 0), 'ok')
  }
  assert.equal(other.openSockets, 0)
})

test('a refusal changes no counter', () => {
  const limits = createExitLimits({ connectsPerSecond: 1 })
  assert.ok(open(limits, 'c', '93.184.216.34', 443, 0))
  for (let port = 1; port <= 100; port++) {
    assert.equal(refusal(limits, 'c', '93.184.216.34', port, 1), 'exit-rate')
  }
  assert.equal(refusal(limits, 'c', '93.184.216.34', 80, 1000), 'ok')
})

test('a forgotten circuit starts anew, and its sockets still count for the exit', () => {
  const limits = createExitLimits()
  const lease = open(limits, 'c', '93.184.216.34', 443, 0)
  assert.ok(lease)
  lease.settle('connected', 0)
  limits.forget('c')
  assert.equal(limits.openSockets, 1)
  lease.release(1)
  assert.equal(limits.openSockets, 0)
})

test('a stream with no client byte in 10 s, or no answer for 60 s after one, is closed', () => {
  const fresh = { connectedAtMs: 0, clientBytes: 0, serverBytes: 0, lastClientByteAtMs: 0 }
  assert.equal(judgeFirstData(fresh, 9999), 'keep')
  assert.equal(judgeFirstData(fresh, 10_000), 'close')
  assert.equal(judgeFirstData({ ...fresh, serverBytes: 9 }, 10_000), 'close')
  const asked = { ...fresh, clientBytes: 5, lastClientByteAtMs: 5000 }
  assert.equal(judgeFirstData(asked, 64_999), 'keep')
  assert.equal(judgeFirstData(asked, 65_000), 'close')
  assert.equal(judgeFirstData({ ...asked, serverBytes: 1 }, 10_000_000), 'keep')
})
