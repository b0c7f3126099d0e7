/** Lets a test's program run its exit handlers when it is interrupted: by themselves signals end it without them, and its namespaces would stay. */

let isWatching = false

/** From now on SIGINT and SIGTERM exit with 130 and 143. Safe to call twice. */
export function endOnSignals(): void {
  if (isWatching) return
  isWatching = true
  for (const [signal, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const) {
    process.once(signal, () => process.exit(code))
  }
}
