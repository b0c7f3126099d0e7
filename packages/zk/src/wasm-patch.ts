/**
 * Puts other code into functions of a WebAssembly module (Core Specification 2.0, §5.5): who calls them in the module calls that code too.
 * @module
 */
import { unsigned } from './wasm-code.ts'

/** Magic and version. */
const PREAMBLE_BYTES = 8
/** Ids of sections. */
const SECTION = { imports: 2, exports: 7, code: 10 } as const
/** Of an import or an export: a function. */
const FUNCTION_KIND = 0

/** The module with other bodies for functions that it exports, by their names. @throws RangeError when it exports no such function, or imports functions */
export function withBodies(
  module: Uint8Array,
  bodies: Readonly<Record<string, readonly number[]>>,
): Uint8Array {
  const sections = sectionsOf(module)
  // Numbers of functions begin with those imported. The library imports none.
  const indexes = exportsOf(sections.find(({ id }) => id === SECTION.exports)?.content)
  const replaced = new Map<number, Uint8Array>()
  for (const [name, body] of Object.entries(bodies)) {
    const index = indexes.get(name)
    if (index === undefined) throw new RangeError(`a module without ${name}`)
    replaced.set(index, Uint8Array.from(body))
  }
  const parts = sections.map(({ id, content }) => {
    if (id === SECTION.imports) assertNoFunctions(content)
    return sectionOf(id, id === SECTION.code ? withReplaced(content, replaced) : content)
  })
  return Uint8Array.from(Buffer.concat([module.subarray(0, PREAMBLE_BYTES), ...parts]))
}

type Section = { readonly id: number; readonly content: Uint8Array }

/** Reads on from where it stands. */
class Reader {
  readonly #bytes: Uint8Array
  #at = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#bytes.length
  }

  byte(): number {
    return this.#bytes[this.#at++] ?? 0
  }

  /** A number without a sign. */
  number(): number {
    let value = 0
    for (let factor = 1; ; factor *= 128) {
      const byte = this.byte()
      value += factor * (byte & 127)
      if (byte < 128) return value
    }
  }

  /** As many bytes as the number before them says. */
  block(): Uint8Array {
    const bytes = this.number()
    this.#at += bytes
    return this.#bytes.subarray(this.#at - bytes, this.#at)
  }

  text(): string {
    return Buffer.from(this.block()).toString()
  }
}

function sectionsOf(module: Uint8Array): readonly Section[] {
  const reader = new Reader(module.subarray(PREAMBLE_BYTES))
  const sections: Section[] = []
  while (!reader.isAtEnd) sections.push({ id: reader.byte(), content: reader.block() })
  return sections
}

/** The numbers of the functions that a module exports. */
function exportsOf(content: Uint8Array = new Uint8Array(1)): ReadonlyMap<string, number> {
  const reader = new Reader(content)
  const found = new Map<string, number>()
  for (let left = reader.number(); left > 0; left--) {
    const name = reader.text()
    const [kind, index] = [reader.byte(), reader.number()]
    if (kind === FUNCTION_KIND) found.set(name, index)
  }
  return found
}

/** Whoever imports one thing, its memory, imports no function. */
function assertNoFunctions(content: Uint8Array): void {
  const reader = new Reader(content)
  const count = reader.number()
  reader.text()
  reader.text()
  if (count !== 1 || reader.byte() === FUNCTION_KIND)
    throw new RangeError('a module that imports functions')
}

function withReplaced(content: Uint8Array, replaced: ReadonlyMap<number, Uint8Array>): Uint8Array {
  const reader = new Reader(content)
  const count = reader.number()
  const bodies = Array.from({ length: count }, (_, i) => {
    const body = reader.block()
    return sized(replaced.get(i) ?? body)
  })
  return Buffer.concat([Uint8Array.from(unsigned(count)), ...bodies])
}

function sectionOf(id: number, content: Uint8Array): Uint8Array {
  return Buffer.concat([Uint8Array.of(id), sized(content)])
}

function sized(content: Uint8Array): Uint8Array {
  return Buffer.concat([Uint8Array.from(unsigned(content.length)), content])
}
