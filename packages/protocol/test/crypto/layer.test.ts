import assert from 'node:assert/strict'
import { test } from 'node:test'
import { chacha20poly1305 } from '@noble/ciphers/chacha.js'
import { gcm } from '@noble/ciphers/aes.js'
import { hkdf } from '@noble/hashes/hkdf.js'
import { sha256 } from '@noble/hashes/sha2.js'
import fc from 'fast-check'
import {
  LAYER_RATCHET_BYTES,
  TAG_BYTES,
  type AeadSuite,
  type LayerOpener,
} from '@byway/protocol/crypto'
import { nodeCrypto as provider } from '@byway/protocol/node-crypto'
import { below, seeded } from './oracle/seeded.ts'

const SUITES: readonly AeadSuite[] = ['aes-256-gcm', 'chacha20-poly1305']
const keyBytes = seeded('layer')(32)
const key = provider.aeadKey(keyBytes)

/** Seals cells in order and returns the bodies. */
function sealAll(suite: AeadSuite, plaintexts: readonly Uint8Array[]): Uint8Array[] {
  const sealer = provider.layerSealer(suite, key)
  return plaintexts.map((plaintext) => {
    const body = new Uint8Array(plaintext.length + TAG_BYTES)
    sealer.sealInto(body, 0, plaintext)
    return body
  })
}

/** Opens a copy of a sealed body; a refused one must stay as it was. */
function openCopy(opener: LayerOpener, body: Uint8Array): Uint8Array | undefined {
  const copy = body.slice()
  if (opener.open(copy, 0, copy.length)) return copy.slice(0, copy.length - TAG_BYTES)
  assert.deepEqual(copy, body, 'a refused cell is left as it was')
  return undefined
}

/** The plain version of SPEC §6.2, one cell at a time, on @noble/ciphers. */
function oracleSeal(
  suite: AeadSuite,
  cellKey: Uint8Array,
  counter: number,
  plaintext: Uint8Array,
): Uint8Array {
  const nonce = new Uint8Array(12)
  new DataView(nonce.buffer).setBigUint64(4, BigInt(counter), true)
  const cipher = suite === 'aes-256-gcm' ? gcm(cellKey, nonce) : chacha20poly1305(cellKey, nonce)
  return cipher.encrypt(plaintext)
}

for (const suite of SUITES) {
  test(`${suite}: cells of any size open in order and equal the oracle's (SPEC §6.2)`, () => {
    const sizes = fc.array(fc.integer({ min: 0, max: 1200 }), { maxLength: 8 })
    fc.assert(
      fc.property(sizes, (cellSizes) => {
        const random = seeded(`cells ${cellSizes.join()}`)
        const plaintexts = cellSizes.map((size) => random(size))
        const opener = provider.layerOpener(suite, key)
        for (const [counter, body] of sealAll(suite, plaintexts).entries()) {
          const plaintext = plaintexts[counter]
          assert.ok(plaintext)
          assert.deepEqual(body, oracleSeal(suite, keyBytes, counter, plaintext))
          assert.deepEqual(openCopy(opener, body), plaintext)
        }
      }),
    )
  })

  test(`${suite}: any flipped bit is refused, and everything after it`, () => {
    const plaintexts = [new Uint8Array(1000).fill(1), new Uint8Array(1000).fill(2)]
    const [first, second] = sealAll(suite, plaintexts)
    assert.ok(first && second)
    fc.assert(
      fc.property(fc.nat(first.length * 8 - 1), (bit) => {
        const opener = provider.layerOpener(suite, key)
        const changed = first.slice()
        changed[bit >>> 3] = (changed[bit >>> 3] ?? 0) ^ (1 << (bit & 7))
        assert.equal(openCopy(opener, changed), undefined)
        assert.equal(openCopy(opener, first), undefined)
        assert.equal(openCopy(opener, second), undefined)
      }),
      { numRuns: process.env['SLOW'] === '1' ? 100_000 : 1000 },
    )
  })

  test(`${suite}: a lost, repeated or swapped cell is refused`, () => {
    const bodies = sealAll(
      suite,
      [0, 1, 2].map((n) => new Uint8Array(64).fill(n)),
    )
    const opened = (order: readonly number[]): readonly boolean[] => {
      const opener = provider.layerOpener(suite, key)
      return order.map((index) => {
        const body = bodies[index]
        assert.ok(body)
        return openCopy(opener, body) !== undefined
      })
    }
    assert.deepEqual(opened([0, 1, 2]), [true, true, true])
    assert.deepEqual(opened([1, 2]), [false, false])
    assert.deepEqual(opened([0, 0, 1]), [true, false, false])
    assert.deepEqual(opened([0, 2, 1]), [true, false, false])
  })

  test(`${suite}: the key ratchets after the very cell that reaches 2 MiB, on both ends`, () => {
    const plaintext = new Uint8Array(16_358)
    const cellsPerKey = Math.ceil(LAYER_RATCHET_BYTES / (plaintext.length + TAG_BYTES))
    const sealer = provider.layerSealer(suite, key)
    const opener = provider.layerOpener(suite, key)
    let cellKey = keyBytes
    for (let counter = 0; counter < 2 * cellsPerKey + 1; counter++) {
      if (counter > 0 && counter % cellsPerKey === 0) cellKey = ratchet(cellKey)
      plaintext[0] = counter
      const body = new Uint8Array(plaintext.length + TAG_BYTES)
      sealer.sealInto(body, 0, plaintext)
      const edge = [0, 1, cellsPerKey - 1].includes(counter % cellsPerKey)
      if (edge) assert.deepEqual(body, oracleSeal(suite, cellKey, counter, plaintext), `${counter}`)
      assert.deepEqual(openCopy(opener, body), plaintext)
    }
  })

  test(`${suite}: 2 MiB in one byte less or more moves the ratchet by one cell`, () => {
    const half = LAYER_RATCHET_BYTES / 2 - TAG_BYTES
    for (const [secondBytes, isRatcheted] of [
      [half - 1, false],
      [half, true],
    ] as const) {
      const plaintexts = [new Uint8Array(half), new Uint8Array(secondBytes), new Uint8Array(5)]
      const third = sealAll(suite, plaintexts)[2]
      const thirdKey = isRatcheted ? ratchet(keyBytes) : keyBytes
      assert.deepEqual(third, oracleSeal(suite, thirdKey, 2, new Uint8Array(5)))
    }
  })

  test(`${suite}: mixed sizes stay in step over several ratchets`, () => {
    const random = seeded('mixed sizes')
    const sealer = provider.layerSealer(suite, key)
    const opener = provider.layerOpener(suite, key)
    for (let sealed = 0; sealed < 3 * LAYER_RATCHET_BYTES;) {
      const plaintext = new Uint8Array(below(random, 16_359)).fill(below(random, 256))
      const body = new Uint8Array(plaintext.length + TAG_BYTES)
      sealer.sealInto(body, 0, plaintext)
      assert.deepEqual(openCopy(opener, body), plaintext)
      sealed += body.length
    }
  })
}

test('seals inside a cell and in place, and opens a part of a cell', () => {
  const cell = new Uint8Array(200)
  const plaintext = seeded('in place')(100)
  cell.set(plaintext, 9)
  provider.layerSealer('aes-256-gcm', key).sealInto(cell, 9, cell.subarray(9, 109))
  assert.deepEqual(cell.subarray(9, 125), oracleSeal('aes-256-gcm', keyBytes, 0, plaintext))
  assert.deepEqual(cell.subarray(0, 9), new Uint8Array(9))
  assert.deepEqual(cell.subarray(125), new Uint8Array(75))
  assert.equal(provider.layerOpener('aes-256-gcm', key).open(cell, 9, 125), true)
  assert.deepEqual(cell.subarray(9, 109), plaintext)
  assert.deepEqual(cell.subarray(0, 9), new Uint8Array(9))
})

test('an opener refuses impossible ranges without throwing, and stays closed', () => {
  const [body] = sealAll('chacha20-poly1305', [new Uint8Array(10)])
  assert.ok(body)
  for (const [start, end] of [
    [0, 15],
    [0, 0],
    [20, 10],
    [-1, 20],
    [0, 27],
    [Number.NaN, 26],
  ] as const) {
    const opener = provider.layerOpener('chacha20-poly1305', key)
    assert.equal(opener.open(body, start, end), false)
    assert.equal(openCopy(opener, body), undefined)
  }
})

test('a sealer that is given too little room is a bug and loses no counter', () => {
  const sealer = provider.layerSealer('aes-256-gcm', key)
  const body = new Uint8Array(26)
  for (const offset of [1, -1, Number.NaN]) {
    const seal = (): void => sealer.sealInto(body, offset, new Uint8Array(10))
    assert.throws(seal, { code: 'ASSERTION', kind: 'bug' })
  }
  sealer.sealInto(body, 0, new Uint8Array(10))
  assert.deepEqual(body, oracleSeal('aes-256-gcm', keyBytes, 0, new Uint8Array(10)))
})

test('a layer opened with the other suite or another key is refused', () => {
  const [body] = sealAll('chacha20-poly1305', [new Uint8Array(10)])
  assert.ok(body)
  assert.equal(openCopy(provider.layerOpener('aes-256-gcm', key), body), undefined)
  const other = provider.aeadKey(new Uint8Array(32))
  assert.equal(openCopy(provider.layerOpener('chacha20-poly1305', other), body), undefined)
})

test('three layers peel in order and in no other', () => {
  const keys = [1, 2, 3].map((n) => provider.aeadKey(new Uint8Array(32).fill(n)))
  const plaintext = seeded('onion')(500)
  let body = plaintext
  for (const hopKey of keys.toReversed()) {
    const sealed = new Uint8Array(body.length + TAG_BYTES)
    provider.layerSealer('aes-256-gcm', hopKey).sealInto(sealed, 0, body)
    body = sealed
  }
  const peel = (order: readonly number[]): Uint8Array | undefined => {
    let left: Uint8Array | undefined = body
    for (const index of order) {
      const hopKey = keys[index]
      assert.ok(hopKey)
      left = left && openCopy(provider.layerOpener('aes-256-gcm', hopKey), left)
    }
    return left
  }
  assert.deepEqual(peel([0, 1, 2]), plaintext)
  for (const order of [
    [0, 2, 1],
    [1, 0, 2],
    [1, 2, 0],
    [2, 0, 1],
    [2, 1, 0],
  ]) {
    assert.equal(peel(order), undefined, order.join())
  }
})

function ratchet(cellKey: Uint8Array): Uint8Array {
  return hkdf(sha256, cellKey, new Uint8Array(0), Buffer.from('byway ratchet'), 32)
}
