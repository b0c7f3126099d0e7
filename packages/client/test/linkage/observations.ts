/**
 * What hops and the chain saw, and whether any of it links what must not be linked. An observation belongs to a *unit*: all that one observer may know to be of one client, such as a slot at
 * its hop, or one circuit at one hop. A link is a value that two units of one client have in common and no other client has, or a number that agrees within clients more often than between them.
 */
/** One field as somebody saw it. */
export type Observation = {
  /** Whose it is: nobody sees this. */
  readonly client: number
  readonly unit: string
  /** `message.field`. */
  readonly name: string
  readonly value: Uint8Array | number
}

/** Units of one client that somebody could tell to be of one. */
export type FoundLink = { readonly name: string; readonly units: readonly string[] }

const WINDOWS_BYTES = [8, 16, 32]
/** Shorter ones are compared as numbers are. */
const WHOLE_BYTES = 8

/** Values of bytes that only one client has, in several of its units: whole, and 8, 16 and 32 bytes from the beginning and the end. */
export function findSharedBytes(all: readonly Observation[]): readonly FoundLink[] {
  const first = new Map<string, Observation>()
  const shared = new Map<string, { readonly name: string; readonly units: Set<string> }>()
  const everybodys = new Set<string>()
  for (const one of all) {
    if (typeof one.value === 'number') continue
    for (const window of windowsOf(one.value)) {
      const before = first.get(window)
      if (!before) first.set(window, one)
      else if (before.client !== one.client) everybodys.add(window)
      else if (before.unit !== one.unit) {
        const link = shared.get(window) ?? { name: one.name, units: new Set([before.unit]) }
        shared.set(window, link)
        link.units.add(one.unit)
      }
    }
  }
  return [...shared]
    .filter(([window]) => !everybodys.has(window))
    .map(([, { name, units }]) => ({ name, units: [...units] }))
}

function windowsOf(value: Uint8Array): readonly string[] {
  const { length } = value
  const bytes = Buffer.from(value.buffer, value.byteOffset, length)
  const windows = length < WHOLE_BYTES ? [] : [bytes.toString('latin1')]
  for (const size of WINDOWS_BYTES) {
    if (length <= size) continue
    for (const part of [bytes.subarray(0, size), bytes.subarray(-size)])
      // Padding is nobody's.
      if (part.some((byte) => byte !== 0)) windows.push(part.toString('latin1'))
  }
  return windows
}

/** How far the agreement of a number within clients is above what it is when units are dealt to clients at random: in pairs of units, and in standard deviations. */
export type Agreement = { readonly name: string; readonly pairs: number; readonly sigmas: number }

const DEALS = 40

/** Compares, for each number, the first and the last that each unit has. */
export function agreements(
  all: readonly Observation[],
  random: () => number,
): readonly Agreement[] {
  const names = new Map<string, Map<string, { client: number; value: number }>>()
  for (const { client, unit, name, value } of all) {
    if (typeof value !== 'number') continue
    const first = within(names, `${name} first`)
    if (!first.has(unit)) first.set(unit, { client, value })
    within(names, `${name} last`).set(unit, { client, value })
  }
  return [...names].map(([name, units]) => {
    const list = [...units.values()]
    return { name, ...excess(list, random) }
  })
}

function within<Value>(map: Map<string, Map<string, Value>>, name: string): Map<string, Value> {
  const inner = map.get(name) ?? new Map<string, Value>()
  map.set(name, inner)
  return inner
}

function excess(
  units: readonly { readonly client: number; readonly value: number }[],
  random: () => number,
): Omit<Agreement, 'name'> {
  const clients = units.map(({ client }) => client)
  const numbers = new Map<number, number>()
  for (const { value } of units) if (!numbers.has(value)) numbers.set(value, numbers.size)
  // What all say alike, or each differently, agrees within clients as often as between them, or never.
  if (numbers.size === 1) return { pairs: 0, sigmas: 0 }
  const values = units.map(({ value }) => numbers.get(value) ?? 0)
  const observed = pairsThatAgree(clients, values, numbers.size)
  const dealt = Array.from({ length: DEALS }, () =>
    pairsThatAgree(shuffled(clients, random), values, numbers.size),
  )
  const mean = dealt.reduce((sum, count) => sum + count, 0) / DEALS
  const variance = dealt.reduce((sum, count) => sum + (count - mean) ** 2, 0) / DEALS
  const pairs = observed - mean
  return { pairs, sigmas: variance === 0 ? 0 : pairs / Math.sqrt(variance) }
}

/** Pairs of units of one client with the same value; values are numbered from 0. */
function pairsThatAgree(
  clients: readonly number[],
  values: readonly number[],
  kinds: number,
): number {
  const counts = new Int32Array((Math.max(...clients) + 1) * kinds)
  let pairs = 0
  for (const [i, client] of clients.entries()) {
    const place = client * kinds + (values[i] ?? 0)
    const count = counts[place] ?? 0
    pairs += count
    counts[place] = count + 1
  }
  return pairs
}

export function shuffled<T>(items: readonly T[], random: () => number): T[] {
  const all = [...items]
  for (let i = all.length - 1; i > 0; i--) {
    const other = Math.floor(random() * (i + 1))
    const [a, b] = [all[i], all[other]]
    if (a !== undefined && b !== undefined) [all[i], all[other]] = [b, a]
  }
  return all
}

/** Every byte field and number of a message, however deep. */
export function fieldsOf(
  name: string,
  value: unknown,
): readonly { readonly name: string; readonly value: Uint8Array | number }[] {
  if (value instanceof Uint8Array || typeof value === 'number') return [{ name, value }]
  if (typeof value === 'bigint') return [{ name, value: Number(value) }]
  if (Array.isArray(value)) return value.flatMap((one) => fieldsOf(name, one))
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, one]) => fieldsOf(`${name}.${key}`, one))
}
