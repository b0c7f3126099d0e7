/**
 * A node's directory, as its own process: a set of real descriptors, and then mutated ones that it must refuse. What it is told, in a line of JSON as its argument: of how many nodes the set is.
 */
import { emptySet, spoil, syntheticSet } from '../../packages/net/bench/directory.bench.ts'
import { serve, tell } from './line-protocol.ts'

/** What it is told. */
export type JunkSettings = { readonly nodes: number }

const NOW_MS = 1_800_000_000_000
/** A step that no length of a descriptor divides: one that comes again is spoiled at another place. */
const STEP = 997
const { nodes } = JSON.parse(process.argv[2] ?? '{}') as JunkSettings
const all = syntheticSet(nodes)
const set = emptySet(nodes)
for (const bytes of all) set.offer(bytes, NOW_MS)

tell({ event: 'ready' })
serve(
  {
    status: () => ({ held: set.size }),
    /** Offers so many more, each another one, and says how many were refused. */
    offer: ({ from, count }) => {
      let refused = 0
      for (let number = Number(from); number < Number(from) + Number(count); number++) {
        const bytes = all[number % nodes]
        if (!bytes) continue
        const spoiled = spoil(bytes, number + STEP * Math.floor(number / nodes))
        refused += Number(set.offer(spoiled, NOW_MS).result === 'refused')
      }
      return { refused }
    },
    /** What is held when nothing is there any more that nobody needs. */
    collect: () => {
      globalThis.gc?.()
      const { heapUsed, external } = process.memoryUsage()
      return { heldBytes: heapUsed + external }
    },
  },
  () => Promise.resolve(),
)
