/** Work that waits for a lane's transactions. */
import { keepLooking, type TransactionLane } from '@byway/chain'

// Local limit (tunable): docs/LIMITS.md. Somebody waits for a network to start.
const LOOK_MS = 10

/** Does some work while the lane looks at the chain. @throws what the work throws, and what ends the looking */
export async function looking<Value>(
  lane: TransactionLane,
  work: (ended: AbortSignal) => Promise<Value>,
  everyMs: number = LOOK_MS,
): Promise<Value> {
  const stop = new AbortController()
  const lost = new AbortController()
  const watch = keepLooking(lane, { everyMs, signal: stop.signal })
  watch.catch((error: unknown) => lost.abort(error))
  try {
    return await work(lost.signal)
  } finally {
    stop.abort()
    await watch.catch(() => {})
  }
}
