/** Runs a command line without a process of its own, which takes seconds on a loaded machine. */
import assert from 'node:assert/strict'
import { runCli } from '../src/program.ts'
import type { Outcome } from './spawn-byway.ts'

export async function run(...args: readonly string[]): Promise<Outcome> {
  const out: string[] = []
  const err: string[] = []
  const unasked = (): never => assert.fail('nobody to ask')
  const code = await runCli(args, {
    env: {},
    isInteractive: false,
    signal: new AbortController().signal,
    nowMs: () => Date.now(),
    writeOut: (text) => void out.push(text),
    writeErr: (text) => void err.push(text),
    ask: unasked,
    askHidden: unasked,
  })
  return { code, out: out.join(''), err: err.join('') }
}
