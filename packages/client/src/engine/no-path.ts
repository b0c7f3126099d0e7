/** Why there is no path for a request, as far as whoever asked can do something about it. */
import { exitsFor, takesClass } from '@byway/protocol/directory'
import type { NodeKey, PathNodeSet, PathRule } from '@byway/protocol/directory'
import type { TrafficClass } from '@byway/protocol/wire'
import type { CircuitNeed } from './circuit-need.ts'
import { clientError } from './errors.ts'
import type { ClientError } from './errors.ts'

/** True for an exit that asks for more than this client pays, for traffic of a class. */
export type IsTooDear = (key: NodeKey, trafficClass: TrafficClass | undefined) => boolean

/** Where it looks. */
export type NoPathWorld = {
  readonly set: PathNodeSet
  readonly isTooDear: IsTooDear | undefined
  readonly nowMs: number
}

/** The error for the rule that left no path: EXIT_CLASS and EXIT_PRICE where that is all that is missing, else NO_PATH. */
export function noPathError(
  rule: PathRule,
  need: CircuitNeed,
  { set, isTooDear, nowMs }: NoPathWorld,
): ClientError {
  const { trafficClass } = need
  const nodes = set.list(nowMs)
  if (rule === 'EXIT_CLASS' && trafficClass) {
    const exits = nodes.filter((node) => takesClass(node, trafficClass)).length
    return clientError('EXIT_CLASS', { trafficClass, exits })
  }
  if (rule === 'EXIT_WEIGHT' && isTooDear) {
    const fitting = exitsFor(nodes, need, set.extraPorts)
    const dear =
      'nodes' in fitting ? fitting.nodes.map(({ key }) => isTooDear(key, trafficClass)) : []
    if (dear.length > 0 && !dear.includes(false))
      return clientError('EXIT_PRICE', { exits: dear.length })
  }
  return clientError('NO_PATH', { rule })
}
