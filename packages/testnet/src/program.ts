/**
 * One process of a network: started so that it cannot outlive this one. It stops when its standard input ends, which the kernel sees to even
 * when this process is killed, and it is killed when this process exits. It has a session of its own, so that Ctrl-C stops the network in order.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { testnetError } from './errors.ts'
import { onExit } from './on-exit.ts'

/** A JSON line of a program. */
export type ProgramEvent = { readonly [key: string]: unknown }

export type ProgramOptions = {
  /** For error messages. */
  readonly name: string
  /** Executable and arguments. */
  readonly command: readonly [string, ...string[]]
  readonly env: Readonly<Record<string, string | undefined>>
  /** Told each JSON line of its standard output. */
  readonly onEvent: (event: ProgramEvent) => void
}

export interface RunningProgram {
  readonly pid: number
  readonly hasEnded: boolean
  /** Resolves when it has ended: the exit code or the signal. Never rejects. */
  readonly ended: Promise<string>
  /** What it wrote last on standard error. */
  lastWords(): string
  /** SIGTERM; SIGKILL when it has not ended after `graceMs`. */
  stop(graceMs: number): Promise<void>
}

/** Some lines: an error and its hint. */
const TAIL_CHARS = 2000

/** Starts a program; rejects when it cannot be run at all. */
export async function startProgram(options: ProgramOptions): Promise<RunningProgram> {
  const [file, ...args] = options.command
  const child = spawn(file, args, { env: options.env, stdio: 'pipe', detached: true })
  const killNow = (): boolean => child.kill('SIGKILL')
  const forget = onExit(killNow)
  const { promise: ended, resolve } = Promise.withResolvers<string>()
  let hasEnded = false
  child.once('exit', (code, signal) => {
    hasEnded = true
    forget()
    resolve(signal ?? `exit code ${code}`)
  })
  let tail = ''
  child.stderr.on('data', (part: Buffer) => (tail = (tail + part.toString()).slice(-TAIL_CHARS)))
  child.stdin.on('error', () => {})
  createInterface({ input: child.stdout }).on('line', (line) => {
    const event = parseEvent(line)
    if (event) options.onEvent(event)
  })
  await once(child, 'spawn')
  const { pid } = child
  if (pid === undefined) {
    throw testnetError('TESTNET_PROCESS_ENDED', { who: options.name, status: 'no pid', hint: '' })
  }
  return {
    pid,
    get hasEnded() {
      return hasEnded
    },
    ended,
    lastWords: () => tail.trim(),
    async stop(graceMs) {
      if (hasEnded) return
      child.kill('SIGTERM')
      const timer = setTimeout(killNow, graceMs)
      await ended
      clearTimeout(timer)
    },
  }
}

/** Lines that are no JSON objects are nothing to us. */
function parseEvent(line: string): ProgramEvent | undefined {
  try {
    const value: unknown = JSON.parse(line)
    return typeof value === 'object' && value !== null ? (value as ProgramEvent) : undefined
  } catch {
    return undefined
  }
}
