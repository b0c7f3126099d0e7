/**
 * The audit's templates at a small size: two samples of a tree of eight leaves. A lie that reaches a sample makes no witness.
 */
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { poseidon4, poseidon5 } from 'poseidon-lite'
import { wtns, type SignalInput, type SignalValue } from 'snarkjs'
import {
  type AuditPath,
  type AuditStatement,
  auditInput,
  buildAuditTree,
  isSignedReceipt,
  type Receipt,
  receiptKeyOf,
  receiptPublicKey,
  sampledUnits,
  signReceipt,
} from '../../packages/zk/src/index.ts'
import { receiptLeaf } from '../../packages/zk/src/receipt.ts'
import { forgedReceipt, smallOrderKeys } from '../../packages/zk/test/small-order-keys.ts'
import { compile } from '../tools/build.ts'
import { ORDER } from '../tools/field.ts'

const DEPTH = 3
const SAMPLES = 2
const PROVIDER = 0xb1aan
const EPOCH = 2969n
const MAX_UNITS = 4096n

const secretOf = (i: number): Uint8Array => new Uint8Array(32).fill(i + 1)
const nullifierOf = (i: number): bigint => poseidon4([1n, 2n, 3n, BigInt(i)])
const receiptOf = (i: number, units: bigint): Receipt =>
  signReceipt(secretOf(i), { provider: PROVIDER, epoch: EPOCH, nullifier: nullifierOf(i), units })

const folder = mkdtempSync(join(tmpdir(), 'byway-audit-'))
let wasm: Uint8Array
/** Five slots; one of them is most of the total, so that it is always drawn. */
const receipts = [
  receiptOf(0, 3n),
  receiptOf(1, 4000n),
  receiptOf(2, 1n),
  receiptOf(3, 40n),
  receiptOf(4, 7n),
]
const tree = buildAuditTree(receipts, DEPTH)
const statement: AuditStatement = {
  provider: PROVIDER,
  epoch: EPOCH,
  root: tree.root,
  total: tree.total,
  maxUnits: MAX_UNITS,
  beacon: 99n,
}
const input = auditInput(tree, statement, SAMPLES)

before(() => {
  compile('small-audit', folder, 'zk-programs/test/programs')
  wasm = readFileSync(join(folder, 'small-audit_js/small-audit.wasm'))
})
after(() => rmSync(folder, { recursive: true }))

async function witnessOf(some: SignalInput): Promise<readonly bigint[]> {
  const out: { type: 'mem'; data?: Uint8Array } = { type: 'mem' }
  await wtns.calculate(some, wasm, out)
  return await wtns.exportJson(out)
}

const keyOf = ({ nullifier }: Receipt): bigint => nullifier & (2n ** 64n - 1n)

/** Where there is no receipt a provider may still say that there are as many units. */
const INVENTED = 4000n

/**
 * A tree that a provider made up: two leaves of 4000 units with a split of its own between them. Gives the sides whose leaf can be shown when the beacon draws it, by an owner who tries the other
 * leaf where there is none.
 */
async function provableSides(
  left: Receipt | undefined,
  right: Receipt | undefined,
  split: bigint,
): Promise<readonly string[]> {
  const leafOf = (receipt: Receipt | undefined): bigint => (receipt ? receiptLeaf(receipt) : 0n)
  const node = poseidon5([leafOf(left), INVENTED, split, leafOf(right), INVENTED])
  const total = 2n * INVENTED
  const open = { isRight: false, siblingHash: 0n, siblingSum: 0n, split: 2n ** 64n - 1n }
  const root = [1, 2].reduce((below) => poseidon5([below, total, open.split, 0n, 0n]), node)
  const find = (unit: bigint): AuditPath => {
    const isDrawnRight = unit >= INVENTED
    const isRight = (isDrawnRight ? right : left) ? isDrawnRight : !isDrawnRight
    const [receipt, sibling] = isRight ? [right, left] : [left, right]
    assert.ok(receipt)
    const step = { isRight, siblingHash: leafOf(sibling), siblingSum: INVENTED, split }
    return { receipt, steps: [step, open, open] }
  }
  const sides: string[] = []
  for (const [side, isDrawn] of [
    ['left', (unit: bigint) => unit < INVENTED],
    ['right', (unit: bigint) => unit >= INVENTED],
  ] as const) {
    let beacon = 0n
    while (!sampledUnits(beacon, total, SAMPLES).every(isDrawn)) beacon++
    const lie = auditInput({ root, total, find }, { ...statement, root, total, beacon }, SAMPLES)
    const isProvable = await witnessOf(lie).then(
      () => true,
      () => false,
    )
    if (isProvable) sides.push(side)
  }
  return sides
}

async function refuses(change: SignalInput, message = 'a witness of a lie'): Promise<void> {
  await assert.rejects(witnessOf({ ...input, ...change }), Error, message)
}

/** The input with the first number of one signal changed. */
function increased(name: string): SignalInput {
  const increase = (value: SignalValue): SignalValue =>
    typeof value === 'bigint'
      ? (value + 1n) % ORDER
      : value.map((each, i) => (i === 0 ? increase(each) : each))
  return { [name]: increase(input[name] ?? 0n) }
}

describe('the service audit (SPEC §17)', () => {
  it('proves a total, and names the keys of the slots that the beacon drew', async () => {
    const [one, ...signals] = await witnessOf(input)
    assert.equal(one, 1n)
    const drawn = sampledUnits(99n, tree.total, SAMPLES).map((unit) => tree.find(unit).receipt)
    assert.deepEqual(
      signals.slice(0, SAMPLES),
      drawn.map(({ publicKey }) => receiptKeyOf(publicKey)),
    )
  })

  it('proves trees of one leaf and of eight, for many beacons', async () => {
    for (const count of [1, 8]) {
      const some = buildAuditTree(
        Array.from({ length: count }, (_, i) => receiptOf(i, BigInt(1 + i))),
        DEPTH,
      )
      for (let beacon = 1n; beacon <= 4n; beacon++) {
        const { root, total } = some
        await witnessOf(auditInput(some, { ...statement, root, total, beacon }, SAMPLES))
      }
    }
  })

  it('holds every signal of a sample fast', async () => {
    // Another beacon may draw the same leaf, and a slot may pay for more: those two are free by right.
    for (const name of Object.keys(input).filter((each) => !['beacon', 'maxUnits'].includes(each)))
      await refuses(increased(name), name)
  })

  it('refuses units beyond what a slot pays, and a total that is not the tree’s', async () => {
    await refuses({ maxUnits: 3999n })
    await refuses({ total: tree.total + 1n })
    await refuses({ total: tree.total - 1n })
    await refuses({ total: 2n ** 48n })
  })

  it('refuses samples that another beacon draws', async () => {
    const beacons = Array.from({ length: 5000 }, (_, i) => BigInt(i))
    const drawsOther = (beacon: bigint): boolean =>
      sampledUnits(beacon, tree.total, SAMPLES).some(
        (unit, m) => tree.find(unit).receipt.nullifier !== (input['nullifiers'] as bigint[])[m],
      )
    const beacon = beacons.find(drawsOther)
    assert.ok(beacon !== undefined)
    await refuses({ beacon })
  })
})

describe('a provider that lies to the service audit', () => {
  it('refuses invented units: the leaf says more than the client signed for', async () => {
    const { signature } = receiptOf(1, 2000n)
    const invented = receipts.with(1, { ...receiptOf(1, 4000n), signature })
    const lie = buildAuditTree(invented, DEPTH)
    const { root, total } = lie
    await assert.rejects(witnessOf(auditInput(lie, { ...statement, root, total }, SAMPLES)))
  })

  it('refuses receipts of another week, for another provider, or signed with another key', async () => {
    const body = { provider: PROVIDER, epoch: EPOCH, nullifier: nullifierOf(1), units: 4000n }
    const others = [
      signReceipt(secretOf(1), { ...body, epoch: EPOCH - 1n }),
      signReceipt(secretOf(1), { ...body, provider: PROVIDER + 1n }),
      { ...signReceipt(secretOf(9), body), publicKey: receiptPublicKey(secretOf(1)) },
    ].map((receipt): Receipt => ({ ...receipt, ...body }))
    for (const other of others) {
      assert.equal(isSignedReceipt(other), false)
      const lie = buildAuditTree(receipts.with(1, other), DEPTH)
      const { root, total } = lie
      await assert.rejects(witnessOf(auditInput(lie, { ...statement, root, total }, SAMPLES)))
    }
  })

  it('lets one receipt stand in one leaf only, wherever the split is put', async () => {
    const twin = receiptOf(1, 4000n)
    assert.throws(() => buildAuditTree([twin, twin], DEPTH), { code: 'ZK_AUDIT' })
    const key = keyOf(twin)
    for (const split of [0n, key - 1n, key, key + 1n, 2n ** 64n - 1n])
      assert.deepEqual(
        await provableSides(twin, twin, split),
        key < split ? ['left'] : ['right'],
        `split ${split - key} from the key`,
      )
  })

  it('refuses a leaf on the wrong side of its split: two in the wrong order cannot both be shown', async () => {
    const pair = [receiptOf(1, 4000n), receiptOf(2, 4000n)].toSorted((x, y) =>
      keyOf(x) < keyOf(y) ? -1 : 1,
    )
    const [low, high] = pair
    assert.ok(low && high)
    assert.deepEqual(await provableSides(low, high, keyOf(high)), ['left', 'right'])
    assert.deepEqual(await provableSides(high, low, keyOf(low)), ['right'])
    assert.deepEqual(await provableSides(high, low, keyOf(high)), [])
    assert.deepEqual(await provableSides(high, low, keyOf(high) + 1n), ['left'])
  })

  it('refuses units of a place where no receipt is, and takes those of the receipt beside it', async () => {
    const receipt = receiptOf(1, 4000n)
    assert.deepEqual(await provableSides(receipt, undefined, 2n ** 64n - 1n), ['left'])
    assert.deepEqual(await provableSides(undefined, receipt, 0n), ['right'])
  })

  it('refuses keys under which everybody signs', async () => {
    const [, honest] = receipts
    assert.ok(honest && isSignedReceipt(honest))
    for (const key of smallOrderKeys()) {
      // All else holds: leaf, path and equation of the signature are those of this very key.
      const forged = forgedReceipt(honest, key)
      const own = buildAuditTree([forged], DEPTH)
      const said = { ...statement, root: own.root, total: own.total }
      const witness = auditInput(own, said, SAMPLES)
      await assert.rejects(witnessOf(witness), Error, key.join())
    }
    const alone = buildAuditTree([honest], DEPTH)
    const said = { ...statement, root: alone.root, total: alone.total }
    await witnessOf(auditInput(alone, said, SAMPLES))
  })
})
