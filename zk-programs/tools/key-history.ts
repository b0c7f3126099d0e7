/**
 * Who contributed to a key: the tenth section of snarkjs' `.zkey`, after the 64 bytes that name the program. Only what stands there is read; whether it is true is for the verification.
 */
import { open, type FileHandle } from 'node:fs/promises'

/** One step of phase 2. */
export type Contribution = {
  /** What the contributor called themselves. */
  readonly name: string
  /** Of the step that ends a ceremony, hexadecimal digits; undefined for a person's. */
  readonly beacon: string | undefined
}

const SECTION_HEADER_BYTES = 12
const CONTRIBUTIONS = 10
/** Three points of G1, one of G2 and the transcript's hash. */
const POINTS_BYTES = 3 * 64 + 128 + 64
const CIRCUIT_HASH_BYTES = 64
/** A thousand contributors have less. */
const MAX_SECTION_BYTES = 1 << 20
const MAX_SECTIONS = 64
const BEACON_TYPE = 1
const PARAMETER = { name: 1, iterations: 2, beacon: 3 } as const

/** The contributions of a key in their order. @throws when the file is no key, or ends too early */
export async function readContributions(path: string): Promise<readonly Contribution[]> {
  const file = await open(path)
  try {
    return contributionsIn(await readSection(file))
  } catch (cause) {
    throw new Error(`${path} is no key, or a part of one`, { cause })
  } finally {
    await file.close()
  }
}

async function readSection(file: FileHandle): Promise<Buffer> {
  const head = await readAt(file, 0, SECTION_HEADER_BYTES)
  if (head.toString('latin1', 0, 4) !== 'zkey') throw new Error('another kind of file')
  const count = Math.min(head.readUInt32LE(8), MAX_SECTIONS)
  let at = SECTION_HEADER_BYTES
  for (let section = 0; section < count; section++) {
    const header = await readAt(file, at, SECTION_HEADER_BYTES)
    const bytes = Number(header.readBigUInt64LE(4))
    at += SECTION_HEADER_BYTES
    if (header.readUInt32LE(0) === CONTRIBUTIONS && bytes <= MAX_SECTION_BYTES)
      return await readAt(file, at, bytes)
    at += bytes
  }
  throw new Error('no contributions')
}

async function readAt(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const { bytesRead, buffer } = await file.read({ buffer: Buffer.alloc(length), position })
  if (bytesRead !== length) throw new Error('the file ends')
  return buffer
}

function contributionsIn(section: Buffer): readonly Contribution[] {
  const count = section.readUInt32LE(CIRCUIT_HASH_BYTES)
  const found: Contribution[] = []
  let at = CIRCUIT_HASH_BYTES + 4
  while (found.length < count) {
    at += POINTS_BYTES
    const isBeacon = section.readUInt32LE(at) === BEACON_TYPE
    const end = at + 8 + section.readUInt32LE(at + 4)
    const { name, beacon } = parametersIn(section.subarray(at + 8, end))
    found.push({ name, beacon: isBeacon ? beacon : undefined })
    at = end
  }
  return found
}

function parametersIn(bytes: Buffer): { readonly name: string; readonly beacon: string } {
  let [name, beacon] = ['', '']
  for (let at = 0; at < bytes.length;) {
    const [kind, size = 0] = bytes.subarray(at, at + 2)
    const value = bytes.subarray(at + 2, at + 2 + size)
    if (kind === PARAMETER.name) name = value.toString()
    if (kind === PARAMETER.beacon) beacon = value.toString('hex')
    at += kind === PARAMETER.iterations ? 2 : 2 + size
  }
  return { name, beacon }
}
