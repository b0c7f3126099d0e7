/** Any event of either side, in its fields' full range. */
import fc from 'fast-check'
import type { ClientMoneyEvent, MoneyEvent, NodeMoneyEvent } from '@byway/protocol/ledger'
import { EVENT_FIELDS, type FieldKind } from '../../src/ledger/event-fields.ts'

const amount = fc.bigInt({ min: 0n, max: (1n << 96n) - 1n })
const count = fc.integer({ min: 0, max: 1_000_000 })
const HOPS = ['a', 'b', 'c'].map((letter) => letter.repeat(64))

export const CLIENT_TYPES = [
  'deposited',
  'withdrawn-unused',
  'leaves-joined',
  'slot-shown',
  'tickets-sent',
  'used',
  'tokens-bought',
  'tokens-spent',
  'tokens-lost',
  'paid-lost',
  'slot-won',
  'slot-returned',
  'bond-burned',
] as const
export const PURSE_TYPES = [
  'purse-received',
  'purse-sent',
  'gas-received',
  'gas-paid',
  'reversed',
] as const

function field(kind: FieldKind): fc.Arbitrary<unknown> {
  switch (kind) {
    case 'amount':
      return amount
    case 'signed':
      return fc.bigInt({ min: -(1n << 96n), max: 1n << 96n })
    case 'count':
      return count
    case 'flag':
      return fc.boolean()
    case 'hop':
      return fc.constantFrom(...HOPS)
    case 'name':
      return fc.constantFrom(...Array.from({ length: 30 }, (_, i) => `e:${i}`))
    default:
      return fc.constantFrom(...kind)
  }
}

function eventOf(type: MoneyEvent['type']): fc.Arbitrary<MoneyEvent> {
  const fields = Object.entries(EVENT_FIELDS[type]).map(([name, kind]) => [name, field(kind)])
  return fc.record(
    {
      id: fc.constantFrom(...Array.from({ length: 30 }, (_, i) => `e:${i}`)),
      atMs: fc.integer({ min: 0, max: 2_000_000_000_000 }),
      type: fc.constant(type),
      ...(Object.fromEntries(fields) as Record<string, fc.Arbitrary<unknown>>),
    },
    { noNullPrototype: true },
  ) as fc.Arbitrary<MoneyEvent>
}

/** Claims and settlements that add up; as they come from {@link eventOf} hardly any does. */
const soundClaim: fc.Arbitrary<MoneyEvent> = eventOf('claim-paid').map((event) =>
  event.type === 'claim-paid'
    ? { ...event, amount: event.burned + event.redeemerFee + event.heldBack + event.received }
    : event,
)

const TYPES = Object.keys(EVENT_FIELDS) as MoneyEvent['type'][]
export const anyEvent: fc.Arbitrary<MoneyEvent> = fc.oneof(...TYPES.map(eventOf), soundClaim)
export const nodeEvent: fc.Arbitrary<NodeMoneyEvent> = fc.oneof(
  ...TYPES.filter((type) => !(CLIENT_TYPES as readonly string[]).includes(type)).map(eventOf),
  soundClaim,
) as fc.Arbitrary<NodeMoneyEvent>
export const clientEvent: fc.Arbitrary<ClientMoneyEvent> = fc.oneof(
  ...[...CLIENT_TYPES, ...PURSE_TYPES].map(eventOf),
) as fc.Arbitrary<ClientMoneyEvent>
