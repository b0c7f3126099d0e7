/**
 * Cuts the public vectors that our tests use out of clones of their projects, into compact files below `vectors/public/`:
 *
 *     node tools/import-vectors.ts WYCHEPROOF CACOPHONY SNOW
 *
 * with the directories of clones of C2SP/wycheproof, haskell-cryptography/cacophony and mcginty/snow.
 * It leaves out comments and flags, and fields and cases that our wrappers cannot be asked; values stay as they are.
 */
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

type Row = Readonly<Record<string, unknown>>
type Group = Row & { readonly tests: readonly Row[] }
type NoiseRow = Row & {
  readonly protocol_name: string
  readonly messages: readonly { readonly payload: string; readonly ciphertext: string }[]
}

const OUT = fileURLToPath(new URL('../vectors/public/', import.meta.url))

/** Wycheproof file → how one case is cut down; undefined leaves it out. */
const CUTS: Readonly<Record<string, (test: Row, group: Group) => Row | undefined>> = {
  x25519: (test) => pick(test, ['public', 'private', 'shared']),
  ed25519: (test, group) => ({
    pk: (group['publicKey'] as Row)['pk'],
    ...pick(test, ['msg', 'sig']),
  }),
  chacha20_poly1305: (test) => pick(test, ['key', 'iv', 'aad', 'msg', 'ct', 'tag']),
  aes_gcm: (test, group) =>
    group['keySize'] === 256 ? pick(test, ['key', 'iv', 'aad', 'msg', 'ct', 'tag']) : undefined,
  hkdf_sha256: (test) => pick(test, ['ikm', 'salt', 'info', 'size', 'okm']),
  hmac_sha256: (test) => pick(test, ['key', 'msg', 'tag']),
  mlkem_768: (test) => ({
    ...pick(test, ['seed', 'c', 'K']),
    ...(typeof test['ek'] === 'string' ? { ekSha256: sha256Hex(test['ek']) } : {}),
  }),
  mlkem_768_keygen_seed: (test) => ({
    ...pick(test, ['seed']),
    ekSha256: sha256Hex(String(test['ek'])),
  }),
  mlkem_768_encaps: (test) =>
    test['result'] === 'valid' && String(test['comment']).startsWith('Test vector based on')
      ? undefined
      : pick(test, ['ek']),
}

const NOISE_NAME = /^Noise_[NKXI]{1,2}_25519_ChaChaPoly_SHA256$/

function main([wycheproof, cacophony, snow]: readonly string[]): void {
  if (!wycheproof || !cacophony || !snow) throw new Error('three directories wanted')
  mkdirSync(OUT, { recursive: true })
  for (const [name, cut] of Object.entries(CUTS)) importWycheproof(wycheproof, name, cut)
  importNoise(cacophony, 'vectors/cacophony.txt', 'cacophony', 'public domain (Unlicense)')
  importNoise(snow, 'tests/vectors/snow.txt', 'snow', 'Apache-2.0 or MIT')
}

function importWycheproof(
  clone: string,
  name: string,
  cut: (test: Row, group: Group) => Row | undefined,
): void {
  const path = `testvectors_v1/${name}_test.json`
  const { testGroups } = read(clone, path) as { testGroups: readonly Group[] }
  const cases = testGroups.flatMap((group) =>
    group.tests.flatMap((test) => {
      const kept = cut(test, group)
      return kept ? [{ id: test['tcId'], result: test['result'], ...kept }] : []
    }),
  )
  write(`wycheproof-${name}`, {
    source: `C2SP/wycheproof ${path}`,
    licence: 'Apache-2.0',
    commit: commitOf(clone),
    cases,
  })
}

function importNoise(clone: string, path: string, name: string, licence: string): void {
  const { vectors } = read(clone, path) as { vectors: readonly NoiseRow[] }
  const cases = vectors
    .filter((vector) => NOISE_NAME.test(vector.protocol_name))
    .map(({ messages, ...rest }) => ({
      ...rest,
      messages: messages.map((message) => [message.payload, message.ciphertext]),
    }))
  write(`noise-${name}`, { source: path, licence, commit: commitOf(clone), cases })
}

function read(clone: string, path: string): unknown {
  return JSON.parse(readFileSync(`${clone}/${path}`, 'utf8'))
}

function write(name: string, file: { readonly cases: readonly unknown[] } & Row): void {
  if (file.cases.length === 0) throw new Error(`no case left for ${name}`)
  const { cases, ...head } = file
  const lines = cases.map((one) => JSON.stringify(one)).join(',\n')
  const start = JSON.stringify(head).slice(0, -1)
  writeFileSync(`${OUT}${name}.json`, `${start},"cases":[\n${lines}\n]}\n`)
  console.log(`${name}: ${cases.length} cases`)
}

function commitOf(clone: string): string {
  return execFileSync('git', ['-C', clone, 'rev-parse', 'HEAD'], { encoding: 'utf8' }).trim()
}

function pick(row: Row, fields: readonly string[]): Row {
  return Object.fromEntries(fields.flatMap((f) => (f in row ? [[f, row[f]]] : [])))
}

function sha256Hex(hex: string): string {
  return createHash('sha256').update(Buffer.from(hex, 'hex')).digest('hex')
}

main(process.argv.slice(2))
