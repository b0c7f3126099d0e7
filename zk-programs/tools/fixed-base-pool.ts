/** Multiplies generators on all cores: one process each, which take chunks in turn. */
import { type ChildProcess, fork } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import type { Multiplication } from './fixed-base-process.ts'

/** Scalars that a process takes at once: a tenth of a second. */
const CHUNK = 8192

/** The processes. Disposing ends them. */
export interface FixedBasePool extends Disposable {
  /** The affine points, one behind the other, a chunk at a time and in order. */
  multiply(group: Multiplication['group'], scalars: readonly bigint[]): AsyncIterable<Uint8Array>
}

/** Starts as many as there are cores. */
export function createFixedBasePool(): FixedBasePool {
  const lanes = Array.from({ length: availableParallelism() }, () => new Lane())
  return {
    async *multiply(group, scalars) {
      const waiting: Promise<Uint8Array>[] = []
      for (let first = 0; first < scalars.length; first += CHUNK) {
        const lane = lanes[(first / CHUNK) % lanes.length]
        if (lane) waiting.push(lane.run({ group, scalars: scalars.slice(first, first + CHUNK) }))
        // Two for each process: one at work, one that waits.
        const done = waiting.length >= 2 * lanes.length ? waiting.shift() : undefined
        if (done) yield await done
      }
      for (const each of waiting) yield await each
    },
    [Symbol.dispose]() {
      for (const lane of lanes) lane.stop()
    },
  }
}

/** Answers come in the order of tasks. */
class Lane {
  readonly #process: ChildProcess = fork(PROGRAM, { serialization: 'advanced' })
  readonly #waiting: PromiseWithResolvers<Uint8Array>[] = []

  constructor() {
    this.#process.on('message', (points: Uint8Array) => this.#waiting.shift()?.resolve(points))
    this.#process.on('exit', () => {
      for (const { reject } of this.#waiting.splice(0)) reject(new Error('a process ended early'))
    })
  }

  run(task: Multiplication): Promise<Uint8Array> {
    const settled = Promise.withResolvers<Uint8Array>()
    // Who waits for an earlier one hears of its failure first.
    settled.promise.catch(() => {})
    this.#waiting.push(settled)
    this.#process.send(task)
    return settled.promise
  }

  stop(): void {
    this.#process.kill('SIGKILL')
  }
}

const PROGRAM = fileURLToPath(new URL('./fixed-base-process.ts', import.meta.url))
