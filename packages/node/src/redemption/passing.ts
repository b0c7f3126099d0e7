/** Which errors pass by themselves: nothing is lost by them, and a later look does the same again. */
import { isBywayError } from '@byway/protocol/base'

/** Of other kinds than `chain`: no coin for gas, as many transactions under way as may be, a signer that signs nothing now, a disk without room, or that is behind. */
const OURS: ReadonlySet<string> = new Set([
  'CHAIN_NO_COIN',
  'CHAIN_LANE_FULL',
  'CHAIN_UNSIGNED',
  'STORE_FULL',
  'STORE_BUSY',
])

/** The chain cannot be asked now. An endpoint that came up while the node ran and serves another chain is as good as away. */
const AWAY: ReadonlySet<string> = new Set([
  'CHAIN_UNREACHABLE',
  'CHAIN_DISAGREE',
  'CHAIN_WRONG_CHAIN',
])

/** True where nobody says what the chain is like now. */
export function isChainAway(error: unknown): boolean {
  return isBywayError(error) && AWAY.has(error.code)
}

/** True where a node goes on and looks again; everything else is a bug, a wrong setting, or a disk that fails. */
export function isPassing(error: unknown): boolean {
  if (!isBywayError(error)) return false
  return error.kind === 'chain' || OURS.has(error.code) || AWAY.has(error.code)
}
