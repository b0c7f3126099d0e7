/** Our verifier accepts and refuses what the library does: proofs of keys whose secrets are known, spoiled ones, and points that are none of a proof. */
import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import fc from 'fast-check'
import { createGroth16Verifier, type VerificationKey } from '../src/groth16-verify.ts'
import { COORDINATE_MODULUS, PROOF_BYTES, SCALAR_ORDER } from '../src/proof.ts'
import { createProofReader } from '../src/proof-points.ts'
import { openCurve } from '../src/curve-memory.ts'
import { libraryVerifies } from './library-kit.ts'
import { openPoints, type Coordinates, type Points } from './point-kit.ts'

const SIGNALS = 2
/** Of the second group's curve: how many of its points there are for each one of the group. */
const COFACTOR = 2n * COORDINATE_MODULUS - SCALAR_ORDER
/** The least factor of it. */
const SMALL_ORDER = 10_069n

const modulo = (value: bigint): bigint => ((value % SCALAR_ORDER) + SCALAR_ORDER) % SCALAR_ORDER
const scalar = fc.bigInt({ min: 1n, max: SCALAR_ORDER - 1n })
const signal = fc.oneof(
  fc.bigInt({ min: 0n, max: SCALAR_ORDER - 1n }),
  fc.constantFrom(0n, 1n, 2n, 16n, SCALAR_ORDER - 1n, 2n ** 128n, 2n ** 253n),
)

type LibraryKey = VerificationKey & {
  readonly protocol: string
  readonly curve: string
  readonly nPublic: number
}

/** Multiples of the generators, of which a key's points are made. */
type Secrets = {
  readonly alpha: bigint
  readonly beta: bigint
  readonly gamma: bigint
  readonly delta: bigint
  readonly sums: readonly bigint[]
}

let points: Points
before(async () => {
  points = await openPoints()
})

/** With what the library wants to see besides. */
function keyOf({ alpha, beta, gamma, delta, sums }: Secrets): LibraryKey {
  const second = (k: bigint): string[][] => {
    const [x0 = '', x1 = '', y0 = '', y1 = ''] = points.g2(k).map(String)
    return [
      [x0, x1],
      [y0, y1],
      ['1', '0'],
    ]
  }
  const first = (k: bigint): string[] => [...points.g1(k).map(String), '1']
  return {
    protocol: 'groth16',
    curve: 'bn128',
    nPublic: SIGNALS,
    vk_alpha_1: first(alpha),
    vk_beta_2: second(beta),
    vk_gamma_2: second(gamma),
    vk_delta_2: second(delta),
    IC: sums.map(first),
  }
}

/** Points as a proof holds them, with those of the second group's imaginary part first. */
function bytesOf(a: Coordinates, b: Coordinates, c: Coordinates): Uint8Array {
  const [x0 = 0n, x1 = 0n, y0 = 0n, y1 = 0n] = b
  const words = [...a, x1, x0, y1, y0, ...c]
  const hex = words.map((word) => word.toString(16).padStart(64, '0')).join('')
  return Uint8Array.from(Buffer.from(hex, 'hex'))
}

/** Who knows the secrets can prove anything: with two random numbers, the third point follows. */
function forge(secrets: Secrets, signals: readonly bigint[], x: bigint, y: bigint): Uint8Array {
  const { alpha, beta, gamma, delta, sums } = secrets
  const [first = 0n, ...others] = sums
  const sum = others.reduce((all, each, i) => all + each * (signals[i] ?? 0n), first)
  const rest = modulo(x * y - alpha * beta - sum * gamma)
  return bytesOf(points.g1(x), points.g2(y), points.g1(modulo(rest * inverse(delta))))
}

function inverse(value: bigint): bigint {
  let result = 1n
  for (let [square, rest] = [value, SCALAR_ORDER - 2n]; rest > 0n; rest >>= 1n) {
    if (rest & 1n) result = modulo(result * square)
    square = modulo(square * square)
  }
  return result
}

const SECRETS: Secrets = { alpha: 3n, beta: 5n, gamma: 7n, delta: 11n, sums: [13n, 17n, 19n] }

describe('the verifier', () => {
  it('says of proofs under any key what the library says', async () => {
    const secrets = fc.record({
      alpha: scalar,
      beta: scalar,
      gamma: scalar,
      delta: scalar,
      sums: fc.tuple(scalar, scalar, scalar),
    })
    const inputs = [secrets, fc.tuple(signal, signal), scalar, scalar, fc.boolean()] as const
    const rule = fc.asyncProperty(...inputs, async (known, signals, x, y, isSpoiled) => {
      const key = keyOf(known)
      const [one, two] = signals
      const claimed = isSpoiled ? [one, modulo(two + 1n)] : signals
      const claim = { signals: claimed, proof: forge(known, signals, x, y) }
      const says = createGroth16Verifier('slot', key)(claim.signals, claim.proof)
      assert.equal(says, !isSpoiled)
      assert.equal(says, await libraryVerifies(key, claim))
    })
    await fc.assert(rule, { numRuns: process.env['SLOW'] === '1' ? 400 : 12 })
  })

  it('accepts where points of the sum meet themselves, their opposites, and nothing is left', () => {
    for (const sums of [
      [13n, 13n, 13n],
      [13n, SCALAR_ORDER - 13n, 26n],
      [13n, SCALAR_ORDER - 13n, 13n],
    ]) {
      const secrets = { ...SECRETS, sums }
      const verify = createGroth16Verifier('slot', keyOf(secrets))
      for (const signals of [
        [1n, 0n],
        [1n, 1n],
        [0n, 0n],
        [2n, 1n],
      ]) {
        assert.equal(verify(signals, forge(secrets, signals, 23n, 29n)), true)
        assert.equal(verify(signals.toReversed(), forge(secrets, [4n, 9n], 23n, 29n)), false)
      }
    }
  })

  it('accepts a proof in each of its valid forms, and none that is spoiled anywhere', async () => {
    const key = keyOf(SECRETS)
    const verify = createGroth16Verifier('slot', key)
    const signals = [4n, 6n]
    // The opposite of A and of B, and A by as much as B is divided by: proofs of the same.
    for (const [x, y] of [
      [23n, 29n],
      [SCALAR_ORDER - 23n, SCALAR_ORDER - 29n],
      [modulo(23n * 31n), modulo(29n * inverse(31n))],
    ] as const)
      assert.equal(verify(signals, forge(SECRETS, signals, x, y)), true)
    const proof = forge(SECRETS, signals, 23n, 29n)
    for (let at = 0; at < PROOF_BYTES; at += 7) {
      const spoiled = proof.slice()
      spoiled[at] = (spoiled[at] ?? 0) ^ (1 << (at % 8))
      assert.equal(verify(signals, spoiled), false, `byte ${at}`)
      if (at % 28 === 0)
        assert.equal(await libraryVerifies(key, { signals, proof: spoiled }), false, `byte ${at}`)
    }
    for (const swapped of [
      bytesOf(points.g1(24n), points.g2(29n), points.g1(1n)),
      bytesOf(points.g1(SCALAR_ORDER - 23n), points.g2(29n), points.g1(1n)),
    ])
      assert.equal(verify(signals, swapped), false)
  })

  it('refuses the identity in a proof that holds otherwise, of which the library accepts two', async () => {
    const [key, signals] = [keyOf(SECRETS), [4n, 6n]]
    const verify = createGroth16Verifier('slot', key)
    const right = 3n * 5n + (13n + 17n * 4n + 19n * 6n) * 7n
    const third = points.g1(modulo(-right * inverse(11n)))
    const [none1, none2] = [
      [0n, 0n],
      [0n, 0n, 0n, 0n],
    ]
    for (const [name, proof] of [
      ['A', bytesOf(none1, points.g2(29n), third)],
      ['B', bytesOf(points.g1(23n), none2, third)],
      ['C', bytesOf(points.g1(right), points.g2(1n), none1)],
    ] as const) {
      assert.equal(
        await libraryVerifies(key, { signals, proof }),
        name !== 'B',
        `${name}, the library`,
      )
      assert.equal(verify(signals, proof), false, name)
    }
  })

  it('refuses other counts of signals, and values of them that are not below the order', () => {
    const verify = createGroth16Verifier('slot', keyOf(SECRETS))
    const proof = forge(SECRETS, [4n, 6n], 23n, 29n)
    assert.equal(verify([4n, 6n], proof), true)
    for (const signals of [
      [],
      [4n],
      [4n, 6n, 0n],
      [4n + SCALAR_ORDER, 6n],
      [4n, 6n + SCALAR_ORDER],
      [4n - SCALAR_ORDER, 6n],
      [4n, 2n ** 256n + 6n],
    ])
      assert.equal(verify(signals, proof), false)
    // A proof for one signal that is zero is none for no signal.
    const zero = forge(SECRETS, [4n, 0n], 23n, 29n)
    assert.equal(verify([4n, 0n], zero), true)
    assert.equal(verify([4n], zero), false)
  })
})

describe('the points of a proof', () => {
  const good = (): Coordinates[] => [points.g1(23n), points.g2(29n), points.g1(31n)]
  const reads = (a: Coordinates, b: Coordinates, c: Coordinates): boolean =>
    createProofReader(openCurve('slot', 64 * 1024))(bytesOf(a, b, c)) !== undefined

  it('are taken in one form each, and never the identity', () => {
    const [a = [], b = [], c = []] = good()
    assert.equal(reads(a, b, c), true)
    for (const place of [0, 1, 2]) {
      const spoil = (change: (point: Coordinates) => Coordinates): boolean => {
        const [x = [], y = [], z = []] = good().map((point, i) =>
          i === place ? change(point) : point,
        )
        return reads(x, y, z)
      }
      assert.equal(
        spoil((point) => point.map(() => 0n)),
        false,
        'the identity',
      )
      for (const coordinate of [0, 1, 2, 3].slice(0, place === 1 ? 4 : 2)) {
        const change = (by: bigint) => (point: Coordinates) =>
          point.map((value, i) => (i === coordinate ? value + by : value))
        assert.equal(spoil(change(COORDINATE_MODULUS)), false, 'another form')
        assert.equal(spoil(change(1n)), false, 'off the curve')
      }
    }
    const whole = bytesOf(a, b, c)
    const read = createProofReader(openCurve('slot', 64 * 1024))
    assert.equal(read(whole.subarray(1)), undefined)
    assert.equal(read(Uint8Array.from([...whole, 0])), undefined)
    assert.equal(read(new Uint8Array(PROOF_BYTES).fill(255)), undefined)
  })

  it('of the second group are of its order, and not only on its curve', () => {
    const [a = [], , c = []] = good()
    const strange = points.onSecondCurve()
    const inCofactor = points.timesG2(strange, SCALAR_ORDER)
    const small = points.timesG2(strange, (SCALAR_ORDER * COFACTOR) / SMALL_ORDER)
    assert.ok(inCofactor && small)
    assert.equal(points.timesG2(small, SMALL_ORDER), undefined, 'of a small order')
    for (const point of [strange, inCofactor, small]) assert.equal(reads(a, point, c), false)
    const shifted = points.addG2(points.g2(29n), small)
    assert.equal(reads(a, shifted, c), false)
    const ofOrder = points.timesG2(strange, COFACTOR)
    assert.ok(ofOrder)
    assert.equal(reads(a, ofOrder, c), true)
    for (const k of [1n, 2n, SCALAR_ORDER - 1n, 2n ** 200n])
      assert.equal(reads(a, points.g2(k), c), true)
  })
})
