/** How far the agreement of values within clients is above chance. Exact, over all ways to deal the same values to the same units. */
/** How far the agreement of a number within clients is above what it is when units are dealt to clients at random: in pairs of units, as a part of all pairs of one client, and in standard deviations. */
export type Agreement = {
  readonly name: string
  readonly pairs: number
  readonly advantage: number
  readonly sigmas: number
}

/** What the same units of clients are compared by, again and again. @param values - numbered from 0 below `kinds` */
export type Comparison = (values: ArrayLike<number>, kinds: number) => Omit<Agreement, 'name'>

/**
 * How far agreement within clients is above what it is on average, and how many standard deviations that is, over all ways to deal the same values to the same units. Exact: of pairs of units that agree
 * (a graph of cliques) and pairs of one client (another), laid upon each other at random, mean and variance of the common ones follow from the numbers of edges and of pairs of edges with a common end.
 *
 * @param cohorts - of each unit, one for one: then values are dealt to the units of one cohort only, and only pairs of one cohort count. What whoever sees a unit knows of it in any case makes its cohort
 */
export function createComparison(
  clients: readonly number[],
  cohorts: readonly string[] = [],
): Comparison {
  const places = new Map<string, number[]>()
  for (const i of clients.keys()) {
    const cohort = cohorts[i] ?? ''
    const own = places.get(cohort)
    if (own) own.push(i)
    else places.set(cohort, [i])
  }
  const parts = [...places.values()]
    .map((own) => ({ own, excess: createExcess(own.map((i) => clients[i] ?? 0)) }))
    // Of one client alone, or each of another: nothing to compare.
    .filter(({ excess }) => excess !== undefined)
  return (values, kinds) => {
    let sum = NOTHING
    for (const { own, excess } of parts) {
      const isAll = own.length === values.length
      const part = excess?.(isAll ? values : own.map((i) => values[i] ?? 0), kinds) ?? NOTHING
      sum = {
        pairs: sum.pairs + part.pairs,
        variance: sum.variance + part.variance,
        ofOne: sum.ofOne + part.ofOne,
      }
    }
    return agreementOf(sum)
  }
}

/**
 * The same for what joins two units without being alike, such as a number that goes on from one to the next. @param relates - of two places among the clients; in this order or the other
 */
export function compareRelated(
  clients: readonly number[],
  relates: (one: number, other: number) => boolean,
): Omit<Agreement, 'name'> {
  const degrees = new Int32Array(clients.length)
  let [within, related] = [0, 0]
  for (const i of clients.keys())
    for (let j = 0; j < i; j++) {
      if (!relates(i, j) && !relates(j, i)) continue
      related++
      for (const at of [i, j]) degrees[at] = (degrees[at] ?? 0) + 1
      if (clients[i] === clients[j]) within++
    }
  const byClient = countsOf(clients, Math.max(0, ...clients) + 1)
  return agreementOf(
    excessOver(
      clients.length,
      graphOf(byClient),
      { edges: related, paths: pairsOf(degrees) },
      within,
    ),
  )
}

/** Over chance; and of how many pairs of one client. */
type Excess = { readonly pairs: number; readonly variance: number; readonly ofOne: number }
/** Pairs, and pairs of pairs with a common end. */
type Graph = { readonly edges: number; readonly paths: number }

const NOTHING: Excess = { pairs: 0, variance: 0, ofOne: 0 }

function agreementOf({ pairs, variance, ofOne }: Excess): Omit<Agreement, 'name'> {
  const sigmas = variance <= 0 ? 0 : pairs / Math.sqrt(variance)
  return { pairs, advantage: ofOne === 0 ? 0 : pairs / ofOne, sigmas }
}

function createExcess(
  clients: readonly number[],
): ((values: ArrayLike<number>, kinds: number) => Excess) | undefined {
  const n = clients.length
  const byClient = countsOf(clients, Math.max(0, ...clients) + 1)
  const ofOne = graphOf(byClient)
  if (n < 4 || ofOne.edges === 0 || ofOne.edges === (n * (n - 1)) / 2) return undefined
  return (values, kinds) => {
    const other = graphOf(countsOf(values, kinds))
    // What no two say alike needs no second look.
    const within = other.edges === 0 ? 0 : pairsThatAgree(clients, values, kinds, byClient.length)
    return excessOver(n, ofOne, other, within)
  }
}

/** How many pairs are in both graphs, beyond what they are when one is laid upon the other at random. */
function excessOver(n: number, one: Graph, other: Graph, within: number): Excess {
  const all = (n * (n - 1)) / 2
  const ofOne = one.edges
  // What all say alike, or each differently, agrees within clients as often as between them, or never.
  if (n < 4 || ofOne === 0 || other.edges === 0 || other.edges === all)
    return { pairs: 0, variance: 0, ofOne }
  const allPaths = all * (n - 2)
  const allApart = (all * (all - 1)) / 2 - allPaths
  const apart = ({ edges, paths }: Graph): number => (edges * (edges - 1)) / 2 - paths
  const mean = (ofOne * other.edges) / all
  const products =
    (2 * one.paths * other.paths) / allPaths + (2 * apart(one) * apart(other)) / allApart
  const variance = Math.max(0, mean + products - mean ** 2)
  return { pairs: within - mean, variance, ofOne }
}

function graphOf(counts: Int32Array): Graph {
  return { edges: pairsOf(counts), paths: pathsOf(counts) }
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
