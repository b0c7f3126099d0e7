/**
 * A WebAssembly module of functions over addresses (Core Specification 2.0, §5.5), which works on a memory that it is given.
 * @module
 */
import { bytesOf, type Code, unsigned } from './wasm-code.ts'

/** What a local holds: an address, or a pair of numbers. */
export type LocalType = 'address' | 'vector'

/** A function that gives nothing back. */
export type FunctionCode = {
  readonly name: string
  /** All of them addresses. */
  readonly parameters: number
  readonly locals: readonly LocalType[]
  readonly code: Code
}

/** Writes a function: told where the next local of a type is. Parameters come first. */
export function writeFunction(
  name: string,
  parameters: number,
  write: (local: (type: LocalType) => number) => readonly Code[],
): FunctionCode {
  const locals: LocalType[] = []
  const code = write((type) => parameters + locals.push(type) - 1)
  return { name, parameters, locals, code }
}

/** The module's bytes. It takes its memory as `memory` of `env`, and shows each function by its name. */
export function moduleOf(functions: readonly FunctionCode[]): Uint8Array<ArrayBuffer> {
  const most = Math.max(...functions.map(({ parameters }) => parameters))
  const types = Array.from({ length: most + 1 }, (_, count) => {
    return [FUNCTION_TYPE, listOf(Array.from({ length: count }, () => [TYPES.address])), 0]
  })
  const exported = functions.map(({ name }, i) => [text(name), FUNCTION_KIND, unsigned(i)])
  const imported = [text('env'), text('memory'), MEMORY_KIND, 0, 1]
  const bytes = bytesOf([
    PREAMBLE,
    section(SECTIONS.types, types),
    section(SECTIONS.imports, [imported]),
    section(
      SECTIONS.functions,
      functions.map(({ parameters }) => unsigned(parameters)),
    ),
    section(SECTIONS.exports, exported),
    section(SECTIONS.code, functions.map(bodyOf)),
  ])
  return new Uint8Array(bytes)
}

const PREAMBLE = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00]
const SECTIONS = { types: 1, imports: 2, functions: 3, exports: 7, code: 10 } as const
const TYPES = { address: 0x7f, vector: 0x7b } as const
const [FUNCTION_TYPE, FUNCTION_KIND, MEMORY_KIND] = [0x60, 0x00, 0x02]
const END = 0x0b

function bodyOf({ locals, code }: FunctionCode): Code {
  const declared = listOf(locals.map((type) => [1, TYPES[type]]))
  return sized([declared, code, END])
}

function section(id: number, items: readonly Code[]): Code {
  return [id, sized(listOf(items))]
}

function listOf(items: readonly Code[]): Code {
  return [unsigned(items.length), items]
}

function text(characters: string): Code {
  return sized([...new TextEncoder().encode(characters)])
}

function sized(content: Code): Code {
  const bytes = bytesOf(content)
  return [unsigned(bytes.length), bytes]
}
