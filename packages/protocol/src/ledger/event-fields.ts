/**
 * The fields of each event, for writing events down and reading them again: an event comes back from a file that anybody with the disk could have changed.
 * @module
 */
import type { MoneyEvent } from './events.ts'

/**
 * What a field holds. `amount`: bigint, 0 or more. `signed`: bigint. `count`: a whole number, 0 or more. `hop`: a node id in hexadecimal digits. `name`: a short text. A list: one of these words.
 */
export type FieldKind = 'amount' | 'signed' | 'count' | 'flag' | 'hop' | 'name' | readonly string[]

type Type = MoneyEvent['type']
type EventOf<T extends Type> = Extract<MoneyEvent, { readonly type: T }>
type Fields<T extends Type> = Readonly<
  Record<Exclude<keyof EventOf<T>, 'id' | 'atMs' | 'type'> & string, FieldKind>
>

const ROLE = ['entry', 'relay', 'exit'] as const
const USE = ['link', 'tokens'] as const
const KIND = ['bandwidth', 'admission', 'bulk'] as const
const TICKETS = {
  use: USE,
  tickets: 'count',
  units: 'count',
  amount: 'amount',
  variance: 'amount',
} as const

/** The fields of every event but `id`, `atMs` and `type`, in the order in which they are written. */
export const EVENT_FIELDS: { readonly [T in Type]: Fields<T> } = {
  carried: { role: ROLE, paidBytes: 'amount', freeBytes: 'amount' },
  'tickets-received': TICKETS,
  'tokens-sold': { kind: KIND, count: 'count', units: 'count' },
  'tokens-redeemed': { kind: KIND, role: ROLE, count: 'count' },
  'tokens-lapsed': { kind: KIND, count: 'count' },
  'paid-lapsed': { from: [...ROLE, 'slot'], bytes: 'amount' },
  won: { slot: 'name', index: 'count', amount: 'amount' },
  claimed: { wins: 'count', amount: 'amount' },
  'claim-paid': {
    wins: 'count',
    amount: 'amount',
    burned: 'amount',
    redeemerFee: 'amount',
    heldBack: 'amount',
    received: 'amount',
  },
  'claim-lost': { wins: 'count', amount: 'amount', afterClaim: 'flag' },
  'held-back-settled': { received: 'amount', burned: 'amount' },
  'lock-fee-paid': { from: ['purse', 'stake'], amount: 'amount' },
  'fee-earned': { amount: 'amount' },
  'fees-moved': { amount: 'amount' },
  staked: { amount: 'signed' },
  slashed: { amount: 'amount' },
  deposited: { amount: 'amount' },
  'withdrawn-unused': { amount: 'amount', fee: 'amount' },
  'slot-shown': { hop: 'hop', amount: 'amount' },
  'tickets-sent': { hop: 'hop', ...TICKETS },
  'tickets-void': { hop: 'hop', ...TICKETS },
  used: { hop: 'hop', use: USE, paidBytes: 'signed', freeBytes: 'amount' },
  'tokens-bought': { hop: 'hop', kind: KIND, count: 'count', units: 'count' },
  'tokens-spent': { hop: 'hop', kind: KIND, count: 'count' },
  'tokens-lost': { hop: 'hop', kind: KIND, count: 'count' },
  'paid-lost': { hop: 'hop', from: [...USE, 'balance'], bytes: 'amount' },
  'slot-won': { hop: 'hop', wins: 'count', amount: 'amount' },
  'slot-returned': { hop: 'hop', amount: 'amount', fee: 'amount' },
  'leaves-joined': { amount: 'amount', fee: 'amount' },
  'bond-burned': { hop: 'hop', amount: 'amount' },
  'purse-received': { amount: 'amount' },
  'purse-sent': { amount: 'amount' },
  'gas-received': { wei: 'amount' },
  'gas-paid': { wei: 'amount' },
  reversed: { of: 'name' },
}

/** True for a text that an event may have as `id`. */
export function isEventId(value: unknown): value is string {
  return typeof value === 'string' && /^[a-zA-Z0-9.:_-]{1,128}$/.test(value)
}

/** True for an event of which every field is of its kind, and that has no others. */
export function isMoneyEvent(value: object): value is MoneyEvent {
  const event = value as Readonly<Record<string, unknown>>
  const { id, atMs, type } = event
  if (!isEventId(id) || !isCount(atMs) || typeof type !== 'string') return false
  if (!Object.hasOwn(EVENT_FIELDS, type)) return false
  const fields = Object.entries(EVENT_FIELDS[type as Type])
  if (Object.keys(event).length !== fields.length + 3) return false
  return fields.every(([name, kind]) => isOfKind(event[name], kind))
}

function isOfKind(value: unknown, kind: FieldKind): boolean {
  switch (kind) {
    case 'amount':
      return typeof value === 'bigint' && value >= 0n
    case 'signed':
      return typeof value === 'bigint'
    case 'count':
      return isCount(value)
    case 'flag':
      return typeof value === 'boolean'
    case 'hop':
      return typeof value === 'string' && /^[0-9a-f]{64}$/.test(value)
    case 'name':
      return isEventId(value)
    default:
      return typeof value === 'string' && kind.includes(value)
  }
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
}
