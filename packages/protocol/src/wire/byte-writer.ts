/**
 * The counterpart of ByteReader: writes fields into bytes whose size the encoder has worked out.
 * A value that does not fit its field is our own fault and throws kind `bug`.
 * @module
 */
import { wireError } from './errors.ts'
import { writeU16, writeU32, writeU64 } from './integers.ts'

/** Writes fields from front to back into `bytes`. Every method throws WIRE_ENCODE when a value does not fit. */
export class ByteWriter {
  readonly bytes: Uint8Array
  #at = 0

  constructor(bytes: Uint8Array) {
    this.bytes = bytes
  }

  u8(value: number, field: string): this {
    requireUnsigned(value, 0xff, field)
    this.bytes[this.#advance(1, field)] = value
    return this
  }

  u16(value: number, field: string): this {
    requireUnsigned(value, 0xffff, field)
    writeU16(this.bytes, this.#advance(2, field), value)
    return this
  }

  u32(value: number, field: string): this {
    requireUnsigned(value, 0xffff_ffff, field)
    writeU32(this.bytes, this.#advance(4, field), value)
    return this
  }

  u64(value: number, field: string): this {
    requireUnsigned(value, Number.MAX_SAFE_INTEGER, field)
    writeU64(this.bytes, this.#advance(8, field), value)
    return this
  }

  /** Writes bytes of a field whose size the layout fixes. */
  fixed(value: Uint8Array, bytes: number, field: string): this {
    if (value.length !== bytes) throw wireError('WIRE_ENCODE', { field })
    return this.raw(value, field)
  }

  /** Writes bytes of a field whose size stands elsewhere. */
  raw(value: Uint8Array, field: string): this {
    this.bytes.set(value, this.#advance(value.length, field))
    return this
  }

  /** Returns the bytes; all of them must have been written. */
  done(): Uint8Array {
    if (this.#at !== this.bytes.length) throw wireError('WIRE_ENCODE', { field: 'size' })
    return this.bytes
  }

  #advance(count: number, field: string): number {
    const start = this.#at
    if (start + count > this.bytes.length) throw wireError('WIRE_ENCODE', { field })
    this.#at = start + count
    return start
  }
}

function requireUnsigned(value: number, max: number, field: string): void {
  if (!Number.isSafeInteger(value) || value < 0 || value > max) {
    throw wireError('WIRE_ENCODE', { field })
  }
}
