/**
 * What a blind token costs (SPEC §16): RFC 9474 blind RSA as shipped, beside RFC 9497 VOPRF on P-256 and ristretto255 by @noble/curves with one
 * proof for a batch. Every step's output is checked before anything is timed. CPU time of the calling thread, one batch of 16; about half a minute:
 *
 *     node --conditions=byway:source packages/protocol/bench/token.bench.ts
 */
import assert from 'node:assert/strict'
import { constants, privateDecrypt, randomBytes, type KeyObject } from 'node:crypto'
import { cpus } from 'node:os'
import { ristretto255_oprf } from '@noble/curves/ed25519.js'
import { p256_oprf } from '@noble/curves/nist.js'
import { nodeBlindTokens } from '@byway/protocol/node-blind'

type Row = { readonly scheme: string; readonly step: string; readonly run: () => void }
type Wire = { readonly scheme: string; readonly bytes: string }

const BATCH = 16
const ROUNDS = 5
/** A thread's CPU time is counted in ticks of some milliseconds. */
const REPEATS = 8
const inputs = Array.from({ length: BATCH }, () => new Uint8Array(randomBytes(55)))
const random = (bytes: number): Uint8Array => new Uint8Array(randomBytes(bytes))

const rsa = await rsaRows()
const p256 = voprfRows('VOPRF P-256', p256_oprf.voprf as Voprf)
const ristretto = voprfRows('VOPRF ristretto255', ristretto255_oprf.voprf as Voprf)
const allRows = [...rsa.rows, ...p256.rows, ...ristretto.rows]
const times = new Map(allRows.map((row) => [row, [] as number[]]))
for (let round = 0; round <= ROUNDS; round++) {
  for (const row of allRows) {
    const start = process.threadCpuUsage()
    for (let i = 0; i < REPEATS; i++) row.run()
    const { user, system } = process.threadCpuUsage(start)
    if (round > 0) times.get(row)?.push((user + system) / BATCH / REPEATS)
  }
}
for (const [{ scheme, step }, perToken] of times) {
  const sorted = perToken.toSorted((a, b) => a - b)
  const median = sorted[sorted.length >> 1] ?? Number.NaN
  console.log(
    `${scheme.padEnd(20)} ${step.padEnd(30)} ${median.toFixed(0).padStart(6)} us a token, worst ${(sorted.at(-1) ?? 0).toFixed(0)}`,
  )
}
for (const { scheme, bytes } of [rsa.wire, p256.wire, ristretto.wire]) {
  console.log(`${scheme.padEnd(20)} bytes a token: ${bytes}`)
}
const keyStart = process.hrtime.bigint()
for (let i = 0; i < 10; i++) await nodeBlindTokens.generateKeyPair()
const keyMs = Number(process.hrtime.bigint() - keyStart) / 1e7
console.log(`${'blind RSA 2048'.padEnd(20)} a key pair takes ${keyMs.toFixed(0)} ms, mean of ten`)
console.log(
  `node ${process.version}, ${cpus()[0]?.model}, ${new Date().toISOString().slice(0, 10)}`,
)

async function rsaRows(): Promise<{ rows: Row[]; wire: Wire }> {
  const scheme = 'blind RSA 2048'
  const { privateKey, publicKey } = await nodeBlindTokens.generateKeyPair()
  const key = nodeBlindTokens.publicKey(publicKey)
  assert.ok(key)
  const signKey = privateKey as unknown as KeyObject
  const sign = (elements: readonly Uint8Array[]): Uint8Array[] =>
    elements.map((element) =>
      privateDecrypt({ key: signKey, padding: constants.RSA_NO_PADDING }, element),
    )
  const blinded = nodeBlindTokens.blind(key, inputs, random)
  assert.ok(blinded)
  const signatures = sign(blinded.elements)
  const tokens = (nodeBlindTokens.finalise(blinded.secret, signatures) ?? []).map((token) => {
    assert.ok(token)
    return token
  })
  const verifyAll = (): boolean =>
    tokens.every((token, i) => nodeBlindTokens.verify(key, inputs[i] ?? token, token))
  assert.ok(tokens.length === BATCH && verifyAll())
  assert.ok(!nodeBlindTokens.verify(key, inputs[0] ?? random(1), tokens[1] ?? random(1)))
  const rows = [
    { step: 'client: blind', run: () => void nodeBlindTokens.blind(key, inputs, random) },
    { step: 'hop: sign', run: () => void sign(blinded.elements) },
    {
      step: 'client: unblind and verify',
      run: () => void nodeBlindTokens.finalise(blinded.secret, signatures),
    },
    { step: 'hop: take', run: () => void verifyAll() },
  ]
  const [element = random(0), signature = random(0), token = random(0)] = [
    blinded.elements[0],
    signatures[0],
    tokens[0],
  ]
  const bytes = `${element.length} up, ${signature.length} down, ${32 + token.length} spent`
  return { rows: rows.map((row) => ({ scheme, ...row })), wire: { scheme, bytes } }
}

type Voprf = typeof p256_oprf.voprf & {
  evaluate(secretKey: Uint8Array, input: Uint8Array): Uint8Array
}

function voprfRows(scheme: string, voprf: Voprf): { rows: Row[]; wire: Wire } {
  const { secretKey, publicKey } = voprf.generateKeyPair()
  const blinds = inputs.map((input) => voprf.blind(input))
  const elements = blinds.map(({ blinded }) => blinded)
  const { evaluated, proof } = voprf.blindEvaluateBatch(secretKey, publicKey, elements)
  const finish = (): Uint8Array[] =>
    voprf.finalizeBatch(
      inputs.map((input, i) => ({
        input,
        blind: blinds[i]?.blind ?? input,
        blinded: elements[i] ?? input,
        evaluated: evaluated[i] ?? input,
      })),
      publicKey,
      proof,
    )
  const take = (): Uint8Array[] => inputs.map((input) => voprf.evaluate(secretKey, input))
  const outputs = finish()
  assert.deepEqual(outputs, take())
  const rows = [
    { step: 'client: blind', run: () => void inputs.map((input) => voprf.blind(input)) },
    {
      step: 'hop: evaluate, one proof',
      run: () => void voprf.blindEvaluateBatch(secretKey, publicKey, elements),
    },
    { step: 'client: unblind and verify', run: () => void finish() },
    { step: 'hop: take', run: () => void take() },
  ]
  const down = (evaluated[0]?.length ?? 0) + proof.length / BATCH
  const bytes = `${elements[0]?.length} up, ${down} down, ${32 + (outputs[0]?.length ?? 0)} spent`
  return { rows: rows.map((row) => ({ scheme, ...row })), wire: { scheme, bytes } }
}
