/**
 * Signs blinded elements in one thread of its own, so that a purchase of 32 tokens (13 ms of RSA) does not hold up cells. The thread is started by
 * the first purchase, ends when nobody has bought for a while, and keeps no process alive; when it dies, what waited is told `busy` and the next
 * purchase starts another.
 * @module
 */
import { KeyObject } from 'node:crypto'
import { Worker } from 'node:worker_threads'
import { assert } from '@byway/protocol/base'
import {
  BLIND_TOKEN_BYTES,
  type BlindTokenPrivateKey,
  type BlindTokenSigner,
} from './blind-token.ts'
import type { SignResult, SignTask } from './node-blind-worker.ts'

/** Creates the signer. */
export function createNodeBlindSigner(): BlindTokenSigner {
  return new ThreadSigner()
}

type Waiting = {
  readonly count: number
  readonly resolve: (result: readonly Uint8Array[] | 'busy' | 'malformed') => void
}

class ThreadSigner implements BlindTokenSigner {
  readonly #waiting = new Map<number, Waiting>()
  #thread: Worker | undefined
  #rest: NodeJS.Timeout | undefined
  #lastId = 0
  #pending = 0
  #disposed = false

  get pending(): number {
    return this.#pending
  }

  async sign(
    key: BlindTokenPrivateKey,
    elements: readonly Uint8Array[],
  ): Promise<readonly Uint8Array[] | 'busy' | 'malformed'> {
    if (elements.some(({ length }) => length !== BLIND_TOKEN_BYTES)) return 'malformed'
    if (this.#disposed || this.#pending + elements.length > MAX_PENDING_ELEMENTS) return 'busy'
    const object: object = key
    assert(object instanceof KeyObject, 'a key of another scheme')
    const { promise, resolve } = Promise.withResolvers<
      readonly Uint8Array[] | 'busy' | 'malformed'
    >()
    const id = ++this.#lastId
    this.#waiting.set(id, { count: elements.length, resolve })
    this.#pending += elements.length
    this.#post({ id, key: object, elements: joined(elements), elementBytes: BLIND_TOKEN_BYTES })
    return promise
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#disposed = true
    clearTimeout(this.#rest)
    await this.#thread?.terminate()
    this.#giveUp()
  }

  #post(task: SignTask): void {
    clearTimeout(this.#rest)
    this.#thread ??= this.#start()
    this.#thread.postMessage(task, [task.elements.buffer])
  }

  #start(): Worker {
    const thread = new Worker(WORKER_URL, { resourceLimits: THREAD_SIZES, name: 'blind-signer' })
    thread.unref()
    thread.on('message', (result: SignResult) => this.#settle(result))
    const onGone = (): void => {
      if (this.#thread !== thread) return
      this.#thread = undefined
      this.#giveUp()
    }
    thread.on('error', onGone)
    thread.on('exit', onGone)
    return thread
  }

  /** Nothing waits: the thread's memory is worth more than its next start. */
  #stop(): void {
    const thread = this.#thread
    this.#thread = undefined
    void thread?.terminate()
  }

  #settle({ id, signatures }: SignResult): void {
    const waiting = this.#waiting.get(id)
    if (!waiting) return
    this.#waiting.delete(id)
    this.#pending -= waiting.count
    if (this.#pending === 0) this.#rest = setTimeout(() => this.#stop(), IDLE_MS).unref()
    waiting.resolve(signatures ? split(signatures) : 'malformed')
  }

  #giveUp(): void {
    for (const { resolve } of this.#waiting.values()) resolve('busy')
    this.#waiting.clear()
    this.#pending = 0
  }
}

function joined(elements: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(elements.length * BLIND_TOKEN_BYTES)
  for (const [i, element] of elements.entries()) all.set(element, i * BLIND_TOKEN_BYTES)
  return all
}

function split(signatures: Uint8Array): Uint8Array[] {
  const count = signatures.length / BLIND_TOKEN_BYTES
  return Array.from({ length: count }, (_, i) =>
    signatures.slice(i * BLIND_TOKEN_BYTES, (i + 1) * BLIND_TOKEN_BYTES),
  )
}

/** Beside this file, with its ending: `.ts` from source, `.js` from a build. */
const WORKER_URL = new URL(`./node-blind-worker${import.meta.url.slice(-3)}`, import.meta.url)
/** The thread holds little more than OpenSSL. */
const THREAD_SIZES = { maxOldGenerationSizeMb: 24, maxYoungGenerationSizeMb: 4, stackSizeMb: 1 }

// Local limits (tunable): docs/LIMITS.md.
/** Elements waiting for the signing thread: a tenth of a second of its work. Beyond it a purchase is told to try later. */
const MAX_PENDING_ELEMENTS = 256
/** A client buys once or twice a minute while it downloads. */
const IDLE_MS = 120_000
