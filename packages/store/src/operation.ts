/**
 * What the main thread asks of the worker: a few verbs over tables of plain rows. What a row means is known in `records/` only.
 * @module
 */

/** A value of a column. Amounts of money travel as decimal text: SQLite's integers end at 63 bits. */
export type Cell = Uint8Array | number | string | null

/** Columns by name. */
export type Row = Readonly<Record<string, Cell>>

/** A row as it is read: with its place in the order of insertion. */
export type StoredRow = { readonly sequence: number; readonly row: Row }

/** All must hold. `is` with several values means any of them. */
export type Condition =
  | { readonly column: string; readonly is: Cell | readonly Cell[] }
  | { readonly column: string; readonly below: number }
  | { readonly column: string; readonly above: number }

/** Every verb with what it takes and what it gives. */
export type Verbs = {
  /** Adds a row unless its key is there; then that row stays as it is. */
  insert: [take: { row: Row }, give: 'new' | 'known']
  /** Adds a row or replaces the one with its key. */
  put: [take: { row: Row }, give: undefined]
  /** Sets columns of the row with a key, if there is one and the conditions hold; says whether it did. */
  change: [take: { key: Row; set: Row; when: readonly Condition[] }, give: boolean]
  /** Sets a number to the greater of itself and `value`; gives the result, or nothing when there is no such row. */
  raise: [take: { key: Row; column: string; value: number }, give: number | undefined]
  /** Adds to a decimal text, from 0 where the row is new; gives the sum. */
  add: [take: { key: Row; column: string; value: string }, give: string]
  get: [take: { key: Row }, give: StoredRow | undefined]
  /** Rows in the order of insertion, after a place. */
  list: [
    take: { when: readonly Condition[]; after: number; limit: number },
    give: readonly StoredRow[],
  ]
  /** Removes rows, the oldest first; gives them. */
  take: [take: { when: readonly Condition[]; limit: number }, give: readonly StoredRow[]]
  /** Removes rows; gives their number. */
  remove: [take: { when: readonly Condition[] }, give: number]
  /** Adds a spent token's tag unless it is there. */
  spend: [take: { key: Uint8Array; tag: Uint8Array }, give: 'new' | 'known']
  /** Forgets the spent tokens of a key. */
  forgetSpent: [take: { key: Uint8Array }, give: undefined]
  /** The keys whose spent tokens are not all there any more. */
  damagedSpent: [take: { key?: never }, give: readonly Uint8Array[]]
}

export type Verb = keyof Verbs

/** One thing to do, in one table. */
export type Operation<V extends Verb = Verb> = {
  [Name in V]: { readonly verb: Name; readonly table: string } & Readonly<Verbs[Name][0]>
}[V]

/** What a verb gives. */
export type Given<V extends Verb> = Verbs[V][1]

/** Does one thing durably. Rejects with a STORE_ error; then it was not done. */
export interface Submit {
  <V extends Verb>(operation: Operation<V>): Promise<Given<V>>
}

/** Does what `run` submits all or none. `run` is called at once and awaits nothing. Where none was done this promise rejects and theirs stay as they are. */
export type SubmitAll = (run: (submit: Submit) => void) => Promise<void>
