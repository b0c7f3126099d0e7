import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { createLinkMachine } from '@byway/protocol/link'
import type { LinkCloseReason, LinkMachine } from '@byway/protocol/link'
import {
  cellBytesOfClass,
  COMMAND,
  LINK_MESSAGE,
  readCircuitId,
  readKind,
  SIZE_CLASS,
  stampKind,
} from '@byway/protocol/wire'
import type { LinkMessage, SizeClass } from '@byway/protocol/wire'

type Side = {
  machine: LinkMachine
  cells: { circuitId: number; cell: Uint8Array }[]
  messages: LinkMessage[]
  closed: LinkCloseReason[]
}

function makeSide(isDialler: boolean, isClientLink = false): Side {
  const side: Omit<Side, 'machine'> = { cells: [], messages: [], closed: [] }
  const handler = {
    onCell: (circuitId: number, cell: Uint8Array) => void side.cells.push({ circuitId, cell }),
    onMessage: (message: LinkMessage) => void side.messages.push(message),
    onClose: (reason: LinkCloseReason) => void side.closed.push(reason),
  }
  const machine = createLinkMachine(0, {
    isDialler,
    isClientLink,
    random: () => 0.5,
    handler: () => handler,
  })
  return { ...side, machine }
}

function makePair() {
  return { a: makeSide(true), b: makeSide(false) }
}

/** Carries everything that may go, both ways, at one instant; returns the cells that went. */
function settle(pair: { a: Side; b: Side }, nowMs: number): number {
  let moved = 0
  for (let quiet = false; !quiet;) {
    quiet = true
    for (const [from, to] of [
      [pair.a, pair.b],
      [pair.b, pair.a],
    ] as const) {
      for (let cell = from.machine.next(nowMs); cell; cell = from.machine.next(nowMs)) {
        to.machine.onCell(cell, nowMs)
        moved++
        quiet = false
      }
    }
  }
  return moved
}

function dataCell(size: SizeClass = SIZE_CLASS.LARGE, command: number = COMMAND.DATA): Uint8Array {
  const cell = new Uint8Array(cellBytesOfClass(size))
  stampKind(cell, command as typeof COMMAND.DATA, size)
  return cell
}

test('carries circuit cells in order and stamps the circuit id when they leave', () => {
  const pair = makePair()
  const queue = pair.a.machine.openQueue(0x8000_0007)
  for (let i = 0; i < 300; i++) {
    const cell = dataCell()
    cell[100] = i & 255
    pair.a.machine.push(queue, cell, 0)
  }
  for (let now = 0; now < 1000 && pair.b.cells.length < 300; now++) settle(pair, now)
  assert.equal(pair.b.cells.length, 300)
  assert.ok(
    pair.b.cells.every(
      ({ circuitId, cell }, i) => circuitId === 0x8000_0007 && cell[100] === (i & 255),
    ),
  )
})

test('holds cells back in their queues when the peer reports nothing (SPEC §8.4)', () => {
  const { a } = makePair()
  const queue = a.machine.openQueue(0x8000_0001)
  for (let i = 0; i < 100; i++) a.machine.push(queue, dataCell(), 0)
  let sent = 0
  while (a.machine.next(0)) sent++
  assert.equal(sent, 4)
  assert.equal(queue.length, 96)
})

test('answers PING ahead of the cells that wait (SPEC §4.4)', () => {
  const { a, b } = makePair()
  const queue = b.machine.openQueue(1)
  for (let i = 0; i < 10; i++) b.machine.push(queue, dataCell(), 0)
  a.machine.send({ type: LINK_MESSAGE.PING, token: 99n }, 0)
  const ping = a.machine.next(0)
  assert.ok(ping)
  b.machine.onCell(ping, 0)
  const first = b.machine.next(0)
  assert.ok(first)
  assert.equal(readCircuitId(first), 0)
  assert.equal(readKind(first) & 0x3f, COMMAND.LINK)
})

test('reports what it read within 2 ms when the sender has paused (SPEC §8.4)', () => {
  const { a, b } = makePair()
  const queue = a.machine.openQueue(0x8000_0001)
  for (let i = 0; i < 4; i++) a.machine.push(queue, dataCell(), 0)
  for (let cell = a.machine.next(0); cell; cell = a.machine.next(0)) b.machine.onCell(cell, 100)
  const atOnce = b.machine.next(100)
  if (!atOnce) assert.ok(b.machine.wakeAtMs <= 102)
  const report = atOnce ?? b.machine.next(102)
  assert.equal(report?.length, 64)
})

test('delivers NETINFO, directory messages and DRAIN, and keeps PONG to itself (SPEC §4.4)', () => {
  const pair = makePair()
  const drain = { type: LINK_MESSAGE.DRAIN, seconds: 600 } as const
  const get = { type: LINK_MESSAGE.DIRECTORY_GET, requestId: 7, sinceS: 0 } as const
  pair.a.machine.send({ type: LINK_MESSAGE.PONG, token: 1n }, 0)
  pair.a.machine.send(drain, 0)
  pair.a.machine.send(get, 0)
  settle(pair, 0)
  assert.deepEqual(pair.b.messages, [drain, get])
})

test('gives ids with the top bit of its side and never 0 (SPEC §4.1)', () => {
  const { a, b } = makePair()
  for (let i = 0; i < 100; i++) {
    assert.ok(a.machine.allocateCircuitId() > 0x7fff_ffff)
    const id = b.machine.allocateCircuitId()
    assert.ok(id > 0 && id <= 0x7fff_ffff)
  }
})

const violations: [string, () => Uint8Array][] = [
  ['an unknown command', () => dataCell(SIZE_CLASS.SMALL, 9)],
  ['a command in a class that it may not have', () => dataCell(SIZE_CLASS.SMALL, COMMAND.CREATE)],
  ['a length that is not its class’s', () => dataCell().subarray(0, 4096)],
  ['a circuit’s cell under id 0', () => dataCell()],
  ['a link’s cell under a circuit’s id', () => withId(dataCell(SIZE_CLASS.SMALL, COMMAND.LINK), 5)],
  ['a CREATE with our own top bit', () => withId(dataCell(SIZE_CLASS.MEDIUM, COMMAND.CREATE), 5)],
  ['a report of bytes never sent', () => withReport(withId(dataCell(), 0x8000_0001), 1)],
  [
    'a message that runs past the cell',
    () => withBytes(dataCell(SIZE_CLASS.SMALL, COMMAND.LINK), 9, [1, 255, 255]),
  ],
  ['an unknown message', () => withBytes(dataCell(SIZE_CLASS.SMALL, COMMAND.LINK), 9, [77, 0, 0])],
]

for (const [what, make] of violations) {
  test(`closes the link at ${what}, once (SPEC §4)`, () => {
    const { b } = makePair()
    const queue = b.machine.openQueue(3)
    b.machine.push(queue, dataCell(), 0)
    b.machine.onCell(make(), 0)
    b.machine.onCell(make(), 0)
    assert.deepEqual(b.closed, ['protocol'])
    assert.equal(b.machine.next(0), undefined)
    assert.equal(b.cells.length, 0)
  })
}

test('closes a peer that pings faster than it reads the answers', () => {
  const { a, b } = makePair()
  for (let i = 0; i < 70; i++) {
    a.machine.send({ type: LINK_MESSAGE.PING, token: BigInt(i) }, 0)
    const cell = a.machine.next(0)
    if (cell) b.machine.onCell(cell, 0)
  }
  assert.deepEqual(b.closed, ['limit'])
})

test('closes a peer that pings without end though it reads every answer', () => {
  const pair = makePair()
  let answered = 0
  for (let i = 0; i < 500 && pair.b.closed.length === 0; i++) {
    pair.a.machine.send({ type: LINK_MESSAGE.PING, token: BigInt(i) }, i * 20)
    settle(pair, i * 20)
    answered++
  }
  assert.deepEqual(pair.b.closed, ['limit'])
  assert.ok(answered > 64)
})

test('closes a link whose peer is silent, by its own ticks alone', () => {
  const { a } = makePair()
  for (let now = 0; now < 60_000; now += 250) {
    a.machine.onTick(now, 0)
    a.machine.next(now)
  }
  assert.deepEqual(a.closed, ['dead'])
})

test('survives any bytes as cells: it goes on or closes with a reason', () => {
  const sizes = fc.constantFrom(64, 1024, 4096, 16_384)
  const bytes = fc.tuple(sizes, fc.uint8Array({ minLength: 64, maxLength: 64 }), fc.boolean())
  fc.assert(
    fc.property(fc.array(bytes, { maxLength: 12 }), (inputs) => {
      const { b } = makePair()
      for (const [size, head, isLink] of inputs) {
        const cell = new Uint8Array(size)
        cell.set(head)
        if (isLink) cell.set([0, 0, 0, 0, sizeByte(size), 0, 0, 0, 0])
        b.machine.onCell(cell, 0)
      }
      assert.ok(b.closed.length <= 1)
    }),
    { numRuns: 3000 },
  )
})

function sizeByte(size: number): number {
  return { 64: 0xc0, 1024: 0, 4096: 0x40, 16384: 0x80 }[size] ?? 0
}

function withId(cell: Uint8Array, id: number): Uint8Array {
  new DataView(cell.buffer).setUint32(0, id)
  return cell
}

function withReport(cell: Uint8Array, readBytes: number): Uint8Array {
  new DataView(cell.buffer).setUint32(5, readBytes)
  return cell
}

function withBytes(cell: Uint8Array, at: number, bytes: number[]): Uint8Array {
  cell.set(bytes, at)
  return cell
}

test('directory messages wait their turn, however many come at once', () => {
  const pair = makePair()
  const descriptors = Array.from({ length: 300 }, (_, i) => new Uint8Array(300).fill(i & 255))
  for (const descriptor of descriptors) {
    pair.a.machine.send({ type: LINK_MESSAGE.DIRECTORY_PUBLISH, descriptor }, 0)
  }
  for (let now = 0; now < 1000 && pair.b.messages.length < 300; now++) settle(pair, now)
  assert.deepEqual(pair.a.closed, [])
  assert.equal(pair.a.machine.waitingBytes, 0)
  const got = pair.b.messages.map((message) =>
    message.type === LINK_MESSAGE.DIRECTORY_PUBLISH ? message.descriptor[0] : undefined,
  )
  assert.deepEqual(
    got,
    descriptors.map(([first]) => first),
  )
})

test('a directory that nobody reads is kept as references, and not without end', () => {
  const { a } = makePair()
  const block = new Uint8Array(50 * 302)
  const part = { type: LINK_MESSAGE.DIRECTORY_PART, requestId: 1, last: false, asOfS: 0, block }
  for (let i = 0; i < 1000; i++) a.machine.send(part, 0)
  const cells = Array.from(a.machine.queues, ({ length }) => length)
  assert.deepEqual(cells, [2])
  assert.ok(a.machine.waitingBytes > 1000 * 50 * 300, `${a.machine.waitingBytes} bytes`)
  assert.deepEqual(a.closed, [])
  for (let i = 0; i < 32_768; i++) a.machine.send(part, 0)
  assert.deepEqual(a.closed, ['limit'])
})

for (const [name, isClientLink, limit] of [
  ['client', true, 256],
  ['node', false, 6144],
] as const) {
  test(`a ${name} that makes us refuse and reads nothing is closed after ${limit} refusals`, () => {
    const side = makeSide(false, isClientLink)
    let refusals = 0
    for (; side.closed.length === 0 && refusals < 10_000; refusals++) {
      const queue = side.machine.openQueue(0x8000_0001 + refusals)
      side.machine.closeQueue(queue, dataCell(SIZE_CLASS.MEDIUM, COMMAND.CREATED), 0)
    }
    assert.deepEqual(side.closed, ['limit'])
    assert.equal(refusals, limit + 1)
  })
}

test('refusals that are read may go on for ever', () => {
  const pair = makePair()
  for (let i = 0; i < 7000; i++) {
    const queue = pair.b.machine.openQueue(0x8000_0001 + i)
    pair.b.machine.closeQueue(queue, dataCell(SIZE_CLASS.MEDIUM, COMMAND.CREATED), i)
    settle(pair, i)
  }
  assert.deepEqual(pair.b.closed, [])
  assert.equal(pair.a.cells.length, 7000)
})
