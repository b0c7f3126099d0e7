/** A `byway` that stays up, for tests: reads its JSON lines, stops or kills it. */
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

export type JsonEvent = { readonly [key: string]: unknown }

export interface RunningByway {
  readonly pid: number
  /** The first line so far, or to come, with this `event`; rejects when the program ends before. */
  event(name: string): Promise<JsonEvent>
  /** SIGTERM; resolves with the exit code. Resolves at once when it has ended. */
  stop(): Promise<number | null>
  /** SIGKILL. */
  kill(): Promise<void>
  /** Resolves with the exit code. */
  readonly ended: Promise<number | null>
  /** Closes its standard input. */
  endInput(): void
  lastWords(): string
}

const MAIN = fileURLToPath(new URL('../src/main.ts', import.meta.url))
/** The program itself, without the launcher, so that signals reach it; with the flags that the launcher gives it (bin/run-child.mjs). */
export const PROGRAM: readonly [string, ...string[]] = [
  process.execPath,
  '--conditions=byway:source',
  '--max-semi-space-size=4',
  MAIN,
]

/** Puts a command line into another, such as one that enters a namespace and becomes the program. */
export type Wrap = (
  command: string,
  args: readonly string[],
) => { readonly command: string; readonly args: readonly string[] }

/** Starts the program. */
export function startByway(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  onEvent?: (event: JsonEvent) => void,
  wrap: Wrap = (command, given) => ({ command, args: given }),
): RunningByway {
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('BYWAY_'))
  const [executable, ...before] = PROGRAM
  const whole = wrap(executable, [...before, ...args])
  const child = spawn(whole.command, [...whole.args], {
    env: { ...Object.fromEntries(inherited), ...env },
    stdio: 'pipe',
  })
  let tail = ''
  child.stderr.on('data', (part: Buffer) => (tail = (tail + part.toString()).slice(-4000)))
  const seen: JsonEvent[] = []
  const waiting = new Set<() => void>()
  const lookAll = (): void => waiting.forEach((look) => look())
  createInterface({ input: child.stdout }).on('line', (line) => {
    const event = JSON.parse(line) as JsonEvent
    seen.push(event)
    onEvent?.(event)
    lookAll()
  })
  const ended = new Promise<number | null>((resolve) => {
    child.once('exit', (code) => {
      resolve(code)
      lookAll()
    })
  })
  return {
    pid: child.pid ?? 0,
    lastWords: () => tail,
    ended,
    endInput: () => child.stdin.end(),
    event(name) {
      const { promise, resolve, reject } = Promise.withResolvers<JsonEvent>()
      const look = (): void => {
        const found = seen.find((event) => event['event'] === name)
        if (found) resolve(found)
        else if (child.exitCode !== null) reject(new Error(`byway ended: ${tail}`))
        else return
        waiting.delete(look)
      }
      waiting.add(look)
      look()
      return promise
    },
    async stop() {
      child.kill('SIGTERM')
      return await ended
    },
    async kill() {
      child.kill('SIGKILL')
      await ended
    },
  }
}
