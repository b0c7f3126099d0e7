/**
 * Spent tokens: 16 bytes each, since there may be millions. They have no MAC of their own; their key's row has their number and their XOR, so a
 * change to any of them is found when the store is opened, and the key is given up.
 */
import type { Row, StoredRow } from '../operation.ts'
import type { Connection } from './connection.ts'
import { macOf, type MacKey } from './row-mac.ts'
import type { Table } from './table.ts'

export const TAG_BYTES = 16
const LABEL = 'byway spent v1'

/** Two kinds of token, a key a day each, honoured for two days: far more than there ever are. */
const MAX_KEYS = 10_000

export class SpentSet {
  readonly #connection: Connection
  readonly #table: Table
  readonly #key: MacKey

  /** @param table - that of `spent_key` */
  constructor(connection: Connection, table: Table, key: MacKey) {
    this.#connection = connection
    this.#table = table
    this.#key = key
  }

  spend(keyId: Uint8Array, nonce: Uint8Array): 'new' | 'known' {
    const key = { key_id: keyId }
    const known = this.#table.get(key) ?? this.#begin(key)
    const tag = macOf(this.#key, [LABEL, keyId, nonce]).subarray(1, 1 + TAG_BYTES)
    if (!known || !this.addTag(known.sequence, tag)) return 'known'
    const { tags, mixed } = known.row
    const next = sums(Number(tags) + 1, tagNumber(mixed) ^ tagNumber(tag))
    this.#table.replace(known.sequence, { ...known.row, ...next })
    return 'new'
  }

  #begin(key: { readonly key_id: Uint8Array }): StoredRow | undefined {
    this.#table.insert({ ...key, ...sums(0, 0n), is_damaged: 0 })
    return this.#table.get(key)
  }

  /** Adds a tag without its key's sums, as when one is saved from a damaged file. */
  addTag(place: number, tag: Uint8Array): boolean {
    const sql = 'INSERT INTO spent (key, tag) VALUES (?, ?) ON CONFLICT DO NOTHING'
    return this.#connection.run(sql, place, tag) === 1
  }

  forget(keyId: Uint8Array): undefined {
    const known = this.#table.get({ key_id: keyId })
    if (!known) return undefined
    this.#connection.run('DELETE FROM spent WHERE key = ?', known.sequence)
    this.#table.removeAt(known.sequence)
    return undefined
  }

  damagedKeys(): readonly Uint8Array[] {
    const found = this.#table.list([{ column: 'is_damaged', is: 1 }], 0, MAX_KEYS)
    return found.map(({ row }) => row['key_id']).filter((id) => id instanceof Uint8Array)
  }

  /** Compares the tags with their keys' sums; gives the keys that do not agree and were not known to. */
  disagreeing(): readonly StoredRow[] {
    return this.#table.list([{ column: 'is_damaged', is: 0 }], 0, MAX_KEYS).filter((key) => {
      const { tags, mixed } = this.#count(key.sequence)
      return tags !== key.row['tags'] || mixed !== tagNumber(key.row['mixed'])
    })
  }

  /** Sets a key's sums to what there is, and says that it is not all. */
  markDamaged({ sequence, row }: StoredRow): void {
    const { tags, mixed } = this.#count(sequence)
    const key = { key_id: row['key_id'] ?? null }
    this.#table.change(key, { ...sums(tags, mixed), is_damaged: 1 }, [])
  }

  #count(place: number): { tags: number; mixed: bigint } {
    let tags = 0
    let mixed = 0n
    for (const { tag } of this.#connection.iterate('SELECT tag FROM spent WHERE key = ?', place)) {
      tags++
      mixed ^= tagNumber(tag)
    }
    return { tags, mixed }
  }
}

function sums(tags: number, mixed: bigint): Row {
  return { tags, mixed: Buffer.from(mixed.toString(16).padStart(2 * TAG_BYTES, '0'), 'hex') }
}

function tagNumber(tag: unknown): bigint {
  return tag instanceof Uint8Array ? BigInt(`0x0${Buffer.from(tag).toString('hex')}`) : -1n
}
