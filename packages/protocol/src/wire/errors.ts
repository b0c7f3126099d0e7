/**
 * What the codecs throw. Bytes of a peer that break a layout give kind `peer`; a value that our own code cannot have
 * meant gives kind `bug`. Contexts hold field names and small numbers, never content.
 * @module
 */
import { type ErrorBuilder, errorBuilder, type ErrorOf } from '@byway/protocol/base'

/** Context carried by each code. One row here is one row of docs/ERRORS.md. */
type WireErrors = {
  /** A field is longer than what is left, or bytes are left behind the last field. */
  WIRE_LENGTH: { field: string; want: number; have: number }
  /** A field holds a value that its table or its range does not have. */
  WIRE_VALUE: { field: string; value: number }
  /** The version byte is not ours (SPEC §1.1). */
  WIRE_VERSION: { version: number }
  /** A message type that its list does not have (SPEC §4.4, §7.1, §15.1). */
  WIRE_TYPE: { list: 'link' | 'hop' | 'pay'; type: number }
  /** Our own code gave a value that its field cannot hold. */
  WIRE_ENCODE: { field: string }
}

/** Every error this folder throws. Narrow on `code` to read `context`. */
export type WireError = ErrorOf<WireErrors>

/** Builds, does not throw: `throw wireError('WIRE_VALUE', …)` keeps the stack at the call site. */
export const wireError: ErrorBuilder<WireErrors> = errorBuilder<WireErrors>({
  WIRE_LENGTH: ['peer', 'a field does not fit its space'],
  WIRE_VALUE: ['peer', 'a field holds a value that it cannot have'],
  WIRE_VERSION: ['peer', 'another wire version'],
  WIRE_TYPE: ['peer', 'unknown message type'],
  WIRE_ENCODE: ['bug', 'bug in byway: a value does not fit its field'],
})
