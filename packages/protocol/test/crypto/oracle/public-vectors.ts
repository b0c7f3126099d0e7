/** Reads the public vectors below `vectors/public/`, which are not part of the repository (see `vectors/README.md`). */
import { existsSync, readFileSync } from 'node:fs'

export type PublicCase = {
  readonly id: number
  readonly result: 'valid' | 'invalid' | 'acceptable'
  readonly flags?: readonly string[]
  readonly [field: string]: unknown
}

/** The cases of one file, or undefined when it is not here. An empty file is a fault. */
export function readPublicVectors(name: string): readonly PublicCase[] | undefined {
  const file = new URL(`../../../../../vectors/public/${name}.json`, import.meta.url)
  if (!existsSync(file)) return undefined
  const { cases } = JSON.parse(readFileSync(file, 'utf8')) as { cases: readonly PublicCase[] }
  if (cases.length === 0) throw new Error(`${name} holds no case`)
  return cases
}

/** A field written in hexadecimal digits. */
export function field(one: PublicCase, name: string): Uint8Array {
  const hex = one[name]
  if (typeof hex !== 'string') throw new Error(`case ${one.id} has no ${name}`)
  return Uint8Array.from(Buffer.from(hex, 'hex'))
}
