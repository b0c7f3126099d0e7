/**
 * A program's development key, made straight of the known secrets: each wire's polynomials are evaluated at tau as numbers, and only the results become points, by one multiplication of a generator
 * each. So it takes as long as there are wires, where a set-up that knows no secret combines points for each factor of each constraint: a minute for the service audit instead of an hour.
 * Written in snarkjs' zkey format (version 1, Groth16).
 */
import { createHash } from 'node:crypto'
import { closeSync, openSync, readFileSync, writeSync } from 'node:fs'
import { buildBn128 } from 'ffjavascript'
import { developmentSecret } from './development-secrets.ts'
import { ORDER, invert } from './field.ts'
import { createFixedBasePool, type FixedBasePool } from './fixed-base-pool.ts'
import { G1_BYTES, G2_BYTES } from './fixed-base.ts'
import { lagrange, oddLagrange } from './lagrange.ts'
import { readR1cs, type R1cs } from './r1cs.ts'

const GROTH16 = 1
const WORD_BYTES = 32
const TERM_BYTES = 12 + WORD_BYTES
/** Of the base field. */
const COORDINATE_MODULUS =
  21888242871839275222246405745257275088696311157297823662689037894645226208583n
/** Numbers in this section stand as value · 2^512: the prover's own form, twice over. */
const DOUBLE_MONTGOMERY = 2n ** 512n % ORDER

/** Writes the key of a compiled program. `say` hears of each step. */
export async function writeDevelopmentKey(
  r1csPath: string,
  path: string,
  say: (step: string) => void,
): Promise<void> {
  const program = readR1cs(r1csPath)
  const log = Math.ceil(Math.log2(program.constraints + program.publics + 1))
  say(`${program.constraints} constraints, ${program.wires} wires, a domain of 2^${log}`)
  const curve = await buildBn128(true)
  const tau = developmentSecret('tau')
  const at = evaluate(program, lagrange(curve, log, tau))
  const combined = combine(at)
  const first = program.publics + 1
  const perDelta = invert(developmentSecret('delta'))
  const scaled = (values: readonly bigint[]): bigint[] =>
    values.map((value) => (value * perDelta) % ORDER)
  using pool = createFixedBasePool()
  const file = openSync(path, 'w')
  const points = (id: number, group: 'g1' | 'g2', scalars: readonly bigint[]): Promise<void> =>
    writePoints(file, pool, { id, group, scalars, say })
  try {
    writeSync(file, Buffer.concat([Buffer.from('zkey'), u32(1), u32(10)]))
    writeSection(file, 1, u32(GROTH16))
    writeSection(file, 2, await groth16Header(pool, program, 2 ** log))
    await points(3, 'g1', combined.slice(0, first))
    writeSection(file, 4, factors(program))
    await points(5, 'g1', at.a)
    await points(6, 'g1', at.b)
    await points(7, 'g2', at.b)
    await points(8, 'g1', scaled(combined.slice(first)))
    await points(9, 'g1', scaled(oddLagrange(curve, log, tau)))
    writeSection(file, 10, Buffer.concat([programHash(r1csPath), u32(0)]))
  } finally {
    closeSync(file)
  }
}

/** The polynomials of each wire on the three sides, at tau. */
type AtTau = { readonly a: bigint[]; readonly b: bigint[]; readonly c: bigint[] }

function evaluate(program: R1cs, basis: readonly bigint[]): AtTau {
  const zeros = (): bigint[] => Array.from({ length: program.wires }, () => 0n)
  const at = { a: zeros(), b: zeros(), c: zeros() }
  for (const { side, constraint, wire, factor } of program.terms())
    at[side][wire] = ((at[side][wire] ?? 0n) + factor * (basis[constraint] ?? 0n)) % ORDER
  // One constraint more for each public wire: without it, those of no constraint could be anything.
  for (let wire = 0; wire <= program.publics; wire++)
    at.a[wire] = ((at.a[wire] ?? 0n) + (basis[program.constraints + wire] ?? 0n)) % ORDER
  return at
}

/** `beta·a + alpha·b + c` of each wire. */
function combine({ a, b, c }: AtTau): bigint[] {
  const alpha = developmentSecret('alpha')
  const beta = developmentSecret('beta')
  return a.map((each, i) => (beta * each + alpha * (b[i] ?? 0n) + (c[i] ?? 0n)) % ORDER)
}

async function groth16Header(
  pool: FixedBasePool,
  program: R1cs,
  domainSize: number,
): Promise<Buffer> {
  const [alpha, beta, delta] = (['alpha', 'beta', 'delta'] as const).map(developmentSecret)
  const g1 = await pointsOf(pool, 'g1', [alpha ?? 0n, beta ?? 0n, delta ?? 0n])
  // Gamma is 1.
  const g2 = await pointsOf(pool, 'g2', [beta ?? 0n, 1n, delta ?? 0n])
  return Buffer.concat([
    u32(WORD_BYTES),
    word(COORDINATE_MODULUS),
    u32(WORD_BYTES),
    word(ORDER),
    u32(program.wires),
    u32(program.publics),
    u32(domainSize),
    g1.subarray(0, 2 * G1_BYTES),
    g2.subarray(0, 2 * G2_BYTES),
    g1.subarray(2 * G1_BYTES),
    g2.subarray(2 * G2_BYTES),
  ])
}

/** The factors of sides a and b, from which the prover makes its polynomials. */
function factors(program: R1cs): Buffer {
  const terms = [...program.terms()].filter(({ side }) => side !== 'c')
  const section = Buffer.alloc(4 + (terms.length + program.publics + 1) * TERM_BYTES)
  section.writeUInt32LE(terms.length + program.publics + 1, 0)
  let at = 4
  const put = (side: number, constraint: number, wire: number, factor: bigint): void => {
    section.writeUInt32LE(side, at)
    section.writeUInt32LE(constraint, at + 4)
    section.writeUInt32LE(wire, at + 8)
    word((factor * DOUBLE_MONTGOMERY) % ORDER).copy(section, at + 12)
    at += TERM_BYTES
  }
  for (const { side, constraint, wire, factor } of terms)
    put(side === 'a' ? 0 : 1, constraint, wire, factor)
  for (let wire = 0; wire <= program.publics; wire++) put(0, program.constraints + wire, wire, 1n)
  return section
}

async function pointsOf(
  pool: FixedBasePool,
  group: 'g1' | 'g2',
  scalars: readonly bigint[],
): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  for await (const points of pool.multiply(group, scalars)) chunks.push(points)
  return Buffer.concat(chunks)
}

type PointSection = {
  readonly id: number
  readonly group: 'g1' | 'g2'
  readonly scalars: readonly bigint[]
  readonly say: (step: string) => void
}

async function writePoints(
  file: number,
  pool: FixedBasePool,
  { id, group, scalars, say }: PointSection,
): Promise<void> {
  const pointBytes = group === 'g1' ? G1_BYTES : G2_BYTES
  say(`${scalars.length} points of ${group}, section ${id} of 10`)
  writeSync(file, Buffer.concat([u32(id), u64(scalars.length * pointBytes)]))
  for await (const points of pool.multiply(group, scalars)) writeSync(file, points)
}

function writeSection(file: number, id: number, body: Buffer): void {
  writeSync(file, Buffer.concat([u32(id), u64(body.length)]))
  writeSync(file, body)
}

/** Where a ceremony has the hash of its first key. */
function programHash(r1csPath: string): Buffer {
  return createHash('sha512').update(readFileSync(r1csPath)).digest()
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32LE(value)
  return bytes
}

function u64(value: number): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64LE(BigInt(value))
  return bytes
}

function word(value: bigint): Buffer {
  return Buffer.from(value.toString(16).padStart(2 * WORD_BYTES, '0'), 'hex').reverse()
}
