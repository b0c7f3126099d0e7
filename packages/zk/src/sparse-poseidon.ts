/**
 * Poseidon's constants in the form in which it takes the fewest multiplications (the paper's appendix B): in a partial round only the first word is raised to a power, so that what
 * the other words are added and multiplied with can wait until the rounds are over, but for one row and one column of each matrix.
 * @module
 */
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { SCALAR_ORDER } from './proof.ts'

/** Row by row. */
export type Matrix = readonly (readonly bigint[])[]

/** One partial round: what the first word is added, then how it mixes with the others. */
export type SparseRound = {
  readonly constant: bigint
  /** What the first word and the others give to the first. */
  readonly row: readonly bigint[]
  /** What the first word gives to the others. */
  readonly column: readonly bigint[]
}

export type SparsePoseidon = {
  /** Words of the state: one more than inputs. */
  readonly width: number
  /** Added before each of the eight full rounds. */
  readonly constants: Matrix
  readonly mix: Matrix
  readonly partial: readonly SparseRound[]
  /** Mixes all but the first word once, after the partial rounds. */
  readonly late: Matrix
}

/** Half of the full rounds. */
export const HALF_ROUNDS = 4
/** Partial rounds for four and for five inputs. */
const PARTIAL_ROUNDS = 60

/** The constants for so many inputs. */
export function sparsePoseidon(inputs: 4 | 5): SparsePoseidon {
  const { C, M: mix } = constantsOf(inputs)
  const width = inputs + 1
  const rounds = Array.from({ length: C.length / width }, (_, r) =>
    C.slice(r * width, (r + 1) * width),
  )
  const matrices = sparseMatrices(mix)
  const { firsts, carry } = firstConstants(rounds.slice(HALF_ROUNDS), mix)
  const after = rounds.slice(HALF_ROUNDS + PARTIAL_ROUNDS)
  const constants = after.map((words, r) => (r === 0 ? add(words, carry) : words))
  return {
    width,
    constants: [...rounds.slice(0, HALF_ROUNDS), ...constants],
    mix,
    partial: matrices.sparse.map((each, r) => ({ constant: firsts[r] ?? 0n, ...each })),
    late: matrices.late,
  }
}

/** What is added to words but the first goes through the matrix with them, and is added in the next round. */
function firstConstants(
  rounds: Matrix,
  mix: Matrix,
): { readonly firsts: readonly bigint[]; readonly carry: readonly bigint[] } {
  const firsts: bigint[] = []
  let carry: readonly bigint[] = mix.map(() => 0n)
  for (const words of rounds.slice(0, PARTIAL_ROUNDS)) {
    const [first = 0n, ...others] = add(words, carry)
    firsts.push(first)
    carry = apply(mix, [0n, ...others])
  }
  return { firsts, carry }
}

/** Each matrix is a sparse one followed by one that leaves the first word alone, which can as well come after the next power. */
function sparseMatrices(mix: Matrix): {
  readonly sparse: readonly Omit<SparseRound, 'constant'>[]
  readonly late: Matrix
} {
  const sparse: Omit<SparseRound, 'constant'>[] = []
  const firstColumn = mix.slice(1).map(([first = 0n]) => first)
  let now = mix
  for (let round = 0; round < PARTIAL_ROUNDS; round++) {
    if (round > 0) now = product(mix, withFirstAlone(blockOf(now)))
    sparse.push({ row: now[0] ?? [], column: apply(inverse(blockOf(now)), firstColumn) })
  }
  return { sparse, late: blockOf(now) }
}

function blockOf(matrix: Matrix): Matrix {
  return matrix.slice(1).map((row) => row.slice(1))
}

function withFirstAlone(block: Matrix): Matrix {
  return [[1n, ...block.map(() => 0n)], ...block.map((row) => [0n, ...row])]
}

function add(a: readonly bigint[], b: readonly bigint[]): readonly bigint[] {
  return a.map((word, i) => (word + (b[i] ?? 0n)) % SCALAR_ORDER)
}

function apply(matrix: Matrix, words: readonly bigint[]): readonly bigint[] {
  return matrix.map(
    (row) => row.reduce((sum, x, i) => sum + x * (words[i] ?? 0n), 0n) % SCALAR_ORDER,
  )
}

function product(a: Matrix, b: Matrix): Matrix {
  const columns = (b[0] ?? []).map((_, j) => b.map((row) => row[j] ?? 0n))
  const byColumn = columns.map((column) => apply(a, column))
  return a.map((_, i) => byColumn.map((column) => column[i] ?? 0n))
}

/** By Gauss and Jordan, over a matrix that has one. */
function inverse(matrix: Matrix): Matrix {
  let rows = matrix.map((row, i) => [...row, ...matrix.map((_, j) => (i === j ? 1n : 0n))])
  for (let c = 0; c < rows.length; c++) {
    const pivot = rows.slice(c).find((row) => row[c] !== 0n) ?? []
    const others = rows.filter((row) => row !== pivot)
    const factor = inverseOf(pivot[c] ?? 0n)
    const one = pivot.map((x) => (x * factor) % SCALAR_ORDER)
    const cleared = others.map((row) => {
      const by = SCALAR_ORDER - (row[c] ?? 0n)
      return row.map((x, j) => (x + by * (one[j] ?? 0n)) % SCALAR_ORDER)
    })
    rows = [...cleared.slice(0, c), one, ...cleared.slice(c)]
  }
  return rows.map((row) => row.slice(matrix.length))
}

/** By Fermat. */
function inverseOf(value: bigint): bigint {
  let [result, base, power] = [1n, value, SCALAR_ORDER - 2n]
  for (; power > 0n; power >>= 1n) {
    if (power & 1n) result = (result * base) % SCALAR_ORDER
    base = (base * base) % SCALAR_ORDER
  }
  return result
}

/** Those of the library, which keeps them packed beside its functions. A test holds what comes of them against its hashes. */
function constantsOf(inputs: 4 | 5): { readonly C: readonly bigint[]; readonly M: Matrix } {
  const load = createRequire(import.meta.url)
  const folder = dirname(load.resolve('poseidon-lite/poseidon5'))
  const found = load(join(folder, 'constants', `${inputs}.js`)) as PackedConstants & {
    readonly default?: PackedConstants
  }
  const { C, M } = found.default ?? found
  return { C: C.map(numberOf), M: M.map((row) => row.map(numberOf)) }
}

type PackedConstants = { readonly C: readonly string[]; readonly M: readonly (readonly string[])[] }

function numberOf(packed: string): bigint {
  return BigInt(`0x${Buffer.from(packed, 'base64').toString('hex')}`)
}
