/** Brings a file to the schema of this version and tells whose it is. */
import { storeError } from '../errors.ts'
import type { Connection } from './connection.ts'
import { MIGRATIONS, SCHEMA_VERSION } from './migrations.ts'
import { isSameMac, macOf, type MacKey } from './row-mac.ts'

const KEY_LABEL = 'byway store key v1'

/** The file is not a sound store and must be salvaged. */
export class Unsound extends Error {}

/** Makes the schema in an empty file. */
export function makeSchema(connection: Connection, key: MacKey): void {
  runSteps(connection, 0)
  connection.run("INSERT INTO meta (name, value) VALUES ('key', ?)", keyMark(key))
}

/**
 * Runs the steps that a file has not seen.
 *
 * @throws STORE_NEWER, and {@link Unsound} for a file without a version
 */
export function migrate(connection: Connection): void {
  const version = connection.pragma('user_version')
  if (version > SCHEMA_VERSION)
    throw storeError('STORE_NEWER', { found: version, known: SCHEMA_VERSION })
  if (version < 1) throw new Unsound('no version')
  runSteps(connection, version)
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
