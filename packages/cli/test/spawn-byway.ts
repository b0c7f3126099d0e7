/** Runs `byway` as a user would: a process of its own, through its launcher. */
import { spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Writable } from 'node:stream'
import type { TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'

export const LAUNCHER: string = fileURLToPath(new URL('../bin/byway.mjs', import.meta.url))

/** A launcher and a Node take well under a second; a loaded machine some. */
const LIMIT_MS = 120_000

export type Outcome = { readonly code: number | null; readonly out: string; readonly err: string }

export type SpawnOptions = {
  readonly env?: Readonly<Record<string, string>> | undefined
  readonly input?: string | undefined
  /** What a person types instead, each line when stdout has asked for it. */
  readonly answers?: readonly { readonly question: string; readonly line: string }[] | undefined
  /** Program and arguments before `byway`'s own. @default this Node and the launcher */
  readonly command?: readonly [string, ...string[]] | undefined
}

/** Runs one command line to its end. No `BYWAY_…` variable of the caller gets through. */
export async function byway(args: readonly string[], options: SpawnOptions = {}): Promise<Outcome> {
  const [program, ...before] = options.command ?? [process.execPath, LAUNCHER]
  const inherited = Object.entries(process.env).filter(
    ([name]) => !name.startsWith('BYWAY_') && name !== 'CI',
  )
  const child = spawn(program, [...before, ...args], {
    env: { ...Object.fromEntries(inherited), ...options.env },
    stdio: ['pipe', 'pipe', 'pipe'],
    signal: AbortSignal.timeout(LIMIT_MS),
  })
  const out = collect(child.stdout)
  const err = collect(child.stderr)
  child.stdin.on('error', () => {})
  if (options.answers) answer(child, options.answers)
  else child.stdin.end(options.input ?? '')
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', resolve)
  })
  return { code, out: await out, err: await err }
}

/** A state folder that goes away with the test. */
export async function temporaryHome(t: TestContext): Promise<string> {
  const home = await mkdtemp(join(tmpdir(), 'byway-cli-'))
  t.after(() => rm(home, { recursive: true }))
  return home
}

/** Types each line once its question is there, and ends the input with the last. */
function answer(
  { stdin, stdout }: { readonly stdin: Writable; readonly stdout: NodeJS.ReadableStream },
  answers: NonNullable<SpawnOptions['answers']>,
): void {
  const left = [...answers]
  let shown = ''
  stdout.on('data', (part) => {
    shown += String(part)
    const [next] = left
    if (!next || !shown.includes(next.question)) return
    left.shift()
    shown = ''
    if (left.length > 0) stdin.write(next.line)
    else stdin.end(next.line)
  })
}

async function collect(stream: NodeJS.ReadableStream): Promise<string> {
  let text = ''
  stream.setEncoding('utf8')
  for await (const part of stream) text += String(part)
  return text
}
