/** Leaks that the linkage test plants, to show that it would have found them. */
import type { Observation } from './observations.ts'

/** Numbers of larger payments, and what a leak would make of each. */
export const NUMBERS: readonly [string, (value: number, client: number) => number][] = [
  // A ticket that covers some units more, as its client has it.
  ['control.amount', (value, client) => value + (client % 4)],
  // Batches of a client's own size.
  ['control.count', (value, client) => value - (client % 4)],
  ['control.bandwidthBought', (value, client) => value + 1000 * (client % 4)],
  ['control.bulkBought', (_value, client) => client % 4],
  // A client that takes to bulk tokens sooner than others.
  ['circuit.pay.tokenKind', (_value, client) => 1 + 2 * (client % 2)],
  ['circuit.bandwidthTokensBeforeBulk', (_value, client) => 128 + (client % 4)],
  ['circuit.aheadMib', (value, client) => value + 100 * (client % 4)],
  ['circuit.paidAtMib', (value, client) => value + 2000 * (client % 4)],
  ['circuit.leftMib', (_value, client) => client % 4],
  ['circuit.bulkTokens', (value, client) => value + 100 * (client % 4)],
  ['circuit.bandwidthTokens', (value, client) => value + 2000 * (client % 4)],
]

/** What a client could number over its slots at a hop, and how a next number goes on. */
export const GOES_ON: readonly [string, (last: number, first: number) => boolean][] = [
  ['control.request', (last, first) => first === last + 1],
  ['control.index', (last, first) => first > last && first - last <= 2],
  // A batch that one slot began and the next made up; halves of 16 are whole tickets.
  ['control.count', (last, first) => last + first === 32 && last !== 16],
]

/** The fields of one name, each with another value; undefined leaves one out. */
export function changed(
  seen: readonly Observation[],
  name: string,
  change: (one: Observation) => Observation['value'] | undefined,
): readonly Observation[] {
  return seen.flatMap((one) => {
    const value = one.name === name ? change(one) : undefined
    return value === undefined ? [] : [{ ...one, value }]
  })
}

/** Keys of tunnels that were paid in bulk tokens, as if each client had its own. */
export function ownBulkKeys(seen: readonly Observation[]): readonly Observation[] {
  const bulk = new Set<string>()
  for (const { name, unit, value } of seen)
    if (name === 'circuit.bulkTokens' && value !== 0) bulk.add(unit)
  return changed(seen, 'circuit.pay.keyId', ({ unit, value, client }) =>
    bulk.has(unit) ? tagged(value, client) : undefined,
  )
}

/** Slots that entries were told with NEXT, shown somewhere else besides. */
export function nextElsewhere(seen: readonly Observation[]): readonly Observation[] {
  const next = seen.filter(({ name }) => name === 'entry.next.opening.nullifier')
  return [...next, ...next.map((one) => ({ ...one, unit: `slot elsewhere of ${one.unit}` }))]
}

/** Numbers that a client counts over all its slots at a hop. */
export function goingOn(
  seen: readonly Observation[],
  name: string,
  hopOf: (unit: string) => string,
): readonly Observation[] {
  const counts = new Map<string, number>()
  return changed(seen, name, ({ client, unit }) => {
    const place = `${client} ${hopOf(unit)}`
    const count = (counts.get(place) ?? 0) + 1
    counts.set(place, count)
    return count
  })
}

/** Slots of a client at a hop, each of which begins with what the one before had left of a batch. */
export function halves(
  seen: readonly Observation[],
  hopOf: (unit: string) => string,
): readonly Observation[] {
  const rests = new Map<string, number>()
  const units = new Map(
    seen.filter(({ name }) => name === 'control.count').map((one) => [one.unit, one]),
  )
  return [...units.values()].flatMap((one, i) => {
    const place = `${one.client} ${hopOf(one.unit)}`
    const last = 17 + (i % 15)
    const rest = rests.get(place) ?? 32
    rests.set(place, 32 - last)
    return [rest, last].map((value) => ({ ...one, value }))
  })
}

/** The value with eight bytes of its client's own at the front, or so many, or elsewhere. */
export function tagged(
  value: Uint8Array | number,
  client: number,
  bytes = 8,
  from = 0,
): Uint8Array | undefined {
  if (typeof value === 'number') return undefined
  const tag = new Uint8Array(value)
  tag.fill(client + 1, from, from + bytes)
  return tag
}
