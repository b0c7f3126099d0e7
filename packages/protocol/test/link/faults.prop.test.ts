/** A peer's cells bit-flipped, cut, lengthened, repeated, reordered and lost on their way into a link (SPEC §4.1, §8.4). `SLOW=1` plays 100 000 conversations. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { createLinkMachine } from '@byway/protocol/link'
import type { LinkCloseReason, LinkMachine } from '@byway/protocol/link'
import {
  cellBytesOf,
  cellBytesOfClass,
  COMMAND,
  commandOf,
  LINK_MESSAGE,
  readKind,
  SIZE_CLASS,
  stampKind,
} from '@byway/protocol/wire'

const RUNS = process.env['SLOW'] === '1' ? 100_000 : 2000
/** What a machine may hold of its own making, whatever it is told: answers to PINGs. */
const MAX_WAITING_BYTES = 64 * 1024

type Side = { readonly machine: LinkMachine; cells: Uint8Array[]; closed: LinkCloseReason[] }

function makeSide(isDialler: boolean): Side {
  const side: Omit<Side, 'machine'> = { cells: [], closed: [] }
  const handler = {
    onCell: (_id: number, cell: Uint8Array) => void side.cells.push(cell),
    onMessage: () => {},
    onClose: (reason: LinkCloseReason) => void side.closed.push(reason),
  }
  const options = { isDialler, isClientLink: false, random: () => 0.5, handler: () => handler }
  return { ...side, machine: createLinkMachine(0, options) }
}

/** What an honest dialler says in one turn: a CREATE, cells of each size, a PING and a DRAIN. */
function conversation(): Uint8Array[] {
  const { machine } = makeSide(true)
  const queue = machine.openQueue(machine.allocateCircuitId())
  const push = (command: number, size: 0 | 1 | 2): void => {
    const cell = new Uint8Array(cellBytesOfClass(size))
    stampKind(cell, command as typeof COMMAND.DATA, size)
    machine.push(queue, cell, 0)
  }
  push(COMMAND.CREATE, SIZE_CLASS.MEDIUM)
  push(COMMAND.DATA, SIZE_CLASS.SMALL)
  push(COMMAND.DATA, SIZE_CLASS.LARGE)
  push(COMMAND.DESTROY, SIZE_CLASS.SMALL)
  machine.send({ type: LINK_MESSAGE.PING, token: 7n }, 0)
  machine.send({ type: LINK_MESSAGE.DRAIN, seconds: 30 }, 0)
  const cells: Uint8Array[] = []
  for (let cell = machine.next(0); cell; cell = machine.next(0)) cells.push(cell.slice())
  return cells
}

const fault = fc.record({
  what: fc.constantFrom('flip', 'cut', 'lengthen', 'repeat', 'swap', 'lose'),
  at: fc.nat(),
  // The header says what a cell is: half of the flips go there.
  where: fc.oneof(fc.nat(9 * 8 - 1), fc.nat()),
  by: fc.integer({ min: 1, max: 20_000 }),
})
type Fault = typeof fault extends fc.Arbitrary<infer F> ? F : never

function spoil(cells: Uint8Array[], { what, at, where, by }: Fault): void {
  const index = at % cells.length
  const cell = cells[index]
  if (!cell) return
  const other = (index + by) % cells.length
  if (what === 'flip') {
    const bit = where % (cell.length * 8)
    cell[bit >>> 3] = (cell[bit >>> 3] ?? 0) ^ (1 << (bit & 7))
  } else if (what === 'cut') cells[index] = cell.slice(0, Math.max(9, cell.length - by))
  else if (what === 'lengthen') cells[index] = Buffer.concat([cell], cell.length + by)
  else if (what === 'repeat') cells.splice(other, 0, cell.slice())
  else if (what === 'swap') [cells[index], cells[other]] = [cells[other] ?? cell, cell]
  else if (cells.length > 1) cells.splice(index, 1)
}

test('spoiled cells close a link by the rule or reach it whole, and it holds a bounded number of bytes', () => {
  const honest = conversation()
  assert.equal(honest.length, 6)
  let closed = 0
  fc.assert(
    fc.property(fc.array(fault, { minLength: 1, maxLength: 3 }), (faults) => {
      const cells = honest.map((cell) => cell.slice())
      for (const one of faults) spoil(cells, one)
      const side = makeSide(false)
      for (const cell of cells) side.machine.onCell(cell, 0)
      closed += side.closed.length
      assert.equal(side.machine.isClosed, side.closed.length === 1)
      const isMisfit = cells.some((cell) => cellBytesOf(readKind(cell)) !== cell.length)
      if (isMisfit) assert.deepEqual(side.closed, ['protocol'])
      for (const cell of side.cells) {
        assert.equal(cellBytesOf(readKind(cell)), cell.length)
        assert.notEqual(commandOf(readKind(cell)), COMMAND.LINK)
      }
      let waitingBytes = 0
      for (let cell = side.machine.next(0); cell; cell = side.machine.next(0))
        waitingBytes += cell.length
      assert.ok(waitingBytes <= MAX_WAITING_BYTES)
    }),
    { numRuns: RUNS },
  )
  assert.ok(closed > RUNS / 10 && closed < RUNS, `${closed} of ${RUNS} links closed`)
})
