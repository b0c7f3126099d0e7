/** Proofs of identity bit-flipped, cut and lengthened (SPEC §3.3). `SLOW=1` spoils 100 000 of each. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { nodeCrypto } from '@byway/protocol/node-crypto'
import { LINK_PROOF_BYTES, LINK_SIDE } from '@byway/protocol/wire'
import { checkProof, issueLinkIdentity, proveIdentity } from '../src/greeting.ts'

const RUNS = process.env['SLOW'] === '1' ? 100_000 : 1000
const NOW_S = 1_800_000_000
const exporter = new Uint8Array(32).fill(3)
const key = nodeCrypto.ed25519KeyPair(new Uint8Array(32).fill(1))
const nodeId = key.publicKey
const identity = issueLinkIdentity(nodeCrypto, {
  nodeId,
  identityKey: key.privateKey,
  linkSeed: new Uint8Array(32).fill(2),
  notBeforeS: NOW_S,
})
const greeting = proveIdentity(nodeCrypto, identity, LINK_SIDE.LISTENER, exporter)
const expected = { side: LINK_SIDE.LISTENER, exporter, nowS: NOW_S, nodeId }

function assertRefused(proof: Uint8Array): void {
  assert.throws(() => checkProof(nodeCrypto, proof, expected), { code: 'NET_PROOF' })
}

test('a proof as it was made is taken', () => {
  assert.deepEqual(checkProof(nodeCrypto, greeting, expected), nodeId)
})

test('a proof with any bit flipped is refused (SPEC §3.3)', () => {
  fc.assert(
    fc.property(fc.nat(greeting.length * 8 - 1), (bit) => {
      const changed = greeting.slice()
      changed[bit >>> 3] = (changed[bit >>> 3] ?? 0) ^ (1 << (bit & 7))
      assertRefused(changed)
    }),
    { numRuns: RUNS },
  )
})

test('a proof that was cut, or cut and filled with other bytes, is refused (SPEC §3.3)', () => {
  const filler = fc.uint8Array({ maxLength: 400, size: 'max' })
  fc.assert(
    fc.property(fc.nat(LINK_PROOF_BYTES - 1), filler, (length, rest) => {
      const spoiled = Buffer.concat([greeting.subarray(0, length), rest])
      fc.pre(!spoiled.subarray(0, LINK_PROOF_BYTES).equals(greeting))
      assertRefused(spoiled)
    }),
    { numRuns: RUNS },
  )
})
