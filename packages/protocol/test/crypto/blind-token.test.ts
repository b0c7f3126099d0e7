/** The blind-token scheme and its signer (SPEC §16), beside textbook RSA on BigInt. */
import assert from 'node:assert/strict'
import { createHash, createPrivateKey, createPublicKey } from 'node:crypto'
import { before, suite, test } from 'node:test'
import { concatBytes, equalBytes } from '@byway/protocol/base'
import type { BlindTokenKeyPair } from '@byway/protocol/crypto'
import { createNodeBlindSigner, nodeBlindTokens as scheme } from '@byway/protocol/node-blind'
import { seededBytes } from './seeded-bytes.ts'

let pair: BlindTokenKeyPair
let other: BlindTokenKeyPair
const key32 = new Uint8Array(32)

before(async () => {
  ;[pair, other] = await Promise.all([scheme.generateKeyPair(), scheme.generateKeyPair()])
})

const messages = (count: number, seed = 'm'): Uint8Array[] => {
  const random = seededBytes(seed)
  return Array.from({ length: count }, () => random(32))
}

function keyOf({ publicKey }: BlindTokenKeyPair) {
  const key = scheme.publicKey(publicKey)
  assert.ok(key)
  return key
}

suite('the blind-token scheme (RFC 9474, SPEC §16.2)', () => {
  test('a blinded message that is signed becomes a token over the message', async () => {
    await using signer = createNodeBlindSigner()
    const asked = messages(32)
    const blinded = scheme.blind(keyOf(pair), asked, seededBytes('r'))
    assert.ok(blinded)
    const signatures = await signer.sign(pair.privateKey, blinded.elements)
    assert.ok(typeof signatures !== 'string')
    const tokens = scheme.finalise(blinded.secret, signatures)
    assert.equal(tokens?.length, 32)
    for (const [i, token] of (tokens ?? []).entries()) {
      assert.ok(token)
      assert.equal(scheme.verify(keyOf(pair), asked[i] ?? token, token), true)
      assert.equal(scheme.verify(keyOf(pair), asked[(i + 1) % 32] ?? token, token), false)
      assert.equal(scheme.verify(keyOf(other), asked[i] ?? token, token), false)
    }
  })

  test('agrees with textbook RSA on BigInt: signature, blinding, PSS form', async () => {
    await using signer = createNodeBlindSigner()
    const [message = new Uint8Array()] = messages(1, 'oracle')
    const { n, d, e } = numbersOf(pair)
    const random = seededBytes('oracle blinding')
    const blinded = scheme.blind(keyOf(pair), [message], random)
    const [element = new Uint8Array()] = blinded?.elements ?? []
    const signatures = await signer.sign(pair.privateKey, [element])
    assert.ok(typeof signatures !== 'string' && signatures[0])
    assert.equal(big(signatures[0]), power(big(element), d, n))
    const [token] = scheme.finalise(blinded?.secret ?? assert.fail(), signatures) ?? []
    assert.ok(token && isPssOf(message, power(big(token), e, n)))
  })

  test('a token in another form is refused: shorter, longer, empty, zeros, negated', async () => {
    const { message, token } = await buyOne()
    const { n } = numbersOf(pair)
    const key = keyOf(pair)
    assert.equal(scheme.verify(key, message, token), true)
    for (const form of [
      token.subarray(1),
      concatBytes(Uint8Array.of(0), token),
      concatBytes(token, Uint8Array.of(0)),
      new Uint8Array(),
      new Uint8Array(256),
      pair.publicKey,
      new Uint8Array(Buffer.from((n - big(token)).toString(16).padStart(512, '0'), 'hex')),
    ]) {
      assert.equal(scheme.verify(key, message, form), false)
    }
  })

  test('the same number in another form is refused: a token plus the modulus, and the edges', async () => {
    await using signer = createNodeBlindSigner()
    const key = keyOf(pair)
    const { n } = numbersOf(pair)
    const asked = messages(32, 'plus n')
    const blinded = scheme.blind(key, asked, seededBytes('plus n'))
    const signatures = await signer.sign(pair.privateKey, blinded?.elements ?? [])
    assert.ok(blinded && typeof signatures !== 'string')
    const tokens = scheme.finalise(blinded.secret, signatures) ?? []
    const forms = tokens.map((token, i) => [asked[i], big(token ?? key32) + n] as const)
    const edges = [0n, 1n, n - 1n, n, n + 1n, (1n << 2048n) - 1n]
    for (const [message, value] of [...forms, ...edges.map((edge) => [asked[0], edge] as const)]) {
      if (value >= 1n << 2048n) continue
      const form = new Uint8Array(Buffer.from(value.toString(16).padStart(512, '0'), 'hex'))
      assert.equal(scheme.verify(key, message ?? key32, form), false)
    }
  })

  test('a wrong signature gives no token; the others of the batch do', async () => {
    await using signer = createNodeBlindSigner()
    const blinded = scheme.blind(keyOf(pair), messages(4), seededBytes('batch'))
    assert.ok(blinded)
    const signatures = await signer.sign(pair.privateKey, blinded.elements)
    assert.ok(typeof signatures !== 'string')
    const [first, second, third] = signatures
    assert.ok(first && second && third)
    const garbage = [first, third, second.subarray(1), seededBytes('x')(256)]
    const tokens = scheme.finalise(blinded.secret, garbage)
    assert.deepEqual(
      tokens?.map((token) => token !== undefined),
      [true, false, false, false],
    )
    assert.equal(scheme.finalise(blinded.secret, signatures.slice(1)), undefined)
    assert.equal(scheme.finalise(blinded.secret, []), undefined)
  })

  test('signatures of another key give no token: a hop cannot tag a client by its key', async () => {
    await using signer = createNodeBlindSigner()
    const blinded = scheme.blind(keyOf(pair), messages(3), seededBytes('tag'))
    const signatures = await signer.sign(other.privateKey, inRange(blinded?.elements ?? []))
    assert.ok(typeof signatures !== 'string')
    const tokens = scheme.finalise(blinded?.secret ?? assert.fail(), signatures)
    assert.deepEqual(tokens, [undefined, undefined, undefined])
  })

  test('a malformed public key is refused', () => {
    const key = pair.publicKey
    assert.equal(scheme.publicKey(key.subarray(1)), undefined)
    assert.equal(scheme.publicKey(concatBytes(key, Uint8Array.of(1))), undefined)
    assert.equal(scheme.publicKey(new Uint8Array()), undefined)
    assert.equal(scheme.publicKey(key.with(0, 0x7f)), undefined)
    assert.equal(scheme.publicKey(key.with(255, 2)), undefined)
  })

  test('a modulus made of small primes is noticed: it would sort messages into classes', () => {
    const key = scheme.publicKey(smoothModulus())
    assert.ok(key)
    assert.equal(scheme.blind(key, messages(16), seededBytes('smooth')), undefined)
  })

  test('a private key comes back from storage; anything else does not', () => {
    const stored = scheme.exportPrivateKey(pair.privateKey)
    assert.deepEqual(scheme.importPrivateKey(stored)?.publicKey, pair.publicKey)
    assert.equal(scheme.importPrivateKey(stored.subarray(1)), undefined)
    assert.equal(scheme.importPrivateKey(new Uint8Array()), undefined)
  })
})

suite('unlinkability, a sanity check (SPEC §16)', () => {
  test('the same messages blind to other elements each time, and none is near its token', async () => {
    await using signer = createNodeBlindSigner()
    const asked = messages(8)
    const seen = new Set<string>()
    for (const round of ['a', 'b']) {
      const blinded = scheme.blind(keyOf(pair), asked, seededBytes(round))
      const signatures = await signer.sign(pair.privateKey, blinded?.elements ?? [])
      assert.ok(blinded && typeof signatures !== 'string')
      const tokens = scheme.finalise(blinded.secret, signatures) ?? []
      for (const value of [...blinded.elements, ...signatures, ...tokens]) {
        assert.ok(value)
        seen.add(Buffer.from(value).toString('hex'))
      }
    }
    assert.equal(seen.size, 8 * 3 * 2)
  })

  test('any element fits any token: for each pair there is a blinding, so neither tells the other', async () => {
    const { n, e } = numbersOf(pair)
    const bought = await Promise.all(['p', 'q', 'r'].map((seed) => buyOne(seed)))
    for (const { element } of bought) {
      for (const { token } of bought) {
        // r = blind signature / token, and element = encoded · r^e: the pair is possible with that r.
        const r = (power(big(element), numbersOf(pair).d, n) * inverse(big(token), n)) % n
        const encoded = power(big(token), e, n)
        assert.equal((encoded * power(r, e, n)) % n, big(element))
      }
    }
  })

  test('the bits of elements of one message are spread evenly (seeded, within 5 sigma)', () => {
    const [message = new Uint8Array()] = messages(1)
    const random = seededBytes('spread')
    const rounds = 40
    let ones = 0
    for (let i = 0; i < rounds; i++) {
      const blinded = scheme.blind(keyOf(pair), [message], random)
      // The lower half: the upper bits follow the modulus.
      for (const byte of blinded?.elements[0]?.subarray(128) ?? []) {
        for (let bit = 0; bit < 8; bit++) ones += (byte >> bit) & 1
      }
    }
    const bits = rounds * 1024
    assert.ok(Math.abs(ones - bits / 2) < 5 * Math.sqrt(bits / 4), `${ones} of ${bits}`)
  })
})

suite('the signing thread', () => {
  test('refuses what is no element, and signs nothing of such a batch', async () => {
    await using signer = createNodeBlindSigner()
    const good = new Uint8Array(256).fill(1)
    assert.equal(await signer.sign(pair.privateKey, [good, good.subarray(1)]), 'malformed')
    assert.equal(await signer.sign(pair.privateKey, [good, pair.publicKey]), 'malformed')
    const signatures = await signer.sign(pair.privateKey, [good])
    assert.ok(typeof signatures !== 'string' && signatures.length === 1)
  })

  test('says busy beyond 256 waiting elements, and serves again when they are done', async () => {
    await using signer = createNodeBlindSigner()
    const batch = Array.from({ length: 32 }, () => new Uint8Array(256).fill(2))
    const waiting = Array.from({ length: 8 }, () => signer.sign(pair.privateKey, batch))
    assert.equal(signer.pending, 256)
    assert.equal(await signer.sign(pair.privateKey, batch.slice(0, 1)), 'busy')
    for (const result of await Promise.all(waiting)) assert.equal(result.length, 32)
    assert.equal(signer.pending, 0)
    assert.ok(typeof (await signer.sign(pair.privateKey, batch.slice(0, 1))) !== 'string')
  })

  test('leaves the event loop free while 256 elements are signed', async () => {
    await using signer = createNodeBlindSigner()
    const batch = Array.from({ length: 32 }, () => new Uint8Array(256).fill(3))
    await signer.sign(pair.privateKey, batch.slice(0, 1))
    let turns = 0
    const progress = { done: false }
    const work = Promise.all(
      Array.from({ length: 8 }, () => signer.sign(pair.privateKey, batch)),
    ).then(() => (progress.done = true))
    while (!progress.done) {
      turns++
      await new Promise((resolve) => setImmediate(resolve))
    }
    await work
    assert.ok(turns > 100, `${turns} turns of the loop in about 100 ms of RSA`)
  })

  test('ends its thread when nobody buys any more, and starts another for who does', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] })
    let threads = 0
    const onWorker = (): void => void threads++
    process.on('worker', onWorker)
    t.after(() => process.off('worker', onWorker))
    await using signer = createNodeBlindSigner()
    const buy = async (): Promise<void> => {
      const blinded = scheme.blind(keyOf(pair), messages(1), seededBytes('r'))
      assert.ok(blinded)
      assert.ok(typeof (await signer.sign(pair.privateKey, blinded.elements)) !== 'string')
    }
    await buy()
    t.mock.timers.tick(119_000)
    await buy()
    t.mock.timers.tick(119_000)
    await buy()
    assert.equal(threads, 1)
    t.mock.timers.tick(120_000)
    await Promise.all([buy(), buy()])
    assert.equal(threads, 2)
  })

  test('gives up what waits when it is disposed, and takes no more', async () => {
    const signer = createNodeBlindSigner()
    const batch = Array.from({ length: 32 }, () => new Uint8Array(256).fill(4))
    const waiting = Array.from({ length: 8 }, () => signer.sign(pair.privateKey, batch))
    await signer[Symbol.asyncDispose]()
    const results = await Promise.all(waiting)
    assert.equal(results.at(-1), 'busy')
    assert.equal(await signer.sign(pair.privateKey, batch), 'busy')
  })
})

async function buyOne(
  seed = 'one',
): Promise<{ message: Uint8Array; element: Uint8Array; token: Uint8Array }> {
  await using signer = createNodeBlindSigner()
  const [message = new Uint8Array()] = messages(1, seed)
  const blinded = scheme.blind(keyOf(pair), [message], seededBytes(`blind ${seed}`))
  const signatures = await signer.sign(pair.privateKey, blinded?.elements ?? [])
  assert.ok(blinded && typeof signatures !== 'string')
  const [token] = scheme.finalise(blinded.secret, signatures) ?? []
  assert.ok(token && blinded.elements[0])
  return { message, element: blinded.elements[0], token }
}

/** Elements made for one modulus may be above another's; such a hop would answer garbage anyway. */
function inRange(elements: readonly Uint8Array[]): Uint8Array[] {
  return elements.map((element) => element.with(0, 0x3f))
}

/** A product of small primes with the right length and top bit. */
function smoothModulus(): Uint8Array {
  let product = 1n
  for (let candidate = 3n; product < 1n << 2047n; candidate += 2n) {
    if (isPrime(candidate)) product *= candidate
  }
  while (product >= 1n << 2048n) product /= smallestFactor(product)
  while (product < 1n << 2047n) product *= 3n
  assert.ok(product < 1n << 2048n)
  return new Uint8Array(Buffer.from(product.toString(16).padStart(512, '0'), 'hex'))
}

function isPrime(value: bigint): boolean {
  for (let d = 3n; d * d <= value; d += 2n) if (value % d === 0n) return false
  return true
}

function smallestFactor(value: bigint): bigint {
  let d = 3n
  while (value % d !== 0n) d += 2n
  return d
}

function numbersOf({ privateKey }: BlindTokenKeyPair): { n: bigint; d: bigint; e: bigint } {
  const key = Buffer.from(scheme.exportPrivateKey(privateKey))
  const jwk = createPrivateKey({ key, format: 'der', type: 'pkcs8' }).export({ format: 'jwk' })
  assert.ok(createPublicKey({ key: jwk, format: 'jwk' }))
  const read = (text = ''): bigint => big(Buffer.from(text, 'base64url'))
  return { n: read(jwk.n), d: read(jwk.d), e: read(jwk.e) }
}

/** RFC 8017 §9.1.2, written apart from the encoder: true when `value` is a PSS form of the message with a 48-byte salt. */
function isPssOf(message: Uint8Array, value: bigint): boolean {
  const encoded = Buffer.from(value.toString(16).padStart(512, '0'), 'hex')
  const hash = (...parts: Uint8Array[]): Buffer =>
    createHash('sha384')
      .update(concatBytes(...parts))
      .digest()
  const [masked, h] = [encoded.subarray(0, 207), encoded.subarray(207, 255)]
  const mask = Buffer.concat(
    [0, 1, 2, 3, 4].map((counter) => hash(h, Uint8Array.of(0, 0, 0, counter))),
  )
  const block = masked.map((byte, i) => byte ^ (mask[i] ?? 0))
  block[0] = (block[0] ?? 0) & 0x7f
  const salt = block.subarray(207 - 48)
  const front = block.subarray(0, 207 - 48)
  const wanted = hash(new Uint8Array(8), hash(message), salt)
  return (
    encoded[255] === 0xbc &&
    front.at(-1) === 1 &&
    front.subarray(0, -1).every((byte) => byte === 0) &&
    equalBytes(h, wanted)
  )
}

function big(bytes: Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(bytes).toString('hex')}`)
}

function power(base: bigint, exponent: bigint, n: bigint): bigint {
  let [result, square] = [1n, base % n]
  for (let rest = exponent; rest > 0n; rest >>= 1n) {
    if (rest & 1n) result = (result * square) % n
    square = (square * square) % n
  }
  return result
}

function inverse(value: bigint, n: bigint): bigint {
  let [a, b, x, y] = [n, value, 0n, 1n]
  while (b > 0n) [a, b, x, y] = [b, a % b, y, x - (a / b) * y]
  return ((x % n) + n) % n
}
