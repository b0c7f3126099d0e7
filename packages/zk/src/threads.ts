/**
 * A few threads that do tasks of one kind, each one task at a time.
 * @module
 */
import { type ResourceLimits, Worker } from 'node:worker_threads'
import type { ProgramName } from './programs.ts'
import { zkError } from './errors.ts'

/** Threads, and the tasks that wait for them. */
export interface Threads<Task, Answer> extends AsyncDisposable {
  /**
   * Does a task when a thread is free: after those that wait, or before them.
   * @throws ZK_STOPPED when a thread ended, or all were disposed; the signal's reason
   */
  run(task: Task, isNext?: boolean): Promise<Answer>
}

/** What threads run, and how many. A thread starts with the first task that finds none free. */
export type ThreadsOptions = {
  /** Answers each message with one. */
  readonly url: URL
  readonly name: string
  /** What they work for. */
  readonly program: ProgramName
  readonly count: number
  readonly limits: ResourceLimits
  /** Given to each at its start. */
  readonly data?: unknown
  readonly signal?: AbortSignal | undefined
}

/** Creates them; none runs yet. Who disposes of them awaits their end. */
export function createThreads<Task, Answer>(options: ThreadsOptions): Threads<Task, Answer> {
  return new TaskThreads(options)
}

type Entry<Task, Answer> = PromiseWithResolvers<Answer> & { readonly task: Task }

class TaskThreads<Task, Answer> implements Threads<Task, Answer> {
  readonly #options: ThreadsOptions
  readonly #waiting: Entry<Task, Answer>[] = []
  readonly #free: Worker[] = []
  readonly #busy = new Map<Worker, Entry<Task, Answer>>()
  readonly #onAbort = (): void => this.#stop(this.#options.signal?.reason)
  /** Why nothing is done any more. */
  #end: { readonly reason: unknown } | undefined

  constructor(options: ThreadsOptions) {
    this.#options = options
    options.signal?.addEventListener('abort', this.#onAbort)
    if (options.signal?.aborted) this.#onAbort()
  }

  async run(task: Task, isNext = false): Promise<Answer> {
    if (this.#end) throw this.#end.reason
    const entry = { ...Promise.withResolvers<Answer>(), task }
    if (isNext) this.#waiting.unshift(entry)
    else this.#waiting.push(entry)
    this.#giveTasks()
    return await entry.promise
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#options.signal?.removeEventListener('abort', this.#onAbort)
    const workers = [...this.#free, ...this.#busy.keys()]
    this.#stop(this.#stopped())
    await Promise.all(workers.map((worker) => worker.terminate()))
  }

  #giveTasks(): void {
    while (this.#waiting.length > 0) {
      const isRoom = this.#free.length + this.#busy.size < this.#options.count
      const worker = this.#free.pop() ?? (isRoom ? this.#start() : undefined)
      if (!worker) return
      const entry = this.#waiting.shift()
      if (!entry) return
      this.#busy.set(worker, entry)
      worker.postMessage(entry.task)
    }
  }

  #start(): Worker {
    const { url, name, limits, data } = this.#options
    const worker = new Worker(url, { name, resourceLimits: limits, workerData: data })
    worker.on('message', (answer: Answer) => {
      this.#busy.get(worker)?.resolve(answer)
      this.#busy.delete(worker)
      if (this.#end) return
      this.#free.push(worker)
      this.#giveTasks()
    })
    // Its end follows.
    worker.on('error', () => {})
    worker.on('exit', () => this.#stop(this.#stopped()))
    return worker
  }

  #stopped(): Error {
    return zkError('ZK_STOPPED', { program: this.#options.program })
  }

  #stop(reason: unknown): void {
    this.#end ??= { reason }
    const workers = [...this.#free.splice(0), ...this.#busy.keys()]
    const entries = [...this.#waiting.splice(0), ...this.#busy.values()]
    this.#busy.clear()
    for (const { reject } of entries) reject(this.#end.reason)
    for (const worker of workers) void worker.terminate()
  }
}
