/** What a circuit is wanted for. @module */
import type { PathRequest } from '@byway/protocol/directory'

/** What the last hop must offer, and who must not be on the path. */
export type CircuitNeed = PathRequest & {
  /** Nobody waits for it: hops that can be paid only in a while will do. */
  readonly isAhead?: boolean | undefined
  /** How long its streams last, where that is long: hops that are likely to stay are preferred. */
  readonly lastsMs?: number | undefined
}
