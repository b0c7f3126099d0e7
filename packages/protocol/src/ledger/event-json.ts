/**
 * Events as JSON text, amounts as decimal digits in strings: what the store keeps and what `--json` prints.
 * @module
 */
import { EVENT_FIELDS, isMoneyEvent } from './event-fields.ts'
import type { MoneyEvent } from './events.ts'

/** Writes an event. The same event gives the same text. */
export function encodeMoneyEvent(event: MoneyEvent): string {
  const { id, atMs, type } = event
  const fields = Object.keys(EVENT_FIELDS[type]).map((name) => {
    const value = (event as Readonly<Record<string, unknown>>)[name]
    return [name, typeof value === 'bigint' ? value.toString() : value] as const
  })
  return JSON.stringify({ id, atMs, type, ...Object.fromEntries(fields) })
}

/** Reads what {@link encodeMoneyEvent} wrote; undefined for anything else, a later version's events included. */
export function decodeMoneyEvent(text: string): MoneyEvent | undefined {
  const value = parseObject(text)
  const type = value?.['type']
  if (!value || typeof type !== 'string' || !Object.hasOwn(EVENT_FIELDS, type)) return undefined
  const event: Record<string, unknown> = { ...value }
  for (const [name, kind] of Object.entries(EVENT_FIELDS[type as MoneyEvent['type']])) {
    if (kind === 'amount' || kind === 'signed') event[name] = parseAmount(value[name])
  }
  return isMoneyEvent(event) ? event : undefined
}

function parseObject(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
    return value as Readonly<Record<string, unknown>>
  } catch {
    return undefined
  }
}

function parseAmount(value: unknown): bigint | undefined {
  if (typeof value !== 'string' || !/^(?:0|-?[1-9][0-9]{0,77})$/.test(value)) return undefined
  return BigInt(value)
}
