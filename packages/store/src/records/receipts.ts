/**
 * Receipts (SPEC §17.1): the last of each slot and epoch. One that is lost costs only proof of what was carried, never money.
 * @module
 */
import type { Condition, StoredRow, Submit } from '../operation.ts'
import { bytesOf, numberOf, pages } from './row.ts'

/** A receipt whose signature was found good. The provider is the node's own. */
export type StoredReceipt = {
  /** 32 bytes. */
  readonly nullifier: Uint8Array
  readonly epoch: number
  readonly units: number
  /** 64 bytes. */
  readonly publicKey: Uint8Array
  /** 96 bytes. */
  readonly signature: Uint8Array
}

/** A receipt and its place among those that were written. */
export type PlacedReceipt = { readonly sequence: number; readonly receipt: StoredReceipt }

export interface ReceiptRecords {
  /** Writes the receipt in place of the slot's last one of that epoch. */
  put(receipt: StoredReceipt): Promise<void>
  get(nullifier: Uint8Array, epoch: number): Promise<StoredReceipt | undefined>
  /** All of one epoch, in pages. */
  ofEpoch(epoch: number): AsyncIterable<StoredReceipt>
  /** So many of one epoch behind a place, 0 for the first, in the order in which they were written; each with its own. */
  page(epoch: number, afterSequence: number, limit: number): Promise<readonly PlacedReceipt[]>
  /** Forgets the epochs before this one. */
  forgetBefore(epoch: number): Promise<number>
}

const TABLE = 'receipt'

export function createReceiptRecords(submit: Submit): ReceiptRecords {
  return {
    async put({ nullifier, epoch, units, publicKey, signature }) {
      const row = { nullifier, epoch, units, public_key: publicKey, signature }
      await submit({ verb: 'put', table: TABLE, row })
    },
    async get(nullifier, epoch) {
      const found = await submit({ verb: 'get', table: TABLE, key: { nullifier, epoch } })
      return found && toReceipt(found)
    },
    async *ofEpoch(epoch) {
      for await (const row of pages(submit, TABLE, ofEpoch(epoch))) yield toReceipt(row)
    },
    async page(epoch, after, limit) {
      const rows = await submit({ verb: 'list', table: TABLE, when: ofEpoch(epoch), after, limit })
      return rows.map((row) => ({ sequence: row.sequence, receipt: toReceipt(row) }))
    },
    forgetBefore: (epoch) =>
      submit({ verb: 'remove', table: TABLE, when: [{ column: 'epoch', below: epoch }] }),
  }
}

function ofEpoch(epoch: number): readonly Condition[] {
  return [{ column: 'epoch', is: epoch }]
}

function toReceipt({ row }: StoredRow): StoredReceipt {
  return {
    nullifier: bytesOf(row, 'nullifier'),
    epoch: numberOf(row, 'epoch'),
    units: numberOf(row, 'units'),
    publicKey: bytesOf(row, 'public_key'),
    signature: bytesOf(row, 'signature'),
  }
}
