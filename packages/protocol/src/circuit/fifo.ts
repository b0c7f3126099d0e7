/**
 * A queue with cheap ends: an array's `shift` moves every element once it is long. Used by the queues of this folder.
 * @module
 */

/** First in, first out; `at(0)` is the oldest. */
export interface Fifo<T> {
  readonly length: number
  push(item: T): void
  peek(): T | undefined
  /** The newest. */
  last(): T | undefined
  at(index: number): T | undefined
  shift(): T | undefined
  clear(): void
}

/** Creates an empty queue. It has no limit of its own: whoever fills it has one. */
export function createFifo<T>(): Fifo<T> {
  return new ArrayFifo<T>()
}

class ArrayFifo<T> implements Fifo<T> {
  #items: (T | undefined)[] = []
  #head = 0

  get length(): number {
    return this.#items.length - this.#head
  }

  push(item: T): void {
    this.#items.push(item)
  }

  peek(): T | undefined {
    return this.#items[this.#head]
  }

  last(): T | undefined {
    return this.length === 0 ? undefined : this.#items.at(-1)
  }

  at(index: number): T | undefined {
    return this.#items[this.#head + index]
  }

  shift(): T | undefined {
    const item = this.#items[this.#head]
    if (item === undefined) return undefined
    // The slot must not keep what was taken alive.
    this.#items[this.#head] = undefined
    this.#head++
    if (this.#head === this.#items.length) this.clear()
    else if (this.#head >= COMPACT_AT && this.#head * 2 >= this.#items.length) this.#compact()
    return item
  }

  clear(): void {
    this.#items = []
    this.#head = 0
  }

  #compact(): void {
    this.#items = this.#items.slice(this.#head)
    this.#head = 0
  }
}

/** Below this a copy costs more than the slots it frees. */
const COMPACT_AT = 64
