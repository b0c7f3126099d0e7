/**
 * A lie for each constraint of the service audit: refused, and taken where this constraint is missing. One sample of a tree of two levels, with stand-ins for the hash and for the receipt's
 * signature (packages/zk/test/receipt.test.ts and service-audit.test.ts have those); whether a point is on the curve is circomlib's own check.
 */
import { Base8 } from '@zk-kit/baby-jubjub'
import { ORDER, reduce } from '../tools/field.ts'
import { describeDropped } from './kit/dropped.ts'
import { type Change, standInHash } from './kit/variants.ts'

type Leaf = { readonly nullifier: bigint; readonly units: bigint }
/** One step of the sampled leaf's path; the last is below the root. */
type Step = {
  readonly isRight: bigint
  readonly hash: bigint
  readonly sum: bigint
  readonly split: bigint
}

const [X, Y] = Base8
const NODE_KEY = { ax: X, ay: Y }
/** No point of the curve: what signs for it, or with it, is no signature's equation. */
const OFF_CURVE = { ax: 501n, ay: 502n }
const STATEMENT = { provider: 7n, epoch: 8n, maxUnits: 1000n }
const HUNDRED = { nullifier: 10n, units: 100n }
const OTHER = 4711n
/** The sampled leaf is the first of four. */
const FIRST: readonly Step[] = [
  { isRight: 0n, hash: OTHER, sum: 100n, split: 20n },
  { isRight: 0n, hash: OTHER, sum: 200n, split: 30n },
]

const low = (value: bigint): bigint => value & (2n ** 64n - 1n)
/** The unit that a beacon draws; `alias` is added to what the draw's bits say. */
const drawn = (beacon: bigint, total: bigint, alias = 0n): bigint =>
  (low(standInHash([beacon, 0n]) + alias) * total) >> 64n

/** The first beacon of which this is true. */
function beaconThat(isRight: (beacon: bigint) => boolean): bigint {
  let beacon = 0n
  while (!isRight(beacon)) beacon++
  return beacon
}

/** What is proved of a leaf on a path, when the beacon draws a unit of it, unless told. */
function inputOf(
  { nullifier, units }: Leaf,
  steps: readonly Step[],
  told?: bigint,
  { ax, ay } = NODE_KEY,
) {
  let root = standInHash([ax, ay, nullifier, units])
  let [total, before] = [units, 0n]
  for (const { isRight, hash, sum, split } of steps) {
    const both = [
      [root, total],
      [hash, sum],
    ] as const
    const [left, right] = isRight === 1n ? both.toReversed() : both
    root = standInHash([...(left ?? []), split, ...(right ?? [])])
    if (isRight === 1n) before += sum
    total = (total + sum) % ORDER
  }
  const isDrawn = (beacon: bigint): boolean => {
    const unit = drawn(beacon, total)
    return unit >= before && unit < before + units
  }
  return {
    ...STATEMENT,
    root,
    total,
    beacon: told ?? beaconThat(isDrawn),
    nullifiers: [nullifier],
    ax: [ax],
    ay: [ay],
    units: [units],
    r8x: [X],
    r8y: [Y],
    s: [1n],
    isRight: [steps.map((step) => step.isRight)],
    siblingHashes: [steps.map(({ hash }) => hash)],
    siblingSums: [steps.map(({ sum }) => sum)],
    splits: [steps.map(({ split }) => split)],
  }
}

const change = (at: 0 | 1, what: Partial<Step>): readonly Step[] =>
  FIRST.map((step, i) => (i === at ? { ...step, ...what } : step))

const truth = inputOf(HUNDRED, FIRST)
const second = change(0, { isRight: 1n, split: 5n })
/** With nothing on the other side: what stands between two sides begins at no unit. */
const lonely = inputOf(HUNDRED, change(1, { sum: 0n }))
/** Beside the first leaf, below the last split. */
const wide = change(1, { split: 2n ** 64n - 1n })

/** The bits of a number as a prover may write them, with what makes them strict and without. */
const lying = (bits: string, number: string) =>
  [0, 1].map((isChecked): readonly Change[] => [
    ['include "./sum-tree.circom";', BITS],
    [
      `signal ${bits}[254] <== Num2Bits_strict()(${number});`,
      `signal ${bits}[254] <== LyingBits(${isChecked})(${number});`,
    ],
  ])
const BITS = 'include "./sum-tree.circom";\ninclude "circomlib/circuits/lying-bits.circom";'
const [looseKey = [], strictKey = []] = lying('nullifierBits', 'nullifier')
const [looseDraw = [], strictDraw = []] = lying('bits', 'drawn')
const isShort = (beacon: bigint): boolean => standInHash([beacon, 0n]) < 2n ** 254n - ORDER

const UNITS_RANGE: Change = ['_ <== Num2Bits(SUM_BITS)(units);']
const IS_BEFORE_END: Change = ['isBeforeEnd === 1;']
const SIDE: Change = ['isRight[i] * (isRight[i] - 1) === 0;']
const SIDE_OF_SPLIT: Change = ['isBelow[i] + isRight[i] === 1;']
const MOST_UNITS = 2n ** 48n - 1n

describeDropped({
  program: 'service-audit',
  size: 'ServiceAudit(1, 2)',
  truth,
  cases: [
    {
      rule: 'a receipt key is a point of the curve',
      without: [['BabyCheck()(ax, ay);']],
      lie: inputOf(HUNDRED, FIRST, undefined, OFF_CURVE),
    },
    {
      rule: 'so is the point that a signature begins with',
      without: [['BabyCheck()(r8x, r8y);']],
      lie: { ...truth, r8x: [X + 1n] },
    },
    {
      rule: 'a leaf stands on its key’s side of a split: one receipt is not shown in two leaves',
      without: [SIDE_OF_SPLIT],
      lie: inputOf(HUNDRED, change(0, { isRight: 1n })),
    },
    {
      rule: 'a sibling stands on one side: its choice is a bit, and that of the split',
      without: [SIDE, SIDE_OF_SPLIT],
      enough: [[SIDE], [SIDE_OF_SPLIT]],
      lie: { ...lonely, isRight: [[0n, 2n]], root: rootBetween() },
    },
    {
      rule: 'a sibling’s sum has 48 bits: no sum wraps round and hides units',
      without: [['_ <== Num2Bits(SUM_BITS)(siblingSums[i]);']],
      lie: inputOf(HUNDRED, change(0, { sum: ORDER - 50n })),
    },
    {
      rule: 'a split has 64 bits',
      without: [['_ <== Num2Bits(KEY_BITS)(splits[i]);']],
      lie: inputOf(HUNDRED, change(0, { split: 2n ** 64n + 5n })),
    },
    {
      rule: 'the bits of a nullifier are the strict ones: a receipt has one key, and one leaf',
      within: strictKey,
      without: looseKey,
      // The order's low bits are a key on the right of the first split.
      lie: inputOf(
        HUNDRED,
        wide.map((step, i) => ({ ...step, isRight: i === 0 ? 1n : 0n })),
      ),
    },
    {
      rule: 'the bits of a draw are the strict ones: a beacon draws one unit',
      within: strictDraw,
      without: looseDraw,
      lie: {
        ...truth,
        beacon: beaconThat(
          (beacon) =>
            isShort(beacon) && drawn(beacon, 400n) >= 100n && drawn(beacon, 400n, ORDER) < 100n,
        ),
      },
    },
    {
      rule: 'units have 48 bits, and hold what was drawn: a leaf of less than nothing is not shown',
      without: [UNITS_RANGE, IS_BEFORE_END],
      enough: [[UNITS_RANGE], [IS_BEFORE_END]],
      lie: inputOf({ nullifier: 10n, units: ORDER - 5n }, FIRST, 0n),
    },
    {
      rule: 'the total has 48 bits',
      without: [['_ <== Num2Bits(48)(total);']],
      lie: {
        ...inputOf(
          { nullifier: 10n, units: MOST_UNITS },
          FIRST.map((step) => ({ ...step, sum: MOST_UNITS })),
          beaconThat((beacon) => low(standInHash([beacon, 0n])) < 2n ** 62n),
        ),
        maxUnits: MOST_UNITS,
      },
    },
    {
      rule: 'no slot pays for more than it can',
      without: [['isPayable === 1;']],
      lie: inputOf({ nullifier: 10n, units: 1001n }, FIRST),
    },
    {
      rule: 'the path ends at the root that was committed to',
      without: [['path.root === root;']],
      lie: { ...truth, root: truth.root + 1n },
    },
    {
      rule: 'the sums are the total that was committed to',
      without: [['path.total === total;']],
      lie: { ...truth, total: 401n },
    },
    {
      rule: 'the drawn unit is not before the leaf',
      without: [['isAfterStart === 1;']],
      lie: {
        ...inputOf(HUNDRED, second),
        beacon: beaconThat((beacon) => drawn(beacon, 400n) < 100n),
      },
    },
    {
      rule: 'the drawn unit is not behind the leaf',
      without: [IS_BEFORE_END],
      lie: { ...truth, beacon: beaconThat((beacon) => drawn(beacon, 400n) >= 100n) },
    },
  ],
})

/** The root over the second step, with its own side and the sibling's mixed as no bit mixes them. */
function rootBetween(): bigint {
  const { ax, ay } = NODE_KEY
  const leaf = standInHash([ax, ay, HUNDRED.nullifier, HUNDRED.units])
  const node = standInHash([leaf, HUNDRED.units, 20n, OTHER, 100n])
  const between = (own: bigint, other: bigint): bigint => reduce(own + 2n * (other - own))
  const [left, right] = [between(node, OTHER), between(OTHER, node)]
  const [leftSum, rightSum] = [between(200n, 0n), between(0n, 200n)]
  return standInHash([left, leftSum, 30n, right, rightSum])
}
