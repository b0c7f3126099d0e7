/**
 * One process that proves or verifies, and the jobs that wait for it: those that somebody awaits go before those made ahead. It starts with the first job and ends after a
 * time without one, since it holds a hundred megabytes or more.
 * @module
 */
import { type ChildProcess, fork } from 'node:child_process'
import { setPriority } from 'node:os'
import { fileURLToPath } from 'node:url'
import { zkError } from './errors.ts'
import type { Answer, Job } from './prover-jobs.ts'

/** What a lane is asked to do. */
export type JobBody = Job extends infer Each ? (Each extends Job ? Omit<Each, 'id'> : never) : never

export type LaneOptions = {
  /** A process without a job for so long is ended; undefined: it stays. */
  readonly idleMs: number | undefined
  /** Jobs that the process has at a time; the others wait here, where those that are awaited overtake. */
  readonly atOnce: number
  /** Added to the process's priority: 0 to 19, where 19 yields to everybody. @default 0 */
  readonly niceness?: number | undefined
}

/** How a job is queued. */
export type JobOptions = {
  /** Nobody waits for it. @default false */
  readonly isAhead?: boolean | undefined
  /** Takes it out of the queue; what runs already is not cut short. */
  readonly signal?: AbortSignal | undefined
}

/** A process and its queue. */
export interface Lane {
  /** @throws ZK_BUSY, ZK_STOPPED, or the signal's reason */
  run(body: JobBody, options?: JobOptions): Promise<Answer>
  stop(): void
}

/** Creates a lane whose process starts with the first job. */
export function createLane(options: LaneOptions): Lane {
  return new ProcessLane(options)
}

// Local limits (tunable): docs/LIMITS.md.
/** Jobs that one process may have before it: at ten milliseconds a verification, a second's. */
const MAX_WAITING = 100

type Entry = {
  readonly body: JobBody
  readonly settle: (answer: Answer | Error) => void
}

class ProcessLane implements Lane {
  readonly #options: LaneOptions
  readonly #awaited: Entry[] = []
  readonly #ahead: Entry[] = []
  readonly #sent = new Map<number, Entry>()
  #process: ChildProcess | undefined
  #idle: NodeJS.Timeout | undefined
  #lastId = 0
  #isStopped = false

  constructor(options: LaneOptions) {
    this.#options = options
  }

  async run(body: JobBody, { isAhead = false, signal }: JobOptions = {}): Promise<Answer> {
    signal?.throwIfAborted()
    if (this.#isStopped) throw zkError('ZK_STOPPED', { program: body.program })
    const waiting = this.#sent.size + this.#awaited.length + this.#ahead.length
    if (waiting >= MAX_WAITING) throw zkError('ZK_BUSY', { waiting })
    clearTimeout(this.#idle)
    const { promise, resolve, reject } = Promise.withResolvers<Answer>()
    const settle: Entry['settle'] = (answer) =>
      answer instanceof Error ? reject(answer) : resolve(answer)
    const entry = { body, settle }
    const queue = isAhead ? this.#ahead : this.#awaited
    const onAbort = (): void => {
      const at = queue.indexOf(entry)
      if (at >= 0) queue.splice(at, 1)
      reject(signal?.reason)
    }
    signal?.addEventListener('abort', onAbort, { once: true })
    queue.push(entry)
    this.#sendNext()
    try {
      return await promise
    } finally {
      signal?.removeEventListener('abort', onAbort)
    }
  }

  stop(): void {
    this.#isStopped = true
    this.#end(this.#process)
  }

  #sendNext(): void {
    while (this.#sent.size < this.#options.atOnce) {
      const entry = this.#awaited.shift() ?? this.#ahead.shift()
      if (!entry) return
      const child = (this.#process ??= this.#start())
      child.ref()
      child.channel?.ref()
      const id = ++this.#lastId
      this.#sent.set(id, entry)
      child.send({ ...entry.body, id } satisfies Job)
    }
  }

  #start(): ChildProcess {
    // What the library prints of a false statement would stand in the operator's log.
    const stdio = ['ignore', 'ignore', 'ignore', 'ipc'] as const
    const child = fork(PROVER, { serialization: 'advanced', stdio: [...stdio] })
    const { niceness = 0 } = this.#options
    if (niceness > 0) yieldTo(child, niceness)
    child.on('message', (answer: Answer) => this.#onAnswer(child, answer))
    child.on('error', () => this.#end(child))
    child.on('exit', () => this.#end(child))
    return child
  }

  #onAnswer(child: ChildProcess, answer: Answer): void {
    this.#sent.get(answer.id)?.settle(answer)
    this.#sent.delete(answer.id)
    this.#sendNext()
    if (this.#sent.size > 0) return
    // A process that waits for work does not keep this one alive.
    child.unref()
    child.channel?.unref()
    const { idleMs } = this.#options
    if (idleMs !== undefined) this.#idle = setTimeout(() => this.#end(child), idleMs).unref()
  }

  #end(child: ChildProcess | undefined): void {
    if (!child || this.#process !== child) return
    clearTimeout(this.#idle)
    this.#process = undefined
    const all = [...this.#sent.values(), ...this.#awaited.splice(0), ...this.#ahead.splice(0)]
    this.#sent.clear()
    for (const { body, settle } of all) settle(zkError('ZK_STOPPED', { program: body.program }))
    child.kill('SIGKILL')
  }
}

/** Before the process has threads, so that all of them yield. Where the system does not let us, it runs as everybody does. */
function yieldTo({ pid }: ChildProcess, niceness: number): void {
  try {
    if (pid !== undefined) setPriority(pid, niceness)
  } catch {
    // It has ended already, which its own events tell.
  }
}

/** Beside this file, with its ending: `.ts` from source, `.js` from a build. */
const PROVER = fileURLToPath(
  new URL(`./prover-process${import.meta.url.slice(-3)}`, import.meta.url),
)
