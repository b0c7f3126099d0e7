/** Everything of a damaged store that can be shown to be whole, found page by page. */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import type { Cell } from '../operation.ts'
import { PAGE_BYTES } from './connection.ts'
import { isSameMac, rowMac, type FullRow, type MacKey } from './row-mac.ts'
import { TAG_BYTES } from './spent-set.ts'
import { recordsOf, type CarvedRecord, type ReadPage } from './sqlite-pages.ts'
import { TABLES, type TableShape } from './tables.ts'
import { readTally, type Tally } from './tally.ts'
import type { WalImage } from './wal.ts'

/** What was found. */
export type Carved = {
  /** Rows by table and place. Where several versions were found, the newest. */
  readonly rows: ReadonlyMap<string, ReadonlyMap<number, FullRow>>
  readonly tallies: ReadonlyMap<string, Tally>
  readonly tags: readonly { readonly place: number; readonly tag: Uint8Array }[]
  /** Records that have the form of a row and a wrong MAC. */
  readonly damaged: readonly CarvedRecord[]
}

/** Reads a store's file with its log laid over it. */
export function carve(path: string, wal: WalImage | undefined, key: MacKey): Carved {
  const file = openSync(path, 'r')
  try {
    const pages = Math.ceil(fstatSync(file).size / PAGE_BYTES)
    const last = Math.max(pages, ...(wal?.pages.keys() ?? []))
    const sieve = new Sieve(key)
    const read: ReadPage = (page) => wal?.pages.get(page) ?? readPage(file, page)
    for (let page = 1; page <= last; page++)
      for (const record of recordsOf(page, read)) sieve.take(record)
    return sieve
  } finally {
    closeSync(file)
  }
}

function readPage(file: number, page: number): Uint8Array | undefined {
  const bytes = new Uint8Array(PAGE_BYTES)
  const isThere = page > 0 && readSync(file, bytes, 0, PAGE_BYTES, (page - 1) * PAGE_BYTES) > 0
  return isThere ? bytes : undefined
}

class Sieve implements Carved {
  readonly rows = new Map<string, Map<number, FullRow>>()
  readonly tallies = new Map<string, Tally>()
  readonly tags: { place: number; tag: Uint8Array }[] = []
  readonly damaged: CarvedRecord[] = []
  readonly #key: MacKey

  constructor(key: MacKey) {
    this.#key = key
  }

  take(record: CarvedRecord): void {
    if (record.rowid !== undefined) {
      if (Number.isSafeInteger(record.rowid)) this.#takeRow(record, record.rowid)
    } else if (!this.#takeTag(record)) this.#takeTally(record)
  }

  #takeRow(record: CarvedRecord, sequence: number): void {
    const shapes = TABLES.filter((shape) => hasForm(record, shape))
    for (const shape of shapes) {
      const full = fullRow(record, sequence, shape)
      if (isSameMac(rowMac(this.#key, shape, full), record.values.at(-1)))
        return this.#keep(shape.name, full)
    }
    if (shapes.length > 0) this.damaged.push(record)
  }

  #keep(name: string, full: FullRow): void {
    const rows = this.rows.get(name) ?? new Map<number, FullRow>()
    this.rows.set(name, rows)
    const known = rows.get(full.sequence)
    if (!known || known.revision < full.revision) rows.set(full.sequence, full)
  }

  #takeTag({ values }: CarvedRecord): boolean {
    const [place, tag] = values
    const isTag = values.length === 2 && tag instanceof Uint8Array && tag.length === TAG_BYTES
    if (isTag && typeof place === 'number') this.tags.push({ place, tag })
    return isTag
  }

  #takeTally({ values }: CarvedRecord): void {
    const tally = readTally(this.#key, values)
    const name = values[0]
    if (!tally || typeof name !== 'string') return
    const known = this.tallies.get(name)
    if (!known || known.revision < tally.revision) this.tallies.set(name, tally)
  }
}

/** The values of a row: its place (kept as null), its revision, its columns, its MAC. */
function hasForm({ values }: CarvedRecord, shape: TableShape): boolean {
  const types = Object.values(shape.columns)
  if (values.length !== types.length + 3 || !Number.isSafeInteger(values[1])) return false
  return types.every((type, at) => {
    const value = values[at + 2] ?? null
    if (value === null) return type.endsWith('?')
    if (typeof value === 'number') return type.startsWith('int') && Number.isSafeInteger(value)
    return type.startsWith(typeof value === 'string' ? 'text' : 'blob')
  })
}

function fullRow({ values }: CarvedRecord, sequence: number, shape: TableShape): FullRow {
  const columns = Object.keys(shape.columns)
  const cells = columns.map((column, at): [string, Cell] => [column, values[at + 2] ?? null])
  const revision = values[1]
  return {
    sequence,
    revision: typeof revision === 'number' ? revision : 0,
    row: Object.fromEntries(cells),
  }
}
