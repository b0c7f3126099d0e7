/** Starts programs of a network, waits for their ready lines, and stops them all together. */
import { testnetError, type TestnetError } from './errors.ts'
import type { NatWorld } from './nat/nat-world.ts'
import { startProgram, type ProgramEvent, type RunningProgram } from './program.ts'

export type LauncherOptions = {
  /** Executable and arguments before the command. */
  readonly program: readonly [string, ...string[]]
  /** After each command's own arguments. */
  readonly sharedArgs: readonly string[]
  /** The command line that runs a program in the place of this name. @default here */
  readonly wrap?: NatWorld['wrap'] | undefined
  /** Settings of Byway in it are left out: those of whoever starts the network are not for its programs. */
  readonly env: Readonly<Record<string, string | undefined>>
  /** How long a program may take to stop. */
  readonly graceMs: number
  /** Ends the wait for ready lines. */
  readonly signal: AbortSignal
}

export type Launched = { readonly program: RunningProgram; readonly ready: ProgramEvent }

/** Disposing stops all that was launched. */
export interface Launcher extends AsyncDisposable {
  /**
   * Starts a program; resolves with its ready line. Later lines go to `onEvent`.
   * @throws TESTNET_PROCESS_ENDED, or the signal's reason
   */
  launch(
    name: string,
    args: readonly string[],
    onEvent?: (event: ProgramEvent) => void,
  ): Promise<Launched>
}

/** Creates a launcher that has launched nothing. */
export function createLauncher(options: LauncherOptions): Launcher {
  const { program, sharedArgs, signal, graceMs, wrap } = options
  const [executable, ...before] = program
  const programs: RunningProgram[] = []
  const env = { ...withoutSettings(options.env), BYWAY_LOG_LEVEL: 'warn' }
  return {
    async launch(name, args, onEvent) {
      signal.throwIfAborted()
      const ready = Promise.withResolvers<ProgramEvent>()
      const all = [...before, ...args, ...sharedArgs]
      const started = await startProgram({
        name,
        command: wrap ? wrap(name, executable, all) : [executable, ...all],
        env,
        onEvent: (event) => (event['event'] === 'ready' ? ready.resolve(event) : onEvent?.(event)),
      })
      programs.push(started)
      return {
        program: started,
        ready: await readyOrEnd(name, started, { ready: ready.promise, signal }),
      }
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(programs.map((each) => each.stop(graceMs)))
    },
  }
}

/** The error for a program that has ended by itself. */
export function processEnded(who: string, program: RunningProgram, status: string): TestnetError {
  return testnetError('TESTNET_PROCESS_ENDED', { who, status, hint: program.lastWords() })
}

async function readyOrEnd(
  who: string,
  program: RunningProgram,
  wait: { readonly ready: Promise<ProgramEvent>; readonly signal: AbortSignal },
): Promise<ProgramEvent> {
  const other = Promise.withResolvers<never>()
  void program.ended.then((status) => other.reject(processEnded(who, program, status)))
  // Who ends later has nobody left to tell here.
  other.promise.catch(() => {})
  const onAbort = (): void => other.reject(wait.signal.reason)
  wait.signal.addEventListener('abort', onAbort, { once: true })
  try {
    return await Promise.race([wait.ready, other.promise])
  } finally {
    wait.signal.removeEventListener('abort', onAbort)
  }
}

function withoutSettings(env: LauncherOptions['env']): Record<string, string | undefined> {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith('BYWAY_')))
}
