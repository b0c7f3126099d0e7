/**
 * Chooses the hops of a circuit (SPEC §10.3): entry by guard, exit by weight, and between them a relay where one
 * is needed or asked for. Pure and deterministic given its randomness. Which guards there are is guards.ts, how nodes are
 * weighed weights.ts.
 * @module
 */
import { exitsFor, type ExitRequest, type ExitRule } from './exit-rules.ts'
import type { NodeKey } from './node-key.ts'
import { mayShareCircuit, type PathNode, type PathNodeSet } from './path-node.ts'
import { type Moment, NO_MOMENT, placeWeights } from './place-shares.ts'
import { drawWeighted, type UnitRandom } from './weighted-choice.ts'

export type PathRequest = ExitRequest & {
  /**
   * As few hops as the exit allows (2 for a public exit, 3 behind an attachment), or 3 in any case. 1 is for benches,
   * hides nothing, and needs `unsafeSingleHop`.
   *
   * @default 2
   */
  readonly hops?: 1 | 2 | 3 | undefined
  /** Nodes to leave out of every place, such as one that has just failed. */
  readonly excludeNodes?: ReadonlySet<NodeKey> | undefined
}

export type PathInput = {
  readonly set: PathNodeSet
  /** Entries that may be used now, preferred first; see `Guards.entries`. */
  readonly guards: readonly NodeKey[]
  readonly request: PathRequest
  /** Weight of a node as exit or as middle, before the share of its groups among those drawn from (SPEC §10.3); one that is not positive is never chosen. */
  readonly weightOf: (key: NodeKey, isExit: boolean) => number
  /** What holds of it for a while, on top of shares. @default nothing */
  readonly momentOf?: ((key: NodeKey, isExit: boolean) => Moment) | undefined
  readonly random: UnitRandom
  readonly nowMs: number
  /** False where the first is known not to reach the second: no path has them one after the other, nor as guard and exit. @default all reach all */
  readonly mayReach?: ((from: NodeKey, to: NodeKey) => boolean) | undefined
  /** The operator's own nodes: never a hop. */
  readonly ownNodes?: ReadonlySet<NodeKey> | undefined
  /** Lets `hops: 1` through. Benches only. @default false */
  readonly unsafeSingleHop?: boolean | undefined
}

/** The rule that left nothing: one before any exit was tried, or else that which the last exit tried did not meet. */
export type PathRule =
  | ExitRule
  /** Every exit that fits weighs nothing. */
  | 'EXIT_WEIGHT'
  /** `hops: 1` without the switch, or with an exit that has no address. */
  | 'SINGLE_HOP'
  /** No guard is usable and listed. */
  | 'GUARD'
  /** The exit names no attachment that is listed and weighted. */
  | 'ATTACHMENT'
  /** No relay to put in the middle. */
  | 'MIDDLE'
  /** Prefix, ASN, family or staker are shared by every combination, or the one does not reach the other. */
  | 'SEPARATION'

export type PathResult =
  /** Entry first, exit last. */
  | { readonly result: 'path'; readonly hops: readonly PathNode[] }
  | { readonly result: 'none'; readonly reason: 'NO_PATH'; readonly rule: PathRule }

/** Chooses a path, or says which rule left none. */
export function choosePath(input: PathInput): PathResult {
  const { set, request, random, nowMs } = input
  const nodes = set.list(nowMs).filter((node) => isUsable(node, input))
  const exits = exitsFor(nodes, request, set.extraPorts)
  if ('rule' in exits) return none(exits.rule)
  const plan = request.hops === 1 ? planSingleHop(input) : planGuarded(input, nodes)
  if (typeof plan === 'string') return none(plan)
  let rule: PathRule = 'EXIT_WEIGHT'
  const weigh = weighPlace(input, exits.nodes, true)
  for (const exit of drawWeighted(exits.nodes, weigh, random)) {
    const outcome = plan(exit)
    if (typeof outcome !== 'string') return { result: 'path', hops: outcome }
    rule = outcome
  }
  return none(rule)
}

function weighPlace(
  { set, weightOf, momentOf = () => NO_MOMENT }: PathInput,
  nodes: readonly PathNode[],
  isExit: boolean,
): (node: Pick<PathNode, 'key'>) => number {
  return placeWeights(
    set,
    nodes,
    (key) => weightOf(key, isExit),
    (key) => momentOf(key, isExit),
  )
}

/** Finishes a path to one exit, or says which rule forbids it. */
type Plan = (exit: PathNode) => readonly PathNode[] | PathRule

function planSingleHop({ unsafeSingleHop }: PathInput): Plan | PathRule {
  if (unsafeSingleHop !== true) return 'SINGLE_HOP'
  return (exit) => (exit.isPublic ? [exit] : 'SINGLE_HOP')
}

function planGuarded(input: PathInput, nodes: readonly PathNode[]): Plan | PathRule {
  const guards = openRelaysOf(input.guards, input)
  if (guards.length === 0) return 'GUARD'
  return (exit) => {
    if (exit.isPublic && input.request.hops !== 3) return planTwoHops(input, guards, exit)
    const relays = nodes.filter(isOpenRelay)
    // Of attachments too each weighs what it does among all relays: who is named has no more of them.
    const weigh = weighPlace(input, relays, false)
    const middles = exit.isPublic ? relays : openRelaysOf(exit.attachments, input)
    return planThreeHops(input, guards, { nodes: middles, weigh }, exit)
  }
}

function planTwoHops(
  input: PathInput,
  guards: readonly PathNode[],
  exit: PathNode,
): readonly PathNode[] | PathRule {
  const guard = guards.find((candidate) => fit(candidate, exit, input))
  return guard ? [guard, exit] : 'SEPARATION'
}

/** Draws the middle until one is apart from both ends: the same chances as a draw from those that are. */
function planThreeHops(
  input: PathInput,
  guards: readonly PathNode[],
  middles: { readonly nodes: readonly PathNode[]; readonly weigh: (node: PathNode) => number },
  exit: PathNode,
): readonly PathNode[] | PathRule {
  const weigh = (node: PathNode): number => (node.key === exit.key ? 0 : middles.weigh(node))
  let rule: PathRule = exit.isPublic ? 'MIDDLE' : 'ATTACHMENT'
  for (const guard of guards) {
    if (!fit(guard, exit, input)) {
      rule = 'SEPARATION'
      continue
    }
    for (const middle of drawWeighted(middles.nodes, weigh, input.random)) {
      if (fit(guard, middle, input) && fit(middle, exit, input)) {
        return [guard, middle, exit]
      }
      rule = 'SEPARATION'
    }
  }
  return rule
}

/** True when the second may come after the first on one path. */
function fit(from: PathNode, to: PathNode, { mayReach }: PathInput): boolean {
  return mayShareCircuit(from, to) && mayReach?.(from.key, to.key) !== false
}

/** Looks up keys, in their order, and keeps those of relays that can be dialled and used. */
function openRelaysOf(keys: readonly NodeKey[], input: PathInput): readonly PathNode[] {
  return keys
    .flatMap((key) => input.set.get(key) ?? [])
    .filter((node) => isOpenRelay(node) && isUsable(node, input))
}

function isUsable({ key, entry }: PathNode, { nowMs, ownNodes, request }: PathInput): boolean {
  const isExpired = entry.descriptor.expiresS * 1000 <= nowMs
  return !isExpired && !ownNodes?.has(key) && !request.excludeNodes?.has(key)
}

/** A relay that a client or another node can dial. */
function isOpenRelay({ isRelay, isPublic }: PathNode): boolean {
  return isRelay && isPublic
}

function none(rule: PathRule): PathResult {
  return { result: 'none', reason: 'NO_PATH', rule }
}
