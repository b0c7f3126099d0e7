/** How far the agreement of values within clients is above chance. Exact, over all ways to deal the same values to the same units. */
/** How far the agreement of a number within clients is above what it is when units are dealt to clients at random: in pairs of units, and in standard deviations. */
export type Agreement = { readonly name: string; readonly pairs: number; readonly sigmas: number }

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
  const parts = [...places.values()].map((own) => {
    return { own, excess: createExcess(own.map((i) => clients[i] ?? 0)) }
  })
  return (values, kinds) => {
    let [pairs, variance] = [0, 0]
    for (const { own, excess } of parts) {
      const part = excess(parts.length === 1 ? values : own.map((i) => values[i] ?? 0), kinds)
      pairs += part.pairs
      variance += part.variance
    }
    return { pairs, sigmas: variance <= 0 ? 0 : pairs / Math.sqrt(variance) }
  }
}

type Excess = { readonly pairs: number; readonly variance: number }

function createExcess(
  clients: readonly number[],
): (values: ArrayLike<number>, kinds: number) => Excess {
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
    if (n < 4 || edges === 0 || edges2 === 0 || edges2 === all) return { pairs: 0, variance: 0 }
    const paths2 = pathsOf(byValue)
    const apart2 = (edges2 * (edges2 - 1)) / 2 - paths2
    const mean = (edges * edges2) / all
    const products = (2 * paths * paths2) / allPaths + (2 * apart * apart2) / allApart
    const variance = Math.max(0, mean + products - mean ** 2)
    return { pairs: pairsThatAgree(clients, values, kinds, byClient.length) - mean, variance }
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
