/**
 * Errors of every Byway package (STYLE, "Errors"): a stable code, a kind that says who can act, and a context without
 * secrets. A package declares its codes in one table with {@link errorBuilder}; docs/ERRORS.md has one row for each.
 * @module
 */

/** Who can act on an error. Callers branch on `kind`; `code` is for logs, tests and docs. */
export type ErrorKind =
  | 'bug'
  | 'config'
  | 'local'
  | 'network'
  | 'peer'
  | 'exit'
  | 'payment'
  | 'chain'

/** What a context may hold: plain values that are no key, payload, address or destination. */
export type ErrorContext = Readonly<Record<string, string | number | boolean | undefined>>

/** Base of every error that leaves a Byway package. */
export class BywayError<Code extends string = string, Context = unknown> extends Error {
  override readonly name: string = 'BywayError'
  readonly code: Code
  readonly kind: ErrorKind
  readonly context: Readonly<Context>
  /** Lets {@link isBywayError} see errors from another loaded copy of this package. */
  readonly isBywayError = true

  constructor(
    code: Code,
    kind: ErrorKind,
    message: string,
    context: Context,
    options?: ErrorOptions,
  ) {
    super(message, options)
    this.code = code
    this.kind = kind
    this.context = Object.freeze({ ...context })
  }
}

/** True for a `BywayError` of this or any other loaded copy of the package. */
export function isBywayError(value: unknown): value is BywayError {
  return value instanceof Error && 'isBywayError' in value
}

/** A package's codes and the context that each carries. */
export type ErrorTable = { readonly [code: string]: ErrorContext }

/** Any error of a table. Narrow on `code` to read `context`. */
export type ErrorOf<Table extends ErrorTable> = {
  [Code in keyof Table & string]: BywayError<Code, Table[Code]>
}[keyof Table & string]

/** Builds, does not throw: `throw wireError('WIRE_COMMAND', { command })` keeps the stack at the call site. */
export type ErrorBuilder<Table extends ErrorTable> = <Code extends keyof Table & string>(
  code: Code,
  context: Table[Code],
  options?: ErrorOptions,
) => BywayError<Code, Table[Code]>

/**
 * Makes a package's error builder.
 *
 * @param rows - for each code its kind and a sentence for people: lower case, no full stop
 * @example
 * ```ts
 * type WireErrors = {
 *   // The command byte is not in the table of SPEC §4.2.
 *   WIRE_COMMAND: { command: number }
 * }
 * export type WireError = ErrorOf<WireErrors>
 * export const wireError: ErrorBuilder<WireErrors> = errorBuilder<WireErrors>({
 *   WIRE_COMMAND: ['peer', 'unknown command'],
 * })
 * ```
 */
export function errorBuilder<Table extends ErrorTable>(rows: {
  readonly [Code in keyof Table]: readonly [kind: ErrorKind, message: string]
}): ErrorBuilder<Table> {
  return (code, context, options) => {
    const [kind, message] = rows[code]
    return new BywayError(code, kind, `${message}${describe(context)}`, context, options)
  }
}

function describe(context: ErrorContext): string {
  // Advice is shown on a line of its own.
  const fields = Object.entries(context)
    .filter(([name]) => name !== 'hint')
    .map(([name, value]) => `${name}: ${value}`)
  return fields.length === 0 ? '' : ` (${fields.join(', ')})`
}
