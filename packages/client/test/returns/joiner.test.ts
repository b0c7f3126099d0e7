/** Which rests are joined, and when: with a queue, a chain and a disk in memory (SPEC §14.6). */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { toHex } from '@byway/protocol/base'
import type { SlotState } from '@byway/protocol/payment'
import { JOIN_FEE_UNITS } from '@byway/protocol/ticket'
import type { LeafRest } from '../../src/money/ports.ts'
import { chooseJoining } from '../../src/returns/choose-joining.ts'
import { createJoiner } from '../../src/returns/joiner.ts'
import { orderReturns } from '../../src/returns/order-returns.ts'
import type { ReturnRecord } from '../../src/returns/ports.ts'
import { seededRandom } from '../../../protocol/test/circuit/seeded.ts'
import { NEVER } from '../money/money-world.ts'

/** The start values: S = $0.25, a unit of a cent. */
const UNITS = 25
const UNIT = 10_000n

const leavesOf = (...units: readonly number[]): readonly LeafRest[] =>
  units.map((each, at) => ({ rest: new Uint8Array(32).fill(at + 1), units: each }))
const sizesOf = (chosen: readonly LeafRest[] | undefined): readonly number[] | undefined =>
  chosen?.map(({ units }) => units).toSorted((a, b) => a - b)
const chosenOf = (...units: readonly number[]) =>
  sizesOf(chooseJoining(leavesOf(...units), UNITS, seededRandom(1)))

describe('the choice of leaves to join', () => {
  it('waits while too much would be left over, and takes what makes the most of the units', () => {
    assert.equal(chosenOf(), undefined)
    assert.equal(chosenOf(24), undefined)
    assert.equal(chosenOf(24, 24, 24), undefined, 'two slots of 72 units')
    assert.deepEqual(chosenOf(24, 24, 24, 24), [24, 24, 24, 24])
    assert.equal(chosenOf(14, 14), undefined, 'a third may leave nothing over')
    assert.deepEqual(chosenOf(14, 24, 14), [14, 14, 24])
    assert.deepEqual(chosenOf(24, 24, 24, 24, 4), [4, 24, 24], 'two slots and nothing over')
  })

  it('finds what fits beside any number of small ones', () => {
    const bonds = Array.from({ length: 60 }, () => 4)
    assert.deepEqual(chosenOf(...bonds), undefined)
    assert.deepEqual(chosenOf(...bonds, 24, 24), [4, 24, 24])
  })

  it('never takes a leaf twice, nor more than four, nor such as make no slot; each it takes pays the fee', () => {
    const sizes = fc.array(fc.integer({ min: 1, max: UNITS - 1 }), { maxLength: 24 })
    fc.assert(
      fc.property(sizes, fc.integer(), (units, seed) => {
        const leaves = leavesOf(...units)
        const chosen = chooseJoining(leaves, UNITS, seededRandom(seed))
        if (!chosen) return
        assert.ok(chosen.length >= 2 && chosen.length <= 4)
        assert.equal(new Set(chosen).size, chosen.length)
        assert.ok(chosen.every((leaf) => leaves.includes(leaf)))
        const sum = chosen.reduce((all, leaf) => all + leaf.units, 0)
        assert.ok(Math.floor((sum - JOIN_FEE_UNITS) / UNITS) * UNITS >= 0.75 * sum)
      }),
    )
  })

  it('leaves it to chance which of equal leaves go first', () => {
    const leaves = leavesOf(24, 24, 24, 24, 24, 24, 24, 24)
    const random = seededRandom(3)
    const sets = Array.from({ length: 200 }, () =>
      chooseJoining(leaves, UNITS, random)?.map(({ rest }) => rest[0] ?? 0),
    )
    const counts = leaves.map(
      ({ rest }) => sets.filter((set) => set?.includes(rest[0] ?? 0)).length,
    )
    // Each is one of four of eight: a hundred times, with a spread of seven.
    for (const count of counts) assert.ok(count > 60 && count < 140, String(counts))
  })
})

describe('what makes no slot', () => {
  function createWorld(leaves: readonly LeafRest[]) {
    const records: ReturnRecord[] = []
    const states = new Map<string, SlotState>()
    const world = { leaves, records, states, isSynced: true, owners: 0 }
    const joiner = createJoiner({
      authoriser: { leafRests: () => Promise.resolve(world.leaves) },
      queue: {
        get joinings() {
          return records
        },
        add: (orders) =>
          orderReturns(
            {
              records: {
                all: () => Promise.resolve([...records]),
                put: (record) => Promise.resolve(void records.push(record)),
                remove: () => Promise.resolve(),
              },
              reserveOwners: async (count) => (world.owners += count) - count,
              meanDelayMs: 1000,
              random: seededRandom(2),
              nowMs: () => 5000,
            },
            orders,
          ),
      },
      facts: {
        of: (rest) =>
          world.isSynced
            ? { state: states.get(toHex(rest)) ?? 'none', provider: undefined }
            : undefined,
      },
      pool: { unit: UNIT, unitsPerSlot: UNITS },
      random: seededRandom(1),
    })
    return { world, joiner }
  }

  it('are queued once, each in one joining, and what lies where can be read', async () => {
    const leaves = leavesOf(24, 24, 24, 24, 24, 24, 24, 24, 24, 12)
    const { world, joiner } = createWorld(leaves)
    await joiner.look(NEVER)
    await joiner.look(NEVER)
    const joined = world.records.flatMap(({ rests }) => rests.map(toHex))
    assert.equal(new Set(joined).size, joined.length)
    assert.equal(new Set(world.records.map(({ owner }) => owner)).size, world.records.length)
    const { waiting, joining, nextAtMs } = joiner.status
    assert.equal(waiting.rests + joining.rests, leaves.length)
    assert.equal(joining.rests, joined.length)
    assert.equal(waiting.value + joining.value, (9n * 24n + 12n) * UNIT)
    assert.equal(nextAtMs, Math.min(...world.records.map(({ dueMs }) => dueMs)))
    for (const rest of joined) world.states.set(rest, 'refunded')
    world.records.length = 0
    assert.deepEqual(joiner.status.joining, { rests: 0, value: 0n })
    assert.equal(joiner.status.waiting.rests, leaves.length - joined.length)
    await joiner.look(NEVER)
    assert.deepEqual(world.records, [], 'what was joined is not joined again')
  })

  it('wait while the chain cannot be read', async () => {
    const { world, joiner } = createWorld(leavesOf(24, 24, 24, 24))
    world.isSynced = false
    await joiner.look(NEVER)
    assert.deepEqual(world.records, [])
    world.isSynced = true
    await joiner.look(NEVER)
    assert.equal(world.records.length, 1)
  })
})
