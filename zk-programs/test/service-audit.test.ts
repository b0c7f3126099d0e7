/**
 * The audit's templates at a small size: two samples of a tree of eight leaves. A lie that reaches a sample makes no witness.
 */
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { poseidon4 } from 'poseidon-lite'
import { wtns, type SignalInput, type SignalValue } from 'snarkjs'
import {
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

  it('lets one receipt stand in one leaf only, wherever the splits are put', async () => {
    // The provider lies in its own tree: two leaves of one slot, which the honest builder refuses.
    const twin = receiptOf(1, 4000n)
    assert.throws(() => buildAuditTree([twin, twin], DEPTH), { code: 'ZK_AUDIT' })
    const pair = [receiptOf(1, 4000n), receiptOf(2, 4000n)]
    const honest = buildAuditTree(pair, 1)
    for (const unit of [0n, 4000n]) {
      const path = honest.find(unit)
      const [step] = path.steps
      assert.ok(step)
      // The same key on the other side of this split breaks the comparison.
      const isBelow = (path.receipt.nullifier & ((1n << 64n) - 1n)) < step.split
      assert.equal(isBelow, !step.isRight)
    }
    const flipped = (input['isRight'] as bigint[][]).map((bits) =>
      bits.with(0, 1n - (bits[0] ?? 0n)),
    )
    await refuses({ isRight: flipped })
  })

  it('refuses keys under which everybody signs', async () => {
    const neutral = { ax: 0n, ay: 1n }
    const change = Object.fromEntries(
      Object.entries(neutral).map(([name, value]) => [
        name,
        (input[name] as bigint[]).map(() => value),
      ]),
    )
    await refuses(change)
    const [, receipt] = receipts
    assert.ok(receipt && isSignedReceipt(receipt))
    assert.equal(isSignedReceipt({ ...receipt, publicKey: [0n, 1n] }), false)
    assert.equal(isSignedReceipt({ ...receipt, publicKey: [0n, ORDER - 1n] }), false)
  })
})
