/**
 * Implements the Logger port with pino (docs/LOGGING.md): one JSON object per line on stderr. The fields are checked here again when
 * the program runs, since a cast or a caller in JavaScript could pass what the type refuses. No host name of this machine is added.
 */
import {
  isLogWord,
  LOG_LEVELS,
  LOG_NUMBER_FIELDS,
  LOG_WORD_FIELDS,
  type LogFields,
  type Logger,
  type LogLevel,
  type LogLine,
} from '@byway/protocol/base'
import { type DestinationStream, pino, type Logger as Pino } from 'pino'

export type LoggerOptions = {
  /** Lines below it are not written. @default 'info' */
  readonly level?: LogLevel | undefined
  /** Where lines go; must not throw. @default standard error */
  readonly destination?: DestinationStream | undefined
}

const NUMBERS: ReadonlySet<string> = new Set(LOG_NUMBER_FIELDS)
const WORDS: ReadonlySet<string> = new Set(LOG_WORD_FIELDS)

/** Makes the program's log. Lines are written at once, so that the last ones survive a crash. */
export function createLogger(options: LoggerOptions = {}): Logger {
  const destination = options.destination ?? pino.destination({ dest: 2, sync: true })
  const root = pino(
    {
      level: options.level ?? 'info',
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    destination,
  )
  return wrap(root)
}

function wrap(target: Pino): Logger {
  const line = (level: LogLevel): LogLine => {
    return (message, fields) => target[level](allowed(fields), message)
  }
  const [error, warn, info, debug, trace] = LOG_LEVELS.map((level) => line(level)) as [
    LogLine,
    LogLine,
    LogLine,
    LogLine,
    LogLine,
  ]
  return { error, warn, info, debug, trace, child: (component) => wrap(childOf(target, component)) }
}

function childOf(target: Pino, component: string): Pino {
  return target.child({ component: isLogWord(component) ? component : 'unnamed' })
}

/** Keeps what the lists of the port allow and counts the rest as `dropped`. */
function allowed(fields: LogFields | undefined): Record<string, string | number> {
  const kept: Record<string, string | number> = {}
  let dropped = 0
  for (const [name, value] of Object.entries(fields ?? {})) {
    if (value === undefined) continue
    if (NUMBERS.has(name) && typeof value === 'number') kept[name] = value
    else if (WORDS.has(name) && isLogWord(value)) kept[name] = value
    else dropped++
  }
  return dropped > 0 ? { ...kept, dropped } : kept
}
