/**
 * Reads the public vectors of `vectors/public/`, which `tools/import-vectors.ts` cut out of others' projects (`vectors/README.md`).
 */
import { readFileSync } from 'node:fs'
import type { NoiseCase } from './noise-replay.ts'

export type PublicCase = {
  readonly id: number
  readonly result: 'valid' | 'invalid' | 'acceptable'
  readonly [field: string]: unknown
}

/** Wycheproof's cases for one algorithm. A missing or empty file is a fault. */
export function readWycheproof(name: string): readonly PublicCase[] {
  return readCases(`wycheproof-${name}`) as readonly PublicCase[]
}

/** One project's Noise handshakes. A missing or empty file is a fault. */
export function readNoise(name: string): readonly NoiseCase[] {
  return readCases(`noise-${name}`) as readonly NoiseCase[]
}

/** A field written in hexadecimal digits. */
export function field(one: PublicCase, name: string): Uint8Array {
  const hex = one[name]
  if (typeof hex !== 'string') throw new Error(`case ${one.id} has no ${name}`)
  return Uint8Array.from(Buffer.from(hex, 'hex'))
}

function readCases(name: string): readonly unknown[] {
  const file = new URL(`${name}.json`, FOLDER)
  const { cases } = JSON.parse(readFileSync(file, 'utf8')) as { cases: readonly unknown[] }
  if (cases.length === 0) throw new Error(`${name} holds no case`)
  return cases
}

const FOLDER = new URL('../../../../../vectors/public/', import.meta.url)
