/**
 * What is stored of a client's guards, as plain JSON, and its strict parser. How guards live is guards.ts.
 * @module
 */
import { directoryError } from './errors.ts'
import { type NodeKey, parseNodeKey } from './node-key.ts'

/** A relay that this client may enter by, in order of preference. */
export type SampledGuard = {
  readonly key: NodeKey
  readonly addedAtMs: number
  readonly expiresAtMs: number
  /** Since when no descriptor of it was known; null while one is. */
  readonly unlistedSinceMs: number | null
}

export type GuardState = {
  readonly version: 1
  /** The primary guards are the first three that are listed. */
  readonly sample: readonly SampledGuard[]
  /** How many guards behind the primary ones may stand in while no primary one answers. */
  readonly fallbacks: number
  /** When an entry was last let in or retired, for the limit of one in ten minutes; null for never. */
  readonly switchedAtMs: number | null
}

/** A client that has no guards yet. */
export const EMPTY_GUARD_STATE: GuardState = {
  version: 1,
  sample: [],
  fallbacks: 0,
  switchedAtMs: null,
}

/** Most guards that a state may hold (THREAT-MODEL T7). */
export const MAX_SAMPLE = 60

/**
 * Reads a stored state.
 *
 * @throws DIRECTORY_GUARD_STATE for anything but what was stored: unknown keys, other versions, repeated guards
 */
export function parseGuardState(json: unknown): GuardState {
  const state = readObject(json, 'state', ['version', 'sample', 'fallbacks', 'switchedAtMs'])
  if (state['version'] !== 1) throw fault('version')
  const list: unknown = state['sample']
  if (!Array.isArray(list) || list.length > MAX_SAMPLE) throw fault('sample')
  const sample = list.map(readGuard)
  if (new Set(sample.map(({ key }) => key)).size !== sample.length) throw fault('sample')
  const fallbacks = readWhole(state['fallbacks'], 'fallbacks')
  if (fallbacks > MAX_SAMPLE) throw fault('fallbacks')
  return {
    version: 1,
    sample,
    fallbacks,
    switchedAtMs: readOptionalWhole(state['switchedAtMs'], 'switchedAtMs'),
  }
}

function readGuard(json: unknown): SampledGuard {
  const keys = ['key', 'addedAtMs', 'expiresAtMs', 'unlistedSinceMs']
  const guard = readObject(json, 'guard', keys)
  const key = parseNodeKey(guard['key'])
  if (key === undefined) throw fault('key')
  return {
    key,
    addedAtMs: readWhole(guard['addedAtMs'], 'addedAtMs'),
    expiresAtMs: readWhole(guard['expiresAtMs'], 'expiresAtMs'),
    unlistedSinceMs: readOptionalWhole(guard['unlistedSinceMs'], 'unlistedSinceMs'),
  }
}

function readObject(
  json: unknown,
  field: string,
  keys: readonly string[],
): Readonly<Record<string, unknown>> {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) throw fault(field)
  const found = Object.keys(json)
  if (found.length !== keys.length || !keys.every((key) => found.includes(key))) throw fault(field)
  return json as Readonly<Record<string, unknown>>
}

function readWhole(value: unknown, field: string): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) throw fault(field)
  return value
}

function readOptionalWhole(value: unknown, field: string): number | null {
  return value === null ? null : readWhole(value, field)
}

function fault(field: string): ReturnType<typeof directoryError> {
  return directoryError('DIRECTORY_GUARD_STATE', { field })
}
