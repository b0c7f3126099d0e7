import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  CELL_HEADER_BYTES,
  cellBytesOfClass,
  COMMAND,
  SIZE_CLASS,
  type SizeClass,
  stampKind,
} from '@byway/protocol/wire'
import fc from 'fast-check'
import { buildCircuit, layersOf, type TestLayers, testNodes } from './circuit-harness.ts'
import { heldBytes } from './held-memory.ts'
import { seededBytes } from './seeded.ts'

/** Each run has keys of its own. */
const RUNS = process.env['SLOW'] ? 100_000 : 400
/** A sixtieth of the fewest refused cells. */
const MAX_GROWN_BYTES = 100_000
let fresh = 0

function circuit(hops: number, entryLayer: boolean): TestLayers {
  return layersOf(hops, entryLayer, fresh++)
}

function builtCircuit(entryLayer: boolean): TestLayers {
  return buildCircuit(testNodes(3), { entryLayer, randomBytes: seededBytes(fresh++) })
}

function cellWith(text: number, sizeClass: SizeClass, listBytes: number): Uint8Array {
  const cell = new Uint8Array(cellBytesOfClass(sizeClass))
  cell.fill(text, CELL_HEADER_BYTES, CELL_HEADER_BYTES + listBytes)
  return cell
}

/** Where a forward cell ended: a hop that read it, one that refused it, or beyond the last. */
type Fate = { hop: number; result: 'list' | 'violation' | 'beyond'; list?: Uint8Array }

function travelForward({ hops }: TestLayers, cell: Uint8Array, from = 0): Fate {
  for (let hop = from; hop < hops.length; hop++) {
    const result = hops[hop]?.openForward(cell)
    if (result instanceof Uint8Array) return { hop, result: 'list', list: result }
    if (result === 'violation') return { hop, result }
  }
  return { hop: hops.length, result: 'beyond' }
}

const shape = fc.record({
  hops: fc.integer({ min: 1, max: 3 }),
  entryLayer: fc.boolean(),
  sizeClass: fc.constantFrom(SIZE_CLASS.SMALL, SIZE_CLASS.MEDIUM, SIZE_CLASS.LARGE),
})

/** A shape with at least one sealed layer, and the first hop that opens one. */
const layered = shape.filter(({ hops, entryLayer }) => hops > 1 || entryLayer)
const firstLayer = (entryLayer: boolean): number => (entryLayer ? 0 : 1)

describe('layers (SPEC §6)', () => {
  it('bring a list from the client to any hop, and to no other', () => {
    fc.assert(
      fc.property(shape, fc.nat(2), fc.integer({ min: 1, max: 255 }), (kind, wanted, text) => {
        const hop = Math.min(wanted, kind.hops - 1)
        const built = circuit(kind.hops, kind.entryLayer)
        for (let round = 0; round < 3; round++) {
          const bytes = built.origin.listBytes(hop, kind.sizeClass)
          const cell = cellWith(text, kind.sizeClass, bytes)
          built.origin.seal(cell, hop, kind.sizeClass)
          const fate = travelForward(built, cell)
          assert.deepEqual({ hop: fate.hop, result: fate.result }, { hop, result: 'list' })
          assert.equal(fate.list?.length, bytes)
          assert.ok(fate.list.every((byte) => byte === text))
        }
      }),
      { numRuns: RUNS },
    )
  })

  it('bring a list from any hop to the client, who knows from which', () => {
    fc.assert(
      fc.property(shape, fc.nat(2), fc.integer({ min: 1, max: 255 }), (kind, wanted, text) => {
        const hop = Math.min(wanted, kind.hops - 1)
        const built = circuit(kind.hops, kind.entryLayer)
        for (let round = 0; round < 3; round++) {
          const own = built.hops[hop]
          assert.ok(own)
          const cell = cellWith(text, kind.sizeClass, own.listBytes(kind.sizeClass))
          own.sealOwn(cell, kind.sizeClass)
          for (let back = hop - 1; back >= 0; back--) built.hops[back]?.sealBackward(cell)
          const list = built.origin.open(cell)
          assert.ok(list?.every((byte) => byte === text))
          assert.equal(built.origin.openedFrom, hop)
        }
      }),
      { numRuns: RUNS },
    )
  })

  it('let the next hop refuse a cell with one bit changed, after whichever hop (T4)', () => {
    fc.assert(
      fc.property(layered, fc.nat(2), fc.nat(), fc.nat(7), (kind, after, position, bit) => {
        const built = circuit(kind.hops, kind.entryLayer)
        const last = kind.hops - 1
        const cell = cellWith(7, kind.sizeClass, built.origin.listBytes(last, kind.sizeClass))
        built.origin.seal(cell, last, kind.sizeClass)
        // The attacker sits before hop `at`, which opens a layer.
        const at = Math.max(firstLayer(kind.entryLayer), Math.min(after, last))
        for (let hop = 0; hop < at; hop++) assert.equal(built.hops[hop]?.openForward(cell), 'pass')
        const sealed = cell.length - CELL_HEADER_BYTES - 17 * (at - firstLayer(kind.entryLayer))
        const index = CELL_HEADER_BYTES + (position % sealed)
        cell[index] = (cell[index] ?? 0) ^ (1 << bit)
        assert.deepEqual(travelForward(built, cell, at), { hop: at, result: 'violation' })
        const good = cellWith(7, kind.sizeClass, built.origin.listBytes(last, kind.sizeClass))
        built.origin.seal(good, last, kind.sizeClass)
        assert.equal(travelForward(built, good).result, 'violation')
      }),
      { numRuns: RUNS },
    )
  })

  it('ignore what a hop writes into the filler behind its layer (SPEC §6.3)', () => {
    const built = builtCircuit(false)
    const bytes = built.origin.listBytes(2, SIZE_CLASS.SMALL)
    const cell = cellWith(7, SIZE_CLASS.SMALL, bytes)
    built.origin.seal(cell, 2, SIZE_CLASS.SMALL)
    assert.equal(built.hops[0]?.openForward(cell), 'pass')
    assert.equal(built.hops[1]?.openForward(cell), 'pass')
    assert.ok(cell.subarray(-17).every((byte) => byte === 0))
    cell.fill(0xff, cell.length - 17)
    assert.ok(built.hops[2]?.openForward(cell) instanceof Uint8Array)
  })

  it('refuse lost, repeated and reordered cells, forward and backward (T5)', () => {
    const fault = fc.constantFrom('lost', 'repeated', 'reordered')
    fc.assert(
      fc.property(layered, fault, fc.boolean(), (kind, what, isForward) => {
        const built = circuit(kind.hops, kind.entryLayer)
        const last = kind.hops - 1
        const exit = built.hops[last]
        assert.ok(exit)
        const make = (text: number): Uint8Array => {
          const bytes = exit.listBytes(kind.sizeClass)
          const cell = cellWith(text, kind.sizeClass, bytes)
          if (isForward) built.origin.seal(cell, last, kind.sizeClass)
          else exit.sealOwn(cell, kind.sizeClass)
          return cell
        }
        const sent = [make(1), make(2), make(3)] as const
        const order = {
          lost: [sent[1]],
          repeated: [sent[0], sent[0].slice()],
          reordered: [sent[1], sent[0]],
        }[what]
        const results = order.map((cell) => {
          if (isForward) return travelForward(built, cell).result === 'list'
          for (let hop = last - 1; hop >= 0; hop--) built.hops[hop]?.sealBackward(cell)
          return built.origin.open(cell) !== undefined
        })
        assert.equal(results.at(-1), false)
        assert.equal(results.length === 2 && results[0], what === 'repeated')
      }),
      { numRuns: RUNS },
    )
  })

  it('refuse random cells of every command and class', () => {
    const random = fc.record({
      kind: layered,
      command: fc.constantFrom(COMMAND.DATA, COMMAND.LOCAL, COMMAND.LINK, 63),
      seed: fc.uint8Array({ minLength: 64, maxLength: 64 }),
    })
    fc.assert(
      fc.property(random, ({ kind, command, seed }) => {
        const built = circuit(kind.hops, kind.entryLayer)
        const cell = new Uint8Array(cellBytesOfClass(kind.sizeClass))
        for (let i = 0; i < cell.length; i++) cell[i] = (seed[i % 64] ?? 0) ^ (i * 7)
        stampKind(cell, command as typeof COMMAND.DATA, kind.sizeClass)
        const isLocal = command === COMMAND.LOCAL && !kind.entryLayer
        const forward = travelForward(built, cell.slice()).result
        assert.equal(forward, isLocal ? 'list' : 'violation')
        assert.equal(built.origin.open(cell) !== undefined, isLocal)
      }),
      { numRuns: RUNS },
    )
  })

  it('hold no cell that they refused, nor one that they passed', () => {
    const built = circuit(3, true)
    const exit = built.hops[2]
    assert.ok(exit)
    const bytes = exit.listBytes(SIZE_CLASS.LARGE)
    const round = (): void => {
      const good = cellWith(1, SIZE_CLASS.LARGE, bytes)
      built.origin.seal(good, 2, SIZE_CLASS.LARGE)
      assert.equal(travelForward(built, good).result, 'list')
      // Nothing opens any more after a violation, so that each has hops of its own.
      const spoiled = circuit(3, true)
      const bad = cellWith(1, SIZE_CLASS.LARGE, bytes)
      assert.equal(travelForward(spoiled, bad).result, 'violation')
      assert.equal(spoiled.origin.open(bad), undefined)
    }
    for (let n = 0; n < 50; n++) round()
    const before = heldBytes()
    for (let n = 0; n < RUNS; n++) round()
    const grownBytes = heldBytes() - before
    assert.ok(grownBytes < MAX_GROWN_BYTES, `${grownBytes} bytes after ${RUNS} rounds`)
  })

  it('go on across the ratchet of both directions', () => {
    const built = builtCircuit(true)
    const exit = built.hops[2]
    assert.ok(exit)
    for (let i = 0; i < 300; i++) {
      const up = cellWith(i % 251, SIZE_CLASS.LARGE, exit.listBytes(SIZE_CLASS.LARGE))
      built.origin.seal(up, 2, SIZE_CLASS.LARGE)
      assert.equal(travelForward(built, up).list?.[5], i % 251)
      const down = cellWith(i % 251, SIZE_CLASS.LARGE, exit.listBytes(SIZE_CLASS.LARGE))
      exit.sealOwn(down, SIZE_CLASS.LARGE)
      built.hops[1]?.sealBackward(down)
      built.hops[0]?.sealBackward(down)
      assert.equal(built.origin.open(down)?.[5], i % 251)
    }
  })
})
