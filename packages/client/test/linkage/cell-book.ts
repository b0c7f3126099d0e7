/**
 * Every byte of the cells that hops saw, headers too. Two looks at them: no 32 bytes of a body stand in another unit of the same client, at whatever multiple of 32 in either; and at no place of a kind of
 * cell, header or body, does a byte agree within clients more often than between them, so that one byte that leaks is found as well as a whole field.
 */
import { CELL_HEADER_BYTES } from '@byway/protocol/wire'
import { type Agreement, createComparison } from './comparison.ts'
import type { FoundLink } from './observations.ts'

const WINDOW_BYTES = 32
/** Of four bytes that are not zero, in a window that is compared: fewer agree by chance. */
const LEAST_WORDS = 3
/** Of each kind, so many cells of a unit are kept whole: where every circuit has the same fields, those are in the first. */
const KEPT = 1
/** What one cell has in a few lines of a processor's cache. */
const COLUMNS = 256

type Owner = { readonly client: number; readonly unit: string }
type Kept = { readonly clients: number[]; readonly hops: string[]; readonly cells: Uint8Array[] }

/** One that several units of one client have is named by its hash. */
type Window = { readonly owner: number; isEverybodys: boolean; others: Set<number> | undefined }

export class CellBook {
  bytes = 0
  readonly #owners: Owner[] = []
  readonly #numbers = new Map<string, number>()
  /** By hash: of three million random ones two are the same once in two thousand runs, and then of one client once in forty thousand. */
  readonly #windows = new Map<number, number | Window>()
  readonly #kept = new Map<string, Kept>()
  readonly #counts = new Map<string, number>()
  readonly #isSealed: boolean

  /** @param isSealed - false for what stands in the clear, where destinations are: those of two tunnels may be one, and only places are compared */
  constructor(isSealed = true) {
    this.#isSealed = isSealed
  }

  /** @param name - the kind of cell and where on its way it was seen @param hop - which hop saw it */
  add(client: number, unit: string, name: string, hop: string, cell: Uint8Array): void {
    this.bytes += cell.length
    const owner = this.#numberOf(client, unit)
    const view = new DataView(cell.buffer, cell.byteOffset, cell.length)
    const windowsFrom = this.#isSealed ? CELL_HEADER_BYTES : cell.length
    for (let at = windowsFrom; at < cell.length; at += WINDOW_BYTES)
      this.#addWindow(owner, view, Math.min(at, cell.length - WINDOW_BYTES))
    const place = `${unit} ${name} ${cell.length}`
    const count = this.#counts.get(place) ?? 0
    if (count >= KEPT) return
    this.#counts.set(place, count + 1)
    const kind = `${name} of ${cell.length}`
    const kept = this.#kept.get(kind) ?? { clients: [], hops: [], cells: [] }
    this.#kept.set(kind, kept)
    kept.clients.push(client)
    kept.hops.push(hop)
    kept.cells.push(cell.slice())
  }

  /** Windows that several units of one client have, and no other client. */
  shared(): readonly FoundLink[] {
    const found: FoundLink[] = []
    for (const window of this.#windows.values()) {
      if (typeof window === 'number' || window.isEverybodys || !window.others) continue
      const units = [window.owner, ...window.others].map((owner) => this.#owners[owner]?.unit ?? '')
      found.push({ name: 'cell', units })
    }
    return found
  }

  /**
   * How each byte of some kinds of cells agrees, over all hops. A byte that is the same in all cells at each hop is that hop's, as the name of its key is: it says which hops a client takes, and these know that they are taken.
   *
   * @param change - what a leak would make of a byte
   * @param cohortOf - of a client: only those that have it in common are compared
   */
  agreements(
    kinds: Iterable<string> = this.#kept.keys(),
    change: (client: number, at: number, byte: number) => number = (_client, _at, byte) => byte,
    cohortOf?: (client: number) => string,
  ): readonly Agreement[] {
    const found: Agreement[] = []
    for (const name of kinds) {
      const { clients, hops, cells } = this.#kept.get(name) ?? { clients: [], hops: [], cells: [] }
      const compare = createComparison(clients, cohortOf ? clients.map(cohortOf) : [])
      for (const [at, values] of columnsOf(cells)) {
        for (let i = 0; i < values.length; i++)
          values[i] = change(clients[i] ?? 0, at, values[i] ?? 0)
        const agreement = compare(values, 256)
        if (agreement.pairs > 0 && !isHops(hops, values))
          found.push({ name: `${name}, byte ${at}`, ...agreement })
      }
    }
    return found
  }

  /** Kinds of cells, and from how many units of them bytes are compared. */
  kinds(): ReadonlyMap<string, number> {
    return new Map([...this.#kept].map(([name, { cells }]) => [name, cells.length]))
  }

  #addWindow(owner: number, view: DataView, at: number): void {
    const hash = hashOf(view, at)
    // Padding is nobody's.
    if (hash === undefined) return
    const before = this.#windows.get(hash)
    if (before === undefined) this.#windows.set(hash, owner)
    else if (before !== owner) this.#meet(hash, before, owner)
  }

  #meet(hash: number, before: number | Window, owner: number): void {
    const window: Window =
      typeof before === 'number'
        ? { owner: before, isEverybodys: false, others: undefined }
        : before
    this.#windows.set(hash, window)
    if (this.#owners[window.owner]?.client !== this.#owners[owner]?.client)
      window.isEverybodys = true
    else if (owner !== window.owner) (window.others ??= new Set()).add(owner)
  }

  #numberOf(client: number, unit: string): number {
    const name = `${client} ${unit}`
    const known = this.#numbers.get(name)
    if (known !== undefined) return known
    this.#numbers.set(name, this.#owners.length)
    return this.#owners.push({ client, unit }) - 1
  }
}

/** Place by place, the byte that each cell has there; read some places at a time, as each cell is memory of its own. */
function* columnsOf(cells: readonly Uint8Array[]): Generator<readonly [number, Uint8Array]> {
  const length = cells[0]?.length ?? 0
  for (let from = 0; from < length; from += COLUMNS) {
    const columns = Array.from({ length: Math.min(COLUMNS, length - from) }, () => {
      return new Uint8Array(cells.length)
    })
    for (const [i, cell] of cells.entries())
      for (const [at, column] of columns.entries()) column[i] = cell[from + at] ?? 0
    for (const [at, column] of columns.entries()) yield [from + at, column]
  }
}

/** Whether a byte is the hop's, for all clients alike. */
function isHops(hops: readonly string[], values: Uint8Array): boolean {
  const byHop = new Map<string, number>()
  for (const [i, hop] of hops.entries()) {
    const value = byHop.get(hop)
    if (value === undefined) byHop.set(hop, values[i] ?? 0)
    else if (value !== values[i]) return false
  }
  return true
}

/** 53 bits of two multiplicative hashes: a window is random, or it is a leak. Undefined at the edge of padding, where some bytes agree by chance. */
function hashOf(view: DataView, at: number): number | undefined {
  let [one, other, words] = [0x811c9dc5, 0x9e3779b9, 0]
  for (let i = at; i < at + WINDOW_BYTES; i += 4) {
    const word = view.getInt32(i)
    if (word !== 0) words++
    one = Math.imul(one ^ word, 0xcc9e2d51)
    one = (one << 15) | (one >>> 17)
    other = Math.imul(other ^ word, 0x85ebca6b)
    other ^= other >>> 13
  }
  if (words < LEAST_WORDS) return undefined
  one = Math.imul(one ^ (one >>> 15), 0xc2b2ae35)
  other = Math.imul(other ^ (other >>> 13), 0x27d4eb2f)
  return ((one ^ (one >>> 16)) >>> 0) * 2 ** 21 + ((other ^ (other >>> 15)) >>> 11)
}
