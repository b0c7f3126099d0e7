/** The form of a service proof (SPEC §17.4), what a stranger finds wrong with one, and the tree in threads. */
import assert from 'node:assert/strict'
import { SERVICE_PROOF_BYTES } from '@byway/protocol/wire'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { nodeTicketCrypto as crypto } from '@byway/protocol/node-ticket'
import { createPool, numberOf, openingX, u256Bytes } from '@byway/protocol/ticket'
import type { Opening } from '@byway/protocol/wire'
import {
  AUDIT_SAMPLES,
  buildAuditTree,
  buildAuditTreeInThreads,
  decodeServiceProof,
  encodeServiceProof,
  type ProgramName,
  type ProofProgress,
  type Receipt,
  type ServiceProof,
  verifyServiceProof,
} from '@byway/zk'
import { SCALAR_ORDER } from '../src/proof.ts'

const pool = createPool(crypto, {
  chainId: 31_337,
  pool: new Uint8Array(20).fill(0xa1),
  faceValue: 409_600n,
  winsPerSlot: 2,
  bond: 204_800n,
  unit: 204_800n,
})
const openingOf = (i: number): Opening => ({
  root: u256Bytes(1000n + BigInt(i)),
  nullifier: u256Bytes(2000n + BigInt(i)),
  sessionKey: new Uint8Array(20).fill(i + 1),
  receiptKey: u256Bytes(3000n + BigInt(i)),
  proof: new Uint8Array(256).fill(i),
})
const proof: ServiceProof = {
  chainId: pool.chainId,
  pool: pool.pool,
  provider: new Uint8Array(20).fill(0xb1),
  epoch: 2969,
  root: 4000n,
  total: 5000n,
  maxUnits: 8192n,
  beacon: 99n,
  proof: new Uint8Array(256).fill(0xee),
  openings: Array.from({ length: AUDIT_SAMPLES }, (_, i) => openingOf(i)),
}

type Asked = {
  readonly program: ProgramName
  readonly signals: readonly bigint[]
  readonly proof: Uint8Array
}

/** An engine for which everything holds but what `isFalse` says, and what it was asked. */
function engineOf(isFalse: (asked: Asked) => boolean) {
  const asked: Asked[] = []
  const verify = (program: ProgramName, signals: readonly bigint[], shown: Uint8Array) => {
    asked.push({ program, signals, proof: shown })
    return Promise.resolve(!asked.slice(-1).some(isFalse))
  }
  return { asked, judge: { crypto, engine: { verify }, pool } }
}

describe('the form of a service proof', () => {
  it('comes back as it was', () => {
    const bytes = encodeServiceProof(proof)
    assert.equal(bytes.length, SERVICE_PROOF_BYTES)
    assert.deepEqual(decodeServiceProof(bytes), proof)
  })

  it('is one form: whatever is decoded encodes to the same bytes', () => {
    const bytes = encodeServiceProof(proof)
    const change = fc.tuple(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }))
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 4 }), (changes) => {
        const changed = bytes.slice()
        for (const [at, by] of changes) changed[at] = (changed[at] ?? 0) ^ by
        const read = decodeServiceProof(changed)
        if (read) assert.deepEqual(encodeServiceProof(read), changed)
      }),
    )
  })

  it('refuses other lengths, other versions, aliases of numbers and sums that no tree has', () => {
    const bytes = encodeServiceProof(proof)
    assert.equal(decodeServiceProof(bytes.subarray(1)), undefined)
    assert.equal(decodeServiceProof(Uint8Array.from([...bytes, 0])), undefined)
    assert.equal(decodeServiceProof(new Uint8Array()), undefined)
    const put = (at: number, value: Uint8Array): Uint8Array => {
      const changed = bytes.slice()
      changed.set(value, at)
      return changed
    }
    const alias = u256Bytes(SCALAR_ORDER)
    const opening = 402 + 3 * 374
    const bad = [
      put(13, Uint8Array.of(0x32)),
      put(14, new Uint8Array(8).fill(0xff)),
      put(66, alias),
      put(98, new Uint8Array(8)),
      put(98, Uint8Array.of(0, 1)),
      put(106, new Uint8Array(8)),
      put(114, alias),
      put(opening, alias),
      put(opening + 32, alias),
      put(opening + 64, new Uint8Array(20)),
      put(opening + 84, alias),
      put(opening + 116, Uint8Array.of(0, 255)),
    ]
    for (const [i, each] of bad.entries())
      assert.equal(decodeServiceProof(each), undefined, `change ${i}`)
  })
})

describe('a stranger who checks a service proof', () => {
  it('asks for the audit and for each sampled slot, bound to the receipt keys that the audit names', async () => {
    const { asked, judge } = engineOf(() => false)
    assert.equal(await verifyServiceProof(judge, proof), undefined)
    const [audit, ...slots] = asked
    const each = (of: (opening: Opening) => Uint8Array) => proof.openings.map(of).map(numberOf)
    assert.deepEqual(audit, {
      program: 'service-audit',
      signals: [
        ...each(({ receiptKey }) => receiptKey),
        numberOf(proof.provider),
        2969n,
        4000n,
        5000n,
        8192n,
        99n,
        ...each(({ nullifier }) => nullifier),
      ],
      proof: proof.proof,
    })
    assert.equal(slots.length, AUDIT_SAMPLES)
    for (const [i, { program, signals }] of slots.entries()) {
      const opening = openingOf(i)
      assert.equal(program, 'slot')
      assert.equal(signals[1], numberOf(opening.nullifier))
      assert.equal(signals[3], openingX(crypto, opening))
    }
  })

  it('finds a proof of another network, units that no slot pays for, a false audit and a false slot', async () => {
    const { asked, judge } = engineOf(() => false)
    const elsewhere = { ...proof, chainId: 1 }
    assert.deepEqual(await verifyServiceProof(judge, elsewhere), { fault: 'network' })
    const otherPool = { ...proof, pool: proof.provider }
    assert.deepEqual(await verifyServiceProof(judge, otherPool), { fault: 'network' })
    const tooMany = { ...proof, maxUnits: 8193n }
    assert.deepEqual(await verifyServiceProof(judge, tooMany), { fault: 'units' })
    assert.deepEqual(asked, [])
    const noAudit = engineOf(({ program }) => program === 'service-audit').judge
    assert.deepEqual(await verifyServiceProof(noAudit, proof), { fault: 'audit' })
    const noSlot = engineOf(({ signals }) => signals[1] === 2007n).judge
    assert.deepEqual(await verifyServiceProof(noSlot, proof), { fault: 'slot', sample: 7 })
  })
})

describe('the audit tree in threads', () => {
  const receiptOf = (i: number): Receipt => ({
    provider: 1n,
    epoch: 2n,
    nullifier: BigInt(7919 * (i + 1)) ** 9n % SCALAR_ORDER,
    units: BigInt(i + 1),
    publicKey: [BigInt(i), 1n],
    signature: { r8: [0n, 1n], s: 0n },
  })
  const receipts = Array.from({ length: 37 }, (_, i) => receiptOf(i))

  it('is the tree of one thread, with every path, whatever the parts', async () => {
    const whole = buildAuditTree(receipts, 7)
    for (const partLevels of [3, 12]) {
      const told: ProofProgress[] = []
      const onProgress = (progress: ProofProgress): void => void told.push(progress)
      const tree = await buildAuditTreeInThreads(receipts, 7, { partLevels, onProgress })
      assert.deepEqual([tree.root, tree.total], [whole.root, whole.total])
      for (let unit = 0n; unit < tree.total; unit += 5n)
        assert.deepEqual(tree.find(unit), whole.find(unit))
      const total = receipts.length
      assert.deepEqual(told[0], { stage: 'tree', done: 0, total })
      assert.deepEqual(told.at(-1), { stage: 'tree', done: total, total })
      assert.ok(told.every(({ done }, i) => i === 0 || done > (told[i - 1]?.done ?? 0)))
    }
  })

  it('refuses what makes no tree, and stops when it is told to', async () => {
    const [first] = receipts
    assert.ok(first)
    for (const bad of [[], [first, first], receipts])
      await assert.rejects(buildAuditTreeInThreads(bad, 5), { code: 'ZK_AUDIT' })
    const signal = AbortSignal.abort(new Error('enough'))
    await assert.rejects(buildAuditTreeInThreads(receipts, 7, { signal }), /enough/)
    const stop = new AbortController()
    const building = buildAuditTreeInThreads(receipts, 17, {
      partLevels: 2,
      signal: stop.signal,
      onProgress: () => stop.abort(new Error('enough')),
    })
    await assert.rejects(building, /enough/)
  })
})
