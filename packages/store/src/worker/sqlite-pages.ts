/**
 * Reads the records on the leaves of SQLite's b-trees one by one, whatever else of the file is damaged (its file format, "B-tree Pages" and "Record
 * Format"). It trusts nothing: a length or number that does not fit ends that cell only. Whether a record is one of ours, its MAC says.
 */
import { PAGE_BYTES } from './connection.ts'

/** A record as it lies there. */
export type CarvedRecord = {
  /** The row's place; nothing in a table without one. */
  readonly rowid: number | undefined
  readonly values: readonly CarvedValue[]
}

export type CarvedValue = Uint8Array | number | string | null

/** Gives a page's content by its number, from 1. */
export type ReadPage = (page: number) => Uint8Array | undefined

const LEAF_TABLE = 0x0d
const LEAF_INDEX = 0x0a
const INTERIOR_INDEX = 0x02
const FILE_HEADER_BYTES = 100

/** Longer records are none of ours. */
const MAX_RECORD_BYTES = 1024 * 1024

/** Every record on a page that can be read. */
export function* recordsOf(page: number, read: ReadPage): Generator<CarvedRecord> {
  const found = read(page)
  if (found?.length !== PAGE_BYTES) return
  const bytes = Buffer.from(found.buffer, found.byteOffset, found.length)
  const start = page === 1 ? FILE_HEADER_BYTES : 0
  const type = bytes.readUInt8(start)
  if (type !== LEAF_TABLE && type !== LEAF_INDEX && type !== INTERIOR_INDEX) return
  const pointers = start + (type === INTERIOR_INDEX ? 12 : 8)
  const count = Math.min(bytes.readUInt16BE(start + 3), (PAGE_BYTES - pointers) >> 1)
  for (let i = 0; i < count; i++) {
    const record = readCell(bytes, bytes.readUInt16BE(pointers + 2 * i), type, read)
    if (record) yield record
  }
}

function readCell(
  page: Buffer,
  at: number,
  type: number,
  read: ReadPage,
): CarvedRecord | undefined {
  const reader = new Reader(page, type === INTERIOR_INDEX ? at + 4 : at)
  const bytes = reader.varint()
  const rowid = type === LEAF_TABLE ? reader.varint() : undefined
  if (bytes > MAX_RECORD_BYTES) return undefined
  const payload = readPayload(page, reader.at, bytes, type === LEAF_TABLE, read)
  const values = payload && readRecord(payload)
  return values && { rowid, values }
}

/** A record's bytes: what fits lies in the cell, the rest in a chain of overflow pages. */
function readPayload(
  page: Buffer,
  at: number,
  bytes: number,
  isTable: boolean,
  read: ReadPage,
): Buffer | undefined {
  const local = localBytes(bytes, isTable)
  if (at + local > page.length) return undefined
  const parts = [page.subarray(at, at + local)]
  let missing = bytes - local
  let next = missing > 0 && at + local + 4 <= page.length ? page.readUInt32BE(at + local) : 0
  while (missing > 0) {
    const more = read(next)
    if (more?.length !== PAGE_BYTES) return undefined
    const overflow = Buffer.from(more.buffer, more.byteOffset, more.length)
    parts.push(overflow.subarray(4, 4 + Math.min(missing, PAGE_BYTES - 4)))
    missing -= PAGE_BYTES - 4
    next = overflow.readUInt32BE(0)
  }
  return Buffer.concat(parts)
}

/** How much of a payload lies in the cell itself (SQLite's file format, "Cell Payload Overflow Pages"). */
function localBytes(bytes: number, isTable: boolean): number {
  const most = isTable ? PAGE_BYTES - 35 : Math.floor(((PAGE_BYTES - 12) * 64) / 255) - 23
  if (bytes <= most) return bytes
  const least = Math.floor(((PAGE_BYTES - 12) * 32) / 255) - 23
  const fitting = least + ((bytes - least) % (PAGE_BYTES - 4))
  return fitting <= most ? fitting : least
}

function readRecord(payload: Buffer): readonly CarvedValue[] | undefined {
  const header = new Reader(payload, 0)
  const headerBytes = header.varint()
  if (headerBytes > payload.length) return undefined
  const values: CarvedValue[] = []
  let at = headerBytes
  while (header.at < headerBytes) {
    const type = header.varint()
    const bytes = valueBytes(type)
    if (bytes === undefined || at + bytes > payload.length) return undefined
    values.push(readValue(payload.subarray(at, at + bytes), type))
    at += bytes
  }
  return values
}

const INTEGER_BYTES = [0, 1, 2, 3, 4, 6, 8]

function valueBytes(type: number): number | undefined {
  if (type < INTEGER_BYTES.length) return INTEGER_BYTES[type]
  if (type === 8 || type === 9) return 0
  return type >= 12 ? (type - 12) >> 1 : undefined
}

function readValue(bytes: Buffer, type: number): CarvedValue {
  if (type === 0) return null
  if (type === 8 || type === 9) return type - 8
  if (type >= 12) return type % 2 === 0 ? new Uint8Array(bytes) : bytes.toString('utf8')
  return bytes.length === 8 ? Number(bytes.readBigInt64BE()) : bytes.readIntBE(0, bytes.length)
}

/** Reads SQLite's variable-length integers; past the end it reads zeros. */
class Reader {
  at: number
  readonly #bytes: Buffer

  constructor(bytes: Buffer, at: number) {
    this.#bytes = bytes
    this.at = at
  }

  /** As a number: larger ones than a number can hold are none of ours and come out wrong. */
  varint(): number {
    let value = 0
    for (let i = 0; i < 8; i++) {
      const byte = this.#bytes[this.at++] ?? 0
      value = value * 128 + (byte & 0x7f)
      if (byte < 0x80) return value
    }
    return value * 256 + (this.#bytes[this.at++] ?? 0)
  }
}
