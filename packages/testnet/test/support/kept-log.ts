/** A log that keeps every line, and errors as text: for what must not be written anywhere (docs/LOGGING.md). */
import assert from 'node:assert/strict'
import { LOG_LEVELS, type LogFields, type Logger } from '@byway/protocol/base'

/** Keeps every line of every level. */
export function keepAll(lines: string[]): Logger {
  const keep =
    (level: string) =>
    (message: string, fields?: LogFields): void => {
      lines.push(`${level} ${message} ${JSON.stringify(fields ?? {})}`)
    }
  const [error, warn, info, debug, trace] = LOG_LEVELS.map(keep)
  assert.ok(error && warn && info && debug && trace)
  const log: Logger = { error, warn, info, debug, trace, child: () => log }
  return log
}

/** All of an error, causes included, but the stack, whose lines are places in our own files. */
export function describeError(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const { stack: _stack, cause, ...fields } = error
  return `${error.name} ${error.message} ${JSON.stringify(fields)} ${cause === undefined ? '' : describeError(cause)}`
}

/** Fails with the texts that hold one of the canaries. */
export function assertNone(texts: readonly string[], canaries: Iterable<string>): void {
  const whole = texts.join('\n')
  for (const canary of canaries) {
    if (!whole.includes(canary)) continue
    const found = texts.filter((text) => text.includes(canary))
    assert.deepEqual(found, [], `holds ${canary}`)
  }
}
