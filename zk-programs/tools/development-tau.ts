/**
 * "Powers of tau" for development, of secrets that everybody knows: in return everybody gets the same bytes, in seconds. Written in snarkjs' ptau format
 * (version 1), with the Lagrange sections that a Groth16 set-up of exactly this size reads; the sections that only a ceremony needs are zero.
 */
import { createBinFile, endWriteSection, startWriteSection } from '@iden3/binfileutils'
import type { BinFile } from '@iden3/binfileutils'
import type { Curve } from 'ffjavascript'
import { developmentSecret as secret } from './development-secrets.ts'
import { createFixedBases, G1_BYTES, G2_BYTES } from './fixed-base.ts'
import type { FixedBase } from './fixed-base.ts'
import { ORDER } from './field.ts'
import { lagrange } from './lagrange.ts'

/** Sections of the format. */
const SECTION = {
  header: 1,
  tauG1: 2,
  tauG2: 3,
  alphaTauG1: 4,
  betaTauG1: 5,
  betaG2: 6,
  contributions: 7,
  lagrangeTauG1: 12,
  lagrangeTauG2: 13,
  lagrangeAlphaG1: 14,
  lagrangeBetaG1: 15,
} as const

/** Writes the file for programs of at most `2^power` constraints, and of more than half as many. */
export async function writeDevelopmentTau(path: string, logSize: number): Promise<void> {
  const { curve, g1, g2 } = await createFixedBases()
  const file = await createBinFile(path, 'ptau', 1, 11)
  await writeHeader(file, curve, logSize)
  await writePowers(file, g1, g2, logSize)
  await writeLagrange(file, curve, g1, g2, logSize)
  await file.close()
}

async function writeHeader(file: BinFile, curve: Curve, logSize: number): Promise<void> {
  await section(file, SECTION.header, async () => {
    const prime = new Uint8Array(curve.F1.n8)
    for (let i = 0, rest = curve.q; i < prime.length; i++, rest >>= 8n)
      prime[i] = Number(rest & 255n)
    await file.writeULE32(prime.length)
    await file.write(prime)
    await file.writeULE32(logSize)
    await file.writeULE32(logSize)
  })
}

/** The first power of each, which the set-up reads for alpha and beta; the others belong to a ceremony. */
async function writePowers(
  file: BinFile,
  g1: FixedBase,
  g2: FixedBase,
  logSize: number,
): Promise<void> {
  const size = 2 ** logSize
  const firstThenZeros = (
    id: number,
    first: Uint8Array,
    count: number,
    bytes: number,
  ): Promise<void> =>
    section(file, id, async () => {
      await file.write(first)
      await file.write(new Uint8Array(count * bytes - first.length))
    })
  await firstThenZeros(SECTION.tauG1, g1([1n]), 2 * size - 1, G1_BYTES)
  await firstThenZeros(SECTION.tauG2, g2([1n]), size, G2_BYTES)
  await firstThenZeros(SECTION.alphaTauG1, g1([secret('alpha')]), size, G1_BYTES)
  await firstThenZeros(SECTION.betaTauG1, g1([secret('beta')]), size, G1_BYTES)
  await section(file, SECTION.betaG2, async () => await file.write(g2([secret('beta')])))
  await section(file, SECTION.contributions, async () => await file.writeULE32(0))
}

async function writeLagrange(
  file: BinFile,
  curve: Curve,
  g1: FixedBase,
  g2: FixedBase,
  logSize: number,
): Promise<void> {
  const tau = secret('tau')
  const basis = new Map([logSize, logSize + 1].map((log) => [log, lagrange(curve, log, tau)]))
  const levels = (
    id: number,
    points: FixedBase,
    factor: bigint,
    top: number,
    bytes: number,
  ): Promise<void> =>
    section(file, id, async () => {
      for (let log = 0; log <= top; log++) {
        const scalars = basis.get(log)?.map((value) => (value * factor) % ORDER)
        await file.write(scalars ? points(scalars) : new Uint8Array(2 ** log * bytes))
      }
    })
  await levels(SECTION.lagrangeTauG1, g1, 1n, logSize + 1, G1_BYTES)
  await levels(SECTION.lagrangeTauG2, g2, 1n, logSize, G2_BYTES)
  await levels(SECTION.lagrangeAlphaG1, g1, secret('alpha'), logSize, G1_BYTES)
  await levels(SECTION.lagrangeBetaG1, g1, secret('beta'), logSize, G1_BYTES)
}

async function section(file: BinFile, id: number, write: () => Promise<void>): Promise<void> {
  await startWriteSection(file, id)
  await write()
  await endWriteSection(file)
}
