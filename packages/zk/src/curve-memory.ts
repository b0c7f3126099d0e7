/**
 * The arithmetic of BN254 in WebAssembly, from the library with which proofs are checked; without that library's own code around it, which takes a second of a core to start
 * and does not load in a worker thread. Numbers and points are named by their addresses in its memory.
 * @module
 */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { ProgramName } from './programs.ts'
import { zkError } from './errors.ts'
import { multiplicationCode, squareCode } from './field-code.ts'
import { COORDINATE_MODULUS, SCALAR_ORDER } from './proof.ts'
import { withBodies } from './wasm-patch.ts'
import { additionCode, subtractionCode } from './word-code.ts'

/** A function over addresses and counts. */
export type CurveCall = (...at: number[]) => number

/** The functions and their memory. */
export interface CurveMemory {
  /** One function of the library, such as `f1m_mul(a, b, to)`. @throws ZK_STOPPED when it has none of that name */
  call(name: string): CurveCall
  /** Room for good, all zero. @throws ZK_ARTEFACT when there is no more */
  alloc(bytes: number): number
  /** The whole memory. */
  readonly view: DataView<ArrayBuffer>
  /** The same, for other code that works on it. */
  readonly memory: WebAssembly.Memory
}

/** Bytes of a number of either field. */
export const ELEMENT_BYTES = 32
const MONTGOMERY_BITS = 256n
/** Of WebAssembly. */
const PAGE_BYTES = 65_536
/** What the library's own tables take, and some. */
const FIRST_PAGES = 25

/** Opens it for one program, with so many bytes to allocate. */
export function openCurve(program: ProgramName, roomBytes: number): CurveMemory {
  const pages = FIRST_PAGES + Math.ceil(roomBytes / PAGE_BYTES)
  const memory = new WebAssembly.Memory({ initial: pages })
  const module = new WebAssembly.Module((code ??= fasterCode()))
  const { exports } = new WebAssembly.Instance(module, { env: { memory } })
  const view = new DataView(memory.buffer)
  return {
    call(name) {
      const found = exports[name]
      if (typeof found !== 'function') throw zkError('ZK_STOPPED', { program })
      return found as CurveCall
    },
    alloc(bytes) {
      // The library keeps at 0 where free memory begins, and takes some of it while it inverts.
      const at = view.getUint32(0, true)
      if (at + bytes > view.byteLength) throw zkError('ZK_ARTEFACT', { program })
      view.setUint32(0, at + bytes, true)
      return at
    },
    view,
    memory,
  }
}

/** Of all memories. */
let code: Uint8Array | undefined

/** The library's, with arithmetic of our own: the same to the bit. */
function fasterCode(): Uint8Array {
  const path = createRequire(import.meta.url).resolve('wasmcurves/build/bn128.wasm')
  return withBodies(readFileSync(path), {
    ...fieldCode('f1m', COORDINATE_MODULUS),
    ...fieldCode('frm', SCALAR_ORDER),
  })
}

function fieldCode(prefix: string, modulus: bigint): Readonly<Record<string, readonly number[]>> {
  return {
    [`${prefix}_add`]: additionCode(modulus),
    [`${prefix}_sub`]: subtractionCode(modulus),
    [`${prefix}_mul`]: multiplicationCode(modulus),
    [`${prefix}_square`]: squareCode(modulus),
  }
}

/** As the library's arithmetic keeps a scalar: times 2^256. */
export function montgomery(scalar: bigint): bigint {
  return (scalar << MONTGOMERY_BITS) % SCALAR_ORDER
}

/** Writes a number of 32 bytes, least byte first. */
export function writeNumber(memory: DataView, at: number, number: bigint): void {
  for (let i = 0; i < 4; i++)
    memory.setBigUint64(at + 8 * i, BigInt.asUintN(64, number >> BigInt(64 * i)), true)
}
