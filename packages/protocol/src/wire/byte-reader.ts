/**
 * A checked cursor over bytes of a peer, for layouts off the hot path.
 * Each length is compared with what is left before anything is taken, so that a declared length allocates nothing.
 * @module
 */
import { wireError } from './errors.ts'
import { readU16, readU32, readU64 } from './integers.ts'

/** Reads fields from front to back. Every method throws WIRE_LENGTH when the field runs past the end. */
export class ByteReader {
  readonly #bytes: Uint8Array
  #at = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  /** Bytes not read yet. */
  get left(): number {
    return this.#bytes.length - this.#at
  }

  u8(field: string): number {
    return this.#bytes[this.#advance(1, field)]!
  }

  u16(field: string): number {
    return readU16(this.#bytes, this.#advance(2, field))
  }

  u32(field: string): number {
    return readU32(this.#bytes, this.#advance(4, field))
  }

  /** @throws WIRE_VALUE above 2^53 − 1 */
  u64(field: string): number {
    return readU64(this.#bytes, this.#advance(8, field), field)
  }

  /** Takes a view; it lives as long as the bytes below it do. */
  view(count: number, field: string): Uint8Array {
    const start = this.#advance(count, field)
    return this.#bytes.subarray(start, start + count)
  }

  /** Takes a copy, for what outlives the cell it came in. */
  copy(count: number, field: string): Uint8Array {
    const start = this.#advance(count, field)
    return this.#bytes.slice(start, start + count)
  }

  /** Takes a view of all that is left. */
  rest(): Uint8Array {
    return this.view(this.left, 'rest')
  }

  /** @throws WIRE_LENGTH when bytes are left: encodings are canonical. */
  end(field: string): void {
    if (this.left !== 0) throw wireError('WIRE_LENGTH', { field, want: 0, have: this.left })
  }

  #advance(count: number, field: string): number {
    const start = this.#at
    if (count > this.left) {
      throw wireError('WIRE_LENGTH', { field, want: count, have: this.left })
    }
    this.#at = start + count
    return start
  }
}
