/**
 * Computes a program's wires from its inputs, by the code that circom (2.0.7 and later) makes of it. That code checks each constraint on the way.
 * @module
 */
import { SCALAR_ORDER } from './proof.ts'

/** A signal's number, or those of an array of signals. */
export type SignalValue = bigint | readonly SignalValue[]

/** A program's inputs by their names. */
export type SignalInput = Readonly<Record<string, SignalValue>>

/** Computes all wires, 32 bytes each, least byte first. @throws Error where a constraint breaks, or for inputs that are not the program's */
export type WitnessMaker = (input: SignalInput) => Uint8Array

type Code = Readonly<
  Record<
    | 'init'
    | 'getInputSignalSize'
    | 'setInputSignal'
    | 'writeSharedRWMemory'
    | 'readSharedRWMemory'
    | 'getWitnessSize'
    | 'getWitness',
    (...args: number[]) => number
  >
>

const WORDS = 8
const WORD_BITS = 32n
/** FNV-1a of 64 bits, by which inputs are named. */
const [FNV_BASIS, FNV_PRIME] = [0xcbf29ce484222325n, 0x100000001b3n]

/** Compiles a program's code. */
export function createWitnessMaker(wasm: Uint8Array): WitnessMaker {
  const module = new WebAssembly.Module(wasm)
  return (input) => {
    // What a run has left in memory is no part of the next.
    const { exports } = new WebAssembly.Instance(module, { runtime: RUNTIME })
    const code = exports as Code
    code.init(0)
    for (const [name, value] of Object.entries(input)) setInput(code, name, flat(value))
    return wiresOf(code)
  }
}

/** What it says of itself is of no use to us but that it failed. */
const RUNTIME = {
  exceptionHandler(code: number): never {
    throw new Error(`a program's code ended with ${code}`)
  },
  printErrorMessage() {},
  writeBufferMessage() {},
  showSharedRWMemory() {},
}

function setInput(code: Code, name: string, values: readonly bigint[]): void {
  const hash = fnv(name)
  const [high, low] = [Number(hash >> WORD_BITS) | 0, Number(BigInt.asUintN(32, hash)) | 0]
  if (code.getInputSignalSize(high, low) !== values.length)
    throw new RangeError(`a program takes another count of ${name}`)
  for (const [i, value] of values.entries()) {
    const number = ((value % SCALAR_ORDER) + SCALAR_ORDER) % SCALAR_ORDER
    for (let word = 0; word < WORDS; word++)
      code.writeSharedRWMemory(
        word,
        Number(BigInt.asUintN(32, number >> (WORD_BITS * BigInt(word)))) | 0,
      )
    // With the last one, the program runs.
    code.setInputSignal(high, low, i)
  }
}

function wiresOf(code: Code): Uint8Array {
  const count = code.getWitnessSize()
  const words = new Uint32Array(count * WORDS)
  for (let wire = 0; wire < count; wire++) {
    code.getWitness(wire)
    for (let word = 0; word < WORDS; word++)
      words[wire * WORDS + word] = code.readSharedRWMemory(word)
  }
  return new Uint8Array(words.buffer)
}

function flat(value: SignalValue): readonly bigint[] {
  return typeof value === 'bigint' ? [value] : value.flatMap(flat)
}

function fnv(name: string): bigint {
  let hash = FNV_BASIS
  for (const byte of new TextEncoder().encode(name))
    hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * FNV_PRIME)
  return hash
}
