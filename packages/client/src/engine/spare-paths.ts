/**
 * Where tunnels would go if a relay of theirs died (DESIGN §5): a path to the same exit around it, chosen ahead, so that its hops can be paid by then. Nothing is built
 * on it; the tunnel that moves chooses anew, among hops that can be paid.
 * @module
 */
import type { PathNode } from '@byway/protocol/directory'
import type { PathPlanner } from './circuit-source.ts'

// Local limit (tunable): docs/LIMITS.md.
/** A spare path is chosen anew after so long: its hops may be gone or have stopped selling. Those that can be paid are preferred, so it seldom changes. */
const REPLAN_MS = 60_000

/** What has a path, entry first, that changes as it moves. */
export type Traveller = { readonly path: readonly PathNode[] }

/** Keeps a spare path for each. */
export interface SparePaths {
  /** The spare paths of these, for those that have a relay between entry and exit. */
  of(travellers: readonly Traveller[]): readonly (readonly PathNode[])[]
}

/** Creates a keeper without paths. */
export function createSparePaths(deps: {
  readonly planner: PathPlanner
  /** Monotonic milliseconds. */
  readonly nowMs: () => number
}): SparePaths {
  const plans = new WeakMap<Traveller, Plan>()

  function planFor({ path }: Traveller): Plan {
    const [, middle, exit] = path
    const excludeNodes = middle && new Set([middle.key])
    const need = { exit: exit?.key, hops: 3, excludeNodes } as const
    // Among those that can be paid already, or else whoever can be soon.
    return { around: path, spare: deps.planner.plan(need), atMs: deps.nowMs() }
  }

  function spareOf(traveller: Traveller): readonly PathNode[] | undefined {
    if (traveller.path.length !== 3) return undefined
    const known = plans.get(traveller)
    const isFresh = known?.around === traveller.path && deps.nowMs() - known.atMs < REPLAN_MS
    const plan = isFresh ? known : planFor(traveller)
    plans.set(traveller, plan)
    return plan.spare
  }

  return { of: (travellers) => travellers.map(spareOf).filter((path) => path !== undefined) }
}

type Plan = {
  /** The path around which it goes. */
  readonly around: readonly PathNode[]
  readonly spare: readonly PathNode[] | undefined
  readonly atMs: number
}
