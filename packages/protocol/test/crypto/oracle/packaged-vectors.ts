/**
 * Reads the public vectors of Debian packages where those are installed (see `vectors/README.md`), and decides what a
 * missing package means: one skipped test here, a failed one where `BYWAY_VECTORS=required` (as in `.ci/run`).
 */
import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { test } from 'node:test'

/** Where Debian installs the files. */
export const PACKAGES = {
  'golang-github-cloudflare-circl-dev': '/usr/share/gocode/src/github.com/cloudflare/circl/',
  'golang-github-flynn-noise-dev': '/usr/share/gocode/src/github.com/flynn/noise/',
  'python3-cryptography-vectors': '/usr/lib/python3/dist-packages/cryptography_vectors/',
} as const

/** One case: its fields as written, names in lower case. */
export type PackagedCase = Readonly<Record<string, string>>

/** What becomes of a package's tests. A misspelt demand must not pass for none. */
export function judgePackage(
  isInstalled: boolean,
  demand: string | undefined,
): 'run' | 'skip' | 'fail' {
  if (demand !== undefined && demand !== 'required') {
    throw new Error(`BYWAY_VECTORS is "${demand}": it is "required" or not set`)
  }
  if (isInstalled) return 'run'
  return demand === 'required' ? 'fail' : 'skip'
}

/** Defines the tests over a package's files, or the one test that says which package is missing. */
export function withPackage(
  name: keyof typeof PACKAGES,
  defineTests: (read: (path: string) => string) => void,
): void {
  const folder = PACKAGES[name]
  const verdict = judgePackage(existsSync(folder), process.env['BYWAY_VECTORS'])
  const missing = `not run: apt-get install --no-install-recommends ${name}`
  if (verdict === 'run') defineTests((path) => readFileSync(folder + path, 'utf8'))
  else if (verdict === 'skip') test(`public vectors of ${name}`, { skip: missing }, () => undefined)
  else test(`public vectors of ${name}`, () => assert.fail(missing))
}

/**
 * Cuts a text of `name = value` lines into cases, each of which starts with the field `first`. A line `FAIL` (NIST) is
 * the field `fail`; comments, `[headers]` and what stands before the first case are left out.
 */
export function parseCases(text: string, first: string): readonly PackagedCase[] {
  const cases: Record<string, string>[] = []
  for (const line of text.split('\n').map((raw) => raw.trim())) {
    if (line === '' || line.startsWith('#') || line.startsWith('[')) continue
    const [, rawName = line, value = ''] = /^(\w+)\s*=\s*(.*)$/.exec(line) ?? []
    const name = rawName.toLowerCase()
    if (name === first) cases.push({})
    const one = cases.at(-1)
    if (!one) continue
    if (name in one) throw new Error(`case ${cases.length} has two fields ${name}`)
    one[name] = value
  }
  return cases
}

/** A field in hexadecimal digits, or in ASCII between double quotes (BoringSSL). */
export function bytesOf(one: PackagedCase, name: string): Uint8Array {
  const value = one[name]
  if (value === undefined) throw new Error(`a case has no ${name}`)
  const quoted = /^"(.*)"$/.exec(value)?.[1]
  if (quoted === undefined && !/^([0-9a-f]{2})*$/i.test(value))
    throw new Error(`${name} is not hex`)
  return Uint8Array.from(
    quoted === undefined ? Buffer.from(value, 'hex') : Buffer.from(quoted, 'ascii'),
  )
}
