/**
 * Starts programs so that none outlives the bench: each gets its own process group, a parent-death signal where
 * `setpriv` exists (util-linux), and a place in a table that is emptied on exit and on SIGINT, SIGTERM and SIGHUP.
 * A program that leaves its process group is its own keeper.
 */
import { spawn, spawnSync } from 'node:child_process'
import { createInterface } from 'node:readline'
import type { Writable } from 'node:stream'

/** A running program. */
export interface Child {
  readonly name: string
  readonly pid: number
  readonly stdin: Writable
  /** Resolves when it has ended, with a text that says how. Never rejects. */
  readonly ended: Promise<string>
  hasEnded(): boolean
  /** Calls back for each line of stdout, from the first one on; returns the function that stops it. */
  onLine(listener: (line: string) => void): () => void
  /** The last lines of stderr, for error messages. */
  stderrTail(): string
  /** SIGTERM; after `graceMs`, SIGKILL to the whole group. Resolves when it has ended. */
  stop(graceMs?: number): Promise<void>
}

/** How to start a program. */
export type ChildOptions = {
  readonly cwd?: string | undefined
  readonly env?: Readonly<Record<string, string>> | undefined
}

/** How much of stderr is kept: enough for an error and its cause. */
const STDERR_TAIL_CHARS = 4_000
/** How long a program may take to end by itself: Tor and Node need well below a second. */
const DEFAULT_GRACE_MS = 5_000

const running = new Set<Child>()
const hasSetpriv = spawnSync('setpriv', ['--pdeathsig', 'KILL', 'true']).status === 0
let isGuarded = false
let isEnding = false

/** Starts `command`; rejects when it cannot be run at all. */
export async function startChild(
  name: string,
  command: string,
  args: readonly string[],
  options: ChildOptions = {},
): Promise<Child> {
  if (isEnding) throw new Error(`${name} is not started: the bench is ending`)
  guardExit()
  const [program, ...rest] = hasSetpriv
    ? ['setpriv', '--pdeathsig', 'KILL', '--', command, ...args]
    : [command, ...args]
  const spawned = spawn(program ?? command, rest, {
    cwd: options.cwd,
    env: { ...process.env, ...options.env },
    stdio: ['pipe', 'pipe', 'pipe'],
    detached: true,
  })
  await new Promise<void>((resolve, reject) => {
    spawned.once('spawn', resolve)
    spawned.once('error', reject)
  })
  const { pid } = spawned
  if (pid === undefined) throw new Error(`${name} has no process id`)

  let tail = ''
  spawned.stderr.on('data', (chunk: Buffer) => {
    tail = (tail + chunk.toString()).slice(-STDERR_TAIL_CHARS)
  })
  spawned.stdin.on('error', () => undefined)
  const lines = lineFan(spawned.stdout)
  const ended = new Promise<string>((resolve) => {
    spawned.once('exit', (code, signal) => resolve(signal ?? `exit code ${String(code)}`))
  })
  const child: Child = {
    name,
    pid,
    stdin: spawned.stdin,
    ended,
    hasEnded: () => !running.has(child),
    onLine: lines,
    stderrTail: () => tail.trim(),
    stop: async (graceMs = DEFAULT_GRACE_MS) => {
      const timer = setTimeout(() => killGroup(pid, 'SIGKILL'), graceMs)
      if (running.has(child)) process.kill(pid, 'SIGTERM')
      await ended
      clearTimeout(timer)
      // What it left in its group (workers of a killed master) goes with it.
      killGroup(pid, 'SIGKILL')
    },
  }
  running.add(child)
  void ended.then(() => running.delete(child))
  return child
}

/** Waits for the first stdout line that `accept` turns into a value. @throws Error on its end, or after `timeoutMs`. */
export async function waitForLine<T>(
  child: Child,
  timeoutMs: number,
  accept: (line: string) => T | undefined,
): Promise<T> {
  const { promise, resolve, reject } = Promise.withResolvers<T>()
  const stopListening = child.onLine((line) => {
    const value = accept(line)
    if (value !== undefined) resolve(value)
  })
  const timer = setTimeout(
    () => reject(new Error(`${child.name} said nothing expected within ${timeoutMs} ms`)),
    timeoutMs,
  )
  void child.ended.then((how) =>
    reject(new Error(`${child.name} ended early (${how}): ${child.stderrTail()}`)),
  )
  try {
    return await promise
  } finally {
    clearTimeout(timer)
    stopListening()
  }
}

/** Stops every program still running. */
export async function stopAllChildren(): Promise<void> {
  await Promise.all(Array.from(running, (child) => child.stop()))
}

function guardExit(): void {
  if (isGuarded) return
  isGuarded = true
  process.on('exit', () => {
    for (const child of running) killGroup(child.pid, 'SIGKILL')
  })
  for (const [signal, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const) {
    process.once(signal, () => {
      isEnding = true
      void stopAllChildren().finally(() => process.exit(code))
    })
  }
}

function killGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal)
  } catch {
    // The group is empty already.
  }
}

/** Fans the lines of a stream out; lines before the first listener wait for it. */
function lineFan(stream: NodeJS.ReadableStream): (listener: (line: string) => void) => () => void {
  const listeners = new Set<(line: string) => void>()
  let early: string[] = []
  createInterface({ input: stream }).on('line', (line) => {
    if (listeners.size === 0) early.push(line)
    for (const listener of listeners) listener(line)
  })
  return (listener) => {
    listeners.add(listener)
    const waiting = early
    early = []
    for (const line of waiting) listener(line)
    return () => listeners.delete(listener)
  }
}
