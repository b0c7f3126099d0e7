/** Ed25519 and SHA-512 in Solidity beside OpenSSL's. */
import assert from 'node:assert/strict'
import { createHash, createPrivateKey, createPublicKey, sign, verify } from 'node:crypto'
import { after, test } from 'node:test'
import fc from 'fast-check'
import { bytesToHex, hexToBytes, type Hex } from 'viem'
import { ed25519ProbeArtifact } from './artifacts/ed25519probe.ts'
import { startRpc } from './kit/rpc.ts'
import { DEPLOYER } from './kit/world.ts'

const rpc = await startRpc()
after(() => rpc[Symbol.asyncDispose]())
const probe = await rpc.deploy(DEPLOYER, ed25519ProbeArtifact, [])
const SEED = 20_261_122

type Signed = { readonly key: Hex; readonly message: Hex; readonly r: Hex; readonly s: Hex }

const PKCS8 = Buffer.from('302e020100300506032b657004220420', 'hex')
const SPKI = Buffer.from('302a300506032b6570032100', 'hex')

function signed(seed: Uint8Array, message: Uint8Array): Signed {
  const key = createPrivateKey({ key: Buffer.concat([PKCS8, seed]), format: 'der', type: 'pkcs8' })
  const spki = createPublicKey(key).export({ format: 'der', type: 'spki' })
  const signature = sign(null, message, key)
  return {
    key: bytesToHex(spki.subarray(SPKI.length)),
    message: bytesToHex(message),
    r: bytesToHex(signature.subarray(0, 32)),
    s: bytesToHex(signature.subarray(32)),
  }
}

/** What OpenSSL says. */
function isGood({ key, message, r, s }: Signed): boolean {
  const spki = Buffer.concat([SPKI, hexToBytes(key)])
  const publicKey = createPublicKey({ key: spki, format: 'der', type: 'spki' })
  return verify(null, hexToBytes(message), publicKey, Buffer.concat([hexToBytes(r), hexToBytes(s)]))
}

async function onChain(all: readonly Signed[]): Promise<readonly boolean[]> {
  const { abi } = ed25519ProbeArtifact
  const answer = await rpc.read({ abi, to: probe, name: 'verifyAll', args: [all] })
  return [...hexToBytes(answer as Hex)].map((byte) => byte === 1)
}

test('hashes are those of another program, at every length about a block’s end', async () => {
  const lengths = [0, 1, 7, 8, 110, 111, 112, 113, 127, 128, 129, 239, 240, 255, 256, 1491, 1600]
  for (const length of lengths) {
    const data = Uint8Array.from({ length }, (_, at) => (at * 7 + length) & 255)
    const { abi } = ed25519ProbeArtifact
    const args = [bytesToHex(data)]
    const hash = await rpc.read({ abi, to: probe, name: 'sha512', args })
    assert.equal(hash, `0x${createHash('sha512').update(data).digest('hex')}`, `${length} bytes`)
  }
})

const seed = fc.uint8Array({ minLength: 32, maxLength: 32 })
const message = fc.uint8Array({ maxLength: 400, size: 'max' })

test('takes every good signature', async () => {
  const cases = fc.sample(fc.tuple(seed, message), { seed: SEED, numRuns: 60 })
  const all = cases.map(([of, what]) => signed(of, what))
  assert.deepEqual(
    await onChain(all),
    all.map(() => true),
  )
})

test('says what OpenSSL says of signatures of which a bit was changed', async () => {
  const part = fc.constantFrom('key', 'message', 'r', 's')
  const cases = fc.sample(fc.tuple(seed, message, part, fc.nat()), { seed: SEED, numRuns: 80 })
  const all = cases.map(([of, what, field, place]): Signed => {
    const good = signed(of, what)
    const bytes = hexToBytes(good[field])
    if (bytes.length > 0) bytes[(place >> 3) % bytes.length]! ^= 1 << (place & 7)
    return { ...good, [field]: bytesToHex(bytes) }
  })
  const said = await onChain(all)
  assert.deepEqual(said, all.map(isGood))
  assert.ok(said.filter(Boolean).length < 10)
})

test('refuses an s that is not reduced, and points that are none', async () => {
  const order = 2n ** 252n + 27_742_317_777_372_353_535_851_937_790_883_648_493n
  const good = signed(new Uint8Array(32).fill(1), Uint8Array.of(1, 2, 3))
  const s = BigInt(bytesToHex(hexToBytes(good.s).toReversed()))
  const little = (value: bigint): Hex =>
    bytesToHex(hexToBytes(`0x${value.toString(16).padStart(64, '0')}`).toReversed())
  const points = [
    0n,
    1n,
    2n,
    2n ** 255n - 19n,
    2n ** 255n - 18n,
    2n ** 255n,
    2n ** 255n + 1n,
    2n ** 256n - 1n,
  ]
  const all: readonly Signed[] = [
    good,
    { ...good, s: little(s + order) },
    { ...good, s: little(order) },
    { ...good, s: little(0n) },
    ...points.map((value) => ({ ...good, key: little(value) })),
    ...points.map((value) => ({ ...good, r: little(value) })),
    ...points.map((value) => ({ ...good, r: little(value), s: little(0n) })),
  ]
  assert.deepEqual(await onChain(all), all.map(isGood))
})
