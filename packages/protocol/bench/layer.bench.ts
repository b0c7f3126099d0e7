/**
 * CPU time of one layer per cell (SPEC §6.2): what `node-layer.ts` does, beside the plainer variants it was chosen over.
 * Output is compared before anything is timed. One run takes about ten seconds:
 *
 *     node --conditions=byway:source packages/protocol/bench/layer.bench.ts
 */
import assert from 'node:assert/strict'
import { createCipheriv, createDecipheriv, createSecretKey, type CipherKey } from 'node:crypto'
import { cpus } from 'node:os'
import { TAG_BYTES, type AeadSuite } from '@byway/protocol/crypto'
import { nodeCrypto } from '@byway/protocol/node-crypto'

type Variant = { readonly name: string; readonly run: () => void }

const ROUNDS = 7
const ROUND_BYTES = 24 * 1024 * 1024
const RAW_KEY = new Uint8Array(32).fill(1)
/** An opener takes each cell once; a new one starts after this many. */
const BATCH_CELLS = 64
const AUTH = { authTagLength: TAG_BYTES } as const

for (const suite of ['aes-256-gcm', 'chacha20-poly1305'] as const) {
  for (const layerBytes of [1015, 16_375]) {
    for (const variants of [sealVariants(suite, layerBytes), openVariants(suite, layerBytes)]) {
      report(suite, layerBytes, variants)
    }
  }
}
console.log(
  `node ${process.version}, ${cpus()[0]?.model}, ${new Date().toISOString().slice(0, 10)}`,
)

function sealVariants(suite: AeadSuite, layerBytes: number): readonly Variant[] {
  const plaintext = new Uint8Array(layerBytes - TAG_BYTES).fill(7)
  const out = new Uint8Array(layerBytes)
  const sealer = nodeCrypto.layerSealer(suite, nodeCrypto.aeadKey(RAW_KEY))
  sealer.sealInto(out, 0, plaintext)
  assert.deepEqual(out, sealPlainly(suite, createSecretKey(RAW_KEY), 0, plaintext))
  const key = createSecretKey(RAW_KEY)
  let counter = 0
  return [
    { name: 'seal (as shipped)', run: () => sealer.sealInto(out, 0, plaintext) },
    { name: 'seal, joined', run: () => void sealPlainly(suite, key, counter++, plaintext) },
    { name: 'seal, Buffer key', run: () => void sealPlainly(suite, RAW_KEY, counter++, plaintext) },
  ]
}

function openVariants(suite: AeadSuite, layerBytes: number): readonly Variant[] {
  const plaintext = new Uint8Array(layerBytes - TAG_BYTES).fill(7)
  const key = createSecretKey(RAW_KEY)
  const batch = Array.from({ length: BATCH_CELLS }, (_, n) => sealPlainly(suite, key, n, plaintext))
  const [sealed] = batch
  assert.ok(sealed)
  const body = new Uint8Array(layerBytes)
  let cell = 0
  let opener = nodeCrypto.layerOpener(suite, nodeCrypto.aeadKey(RAW_KEY))
  const open = (): void => {
    if (cell % BATCH_CELLS === 0) {
      opener = nodeCrypto.layerOpener(suite, nodeCrypto.aeadKey(RAW_KEY))
    }
    body.set(batch[cell % BATCH_CELLS] ?? sealed)
    assert.ok(opener.open(body, 0, body.length))
    cell++
  }
  open()
  assert.deepEqual(body.subarray(0, plaintext.length), plaintext)
  assert.deepEqual(openPlainly(suite, key, sealed), plaintext)
  return [
    { name: 'open (as shipped), with a copy first', run: open },
    { name: 'open, plain', run: () => void openPlainly(suite, key, sealed) },
    { name: 'open, Buffer key', run: () => void openPlainly(suite, RAW_KEY, sealed) },
  ]
}

/** The plain version of sealing: new nonce, pieces joined. */
function sealPlainly(
  suite: AeadSuite,
  key: CipherKey,
  counter: number,
  plaintext: Uint8Array,
): Uint8Array {
  const cipher = createCipheriv(suite as 'aes-256-gcm', key, nonceOf(counter), AUTH)
  const joined = Buffer.concat([cipher.update(plaintext), cipher.final(), cipher.getAuthTag()])
  return new Uint8Array(joined.buffer, joined.byteOffset, joined.length)
}

/** The plain version of opening: into an array of its own. */
function openPlainly(suite: AeadSuite, key: CipherKey, sealed: Uint8Array): Uint8Array {
  const tagAt = sealed.length - TAG_BYTES
  const decipher = createDecipheriv(suite as 'aes-256-gcm', key, nonceOf(0), AUTH)
  decipher.setAuthTag(sealed.subarray(tagAt))
  const plaintext = decipher.update(sealed.subarray(0, tagAt))
  decipher.final()
  return new Uint8Array(plaintext.buffer, plaintext.byteOffset, plaintext.length)
}

function nonceOf(counter: number): Uint8Array {
  const nonce = new Uint8Array(12)
  new DataView(nonce.buffer).setUint32(4, counter, true)
  return nonce
}

/** Prints the median and the worst of alternating rounds, in CPU-microseconds per cell. */
function report(suite: AeadSuite, layerBytes: number, variants: readonly Variant[]): void {
  const cells = Math.floor(ROUND_BYTES / Math.max(layerBytes, 4096))
  const times = new Map<string, number[]>(variants.map(({ name }) => [name, []]))
  for (let round = 0; round <= ROUNDS; round++) {
    for (const { name, run } of variants) {
      const start = process.cpuUsage()
      for (let cell = 0; cell < cells; cell++) run()
      const { user, system } = process.cpuUsage(start)
      if (round > 0) times.get(name)?.push((user + system) / cells)
    }
  }
  for (const [name, perCell] of times) {
    const sorted = perCell.toSorted((a, b) => a - b)
    const median = sorted[sorted.length >> 1] ?? Number.NaN
    const line = [
      suite.padEnd(18),
      String(layerBytes).padStart(6),
      name.padEnd(36),
      `${median.toFixed(2)} us`.padStart(10),
      `worst ${(sorted.at(-1) ?? Number.NaN).toFixed(2)}`.padStart(13),
      `${(layerBytes / median).toFixed(0)} MB/s`.padStart(10),
    ]
    console.log(line.join(' '))
  }
}
