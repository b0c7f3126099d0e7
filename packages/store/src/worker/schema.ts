/** Brings a file to the schema of this version and tells whose it is. */
import { storeError } from '../errors.ts'
import type { Connection } from './connection.ts'
import { MIGRATIONS, SCHEMA_VERSION } from './migrations.ts'
import { sqliteFault } from './sqlite-fault.ts'
import { isSameMac, macOf, type MacKey } from './row-mac.ts'

const KEY_LABEL = 'byway store key v1'

/** The file is not a sound store and must be salvaged. */
export class Unsound extends Error {}

/** Makes the schema in an empty file. */
export function makeSchema(connection: Connection, key: MacKey): void {
  runSteps(connection, 0)
  connection.run("INSERT INTO meta (name, value) VALUES ('key', ?)", keyMark(key))
}

/** No program will be so many steps ahead of another: a number beyond it is damage. */
const MAX_STEPS_AHEAD = 250

/**
 * Runs the steps that a file has not seen.
 *
 * @throws STORE_NEWER, and {@link Unsound} for a file whose version is none, or not that of what is in it
 */
export function migrate(connection: Connection): void {
  const version = connection.pragma('user_version')
  if (version < 1 || version > SCHEMA_VERSION + MAX_STEPS_AHEAD) throw new Unsound('no version')
  if (version > SCHEMA_VERSION)
    throw storeError('STORE_NEWER', { found: version, known: SCHEMA_VERSION })
  try {
    runSteps(connection, version)
  } catch (error) {
    // A step that was done already cannot be done again.
    throw sqliteFault(error) === undefined ? new Unsound('another version') : error
  }
}

/** True when the file says that it was written with this key. */
export function hasKeyMark(connection: Connection, key: MacKey): boolean {
  return isSameMac(
    keyMark(key),
    connection.get("SELECT value FROM meta WHERE name = 'key'")?.['value'],
  )
}

function runSteps(connection: Connection, from: number): void {
  MIGRATIONS.slice(from).forEach((step, at) => {
    connection.exec(`BEGIN IMMEDIATE; ${step}; PRAGMA user_version = ${from + at + 1}; COMMIT`)
  })
}

function keyMark(key: MacKey): Uint8Array {
  return macOf(key, [KEY_LABEL])
}
