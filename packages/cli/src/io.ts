/** The outside of the command line as a port, so that tests need no terminal: streams, environment, questions, clock, Ctrl-C. */
import { createInterface } from 'node:readline/promises'
import { Writable } from 'node:stream'

export interface CliIo {
  readonly env: Readonly<Record<string, string | undefined>>
  /** True when a person can be asked: stdin and stderr are terminals, and this is not CI. */
  readonly isInteractive: boolean
  /** Aborts at the first Ctrl-C or SIGTERM: stop gracefully. */
  readonly signal: AbortSignal
  readonly nowMs: () => number
  /** Data. */
  writeOut(text: string): void
  /** Everything else. */
  writeErr(text: string): void
  /** Asks a person; rejects when interrupted or at the end of input. Must not be called unless `isInteractive`. */
  ask(question: string): Promise<string>
  /** The same, showing nothing of what is typed. */
  askHidden(question: string): Promise<string>
}

/** The real one. `signal` is the caller's. */
export function createProcessIo(signal: AbortSignal): CliIo {
  return {
    env: process.env,
    isInteractive: process.stdin.isTTY && process.stderr.isTTY && !isCi(process.env),
    signal,
    nowMs: () => Date.now(),
    writeOut: (text) => process.stdout.write(text),
    writeErr: (text) => process.stderr.write(text),
    ask: (question) => askTerminal(question, signal, { isHidden: false }),
    askHidden: (question) => askTerminal(question, signal, { isHidden: true }),
  }
}

/** True in the environments that continuous integration sets up. */
export function isCi(env: Readonly<Record<string, string | undefined>>): boolean {
  const marks = [
    env['CI'],
    env['CONTINUOUS_INTEGRATION'],
    env['BUILD_NUMBER'],
    env['GITHUB_ACTIONS'],
  ]
  return marks.some((mark) => mark !== undefined && mark !== '' && mark !== 'false' && mark !== '0')
}

async function askTerminal(
  question: string,
  signal: AbortSignal,
  { isHidden }: { readonly isHidden: boolean },
): Promise<string> {
  const output = isHidden ? nowhere() : process.stderr
  const terminal = createInterface({ input: process.stdin, output, terminal: true })
  const ended = new AbortController()
  terminal.once('close', () => ended.abort(new Error('the input ended')))
  terminal.once('SIGINT', () => terminal.close())
  // Only now: before, the terminal itself would echo what is typed at once.
  if (isHidden) process.stderr.write(question)
  try {
    const shown = isHidden ? '' : question
    return await terminal.question(shown, { signal: AbortSignal.any([signal, ended.signal]) })
  } finally {
    terminal.close()
    if (isHidden) process.stderr.write('\n')
  }
}

/** Where a hidden answer is echoed to. */
function nowhere(): Writable {
  return new Writable({ write: (_part, _encoding, done) => done() })
}
