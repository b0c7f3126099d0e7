/**
 * Puts a configuration together: defaults < file < `BYWAY_*` < flags (docs/CLI.md). Each source is checked by itself, so that an error
 * names where the bad value came from.
 */
import { CONFIG_SCHEMA, DEFAULT_CONFIG, type Config } from './config.ts'
import { configError } from './config-errors.ts'
import { checkTable, keyPath, parseToml, type Table } from './toml-file.ts'

/** What each source says; absent ones say nothing. */
export type ConfigSources = {
  /** Text of the file. */
  readonly file?: string | undefined
  readonly env?: Readonly<Record<string, string | undefined>> | undefined
  /** Values by path, such as `{ client: { port: 0 } }`; `undefined` where a flag was not given. */
  readonly flags?: Table | undefined
}

/** Variables of the same prefix that are no settings: where the state, the file and the passphrases are. */
export const RESERVED_VARIABLES: readonly string[] = [
  'BYWAY_HOME',
  'BYWAY_CONFIG',
  'BYWAY_PASSPHRASE_FILE',
  'BYWAY_OWNER_PASSPHRASE_FILE',
  'BYWAY_PUBLISHER_PASSPHRASE_FILE',
]

/**
 * Resolves a complete, frozen configuration.
 * @throws CONFIG_SYNTAX, CONFIG_UNKNOWN_KEY or CONFIG_VALUE, naming the source and the key path
 */
export function resolveConfig(sources: ConfigSources): Config {
  const layers: readonly (readonly [source: string, table: Table])[] = [
    ['config file', sources.file === undefined ? {} : parseToml(sources.file, 'config file')],
    ['environment', readEnvironment(sources.env ?? {})],
    ['flags', withoutAbsent(sources.flags ?? {})],
  ]
  for (const [source, table] of layers) checkTable(CONFIG_SCHEMA, table, source)
  const merged = layers.reduce<Table>((below, [, table]) => merge(below, table), {})
  return freezeDeep(checkTable(CONFIG_SCHEMA, merged, 'configuration'))
}

/** Every setting by its variable: `BYWAY_CLIENT_SAFE_SOCKS` → `['client', 'safeSocks']`. */
export function settingsByVariable(): ReadonlyMap<string, readonly string[]> {
  return new Map(leavesOf(DEFAULT_CONFIG, []).map((path) => [variableOf(path), path]))
}

function readEnvironment(env: Readonly<Record<string, string | undefined>>): Table {
  const settings = settingsByVariable()
  let table: Table = {}
  for (const [name, text] of Object.entries(env)) {
    if (!name.startsWith('BYWAY_') || text === undefined || RESERVED_VARIABLES.includes(name))
      continue
    const path = settings.get(name)
    if (!path) throw configError('CONFIG_UNKNOWN_KEY', { source: 'environment', key: name })
    table = merge(table, nest(path, readText(text, valueAt(DEFAULT_CONFIG, path))))
  }
  return table
}

/** Text becomes what the default is. What does not fit stays text, and the schema says so. */
function readText(text: string, like: unknown): unknown {
  if (typeof like === 'number') return /^-?\d+$/.test(text) ? Number(text) : text
  if (typeof like === 'boolean') return text === 'true' ? true : text === 'false' ? false : text
  if (Array.isArray(like)) return text === '' ? [] : text.split(',').map((part) => part.trim())
  return text
}

function variableOf(path: readonly string[]): string {
  return `BYWAY_${keyPath(path).replaceAll('.', '_').toUpperCase()}`
}

function leavesOf(value: object, path: readonly string[]): readonly (readonly string[])[] {
  return Object.entries(value).flatMap(([key, inner]: [string, unknown]) =>
    isTable(inner) ? leavesOf(inner, [...path, key]) : [[...path, key]],
  )
}

function valueAt(value: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>((at, key) => (isTable(at) ? at[key] : undefined), value)
}

function nest(path: readonly string[], value: unknown): Table {
  return path.reduceRight<unknown>((inner, key) => ({ [key]: inner }), value) as Table
}

function merge(below: Table, above: Table): Table {
  const merged: Record<string, unknown> = { ...below }
  for (const [key, value] of Object.entries(above)) {
    const under = merged[key]
    merged[key] = isTable(under) && isTable(value) ? merge(under, value) : value
  }
  return merged
}

function withoutAbsent(table: Table): Table {
  const entries = Object.entries(table).filter(([, value]) => value !== undefined)
  return Object.fromEntries(
    entries.map(([key, value]) => [key, isTable(value) ? withoutAbsent(value) : value]),
  )
}

function freezeDeep<Value>(value: Value): Value {
  if (typeof value === 'object' && value !== null) Object.values(value).forEach(freezeDeep)
  return Object.freeze(value)
}

function isTable(value: unknown): value is Table {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
