/**
 * Proves and verifies off the event loop: one process for proofs, which take a second, and one for verifications, which must not wait behind
 * them. They start with the first job and end after a minute without one, since each holds a hundred megabytes or more; who must judge at once keeps
 * the latter ready.
 * @module
 */
import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { SignalInput } from 'snarkjs'
import type { ProgramName } from './artefacts.ts'
import { zkError } from './errors.ts'
import type { Answer, Job } from './prover-process.ts'

/** A proof and the public signals it is for, in the program's order. */
export type Proved = { readonly signals: readonly bigint[]; readonly proof: Uint8Array }

/** Makes and checks proofs. */
export interface ZkEngine extends Disposable {
  /** Proves. @throws ZK_FALSE_STATEMENT, ZK_ARTEFACT, ZK_BUSY, ZK_STOPPED, or the signal's reason; a job that runs already is not cut short */
  prove(program: ProgramName, input: SignalInput, signal?: AbortSignal): Promise<Proved>
  /** True when the proof holds for these signals. Malformed ones are false. @throws ZK_ARTEFACT, ZK_BUSY, ZK_STOPPED */
  verify(program: ProgramName, signals: readonly bigint[], proof: Uint8Array): Promise<boolean>
}

// Local limits (tunable): docs/LIMITS.md.
/** Jobs that one process may have before it: at ten milliseconds a verification, a second's. */
const MAX_WAITING = 100
/** A process without a job for so long is ended. */
const IDLE_MS = 60_000

/** How an engine works. */
export type ZkEngineOptions = {
  /** The program whose verifier is started now and stays: starting takes half a second of a core. @default none */
  readonly readyToVerify?: ProgramName | undefined
}

/** Creates an engine. */
export function createZkEngine({ readyToVerify }: ZkEngineOptions = {}): ZkEngine {
  const prover = new Lane(IDLE_MS)
  const verifier = new Lane(readyToVerify ? undefined : IDLE_MS)
  // A verifier that does not start says so with the first proof.
  if (readyToVerify) verifier.run({ do: 'load', program: readyToVerify }).catch(() => {})
  return {
    async prove(program, input, signal) {
      signal?.throwIfAborted()
      const answer = await prover.run({ do: 'prove', program, input })
      signal?.throwIfAborted()
      if (answer.result !== 'proof') throw failureOf(answer, program)
      return { signals: answer.signals, proof: answer.proof }
    },
    async verify(program, signals, proof) {
      const answer = await verifier.run({ do: 'verify', program, signals, proof })
      if (answer.result !== 'verdict') throw failureOf(answer, program)
      return answer.holds
    },
    [Symbol.dispose]() {
      prover.stop()
      verifier.stop()
    },
  }
}

type JobBody = Job extends infer Each ? (Each extends Job ? Omit<Each, 'id'> : never) : never
type Waiting = { readonly program: ProgramName; readonly settle: (answer: Answer | Error) => void }

function failureOf(answer: Answer, program: ProgramName): Error {
  const isFalse = answer.result === 'failed' && answer.why === 'false'
  return zkError(isFalse ? 'ZK_FALSE_STATEMENT' : 'ZK_ARTEFACT', { program })
}

/** One process and the jobs it has. */
class Lane {
  readonly #waiting = new Map<number, Waiting>()
  #process: ChildProcess | undefined
  #idle: NodeJS.Timeout | undefined
  #lastId = 0
  #isStopped = false
  /** A process without a job for so long is ended; undefined: it stays. */
  readonly #idleMs: number | undefined

  constructor(idleMs: number | undefined) {
    this.#idleMs = idleMs
  }

  async run(body: JobBody): Promise<Answer> {
    const { program } = body
    if (this.#isStopped) throw zkError('ZK_STOPPED', { program })
    const waiting = this.#waiting.size
    if (waiting >= MAX_WAITING) throw zkError('ZK_BUSY', { waiting })
    clearTimeout(this.#idle)
    const id = ++this.#lastId
    const { promise, resolve, reject } = Promise.withResolvers<Answer>()
    const settle: Waiting['settle'] = (answer) =>
      answer instanceof Error ? reject(answer) : resolve(answer)
    this.#waiting.set(id, { program, settle })
    this.#process ??= this.#start()
    this.#process.ref()
    this.#process.channel?.ref()
    this.#process.send({ ...body, id } satisfies Job)
    return await promise
  }

  stop(): void {
    this.#isStopped = true
    this.#end(this.#process)
  }

  #start(): ChildProcess {
    // What the library prints of a false statement would stand in the operator's log.
    const stdio = ['ignore', 'ignore', 'ignore', 'ipc'] as const
    const child = fork(PROVER, { serialization: 'advanced', stdio: [...stdio] })
    child.on('message', (answer: Answer) => this.#onAnswer(child, answer))
    child.on('error', () => this.#end(child))
    child.on('exit', () => this.#end(child))
    return child
  }

  #onAnswer(child: ChildProcess, answer: Answer): void {
    this.#waiting.get(answer.id)?.settle(answer)
    this.#waiting.delete(answer.id)
    if (this.#waiting.size > 0) return
    // A process that waits for work does not keep this one alive.
    child.unref()
    child.channel?.unref()
    if (this.#idleMs !== undefined)
      this.#idle = setTimeout(() => this.#end(child), this.#idleMs).unref()
  }

  #end(child: ChildProcess | undefined): void {
    if (!child || this.#process !== child) return
    clearTimeout(this.#idle)
    this.#process = undefined
    for (const { program, settle } of this.#waiting.values())
      settle(zkError('ZK_STOPPED', { program }))
    this.#waiting.clear()
    child.kill('SIGKILL')
  }
}

const PROVER = fileURLToPath(new URL('./prover-process.ts', import.meta.url))
