/**
 * A lie for each constraint of the programs that move money: refused, and taken where this constraint alone is missing. At a small size and with a stand-in for the hash, so that a program is
 * compiled in a moment; the constraints are those of the sources.
 */
import assert from 'node:assert/strict'
import { invert, ORDER, reduce } from '../tools/field.ts'
import { describeDropped } from './kit/dropped.ts'
import { standInHash } from './kit/variants.ts'

const DEPTH = 3
const SHOWN = { domain: 42n, x: 777n, tag: 7001n, unitsPerSlot: 5n }
const SECRET = 5n
const THIEF = 99n

const pad = (values: readonly bigint[]): bigint[] =>
  Array.from({ length: DEPTH }, (_, i) => values[i] ?? 0n)
const leafOf = (secret: bigint, limit: bigint): bigint =>
  standInHash([standInHash([secret]), limit, SHOWN.tag])
/** Two levels: a sibling on the right, then one on the left. */
const SIBLINGS = [11n, 12n] as const
const PATH = { active: pad([1n, 1n]), isRight: pad([0n, 1n]), siblings: pad(SIBLINGS) }
const rootOver = (leaf: bigint): bigint =>
  standInHash([SIBLINGS[1], standInHash([leaf, SIBLINGS[0]])])

/** Leaves that were never deposited, brought under a root by a choice that is neither 0 nor 1. */
function forgedPaths(leaf: bigint, root: bigint, forged: bigint) {
  // Part of the way from the leaf to its parent is the root itself.
  const parent = standInHash([forged, 0n])
  const part = reduce((root - forged) * invert(reduce(parent - forged)))
  const active = { ...PATH, active: pad([part]), isRight: pad([]), siblings: pad([]) }
  // Some mixture of the leaf and this sibling is the pair that stands in the tree.
  const sibling = reduce(leaf + SIBLINGS[0] - forged)
  const mixed = reduce((leaf - forged) * invert(reduce(sibling - forged)))
  const isRight = pad([mixed, 1n])
  return { active, isRight: { ...PATH, isRight, siblings: pad([sibling, SIBLINGS[1]]) } }
}

const slot = { ...SHOWN, secret: SECRET, limit: 40n, j: 3n, ...PATH }
const slotRoot = rootOver(leafOf(SECRET, 40n))
const thief = { ...slot, secret: THIEF, limit: 65_535n, j: 13_000n }
const forged = forgedPaths(leafOf(SECRET, 40n), slotRoot, leafOf(THIEF, 65_535n))
const isUnderRoot = ([root]: readonly bigint[]): void => assert.equal(root, slotRoot)

describeDropped({
  program: 'slot',
  size: `Slot(${DEPTH})`,
  truth: slot,
  cases: [
    {
      rule: 'a step of a path is taken or not: no leaf comes under a root by half a step',
      without: [['active[i] * (active[i] - 1) === 0;']],
      lie: { ...thief, ...forged.active },
      gain: isUnderRoot,
    },
    {
      rule: 'a sibling stands on one side: no leaf comes under a root in between',
      without: [['isRight[i] * (isRight[i] - 1) === 0;']],
      lie: { ...thief, ...forged.isRight },
      gain: isUnderRoot,
    },
    {
      rule: 'a path that has ended does not begin again: its depth is in unary',
      without: [['active[i] * (1 - active[i - 1]) === 0;']],
      lie: {
        ...slot,
        active: pad([1n, 0n, 1n]),
        isRight: pad([0n, 0n, 1n]),
        siblings: pad([SIBLINGS[0], 0n, SIBLINGS[1]]),
      },
      gain: isUnderRoot,
    },
    {
      rule: 'a limit has 32 bits',
      without: [['_ <== Num2Bits(32)(limit);']],
      lie: { ...slot, limit: 2n ** 32n },
    },
    {
      rule: 'a slot number has 32 bits: no product wraps round to an end within the deposit',
      without: [['_ <== Num2Bits(32)(j);']],
      lie: { ...slot, j: reduce(invert(5n) - 1n) },
      gain: isUnderRoot,
    },
    {
      rule: 'a slot ends within the deposit',
      without: [['fits === 1;']],
      lie: { ...slot, j: 8n },
      gain: isUnderRoot,
    },
  ],
})

/** Eight slots and three units beyond them. */
const JOINED_LIMIT = 43n
const parts = (count: bigint, rest: bigint) => ({ slotCounts: [count, 0n], restCounts: [rest, 0n] })
const nowhere = { active: pad([]), isRight: pad([]), siblings: pad([]) }
const twice = (name: keyof typeof PATH) => ({ [name]: [PATH[name], nowhere[name]] })
const { domain: _, ...joinShown } = SHOWN
const joined = {
  ...joinShown,
  root: rootOver(leafOf(SECRET, JOINED_LIMIT)),
  secrets: [SECRET, 0n],
  limits: [JOINED_LIMIT, 0n],
  isUsed: [1n, 0n],
  ...parts(8n, 3n),
  ...twice('active'),
  ...twice('isRight'),
  ...twice('siblings'),
}
const UNITS_AT = 2
const counts = (units: bigint) => (published: readonly bigint[]) => {
  assert.equal(published[UNITS_AT], units)
}

describeDropped({
  program: 'join',
  size: `Join(2, ${DEPTH})`,
  truth: joined,
  cases: [
    {
      rule: 'a place is used or not: no leaf counts double, under a nullifier that nobody knows',
      without: [['isUsed * (isUsed - 1) === 0;']],
      lie: { ...joined, isUsed: [2n, 0n] },
      gain: counts(6n),
    },
    {
      rule: 'the number of slots has 16 bits: none is left out by wrapping round',
      without: [['_ <== Num2Bits(16)(count);']],
      lie: { ...joined, ...parts(reduce((JOINED_LIMIT - 4n) * invert(5n)), 4n) },
      gain: counts(4n),
    },
    {
      rule: 'the rest has 16 bits: it is no number below nothing',
      without: [['_ <== Num2Bits(16)(units);']],
      lie: { ...joined, ...parts(9n, ORDER - 2n) },
      gain: counts(ORDER - 2n),
    },
    {
      rule: 'the rest is smaller than a slot: units of a slot are not joined',
      without: [['isRest === 1;']],
      lie: { ...joined, ...parts(7n, 8n) },
      gain: counts(8n),
    },
    {
      rule: 'slots and rest are the whole leaf',
      without: [['count * unitsPerSlot + units === limit;']],
      lie: { ...joined, ...parts(8n, 4n) },
      gain: counts(4n),
    },
    {
      rule: 'a leaf that counts is under the root',
      without: [['isUsed * (above - root) === 0;']],
      lie: { ...joined, secrets: [THIEF, 0n] },
    },
  ],
})

const LIMIT = 43n
const left = {
  ...SHOWN,
  secret: SECRET,
  limit: LIMIT,
  slotCount: 8n,
  restCount: 3n,
  js: [7n, 0n],
  isUsed: [1n, 0n],
  isRestUsed: 1n,
  ...PATH,
}
const leftRoot = rootOver(leafOf(SECRET, LIMIT))
const nullifierOf = (j: bigint): bigint => standInHash([SECRET, SHOWN.domain, j])
const REST_UNITS_AT = 4
const isLeftUnderRoot = ([root]: readonly bigint[]): void => assert.equal(root, leftRoot)

describeDropped({
  program: 'withdraw-unused',
  size: `WithdrawUnused(2, ${DEPTH})`,
  truth: left,
  cases: [
    {
      rule: 'a place is used or not: no slot has two nullifiers',
      without: [['isUsed * (isUsed - 1) === 0;']],
      lie: { ...left, isUsed: [2n, 0n] },
      gain: ([, nullifier]) => {
        assert.equal(nullifier, reduce(2n * nullifierOf(7n)))
      },
    },
    {
      rule: 'a slot number has 16 bits: there is no slot before the first',
      without: [['_ <== Num2Bits(16)(j);']],
      lie: { ...left, js: [ORDER - 1n, 0n] },
      gain: ([, nullifier]) => {
        assert.equal(nullifier, nullifierOf(ORDER - 1n))
      },
    },
    {
      rule: 'a slot that counts is the deposit’s',
      without: [['isUsed * (1 - exists) === 0;']],
      lie: { ...left, js: [8n, 0n] },
      gain: ([, nullifier]) => {
        assert.equal(nullifier, nullifierOf(8n))
      },
    },
    {
      rule: 'the number of slots has 16 bits',
      without: [['_ <== Num2Bits(16)(count);']],
      lie: { ...left, limit: 5n * 2n ** 16n, slotCount: 2n ** 16n, restCount: 0n },
    },
    {
      rule: 'the rest has 16 bits: no slot stands on a rest below nothing',
      without: [['_ <== Num2Bits(16)(units);']],
      lie: { ...left, slotCount: 9n, restCount: ORDER - 2n, js: [8n, 0n] },
      gain: isLeftUnderRoot,
    },
    {
      rule: 'the rest is smaller than a slot: units of a slot are not paid as rest',
      without: [['isRest === 1;']],
      lie: { ...left, slotCount: 7n, restCount: 8n, js: [6n, 0n] },
      gain: (published) => {
        assert.equal(published[REST_UNITS_AT], 8n)
        isLeftUnderRoot(published)
      },
    },
    {
      rule: 'slots and rest are the whole deposit',
      without: [['count * unitsPerSlot + units === limit;']],
      lie: { ...left, slotCount: 100n, restCount: 3n, js: [99n, 0n] },
      gain: isLeftUnderRoot,
    },
    {
      rule: 'the rest is taken or not: it does not count double',
      without: [['isRestUsed * (isRestUsed - 1) === 0;']],
      lie: { ...left, isRestUsed: 2n },
      gain: (published) => {
        assert.equal(published[REST_UNITS_AT], 6n)
      },
    },
  ],
})
