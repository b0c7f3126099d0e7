/** Reads TOML into plain objects with camelCase keys, and checks values against a schema with errors that name the key path. */
import { readFile } from 'node:fs/promises'
import { parse, TomlError } from 'smol-toml'
import type { z } from 'zod'
import { configError } from './config-errors.ts'

/** A TOML table, its keys in camelCase. */
export type Table = { readonly [key: string]: unknown }

/** Far more than any real file; a larger one is a mistake or an attack. */
const MAX_FILE_BYTES = 16 * 1024 * 1024

/**
 * Reads a file; `undefined` when it does not exist.
 * @throws CONFIG_UNREADABLE when the system refuses or the file is too large
 */
export async function readTextFile(path: string, source: string): Promise<string | undefined> {
  return (await readBytes(path, source))?.toString('utf8')
}

/**
 * Reads a file's very bytes; `undefined` when it does not exist.
 * @throws CONFIG_UNREADABLE when the system refuses or the file is too large
 */
export async function readBytes(path: string, source: string): Promise<Buffer | undefined> {
  try {
    const bytes = await readFile(path)
    if (bytes.length > MAX_FILE_BYTES)
      throw configError('CONFIG_UNREADABLE', { source, system: 'EFBIG' })
    return bytes
  } catch (error) {
    const system = error instanceof Error && 'code' in error ? String(error.code) : 'unknown'
    if (system === 'ENOENT') return undefined
    throw system.startsWith('CONFIG_')
      ? error
      : configError('CONFIG_UNREADABLE', { source, system }, { cause: error })
  }
}

/**
 * Parses TOML text.
 * @throws CONFIG_SYNTAX, or CONFIG_UNKNOWN_KEY for a key that is not written in snake_case
 */
export function parseToml(text: string, source: string): Table {
  try {
    return camelKeys(parse(text), source, [])
  } catch (error) {
    if (!(error instanceof TomlError)) throw error
    // The parser's own message quotes the line, which may hold anything.
    throw configError('CONFIG_SYNTAX', { source, line: error.line })
  }
}

/**
 * Checks values.
 * @throws CONFIG_UNKNOWN_KEY or CONFIG_VALUE for the first fault, naming the key path as it is written in a file
 */
export function checkTable<Value>(schema: z.ZodType<Value>, table: Table, source: string): Value {
  const checked = schema.safeParse(table)
  if (checked.success) return checked.data
  const [issue] = checked.error.issues
  const path = issue?.path ?? []
  if (issue?.code === 'unrecognized_keys') {
    throw configError('CONFIG_UNKNOWN_KEY', {
      source,
      key: keyPath([...path, issue.keys[0] ?? '']),
    })
  }
  const problem = issue?.message ?? 'not understood'
  throw configError('CONFIG_VALUE', {
    source,
    key: keyPath(path),
    problem: problem.replace('Invalid input: ', ''),
  })
}

/** `['client', 'safeSocks']` → `client.safe_socks`. */
export function keyPath(path: readonly PropertyKey[]): string {
  return path
    .map((part) => (typeof part === 'number' ? String(part) : snakeCase(String(part))))
    .join('.')
}

/** `safeSocks` → `safe_socks`. */
export function snakeCase(key: string): string {
  return key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
}

/** `safe_socks` → `safeSocks`. */
export function camelCase(key: string): string {
  return key.replace(/_([a-z\d])/g, (_, letter: string) => letter.toUpperCase())
}

function camelKeys(table: object, source: string, path: readonly string[]): Table {
  const entries = Object.entries(table).map(([key, value]: [string, unknown]) => {
    if (key !== snakeCase(camelCase(key))) {
      throw configError('CONFIG_UNKNOWN_KEY', { source, key: [...path, key].join('.') })
    }
    return [camelCase(key), camelValue(value, source, [...path, key])]
  })
  return Object.fromEntries(entries) as Table
}

function camelValue(value: unknown, source: string, path: readonly string[]): unknown {
  if (Array.isArray(value)) {
    return value.map((item, index) => camelValue(item, source, [...path, String(index)]))
  }
  const isTable = typeof value === 'object' && value !== null && !(value instanceof Date)
  return isTable ? camelKeys(value, source, path) : value
}
