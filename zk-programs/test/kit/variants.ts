/**
 * Programs of this repository at a small size and with some of their text changed. What a constraint is worth shows where it is missing: the same lie that
 * the program refuses makes a witness there.
 */
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { wtns, type SignalInput } from 'snarkjs'
import { runCircom } from '../../tools/build.ts'
import { reduce } from '../../tools/field.ts'

const root = fileURLToPath(new URL('../../..', import.meta.url))
const CIRCOMLIB = 'node_modules/circomlib/circuits'

/** A piece of text that stands in one file of the program or of `lib/` exactly once, and what stands there instead: nothing, unless told. */
export type Change = readonly [text: string, by?: string]

export type Variant = {
  readonly program: string
  /** The instance, for `Slot(26)`: `Slot(3)`. Without it the program has its own size. */
  readonly size?: string
  readonly changes?: readonly Change[]
  /** With circomlib's own hash, signature and curve, which take seconds to compile. */
  readonly isReal?: boolean
}

/** All signals of a witness, one first. Rejects where a constraint breaks. */
export type Calculate = (input: SignalInput) => Promise<readonly bigint[]>

/** Compiles. `folder` may serve many variants, one after the other. @throws where a change has no place, or more than one */
export function compileVariant(variant: Variant, folder: string): Calculate {
  runCompiler(variant, folder, ['--wasm', '--O0'])
  const { program } = variant
  return calculatorOf(readFileSync(join(root, folder, `${program}_js/${program}.wasm`)))
}

/** A program with its constraints, simplified as the shipped programs are. */
export type CompiledConstraints = {
  /** Path of the file. */
  readonly r1cs: string
  readonly wasm: Uint8Array
  readonly calculate: Calculate
  /** Of a wire: the signals that it stands for, as the compiler names them. */
  readonly namesOf: (wire: number) => readonly string[]
}

/** The same with the file of its constraints. */
export function compileConstraints(variant: Variant, folder: string): CompiledConstraints {
  runCompiler(variant, folder, ['--wasm', '--r1cs', '--sym', '--O2'])
  const { program } = variant
  const wasm = readFileSync(join(root, folder, `${program}_js/${program}.wasm`))
  const names = readNames(readFileSync(join(root, folder, `${program}.sym`), 'utf8'))
  return {
    r1cs: join(root, folder, `${program}.r1cs`),
    wasm,
    calculate: calculatorOf(wasm),
    namesOf: (wire) => names.get(wire) ?? [],
  }
}

/** Lines `label,wire,component,name`; the wire of a signal that was simplified away is −1. Components without a name have numbers of the compiler's, which are left out. */
function readNames(text: string): ReadonlyMap<number, readonly string[]> {
  const names = new Map<number, string[]>()
  for (const line of text.trim().split('\n')) {
    const [, wire, , name] = line.split(',')
    const known = names.get(Number(wire)) ?? []
    names.set(Number(wire), known)
    if (name !== undefined) known.push(name.replaceAll(/_\d+_\d+/g, ''))
  }
  return names
}

function runCompiler(variant: Variant, folder: string, flags: readonly string[]): void {
  const { program, size, isReal = false } = variant
  writeSources(variant, folder)
  const main = `${folder}/src/${program}.circom`
  const text = readFileSync(join(root, main), 'utf8')
  if (size !== undefined)
    writeFileSync(join(root, main), text.replace(/= \w+\([\d, ]+\);\s*$/, `= ${size};\n`))
  runCircom([main, ...flags, '-o', folder], isReal ? 'node_modules' : `${folder}/stand-ins`)
}

function calculatorOf(wasm: Uint8Array): Calculate {
  return async (input) => {
    const out: { type: 'mem'; data?: Uint8Array } = { type: 'mem' }
    await wtns.calculate(input, wasm, out)
    return await wtns.exportJson(out)
  }
}

/** A folder for variants, below the repository: the compiler includes nothing from elsewhere. */
export function createVariantFolder(): { readonly path: string } & Disposable {
  mkdirSync(join(root, 'node_modules/.cache'), { recursive: true })
  const absolute = mkdtempSync(join(root, 'node_modules/.cache/byway-variants-'))
  const path = absolute.slice(root.length)
  const circuits = join(absolute, 'stand-ins/circomlib/circuits')
  cpSync(join(root, CIRCOMLIB), circuits, { recursive: true })
  cpSync(join(root, 'zk-programs/test/stand-ins'), circuits, { recursive: true })
  return { path, [Symbol.dispose]: () => rmSync(absolute, { recursive: true }) }
}

function writeSources({ program, changes = [] }: Variant, folder: string): void {
  const to = join(root, folder)
  cpSync(join(root, 'zk-programs/lib'), join(to, 'lib'), { recursive: true })
  cpSync(join(root, 'zk-programs/src'), join(to, 'src'), { recursive: true })
  const libraries = LIBRARIES[program] ?? []
  const files = [`src/${program}.circom`, ...libraries.map((name) => `lib/${name}.circom`)]
  for (const [text, by = ''] of changes) {
    const holders = files.filter((file) => readFileSync(join(to, file), 'utf8').includes(text))
    const [file = ''] = holders
    const parts = holders.length === 1 ? readFileSync(join(to, file), 'utf8').split(text) : []
    if (parts.length !== 2) throw new Error(`not once in ${program}: ${text}`)
    writeFileSync(join(to, file), parts.join(by))
  }
}

/** Which files of `lib/` a program includes. */
const LIBRARIES: Readonly<Record<string, readonly string[]>> = {
  slot: ['lean-imt'],
  join: ['leaf', 'lean-imt'],
  'withdraw-unused': ['leaf', 'lean-imt'],
  'service-audit': ['service-audit', 'sum-tree'],
}

/** What `stand-ins/poseidon.circom` computes. */
export function standInHash(inputs: readonly bigint[]): bigint {
  return inputs.reduce((state, each) => {
    const sum = state + each + 1n
    return reduce(sum * sum * sum)
  }, BigInt(inputs.length))
}
