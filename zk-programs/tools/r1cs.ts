/** Reads a compiled program's constraints, (A·w)(B·w) = C·w over the wires w, from iden3's r1cs format (version 1), as fast as they can be read. */
import { readFileSync } from 'node:fs'

const SECTION = { header: 1, constraints: 2 } as const
const WORD_BYTES = 32

/** Sides of a constraint. */
export const SIDES = ['a', 'b', 'c'] as const
export type Side = (typeof SIDES)[number]

/** One factor: of which wire on which side of which constraint. */
export type Term = {
  readonly side: Side
  readonly constraint: number
  readonly wire: number
  readonly factor: bigint
}

/** A program. Wire 0 is one, then come the public ones. */
export type R1cs = {
  readonly wires: number
  readonly publics: number
  readonly constraints: number
  /** All factors, in the order of the file. */
  terms(): Iterable<Term>
}

/** Reads. @throws when it is no such file */
export function readR1cs(path: string): R1cs {
  const bytes = readFileSync(path)
  const sections = sectionsOf(bytes)
  const header = sections.get(SECTION.header)
  const body = sections.get(SECTION.constraints)
  if (!header || !body || header.readUInt32LE(0) !== WORD_BYTES)
    throw new Error(`${path} is no program over a field of 32 bytes`)
  const at = 4 + WORD_BYTES
  const constraints = header.readUInt32LE(at + 24)
  return {
    wires: header.readUInt32LE(at),
    publics: header.readUInt32LE(at + 4) + header.readUInt32LE(at + 8),
    constraints,
    terms: () => termsOf(body, constraints),
  }
}

function sectionsOf(bytes: Buffer): ReadonlyMap<number, Buffer> {
  const sections = new Map<number, Buffer>()
  if (bytes.toString('latin1', 0, 4) !== 'r1cs') return sections
  for (let at = 12; at < bytes.length;) {
    const size = Number(bytes.readBigUInt64LE(at + 4))
    sections.set(bytes.readUInt32LE(at), bytes.subarray(at + 12, at + 12 + size))
    at += 12 + size
  }
  return sections
}

function* termsOf(body: Buffer, constraints: number): Iterable<Term> {
  let at = 0
  for (let constraint = 0; constraint < constraints; constraint++)
    for (const side of SIDES) {
      const count = body.readUInt32LE(at)
      at += 4
      for (let i = 0; i < count; i++, at += 4 + WORD_BYTES)
        yield { side, constraint, wire: body.readUInt32LE(at), factor: wordAt(body, at + 4) }
    }
}

function wordAt(body: Buffer, at: number): bigint {
  const limb = (i: number): bigint => body.readBigUInt64LE(at + 8 * i)
  return limb(0) | (limb(1) << 64n) | (limb(2) << 128n) | (limb(3) << 192n)
}
