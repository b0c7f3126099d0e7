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

/** What 16 or 32 bytes have in common, so many of them have. */
const WINDOW_BYTES = 8

/** Values of bytes that only one client has, in several of its units: whole ones, every eight bytes from the beginning, and the last eight. Shorter fields are compared as numbers are. */
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
  if (length < WINDOW_BYTES) return []
  const bytes = Buffer.from(value.buffer, value.byteOffset, length)
  const windows = [bytes.toString('latin1')]
  if (length === WINDOW_BYTES) return windows
  for (let at = 0; at < length; at += WINDOW_BYTES) {
    const from = Math.min(at, length - WINDOW_BYTES)
    const part = bytes.subarray(from, from + WINDOW_BYTES)
    // Padding is nobody's.
    if (part.some((byte) => byte !== 0)) windows.push(part.toString('latin1'))
  }
  return windows
}

/** A number, or a short field as one. */
function numberIn(value: Uint8Array | number): number | undefined {
  if (typeof value === 'number') return value
  if (value.length === 0 || value.length >= WINDOW_BYTES) return undefined
  // Seven bytes are more than a number holds: the first six bits of them are left out.
  return Number(BigInt(`0x${Buffer.from(value).toString('hex')}`) & (2n ** 50n - 1n))
}

/** How far the agreement of a number within clients is above what it is when units are dealt to clients at random: in pairs of units, and in standard deviations. */
export type Agreement = { readonly name: string; readonly pairs: number; readonly sigmas: number }

/** Compares, for each number and short field, the first and the last that each unit has. */
export function agreements(all: readonly Observation[]): readonly Agreement[] {
  const names = new Map<string, Map<string, { client: number; value: number }>>()
  for (const { client, unit, name, value } of all) {
    const number = numberIn(value)
    if (number === undefined) continue
    const first = within(names, `${name} first`)
    if (!first.has(unit)) first.set(unit, { client, value: number })
    within(names, `${name} last`).set(unit, { client, value: number })
  }
  return [...names].map(([name, units]) => {
    const list = [...units.values()]
    return { name, ...excess(list) }
  })
}

function within<Value>(map: Map<string, Map<string, Value>>, name: string): Map<string, Value> {
  const inner = map.get(name) ?? new Map<string, Value>()
  map.set(name, inner)
  return inner
}

function excess(units: readonly { readonly client: number; readonly value: number }[]) {
  const clients = units.map(({ client }) => client)
  const numbers = new Map<number, number>()
  for (const { value } of units) if (!numbers.has(value)) numbers.set(value, numbers.size)
  const values = units.map(({ value }) => numbers.get(value) ?? 0)
  return createComparison(clients)(values, numbers.size)
}

/** What the same units of clients are compared by, again and again. @param values - numbered from 0 below `kinds` */
export type Comparison = (values: ArrayLike<number>, kinds: number) => Omit<Agreement, 'name'>

/**
 * How far agreement within clients is above what it is on average, and how many standard deviations that is, over all ways to deal the same values to the same units. Exact: of pairs of units that agree
 * (a graph of cliques) and pairs of one client (another), laid upon each other at random, mean and variance of the common ones follow from the numbers of edges and of pairs of edges with a common end.
 */
export function createComparison(clients: readonly number[]): Comparison {
  const n = clients.length
  const byClient = countsOf(clients, Math.max(0, ...clients) + 1)
  const [edges, paths] = [pairsOf(byClient), pathsOf(byClient)]
  const all = (n * (n - 1)) / 2
  const allPaths = all * (n - 2)
  const allApart = (all * (all - 1)) / 2 - allPaths
  const apart = (edges * (edges - 1)) / 2 - paths
  return (values, kinds) => {
    const byValue = countsOf(values, kinds)
    const edges2 = pairsOf(byValue)
    // What all say alike, or each differently, agrees within clients as often as between them, or never.
    if (n < 4 || edges === 0 || edges2 === 0 || edges2 === all) return { pairs: 0, sigmas: 0 }
    const paths2 = pathsOf(byValue)
    const apart2 = (edges2 * (edges2 - 1)) / 2 - paths2
    const mean = (edges * edges2) / all
    const products = (2 * paths * paths2) / allPaths + (2 * apart * apart2) / allApart
    const variance = mean + products - mean ** 2
    const pairs = pairsThatAgree(clients, values, kinds, byClient.length) - mean
    return { pairs, sigmas: variance <= 0 ? 0 : pairs / Math.sqrt(variance) }
  }
}

function countsOf(values: ArrayLike<number>, kinds: number): Int32Array {
  const counts = new Int32Array(kinds)
  for (let i = 0; i < values.length; i++) {
    const value = values[i] ?? 0
    counts[value] = (counts[value] ?? 0) + 1
  }
  return counts
}

function pairsOf(counts: Int32Array): number {
  let sum = 0
  for (const count of counts) sum += (count * (count - 1)) / 2
  return sum
}

/** Pairs of edges with a common end. */
function pathsOf(counts: Int32Array): number {
  let sum = 0
  for (const count of counts) sum += (count * (count - 1) * (count - 2)) / 2
  return sum
}

function pairsThatAgree(
  clients: readonly number[],
  values: ArrayLike<number>,
  kinds: number,
  owners: number,
): number {
  const counts = new Int32Array(owners * kinds)
  let pairs = 0
  for (let i = 0; i < clients.length; i++) {
    const place = (clients[i] ?? 0) * kinds + (values[i] ?? 0)
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
