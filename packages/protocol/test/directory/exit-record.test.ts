import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  createMerkleTree,
  isExitFork,
  judgeExitChain,
  judgeExitProof,
  makeExitPage,
  merkleRootOf,
  type ExitChain,
} from '@byway/protocol/directory'
import { decodeExitEntry, decodeExitProof } from '@byway/protocol/wire'
import { nodeCrypto } from '../../src/crypto/node-provider.ts'
import { addressOf, DAWN_S, DAY_S, edition, identity, pageOf, WITNESS } from './exit-world.ts'
import { ipv4 } from './registry.ts'

const leafOf = (number: number): Uint8Array => Uint8Array.of(number, number >> 8)
const leaves = (count: number): Uint8Array[] => Array.from({ length: count }, (_, at) => leafOf(at))

test('each leaf of a tree is shown, and nothing else (RFC 9162 §2.1)', () => {
  const shape = fc
    .integer({ min: 1, max: 70 })
    .chain((count) =>
      fc.record({ count: fc.constant(count), place: fc.nat(count - 1), other: fc.nat(80) }),
    )
  fc.assert(
    fc.property(shape, fc.nat(), ({ count, place, other }, flip) => {
      const tree = createMerkleTree(nodeCrypto, leaves(count))
      const { root } = tree
      const steps = tree.path(place)
      const judged = (leaf: Uint8Array, at: number, of: number, way: Uint8Array): boolean => {
        const found = merkleRootOf(nodeCrypto, leaf, at, of, way)
        return found !== undefined && Buffer.compare(found, root) === 0
      }
      assert.ok(judged(leafOf(place), place, count, steps))
      if (other !== place) {
        assert.ok(!judged(leafOf(other), place, count, steps))
        assert.ok(!judged(leafOf(place), other, count, steps))
      }
      assert.ok(!judged(leafOf(place), place, count, Buffer.concat([steps, root])))
      if (steps.length === 0) return
      const changed: Uint8Array = Uint8Array.from(steps)
      changed[flip % changed.length]! ^= 1
      assert.ok(!judged(leafOf(place), place, count, changed))
      assert.ok(!judged(leafOf(place), place, count, steps.subarray(32)))
    }),
  )
})

test('roots are those of RFC 9162: of no leaves, of one, and of three', () => {
  const sha256 = (...parts: Uint8Array[]): Uint8Array => nodeCrypto.sha256(...parts)
  const [zero, one] = [Uint8Array.of(0), Uint8Array.of(1)]
  const [a, b, c] = [0, 1, 2].map((number) => sha256(zero, leafOf(number)))
  if (!a || !b || !c) assert.fail()
  assert.deepEqual(createMerkleTree(nodeCrypto, []).root, sha256())
  assert.deepEqual(createMerkleTree(nodeCrypto, leaves(1)).root, a)
  assert.deepEqual(createMerkleTree(nodeCrypto, leaves(3)).root, sha256(one, sha256(one, a, b), c))
})

test('a proof shows its exit, and none that was changed in any byte does', () => {
  const entries = [1, 2, 3, 4, 5].map((number) => edition(number, DAWN_S))
  const { proofs } = pageOf(entries)
  const addresses = new Map(
    entries.map(({ descriptor }) => [Buffer.from(descriptor.nodeId).toString('hex'), descriptor]),
  )
  for (const proof of proofs) {
    const { nodeId, fromS, untilS } = decodeExitEntry(decodeExitProof(proof).entry)
    const address = addresses.get(Buffer.from(nodeId).toString('hex'))?.addresses[0]
    if (!address) assert.fail()
    const verdict = judgeExitProof(nodeCrypto, proof, address)
    if (verdict.result === 'false') assert.fail(verdict.fault)
    assert.deepEqual([fromS, untilS], [DAWN_S + 60, DAWN_S + DAY_S])
    assert.deepEqual(verdict.shown.head?.witness, WITNESS.publicKey)
    const elsewhere = judgeExitProof(nodeCrypto, proof, addressOf('198.51.100.1'))
    assert.deepEqual(elsewhere, { result: 'false', fault: 'name' })
  }
  const [first] = proofs
  if (!first) assert.fail()
  const { nodeId } = decodeExitEntry(decodeExitProof(first).entry)
  const address = addresses.get(Buffer.from(nodeId).toString('hex'))?.addresses[0]
  if (!address) assert.fail()
  for (let at = 0; at < first.length; at++) {
    const changed: Uint8Array = Uint8Array.from(first)
    changed[at]! ^= 1
    assert.equal(judgeExitProof(nodeCrypto, changed, address).result, 'false', `byte ${at}`)
  }
  for (let cut = 0; cut < first.length; cut++)
    assert.equal(judgeExitProof(nodeCrypto, first.subarray(0, cut), address).result, 'false')
})

test('what any bytes show is judged without an error', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 900 }), (bytes) => {
      assert.equal(judgeExitProof(nodeCrypto, bytes, addressOf('198.51.100.1')).result, 'false')
    }),
  )
})

/** Five pages; each with another exit. */
function chainOf(seed = 0, identityOf = WITNESS): Uint8Array[] {
  const heads: Uint8Array[] = []
  for (let page = 0; page < 5; page++) {
    const entries = [leafOf(seed + page)]
    const input = { page: 100 + page, closedS: DAWN_S + page * DAY_S, entries }
    heads.push(makeExitPage(nodeCrypto, identityOf, { ...input, previous: heads.at(-1) }).head)
  }
  return heads
}

const faultOf = (chain: ExitChain): string => (chain.result === 'holds' ? 'holds' : chain.fault)
const judge = (heads: readonly Uint8Array[], known?: Uint8Array): string =>
  faultOf(judgeExitChain(nodeCrypto, WITNESS.publicKey, heads, known))

test('a run of heads holds from anywhere; one that lacks a page, is out of order or was changed does not', () => {
  const heads = chainOf()
  for (let from = 0; from <= heads.length; from++) assert.equal(judge(heads.slice(from)), 'holds')
  assert.equal(judge([heads[0]!, heads[2]!]), 'cut')
  assert.equal(judge(heads.toReversed()), 'cut')
  for (let at = 0; at < heads[0]!.length; at++) {
    const changed = heads.map((head) => Uint8Array.from(head))
    changed[2]![at]! ^= 1
    assert.notEqual(judge(changed), 'holds', `byte ${at}`)
  }
})

test('a head of another witness is none of this one', () => {
  const other = chainOf(0, identity(201))
  assert.equal(judge(other), 'forged')
})

test('a record that was rewritten or cut contradicts the head that was shown before', () => {
  const heads = chainOf()
  const known = heads[3]
  assert.equal(judge(heads, known), 'holds')
  assert.equal(judge(heads.slice(4), known), 'holds')
  assert.equal(judge(chainOf(50), known), 'forked')
  // The newest pages are gone, or all.
  assert.equal(judge(heads.slice(0, 3), known), 'forked')
  assert.equal(judge([], known), 'forked')
  // Page 104 of a rewritten record does not follow what was shown.
  assert.equal(judge(chainOf(50).slice(4), known), 'forked')
})

test('two heads of one page are a proof against their witness, and one head twice is none', () => {
  const [honest, rewritten] = [chainOf(), chainOf(50)]
  assert.equal(isExitFork(nodeCrypto, honest[0]!, rewritten[0]!), true)
  assert.equal(isExitFork(nodeCrypto, honest[0]!, honest[0]!), false)
  assert.equal(isExitFork(nodeCrypto, honest[0]!, honest[1]!), false)
  const other = chainOf(0, identity(201))
  assert.equal(isExitFork(nodeCrypto, honest[0]!, other[0]!), false)
})

test('an edition that names another address, or whose node is no exit, proves nothing', () => {
  const named = edition(1, DAWN_S, { addresses: [ipv4('198.51.100.7')] })
  const { proofs } = pageOf([named])
  const proof = proofs[0] ?? assert.fail()
  const verdict = judgeExitProof(nodeCrypto, proof, addressOf('198.51.100.7'))
  assert.equal(verdict.result, 'holds')
  const relay = edition(1, DAWN_S, { addresses: [ipv4('198.51.100.7')], roles: 1, exitProfile: 0 })
  assert.equal(pageOf([relay]).proofs.length, 0)
})
