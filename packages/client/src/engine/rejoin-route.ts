/**
 * The way back to an exit when a tunnel's leg has died (SPEC §9.2): another circuit to the same exit, around what has just failed.
 * @module
 */
import { isBywayError } from '@byway/protocol/base'
import type { NodeKey } from '@byway/protocol/directory'
import type { Timers } from '../proxy/timers.ts'
import { delay } from './abort.ts'
import type { CircuitSource, ReadyCircuit } from './circuit-source.ts'
import type { ClientTunnelDriver } from './client-tunnel-driver.ts'

// Local limits (tunable): docs/LIMITS.md.
const DELAYS_MS = [0, 150, 400, 800, 1000] as const
/** Of so many tries one may take the relays of the leg that died: there may be no others, but one that is stopped costs the time of a whole build. */
const ROUND = 3
/** An exit that its neighbours cannot reach so often, or that shuts down, is gone. */
const MAX_UNREACHABLE = 4

/** The leg that died, and how. */
type DeadLeg = Pick<ClientTunnelDriver, 'path' | 'lastsMs' | 'silentLegs' | 'isLinkLost'>

/** Tries until there is one. @throws what the last try failed with when the exit is gone, or the signal's reason */
export async function rejoinRoute(
  dead: DeadLeg,
  source: CircuitSource,
  timers: Timers,
  signal: AbortSignal,
): Promise<ReadyCircuit> {
  const { path, lastsMs } = dead
  const exit = path.at(-1)?.key
  const hops = path.length === 1 ? 1 : path.length === 3 ? 3 : 2
  let unreachable = 0
  for (let attempt = 0; ; attempt++) {
    await delay(DELAYS_MS[attempt] ?? 1000, signal, timers)
    try {
      const excludeNodes = suspectsOf(dead, attempt)
      return await source.build({ exit, hops, excludeNodes, lastsMs }, signal)
    } catch (error) {
      signal.throwIfAborted()
      if (isExitUnreachable(error, path.length) && ++unreachable >= MAX_UNREACHABLE) throw error
    }
  }
}

/** Whom to leave out at this try, counted from 0. */
function suspectsOf(
  { path, silentLegs, isLinkLost }: DeadLeg,
  attempt: number,
): ReadonlySet<NodeKey> | undefined {
  const turn = attempt % ROUND
  // The entry is another only when the leg went silent: a circuit that failed beyond it is no reason (THREAT-MODEL T7).
  const isEntrySuspect = silentLegs > 0
  // A leg whose own link has closed says nothing against the relay, of which there are tokens.
  const isSuspected = attempt > 0 || !isLinkLost || isEntrySuspect
  if (!isSuspected || turn === ROUND - 1) return undefined
  const spared = turn === 0 && isEntrySuspect ? 0 : 1
  return new Set(path.slice(spared, -1).map(({ key }) => key))
}

function isExitUnreachable(error: unknown, hops: number): boolean {
  if (!isBywayError(error) || error.code !== 'CIRCUIT_FAILED') return false
  const { hop, reason } = error.context as { hop: number; reason: string }
  return hop === hops && (reason === 'CONNECT_FAILED' || reason === 'DRAINING')
}
