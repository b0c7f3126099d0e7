/**
 * The Logger port (docs/LOGGING.md): a fixed message and fields from a closed list. There is no field in which an address, a
 * destination, a key or payload could stand, so a careless line cannot leak one. Where lines go is the program's choice
 * (`@byway/cli`); whoever wants no log passes {@link NO_LOG}.
 * @module
 */

/** From worst to chattiest. `error`: act or report. `warn`: unusual; a normal run has none. `info`: rare. The rest is for us. */
export const LOG_LEVELS = ['error', 'warn', 'info', 'debug', 'trace'] as const
export type LogLevel = (typeof LOG_LEVELS)[number]

/** Fields that hold a number. Units stand in the name. */
export const LOG_NUMBER_FIELDS = [
  'attempt',
  'bytes',
  'circuits',
  'count',
  'delayMs',
  'durationMs',
  'exitCode',
  'generation',
  'hops',
  'limit',
  'links',
  'nodes',
  'pid',
  'position',
  'rttMs',
  'status',
  'streams',
  'tunnels',
] as const

/** Fields that hold a word out of a set that our own code knows: at most 32 letters, digits, `_` and `-`. */
export const LOG_WORD_FIELDS = [
  'code',
  'direction',
  'event',
  'family',
  'kind',
  'network',
  'profile',
  'reason',
  'role',
  'signal',
  'state',
  'suite',
] as const

/** Everything a line may carry beside its message. */
export type LogFields = {
  readonly [Name in (typeof LOG_NUMBER_FIELDS)[number]]?: number | undefined
} & { readonly [Name in (typeof LOG_WORD_FIELDS)[number]]?: string | undefined }

/** Takes one line. The message is a fixed text, lower case, no full stop: what varies goes into the fields. */
export type LogLine = (message: string, fields?: LogFields) => void

/** Where a package's lines go. Implementations never throw and never wait. */
export interface Logger {
  readonly error: LogLine
  readonly warn: LogLine
  readonly info: LogLine
  readonly debug: LogLine
  readonly trace: LogLine
  /** The same log for a part of the program, named in each line. */
  child(component: string): Logger
}

/** True for a value that a word field may hold: what looks like an address, a name with a dot or a key does not. */
export function isLogWord(value: unknown): value is string {
  return typeof value === 'string' && WORD.test(value)
}

/** Takes lines and forgets them. */
export const NO_LOG: Logger = {
  error: forget,
  warn: forget,
  info: forget,
  debug: forget,
  trace: forget,
  child: () => NO_LOG,
}

function forget(): void {}

const WORD = /^[A-Za-z0-9_-]{1,32}$/
