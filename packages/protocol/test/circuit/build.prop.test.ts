import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { cellBytesOfClass, COMMAND, SIZE_CLASS, stampKind } from '@byway/protocol/wire'
import fc from 'fast-check'
import { startOriginBuild } from '../../src/circuit/origin-build.ts'
import { heldBytes } from './held-memory.ts'
import { attempt, originOptions, testNode, testNodes } from './circuit-harness.ts'
import { seededBytes } from './seeded.ts'

const SLOW = process.env['SLOW'] !== undefined
const HANDSHAKE_RUNS = SLOW ? 100_000 : 150
/** Runs before what is held is measured first, and between that and the second time. */
const WARM_RUNS = 10
const HELD_RUNS = SLOW ? 10_000 : 50
/** Half a cell of each of the fewest runs. */
const MAX_GROWN_BYTES = 100_000
/** Refused by mac1, at a few microseconds each. */
const CHEAP_RUNS = SLOW ? 100_000 : 20_000

describe('building under attack (SPEC §5)', () => {
  it('never gives a circuit to a client whose cells were changed anywhere on the way', () => {
    const nodes = testNodes(3)
    let seed = 1
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 3 }),
        fc.constantFrom('create', 'created'),
        fc.nat(2),
        // Lengths, ids and positions stand in the first bytes: half of the runs go there.
        fc.oneof(fc.nat(30), fc.nat()),
        fc.integer({ min: 1, max: 255 }),
        (hops, way, wantedHop, position, mask) => {
          const target = Math.min(wantedHop, hops - 1)
          seed++
          const randomBytes = seededBytes(seed)
          let touched = false
          const { result } = attempt(nodes.slice(0, hops), { randomBytes }, (cell, onWay, hop) => {
            if (onWay !== way || hop !== target) return cell
            const changed = cell.slice()
            const used = usedBytes(cell, way)
            const index = 9 + (position % used)
            changed[index] = (changed[index] ?? 0) ^ mask
            touched = true
            return changed
          })
          assert.ok(touched)
          assert.equal(result.type, 'failed')
        },
      ),
      { numRuns: HANDSHAKE_RUNS },
    )
  })

  it('refuses random CREATE bodies without a handshake, whatever they say', () => {
    const node = testNode(4711)
    const cell = new Uint8Array(cellBytesOfClass(SIZE_CLASS.MEDIUM))
    stampKind(cell, COMMAND.CREATE, SIZE_CLASS.MEDIUM)
    const random = seededBytes(9)
    let before = 0
    for (let run = 0; run < CHEAP_RUNS; run++) {
      // What is made once is there by then.
      if (run === WARM_RUNS) before = heldBytes()
      const bytes = random(64)
      for (let i = 0; i < 96; i++) cell[9 + i] = (bytes[i % 64] ?? 0) ^ (i >>> 6)
      if (run % 3 > 0) cell.set([5, 0], 9)
      if (run % 3 > 1) cell.set(node.onionKeys.current().id, 9 + 18)
      const step = node.build.onCreate(cell, run % 2 === 0 ? 'client' : 'node', 0)
      assert.equal(step.type, 'refused')
    }
    const grownBytes = heldBytes() - before
    assert.ok(grownBytes < MAX_GROWN_BYTES, `${grownBytes} bytes are held for refused CREATEs`)
    assert.equal(node.onionKeys.current().seen.count, 0, 'none is remembered')
  })

  it('keeps of a circuit that came to nothing its ephemeral alone', () => {
    const nodes = testNodes(3)
    const spoil = (seed: number): void => {
      const { result } = attempt(nodes, { randomBytes: seededBytes(seed) }, (cell, way, hop) => {
        if (way !== 'created' || hop !== 2) return cell
        const changed = cell.slice()
        changed[20] = (changed[20] ?? 0) ^ 1
        return changed
      })
      assert.equal(result.type, 'failed')
    }
    for (let seed = 0; seed < WARM_RUNS; seed++) spoil(seed)
    const before = heldBytes()
    for (let seed = 0; seed < HELD_RUNS; seed++) spoil(WARM_RUNS + seed)
    const grownBytes = heldBytes() - before
    assert.ok(grownBytes < MAX_GROWN_BYTES, `${grownBytes} bytes`)
    for (const { onionKeys } of nodes)
      assert.equal(onionKeys.current().seen.count, WARM_RUNS + HELD_RUNS)
  })

  it('refuses random CREATED bodies at the client and at a hop', () => {
    const nodes = testNodes(2)
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 4, maxLength: 64 }), (head) => {
        const cell = new Uint8Array(cellBytesOfClass(SIZE_CLASS.MEDIUM))
        stampKind(cell, COMMAND.CREATED, SIZE_CLASS.MEDIUM)
        cell.set(head, 9)
        const options = originOptions(nodes, { randomBytes: seededBytes(head[0] ?? 0) })
        assert.equal(startOriginBuild(options).onCreated(cell).type, 'failed')
      }),
      { numRuns: HANDSHAKE_RUNS },
    )
  })

  it('refuses an answer of another build', () => {
    const nodes = testNodes(2)
    const cells: Uint8Array[] = []
    for (const seed of [1, 2]) {
      attempt(nodes, { randomBytes: seededBytes(seed) }, (cell, way, hop) => {
        if (way === 'created' && hop === 0) cells.push(cell.slice())
        return cell
      })
    }
    const [first] = cells
    assert.ok(first)
    const again = startOriginBuild(originOptions(nodes, { randomBytes: seededBytes(3) }))
    const result = again.onCreated(first)
    assert.deepEqual(result.type === 'failed' && [result.hopIndex, result.reportedBy], [0, 0])
  })
})

/** Bytes of the body that say something: padding is not authenticated, and not read. */
function usedBytes(cell: Uint8Array, way: 'create' | 'created'): number {
  return way === 'create'
    ? 27 + (((cell[9] ?? 0) << 8) | (cell[10] ?? 0))
    : 3 + (((cell[10] ?? 0) << 8) | (cell[11] ?? 0))
}
