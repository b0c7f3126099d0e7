/**
 * Signs and checks receipts in a thread of its own: some milliseconds each, and a tenth of a second for the first, are too much for the event loop. The thread starts with the first and keeps no process alive.
 * @module
 */
import { Worker } from 'node:worker_threads'
import type { ReceiptCrypto, SignedReceipt } from '@byway/protocol/payment'
import { zkError } from './errors.ts'
import type { ReceiptAnswer, ReceiptTask } from './receipt-worker.ts'

// Local limits (tunable): docs/LIMITS.md.
/** Receipts that may wait: a second of the thread's work. */
const MAX_WAITING_RECEIPTS = 128

/** Creates it; no thread runs yet. Disposing ends what waits with ZK_STOPPED. */
export function createReceiptCrypto(): ReceiptCrypto & AsyncDisposable {
  const thread = new ReceiptThread()
  return {
    keyOf: async (secret) => (await thread.run({ do: 'key', secret })) as Uint8Array,
    sign: async (secret, body) => (await thread.run({ do: 'sign', secret, body })) as SignedReceipt,
    isOf: async (receiptKey, receipt) =>
      (await thread.run({ do: 'isOf', receiptKey, receipt })) as boolean,
    isOwn: async (secret, body, signature) =>
      (await thread.run({ do: 'isOwn', secret, body, signature })) as boolean,
    [Symbol.asyncDispose]: () => thread.stop(),
  }
}

class ReceiptThread {
  readonly #waiting = new Map<number, PromiseWithResolvers<ReceiptAnswer>>()
  #worker: Worker | undefined
  #lastId = 0
  #isStopped = false

  async run(task: ReceiptTask): Promise<ReceiptAnswer> {
    const waiting = this.#waiting.size
    if (this.#isStopped) throw zkError('ZK_STOPPED', { program: 'receipt' })
    if (waiting >= MAX_WAITING_RECEIPTS) throw zkError('ZK_BUSY', { waiting })
    const id = ++this.#lastId
    const settled = Promise.withResolvers<ReceiptAnswer>()
    this.#waiting.set(id, settled)
    this.#worker ??= this.#start()
    this.#worker.ref()
    this.#worker.postMessage({ id, task })
    return await settled.promise
  }

  async stop(): Promise<void> {
    this.#isStopped = true
    await this.#worker?.terminate()
    this.#giveUp()
  }

  #start(): Worker {
    const worker = new Worker(WORKER_URL, { name: 'receipts', resourceLimits: THREAD_SIZES })
    worker.on('message', ({ id, answer }: { id: number; answer: ReceiptAnswer }) => {
      this.#waiting.get(id)?.resolve(answer)
      this.#waiting.delete(id)
      if (this.#waiting.size === 0) worker.unref()
    })
    // Its end follows.
    worker.on('error', () => {})
    worker.on('exit', () => {
      if (this.#worker === worker) this.#worker = undefined
      this.#giveUp()
    })
    return worker
  }

  #giveUp(): void {
    for (const { reject } of this.#waiting.values())
      reject(zkError('ZK_STOPPED', { program: 'receipt' }))
    this.#waiting.clear()
  }
}

/** Beside this file, with its ending: `.ts` from source, `.js` from a build. */
const WORKER_URL = new URL(`./receipt-worker${import.meta.url.slice(-3)}`, import.meta.url)
/** Poseidon's constants and little else. */
const THREAD_SIZES = { maxOldGenerationSizeMb: 96, maxYoungGenerationSizeMb: 16 }
