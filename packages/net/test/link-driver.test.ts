import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  cellBytesOfClass,
  COMMAND,
  LINK_MESSAGE,
  SIZE_CLASS,
  stampHeader,
  stampKind,
} from '@byway/protocol/wire'
import type { LinkRuntime } from '@byway/net'
import { createLink, type NetLink } from '../src/link-driver.ts'
import type { CellTransport, TransportSink } from '../src/transport.ts'
import { dataCell, Recorder } from './support/handlers.ts'

/** A clock that stands still until told; timers run in order of time. */
function fakeRuntime(): LinkRuntime & { advance(ms: number): void; timers: number } {
  let nowMs = 1000
  let timers: { atMs: number; run: () => void }[] = []
  return {
    nowMs: () => nowMs,
    unixS: () => 1_800_000_000,
    random: () => 0.5,
    afterReads: (run) => queueMicrotask(run),
    setTimer: (run, delayMs) => {
      const timer = { atMs: nowMs + delayMs, run }
      timers.push(timer)
      return { cancel: () => void (timers = timers.filter((other) => other !== timer)) }
    },
    get timers() {
      return timers.length
    },
    advance(ms) {
      const endMs = nowMs + ms
      for (;;) {
        const [next] = timers.filter(({ atMs }) => atMs <= endMs).sort((a, b) => a.atMs - b.atMs)
        if (!next) break
        timers = timers.filter((timer) => timer !== next)
        nowMs = Math.max(nowMs, next.atMs)
        next.run()
      }
      nowMs = endMs
    },
  }
}

/** Takes everything and gives nothing back: a black hole. */
class HoleTransport implements CellTransport {
  pendingBytes = 0
  isStuck = false
  sink: TransportSink | undefined
  ended = 0
  readonly written: Uint8Array[] = []
  start(sink: TransportSink): void {
    this.sink = sink
  }
  write(cell: Uint8Array): void {
    this.written.push(cell)
    if (this.isStuck) this.pendingBytes += cell.length
  }
  flush(): void {}
  end(): void {
    this.ended++
  }
}

async function makeLink(isClientLink: boolean): Promise<{
  link: NetLink
  hole: HoleTransport
  recorder: Recorder
  runtime: ReturnType<typeof fakeRuntime>
}> {
  const runtime = fakeRuntime()
  const hole = new HoleTransport()
  const link = createLink(hole, {
    peer: { role: 'client' },
    isDialler: false,
    isClientLink,
    runtime,
  })
  const recorder = new Recorder(link)
  await Promise.resolve()
  return { link, hole, recorder, runtime }
}

/** Advances in small steps until the link closes; how long that took. */
function msUntilClosed(recorder: Recorder, runtime: ReturnType<typeof fakeRuntime>): number {
  let ms = 0
  while (recorder.closed.length === 0 && ms < 120_000) {
    runtime.advance(100)
    ms += 100
  }
  return ms
}

for (const isClientLink of [true, false]) {
  const name = isClientLink ? 'client' : 'node'
  test(`SPEC §4.5: a black-holed peer of an idle ${name} link is found within 46 s`, async () => {
    const { recorder, runtime, hole } = await makeLink(isClientLink)
    const ms = msUntilClosed(recorder, runtime)
    assert.deepEqual(recorder.closed, ['dead'])
    assert.ok(ms > 30_000 && ms <= 46_000, `${ms} ms`)
    assert.equal(hole.ended, 1)
    assert.equal(runtime.timers, 0)
  })

  test(`SPEC §4.5: a black-holed peer of a ${name} link with data outstanding is found within 10 s`, async () => {
    const { link, recorder, runtime } = await makeLink(isClientLink)
    link.push(link.openQueue(1), dataCell(1))
    await Promise.resolve()
    const ms = msUntilClosed(recorder, runtime)
    assert.deepEqual(recorder.closed, ['dead'])
    assert.ok(ms >= 8000 && ms <= 10_000, `${ms} ms`)
  })
}

test('SPEC §4.5: a peer that still speaks is kept, however long', async () => {
  const { recorder, runtime, hole } = await makeLink(false)
  for (let i = 0; i < 30; i++) {
    const padding = new Uint8Array(cellBytesOfClass(SIZE_CLASS.SMALL))
    stampKind(padding, COMMAND.LINK, SIZE_CLASS.SMALL)
    hole.sink?.onCell(padding)
    hole.sink?.onBurstEnd()
    runtime.advance(10_000)
  }
  assert.deepEqual(recorder.closed, [])
})

test('SPEC §4.5: a client link that sends nothing is padded within 9.5 s', async () => {
  const { runtime, hole } = await makeLink(true)
  runtime.advance(9500)
  assert.ok(hole.written.some((cell) => cell.length === cellBytesOfClass(SIZE_CLASS.SMALL)))
})

test('SPEC §8.4: cells beyond the credit wait in their queues, not in the transport', async () => {
  const { link, hole } = await makeLink(false)
  const queue = link.openQueue(1)
  for (let i = 0; i < 100; i++) link.push(queue, dataCell(1))
  await Promise.resolve()
  const sent = hole.written.length
  assert.ok(sent >= 1 && sent <= 8, `${sent} cells`)
  assert.equal(link.waitingBytes, (100 - sent) * 16_384)

  const report = new Uint8Array(cellBytesOfClass(SIZE_CLASS.REPORT))
  stampKind(report, COMMAND.LINK, SIZE_CLASS.REPORT)
  stampHeader(report, 0, sent * 16_384)
  hole.sink?.onCell(report)
  hole.sink?.onBurstEnd()
  await Promise.resolve()
  assert.ok(hole.written.length > sent)
})

test('a transport that is full is left alone until it has room', async () => {
  const { link, hole } = await makeLink(false)
  hole.isStuck = true
  hole.pendingBytes = 1 << 20
  link.send({ type: LINK_MESSAGE.DRAIN, seconds: 1 })
  await Promise.resolve()
  assert.equal(hole.written.length, 0)
  hole.pendingBytes = 0
  hole.sink?.onWritten()
  assert.equal(hole.written.length, 1)
})

test('nothing is written, timed or told after a close', async () => {
  const { link, hole, recorder, runtime } = await makeLink(true)
  const queue = link.openQueue(1)
  link.close('local')
  link.push(queue, dataCell(1))
  link.send({ type: LINK_MESSAGE.DRAIN, seconds: 1 })
  hole.sink?.onGone('remote')
  await Promise.resolve()
  runtime.advance(100_000)
  assert.equal(hole.written.length, 0)
  assert.deepEqual(recorder.closed, ['local'])
  assert.equal(hole.ended, 1)
})

test('a peer that speaks and does not read costs neither memory nor a busy timer', async () => {
  const { runtime, hole, link, recorder } = await makeLink(true)
  hole.isStuck = true
  for (let i = 0; i < 4; i++) link.push(link.openQueue(i + 1), dataCell(1))
  await Promise.resolve()
  const setTimer = runtime.setTimer.bind(runtime)
  let timers = 0
  runtime.setTimer = (run, delayMs) => {
    timers++
    return setTimer(run, delayMs)
  }
  for (let i = 0; i < 60; i++) {
    const padding = new Uint8Array(cellBytesOfClass(SIZE_CLASS.SMALL))
    stampKind(padding, COMMAND.LINK, SIZE_CLASS.SMALL)
    hole.sink?.onCell(padding)
    hole.sink?.onBurstEnd()
    runtime.advance(2000)
  }
  assert.deepEqual(recorder.closed, [])
  assert.ok(timers < 400, `${timers} timers in 120 s`)
  hole.isStuck = false
  const before = hole.written.length
  hole.pendingBytes = 0
  hole.sink?.onWritten()
  assert.ok(hole.written.length - before < 4, `${hole.written.length - before} cells had piled up`)
})
