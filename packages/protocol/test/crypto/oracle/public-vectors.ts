/**
 * Reads the public vectors that `tools/import-vectors.ts` cuts out of others' projects. They are not part of the
 * repository (see `vectors/README.md`): they lie in `vectors/public/`, or in `shared/vectors/public/` beside the clone.
 */
import { existsSync, readFileSync } from 'node:fs'
import type { NoiseCase } from './noise-replay.ts'

export type PublicCase = {
  readonly id: number
  readonly result: 'valid' | 'invalid' | 'acceptable'
  readonly flags?: readonly string[]
  readonly [field: string]: unknown
}

/** The first of the two folders that is here. A folder that is here has to hold every file. */
export function findPublicVectors(): URL | undefined {
  return PLACES.find((place) => existsSync(place))
}

/** Wycheproof's cases for one algorithm. A missing or empty file is a fault. */
export function readWycheproof(folder: URL, name: string): readonly PublicCase[] {
  return readCases(folder, `wycheproof-${name}`) as readonly PublicCase[]
}

/** One project's Noise handshakes. A missing or empty file is a fault. */
export function readNoise(folder: URL, name: string): readonly NoiseCase[] {
  return readCases(folder, `noise-${name}`) as readonly NoiseCase[]
}

/** A field written in hexadecimal digits. */
export function field(one: PublicCase, name: string): Uint8Array {
  const hex = one[name]
  if (typeof hex !== 'string') throw new Error(`case ${one.id} has no ${name}`)
  return Uint8Array.from(Buffer.from(hex, 'hex'))
}

function readCases(folder: URL, name: string): readonly unknown[] {
  const file = new URL(`${name}.json`, folder)
  const { cases } = JSON.parse(readFileSync(file, 'utf8')) as { cases: readonly unknown[] }
  if (cases.length === 0) throw new Error(`${name} holds no case`)
  return cases
}

const ROOT = new URL('../../../../../', import.meta.url)
const PLACES = ['vectors/public/', '../shared/vectors/public/'].map((path) => new URL(path, ROOT))
