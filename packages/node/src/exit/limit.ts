/** Names of the exit's limits, shared by the three scopes that count them (`exit-limits.ts`). */

/** Which limit refused. */
export type LimitName =
  | 'circuit-begin-rate'
  | 'circuit-open'
  | 'circuit-addresses'
  | 'circuit-ports'
  | 'circuit-host-rate'
  | 'circuit-failing'
  | 'circuit-paused'
  | 'circuit-destroyed'
  | 'destination-rate'
  | 'destination-open'
  | 'destination-unanswered'
  | 'destination-ports'
  | 'exit-rate'
  | 'exit-open'
  | 'table-full'

/** A limit that is reached, and in how many milliseconds asking again makes sense. */
export type LimitWait = { readonly limit: LimitName; readonly waitMs: number }
