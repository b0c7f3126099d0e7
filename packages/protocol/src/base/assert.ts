/**
 * Broken invariants: our own mistakes, never a peer's, an operator's or the network's.
 * @module
 */
import { BywayError } from './errors.ts'

/**
 * Throws when an invariant of this program is broken.
 *
 * @param message - what must hold, for whoever reads the bug report; no secrets
 * @throws ASSERTION of kind 'bug'
 */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new BywayError('ASSERTION', 'bug', `bug in byway: ${message}`, {})
}

/**
 * Marks a branch that the types exclude.
 *
 * @throws ASSERTION of kind 'bug'
 */
export function unreachable(value: never, message: string): never {
  throw new BywayError('ASSERTION', 'bug', `bug in byway: ${message}`, { type: typeof value })
}
