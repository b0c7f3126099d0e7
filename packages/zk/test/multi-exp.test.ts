/** Sums of points times numbers are the library's, whatever points and numbers meet in one bucket. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { buildBn128 } from 'ffjavascript'
import { type CurveMemory, ELEMENT_BYTES, openCurve, writeNumber } from '../src/curve-memory.ts'
import type { GroupName } from '../src/group.ts'
import { createMultiExp, type MultiExp, multiExpBytes } from '../src/multi-exp.ts'
import { openPairAdder } from '../src/pair-adder.ts'
import { type PairAdder } from '../src/pair-adder-port.ts'
import { createPlainPairs } from '../src/plain-pairs.ts'
import { SCALAR_ORDER } from '../src/proof.ts'

const MOST = 1100
const SPARE_BYTES = 65_536

/** Scalars that end digits, carry through all of them, or are none. */
const scalar = fc.oneof(
  fc.bigInt({ min: 0n, max: SCALAR_ORDER - 1n }),
  fc.constantFrom(0n, 1n, 2n, SCALAR_ORDER - 1n, 2n ** 253n - 1n, 2n ** 32n - 1n, 2n ** 63n),
  fc.integer({ min: 0, max: 300 }).map((bit) => 2n ** BigInt(bit % 254) % SCALAR_ORDER),
)
/** Few, so that points meet themselves and their opposites. */
const multiple = fc.constantFrom(1n, 2n, 3n, 5n, SCALAR_ORDER - 1n, SCALAR_ORDER - 2n)

for (const [group, bytes, adder] of [
  ['g1m', 64, openPairAdder],
  ['g2m', 128, openPairAdder],
  ['g1m', 64, createPlainPairs],
  ['g2m', 128, createPlainPairs],
] as const)
  describe(`sums in ${group} by ${adder.name}`, () => {
    it('are those of the library', async () => {
      const world = await open(group, bytes, adder)
      fc.assert(
        fc.property(
          fc.array(fc.tuple(multiple, scalar), { minLength: 1, maxLength: 40 }),
          (terms) => holds(world, terms),
        ),
        { numRuns: process.env['SLOW'] === '1' ? 2000 : 60 },
      )
    })

    it('are the identity for numbers that are all zero, or that take each other away', async () => {
      const world = await open(group, bytes, adder)
      holds(world, [[3n, 0n]])
      holds(world, [
        [3n, 0n],
        [5n, 0n],
      ])
      holds(world, [
        [2n, 7n],
        [SCALAR_ORDER - 2n, 7n],
        [2n, SCALAR_ORDER - 1n],
        [2n, 1n],
      ])
    })

    it('are so for more points too, with wider digits', async () => {
      const world = await open(group, bytes, adder)
      const few = [1n, 2n, 3n, SCALAR_ORDER - 1n]
      const terms = Array.from({ length: MOST }, (_, i): Term => {
        const number = (BigInt(i) ** 37n * 7n ** BigInt(i % 90)) % SCALAR_ORDER
        return [few[i % few.length] ?? 1n, number]
      })
      holds(world, terms)
    })
  })

/** A multiple of the generator, and what it is times. */
type Term = readonly [multiple: bigint, scalar: bigint]
type World = {
  readonly group: GroupName
  readonly bytes: number
  readonly curve: CurveMemory
  readonly sum: MultiExp
  readonly generator: number
  readonly bases: number
  readonly scalars: number
  readonly results: readonly [number, number]
}

async function open(
  group: GroupName,
  bytes: number,
  adder: (curve: CurveMemory, group: GroupName) => PairAdder,
): Promise<World> {
  const room = multiExpBytes(group, MOST) + MOST * (bytes + ELEMENT_BYTES) + SPARE_BYTES
  const curve = openCurve('slot', room)
  const { G1, G2 } = await buildBn128(true)
  const generator = curve.alloc(bytes)
  new Uint8Array(curve.view.buffer).set(group === 'g1m' ? G1.gAffine : G2.gAffine, generator)
  return {
    group,
    bytes,
    curve,
    generator,
    sum: createMultiExp(curve, group, MOST, adder(curve, group)),
    bases: curve.alloc(MOST * bytes),
    scalars: curve.alloc(MOST * ELEMENT_BYTES),
    results: [curve.alloc(2 * bytes), curve.alloc(2 * bytes)],
  }
}

function holds(world: World, terms: readonly Term[]): void {
  const { curve, group, bytes, generator, bases, scalars } = world
  const [sum, expected] = world.results
  const times = curve.call(`${group}_timesScalarAffine`)
  const toAffine = curve.call(`${group}_toAffine`)
  for (const [i, [k, s]] of terms.entries()) {
    writeNumber(curve.view, scalars, k)
    times(generator, scalars, ELEMENT_BYTES, expected)
    toAffine(expected, bases + i * bytes)
    // The first is where the multiple stood.
    writeNumber(curve.view, scalars + i * ELEMENT_BYTES, s)
  }
  writeNumber(curve.view, scalars, terms[0]?.[1] ?? 0n)
  world.sum(bases, scalars, terms.length, sum)
  const total = terms.reduce((all, [k, s]) => (all + k * s) % SCALAR_ORDER, 0n)
  writeNumber(curve.view, scalars, total)
  times(generator, scalars, ELEMENT_BYTES, expected)
  assert.equal(curve.call(`${group}_eq`)(sum, expected), 1)
}
