/**
 * Proofs made by several threads, each of which holds a part of the key: of the slot program here, whose key is in the repository, and of the service audit, where its files were made, with
 * `SLOW=1`. snarkjs says whether they hold.
 */
import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import {
  AUDIT_DEPTH,
  auditInput,
  buildAuditTree,
  type ProofProgress,
  type Proved,
  proveAudit,
  type Receipt,
  signReceipt,
  slotInput,
} from '@byway/zk'
import { findProvingFiles } from '../src/artefacts.ts'
import { proveWithAllCores } from '../src/audit-prover.ts'
import { proveInThreads } from '../src/groth16-threads.ts'
import { createWitnessMaker } from '../src/witness.ts'
import { libraryAccepts } from './library-kit.ts'
import { DOMAIN, leafOf, pathOf, signalsOf, TAG, treeOf, UNITS_PER_SLOT } from './tree-kit.ts'

const PROGRAM = 'slot'
const SIGNALS = 6
const LIMIT = 40
const tree = treeOf([501n, 502n, 503n].map((secret) => leafOf(secret, LIMIT)))
const slotOf = (j: number) =>
  slotInput({
    secret: 502n,
    limit: LIMIT,
    j,
    path: pathOf(tree, 1),
    domain: DOMAIN,
    x: 777n,
    tag: TAG,
    unitsPerSlot: UNITS_PER_SLOT,
  })
const input = slotOf(7)

describe('a proof made by threads', () => {
  let keyPath: string
  let witness: Uint8Array
  const proofs: Proved[] = []
  before(async () => {
    const files = await findProvingFiles(PROGRAM)
    keyPath = files.keyPath
    witness = createWitnessMaker(files.wasm)(input)
  })

  for (const options of [{ threads: 1 }, { threads: 3, partPoints: 1000 }])
    it(`holds for the witness' signals and no others: ${JSON.stringify(options)}`, async () => {
      const made = await proveInThreads(PROGRAM, keyPath, witness, options)
      assert.deepEqual(made.signals, await signalsOf(PROGRAM, input, SIGNALS))
      assert.equal(await libraryAccepts(PROGRAM, made), true)
      const signals = made.signals.with(1, (made.signals[1] ?? 0n) + 1n)
      assert.equal(await libraryAccepts(PROGRAM, { ...made, signals }), false)
      proofs.push(made)
    })

  it('shares no point with another proof of the same witness', () => {
    const [one, other] = proofs.map(({ proof }) => Buffer.from(proof).toString('hex'))
    assert.ok(one && other)
    for (const [from, to] of [
      [0, 128],
      [128, 384],
      [384, 512],
    ])
      assert.notEqual(one.slice(from, to), other.slice(from, to))
  })

  it('ends with its signal, and where the key is none', async () => {
    const stop = new AbortController()
    const proving = proveInThreads(PROGRAM, keyPath, witness, { signal: stop.signal })
    stop.abort(new Error('enough'))
    await assert.rejects(proving, /enough/)
    const late = { signal: AbortSignal.abort(new Error('too late')) }
    await assert.rejects(proveInThreads(PROGRAM, keyPath, witness, late), /too late/)
    await assert.rejects(proveInThreads(PROGRAM, import.meta.filename, witness), RangeError)
  })
})

describe('a process that proves with all cores', () => {
  it('proves, and ends with its signal; there is no proof of a false statement', async () => {
    const told: ProofProgress[] = []
    const onProgress = (progress: ProofProgress): void => void told.push(progress)
    const made = await proveWithAllCores(PROGRAM, input, { onProgress })
    assert.deepEqual(told[0], { stage: 'witness', done: 0, total: 1 })
    const sums = told.slice(1)
    assert.ok(sums.length > 2 && sums.every(({ stage }) => stage === 'sums'))
    assert.equal(sums[0]?.done, 0)
    assert.ok(sums.every(({ done }, i) => i === 0 || done > (sums[i - 1]?.done ?? 0)))
    assert.equal(sums.at(-1)?.done, sums.at(-1)?.total)
    assert.deepEqual(made.signals, await signalsOf(PROGRAM, input, SIGNALS))
    assert.equal(await libraryAccepts(PROGRAM, made), true)
    await assert.rejects(proveWithAllCores(PROGRAM, slotOf(8)), { code: 'ZK_FALSE_STATEMENT' })
    const stop = new AbortController()
    const proving = proveWithAllCores(PROGRAM, input, { signal: stop.signal })
    stop.abort(new Error('enough'))
    await assert.rejects(proving, /enough/)
  })
})

const skip = process.env['SLOW'] !== '1' && 'all cores for a while, and the audit’s files: SLOW=1'

describe('the service audit', { skip }, () => {
  const receiptOf = (i: number): Receipt =>
    signReceipt(new Uint8Array(32).fill(i + 1), {
      provider: 0xb1aan,
      epoch: 2969n,
      nullifier: BigInt(7919 * (i + 1)) ** 9n,
      units: BigInt(16 * (i + 1)),
    })

  it('is proved so that snarkjs takes it', async () => {
    const receipts = Array.from({ length: 20 }, (_, i) => receiptOf(i))
    const week = buildAuditTree(receipts, AUDIT_DEPTH)
    const { root, total } = week
    const statement = { provider: 0xb1aan, epoch: 2969n, root, total, maxUnits: 2048n, beacon: 99n }
    const made = await proveAudit(auditInput(week, statement))
    assert.equal(await libraryAccepts('service-audit', made), true)
  })
})
