/**
 * Sums of products of scalars with one reduction for all of them: a module of its own beside the library's, on the same memory.
 * @module
 */
import type { CurveCall, CurveMemory } from './curve-memory.ts'
import { zkError } from './errors.ts'
import { productSumCode } from './field-code.ts'
import { SCALAR_ORDER } from './proof.ts'
import { unsigned } from './wasm-code.ts'

/** `(x, y, to)`: so many scalars at x, each times the one at y, all added; as the library keeps scalars. At most six. @throws ZK_STOPPED when the engine takes no such module */
export function openProductSum(curve: CurveMemory, pairs: number): CurveCall {
  const code = moduleOf(productSumCode(SCALAR_ORDER, pairs))
  const imports = { env: { memory: curve.memory } }
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(code), imports)
  const found = exports[NAME]
  if (typeof found !== 'function') throw zkError('ZK_STOPPED', { program: 'service-audit' })
  return found as CurveCall
}

const NAME = 'sum'
const PREAMBLE = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]
/** Ids of sections, in the order in which they stand. */
const SECTION = { types: 1, imports: 2, functions: 3, exports: 7, code: 10 } as const
/** Three numbers of 32 bits, and nothing back. */
const TYPE = [0x60, 3, 0x7f, 0x7f, 0x7f, 0]
/** A memory of at least one page. */
const MEMORY = [2, 0, 1]
/** Of what is exported: a function, the first. */
const FIRST_FUNCTION = [0, 0]

/** A module with one function (Core Specification 2.0, §5.5). */
function moduleOf(body: readonly number[]): Uint8Array {
  const one = (id: number, ...entry: readonly number[]): readonly number[] =>
    sized(id, [1, ...entry])
  return Uint8Array.from([
    ...PREAMBLE,
    ...one(SECTION.types, ...TYPE),
    ...one(SECTION.imports, ...text('env'), ...text('memory'), ...MEMORY),
    ...one(SECTION.functions, 0),
    ...one(SECTION.exports, ...text(NAME), ...FIRST_FUNCTION),
    ...one(SECTION.code, ...unsigned(body.length), ...body),
  ])
}

function sized(id: number, content: readonly number[]): readonly number[] {
  return [id, ...unsigned(content.length), ...content]
}

function text(value: string): readonly number[] {
  return [...unsigned(value.length), ...Buffer.from(value)]
}
