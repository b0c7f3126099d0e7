/**
 * Message lists: what the plaintext of a cell is made of (SPEC §4.3). Reads and writes in place; what the messages
 * mean is in link-messages.ts and hop-messages.ts.
 *
 * ```text
 * offset size field
 *      0    1 type; 0 ends the list, the rest is padding
 *      1    2 n
 *      3    n body
 * ```
 * @module
 */
import { wireError } from './errors.ts'
import { readU16, writeU16 } from './integers.ts'

/** Type and length in front of each body. */
export const MESSAGE_HEADER_BYTES = 3

/** A message of a list; `body` is a view into the list. */
export type ListMessage = { readonly type: number; readonly body: Uint8Array }

/**
 * A cursor over one list after another. Reused, it allocates nothing but the views that `body()` is asked for.
 * `reset`, then `next` until it says false.
 */
export class MessageListReader {
  #list: Uint8Array = NOTHING
  #at = 0
  #start = 0
  #type = 0

  /** The type of the message that `next` came to. */
  get type(): number {
    return this.#type
  }

  /** Starts over with another list. */
  reset(list: Uint8Array): this {
    this.#list = list
    this.#at = 0
    this.#start = 0
    this.#type = 0
    return this
  }

  /**
   * Goes to the next message; false at the end of the list.
   *
   * @throws WIRE_LENGTH when the message runs past the end
   */
  next(): boolean {
    const list = this.#list
    const at = this.#at
    const type = list[at] ?? 0
    if (type === 0) return this.#finish()
    const start = at + MESSAGE_HEADER_BYTES
    const end = start > list.length ? start : start + readU16(list, at + 1)
    // SPEC §4.3: a message that runs past the end is a protocol error of whoever sealed the list.
    if (end > list.length) {
      throw wireError('WIRE_LENGTH', { field: 'message', want: end - at, have: list.length - at })
    }
    this.#type = type
    this.#start = start
    this.#at = end
    return true
  }

  /** Returns a view of the message's body. */
  body(): Uint8Array {
    return this.#list.subarray(this.#start, this.#at)
  }

  /** Lets go of the list: a reader that waits for its next one would keep the last cell alive. */
  #finish(): false {
    this.reset(NOTHING)
    return false
  }
}

/**
 * Yields the messages of a list, for code off the hot path.
 *
 * @throws WIRE_LENGTH when one runs past the end; those before it have been yielded by then
 */
export function* messagesIn(list: Uint8Array): Generator<ListMessage, void, undefined> {
  const reader = new MessageListReader().reset(list)
  while (reader.next()) yield { type: reader.type, body: reader.body() }
}

/** Packs messages into a region of a cell that the caller gives. `reset`, append, `finish`. */
export class MessageListWriter {
  #region: Uint8Array = NOTHING
  #used = 0

  /** Starts over with another region. */
  reset(region: Uint8Array): this {
    this.#region = region
    this.#used = 0
    return this
  }

  /** The region that is being filled. */
  get region(): Uint8Array {
    return this.#region
  }

  /** Bytes that messages take so far. */
  get usedBytes(): number {
    return this.#used
  }

  /** The longest body that the next message may have; negative when not even an empty one fits. */
  get roomBytes(): number {
    return this.#region.length - this.#used - MESSAGE_HEADER_BYTES
  }

  /**
   * Writes a message's header and returns the offset in `region` at which the caller must write its body;
   * −1, with nothing written, when it does not fit.
   */
  reserve(type: number, bodyBytes: number): number {
    if (bodyBytes > this.roomBytes) return -1
    const at = this.#used
    this.#region[at] = type
    writeU16(this.#region, at + 1, bodyBytes)
    this.#used = at + MESSAGE_HEADER_BYTES + bodyBytes
    return at + MESSAGE_HEADER_BYTES
  }

  /** Appends a message; false, with nothing written, when it does not fit. */
  append(type: number, body: Uint8Array): boolean {
    const at = this.reserve(type, body.length)
    if (at < 0) return false
    this.#region.set(body, at)
    return true
  }

  /** Sets all that is left to zero (the end of the list and the padding); returns the bytes in use. */
  finish(): number {
    this.#region.fill(0, this.#used)
    return this.#used
  }
}

const NOTHING = new Uint8Array(0)
