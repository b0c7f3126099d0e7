/**
 * Whether the engine has WebAssembly's vectors and rounds a product and a sum of doubles once, on which limb-code.ts rests: the instruction leaves that to the machine. Every ARM of
 * 64 bits does, and x86 since 2013.
 * @module
 */
import { loadVector, multiplyAdd, storeVector, VECTOR_BYTES } from './vector-code.ts'
import { get } from './wasm-code.ts'
import { moduleOf, writeFunction } from './wasm-module.ts'

/** Looks once. */
export function hasExactVectors(): boolean {
  return (isKnown ??= look())
}

let isKnown: boolean | undefined

/** Of 51 bits, so that the square's last half does not fit in a double. */
const FACTOR = 2 ** 51 - 1

function look(): boolean {
  const [x, y, z] = [0, 1, 2].map((i) => loadVector(get(0), VECTOR_BYTES * i))
  const total = multiplyAdd(x ?? [], y ?? [], z ?? [])
  const bytes = moduleOf([writeFunction('sum', 1, () => [storeVector(get(0), 0, total)])])
  const memory = new WebAssembly.Memory({ initial: 1 })
  const instance = tryOpen(bytes, memory)
  if (!instance) return false
  const numbers = new Float64Array(memory.buffer)
  numbers.set([FACTOR, FACTOR, FACTOR, FACTOR, -FACTOR * FACTOR, -FACTOR * FACTOR])
  const { sum } = instance.exports as { sum: (at: number) => void }
  sum(0)
  // The square is 2^102 - 2^52 + 1, of which the double has all but the last.
  return numbers[0] === 1 && numbers[1] === 1
}

/** Undefined where the engine does not know an instruction. */
function tryOpen(
  bytes: Uint8Array<ArrayBuffer>,
  memory: WebAssembly.Memory,
): WebAssembly.Instance | undefined {
  try {
    return new WebAssembly.Instance(new WebAssembly.Module(bytes), { env: { memory } })
  } catch {
    return undefined
  }
}
