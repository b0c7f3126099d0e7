/**
 * What hops and the chain saw, and whether any of it links what must not be linked. An observation belongs to a *unit*: all that one observer may know to be of one client, such as a slot at
 * its hop, or one circuit at one hop. A link is a value that two units of one client have in common and no other client has, or one that agrees within clients more often than between them.
 */
import { type Agreement, compareRelated, type Comparison, createComparison } from './comparison.ts'

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

/** Values of bytes that only one client has, in several of its units: whole ones, every eight bytes from the beginning, and the last eight. What several clients have is looked for by `agreements`, one field at a time. */
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

/** What `agreements` compares. */
export type Compared = {
  /** Of a unit: what its observer knows of it in any case. Only units that have it in common are compared. */
  readonly cohortOf?: ((unit: string) => string) | undefined
  /** Names of fields. @default all */
  readonly isCompared?: ((name: string) => boolean) | undefined
}

/** Compares what each unit has of each field, its first and its last: whole values, of any length, and byte by byte where the field is one of a payment message or of the chain. */
export function agreements(
  all: readonly Observation[],
  { cohortOf, isCompared }: Compared = {},
): readonly Agreement[] {
  const columns = new Map<string, Columns>()
  for (const one of all) {
    if (isCompared?.(one.name) === false) continue
    const column = columns.get(one.name) ?? { first: new Map(), last: new Map() }
    columns.set(one.name, column)
    if (column.first.has(one.unit)) column.last.set(one.unit, one)
    else column.first.set(one.unit, one)
  }
  return [...columns].flatMap(([name, { first, last }]) => [
    ...agreementsIn(`${name} first`, [...first.values()], cohortOf),
    // The last of a unit that has but one is that one.
    ...(last.size > 0
      ? agreementsIn(`${name} last`, [...new Map([...first, ...last]).values()], cohortOf)
      : []),
  ])
}

/**
 * How far one unit's last number goes on in another's first within clients more often than between them. What a hop counts over all units of a client joins them, though no two are alike.
 *
 * @param goesOn - whether a first number goes on from a last one
 * @param hopOf - of a unit: the units of one hop alone are compared
 */
export function successions(
  all: readonly Observation[],
  name: string,
  goesOn: (last: number, first: number) => boolean,
  hopOf: (unit: string) => string,
): Agreement {
  const numbers = new Map<string, { client: number; first: number; last: number }>()
  for (const one of all) {
    if (one.name !== name || typeof one.value !== 'number') continue
    const first = numbers.get(one.unit)?.first ?? one.value
    numbers.set(one.unit, { client: one.client, first, last: one.value })
  }
  const units = [...numbers].map(([unit, ends]) => ({ ...ends, hop: hopOf(unit) }))
  const relates = (i: number, j: number): boolean => {
    const [before, after] = [units[i], units[j]]
    if (!before || !after || before.hop !== after.hop) return false
    return goesOn(before.last, after.first)
  }
  const clients = units.map(({ client }) => client)
  return { name: `${name} goes on`, ...compareRelated(clients, relates) }
}

type Columns = {
  readonly first: Map<string, Observation>
  readonly last: Map<string, Observation>
}

/** What a tunnel carries, and a chain answers, is compared byte by byte as cells are (cell-book.ts). */
const isByBytes = (name: string): boolean => !/^(circuit\.(?!pay\.)|asking\.)/.test(name)

function agreementsIn(
  name: string,
  list: readonly Observation[],
  cohortOf: Compared['cohortOf'],
): readonly Agreement[] {
  const found = [{ name, ...compareBy(list, cohortOf)(...numbered(list)) }]
  if (!isByBytes(name)) return found
  const byLength = new Map<number, Observation[]>()
  for (const one of list) {
    if (typeof one.value === 'number') continue
    const { length } = one.value
    const alike = byLength.get(length)
    if (alike) alike.push(one)
    else byLength.set(length, [one])
  }
  for (const [length, alike] of byLength) {
    const compare = compareBy(alike, cohortOf)
    for (let at = 0; at < length; at++) {
      const bytes = alike.map(({ value }) => (typeof value === 'number' ? 0 : (value[at] ?? 0)))
      found.push({ name: `${name} of ${length}, byte ${at}`, ...compare(bytes, 256) })
    }
  }
  return found
}

function compareBy(list: readonly Observation[], cohortOf: Compared['cohortOf']): Comparison {
  const cohorts = cohortOf ? list.map(({ unit }) => cohortOf(unit)) : []
  return createComparison(
    list.map(({ client }) => client),
    cohorts,
  )
}

/** Values by a number for each that is not like one before, and how many there are. */
function numbered(list: readonly Observation[]): readonly [readonly number[], number] {
  const numbers = new Map<number | string, number>()
  const values = list.map(({ value }) => {
    const key = typeof value === 'number' ? value : Buffer.from(value).toString('latin1')
    const number = numbers.get(key) ?? numbers.size
    numbers.set(key, number)
    return number
  })
  return [values, numbers.size]
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
