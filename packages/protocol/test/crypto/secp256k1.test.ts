/** Our secp256k1 against @noble/curves, and every form of a signature but the one (SPEC §13.4). */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { secp256k1 as oracle } from '@noble/curves/secp256k1.js'
import { keccak_256 } from '@noble/hashes/sha3.js'
import { fromHex, toHex } from '@byway/protocol/base'
import type { Secp256k1 } from '@byway/protocol/crypto'
import { nativeSecp256k1, nobleSecp256k1, nodeSecp256k1 } from '@byway/protocol/node-ticket'
import fc from 'fast-check'

const RUNS = process.env['SLOW'] === '1' ? 10_000 : 100
const ORDER = oracle.Point.Fn.ORDER
const secretKey = fc.bigInt({ min: 1n, max: ORDER - 1n }).map((value) => number32(value))
const bytes32 = fc.uint8Array({ minLength: 32, maxLength: 32 })

function number32(value: bigint): Uint8Array {
  const bytes = fromHex(value.toString(16).padStart(64, '0'))
  assert.ok(bytes)
  return bytes
}

function oracleSign(digest: Uint8Array, secret: Uint8Array): Uint8Array {
  const recovered = oracle.sign(digest, secret, { prehash: false, lowS: true, format: 'recovered' })
  return Uint8Array.of(...recovered.subarray(1), 27 + recovered[0]!)
}

function hex(text: string): Uint8Array {
  const bytes = fromHex(text)
  assert.ok(bytes)
  return bytes
}

const IMPLEMENTATIONS: readonly (readonly [string, Secp256k1])[] = [
  ['on the native library', nodeSecp256k1],
  ['on @noble/curves', nobleSecp256k1],
]

it('secp256k1 is the native library’s on machines for which it brings a binding', () => {
  const hasBinding = process.platform === 'linux' && process.arch === 'x64'
  assert.equal(nodeSecp256k1, hasBinding ? nativeSecp256k1 : (nativeSecp256k1 ?? nobleSecp256k1))
})

for (const [where, secp256k1] of IMPLEMENTATIONS) testImplementation(where, secp256k1)

function testImplementation(where: string, secp256k1: Secp256k1): void {
  describe(`secp256k1 ${where}`, () => {
    it('signs, recovers and names keys as @noble/curves does', () => {
      fc.assert(
        fc.property(secretKey, bytes32, (secret, digest) => {
          const signature = secp256k1.signDigest(secret, digest)
          assert.deepEqual(signature, oracleSign(digest, secret))
          const publicKey = oracle.getPublicKey(secret, false).subarray(1)
          assert.deepEqual(secp256k1.recover(digest, signature), Uint8Array.from(publicKey))
          const address = Uint8Array.from(keccak_256(publicKey).subarray(12))
          assert.deepEqual(secp256k1.addressOfSecret(secret), address)
          assert.deepEqual(secp256k1.addressOf(Uint8Array.from(publicKey)), address)
        }),
        { numRuns: RUNS },
      )
    })

    it('recovers nothing, or another key, from a changed signature or digest', () => {
      fc.assert(
        fc.property(secretKey, bytes32, fc.nat(64 * 8 + 7), (secret, digest, bit) => {
          const signature = secp256k1.signDigest(secret, digest)
          const own = secp256k1.recover(digest, signature)
          signature[bit >> 3]! ^= 1 << (bit & 7)
          assert.notDeepEqual(secp256k1.recover(digest, signature), own)
          digest[bit % 32]! ^= 1
          assert.notDeepEqual(secp256k1.recover(digest, signature), own)
        }),
        { numRuns: RUNS },
      )
    })

    const secret = number32(7n)
    const digest = new Uint8Array(32).fill(9)
    const good = secp256k1.signDigest(secret, digest)
    const [r, s, v] = [good.subarray(0, 32), good.subarray(32, 64), good[64]!]
    const highS = number32(ORDER - BigInt(`0x${toHex(s)}`))
    const form = (...parts: readonly (Uint8Array | number)[]): Uint8Array =>
      Uint8Array.from(parts.flatMap((part) => (typeof part === 'number' ? [part] : [...part])))

    const refused: Record<string, Uint8Array> = {
      'high s': form(r, highS, 55 - v),
      'high s with the same v': form(r, highS, v),
      'v as 0 or 1': form(r, s, v - 27),
      'v of EIP-155': form(r, s, 2 * 31_337 + 35 + (v - 27)),
      'v 29 and 30': form(r, s, v + 2),
      'EIP-2098': form(r, Uint8Array.of(s[0]! | ((v - 27) << 7), ...s.subarray(1))),
      'without v': form(r, s),
      'a byte more': form(good, 0),
      empty: new Uint8Array(0),
      'r of zero': form(new Uint8Array(32), s, v),
      's of zero': form(r, new Uint8Array(32), v),
      'r of the order': form(number32(ORDER), s, v),
      'r above the order': form(new Uint8Array(32).fill(255), s, v),
      'half the order and one as s': form(r, number32(ORDER / 2n + 1n), v),
    }
    for (const [name, signature] of Object.entries(refused)) {
      it(`refuses ${name} (SPEC §13.4)`, () => {
        assert.equal(secp256k1.recover(digest, signature), undefined)
      })
    }

    it('takes s of exactly half the order, as the chain does', () => {
      const edge = form(r, number32(ORDER / 2n), v)
      assert.notEqual(secp256k1.recover(digest, edge), undefined)
    })

    it('recovers another key with the other v', () => {
      const other = secp256k1.recover(digest, form(r, s, 55 - v))
      assert.notDeepEqual(other, secp256k1.recover(digest, good))
    })

    it('knows the address of a published key', () => {
      // The first account of anvil's and hardhat's well-known test mnemonic.
      const known = hex('ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80')
      const address = toHex(secp256k1.addressOfSecret(known))
      assert.equal(address, 'f39fd6e51aad88f6f4ce6ab8827279cfffb92266')
    })

    it('tells secrets from what is none', () => {
      assert.equal(secp256k1.isSecret(number32(1n)), true)
      assert.equal(secp256k1.isSecret(number32(ORDER - 1n)), true)
      for (const bad of [number32(0n), number32(ORDER), new Uint8Array(31).fill(1)]) {
        assert.equal(secp256k1.isSecret(bad), false)
      }
    })
  })
}
