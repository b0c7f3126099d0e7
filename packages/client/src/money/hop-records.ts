/** What each hop has served and what it kept for nothing, over all its links and tunnels of this run: how far ahead it is paid (SPEC §15.3). */
import type { NodeKey } from '@byway/protocol/directory'
import type { HopRecord } from '@byway/protocol/payment'

/** By hop. */
export interface HopRecords {
  /** The hop's record, shared by all who ask for it. */
  of(hop: NodeKey): HopRecord
}

// Local limit (tunable): docs/LIMITS.md.
/** Hops whose records are kept; the one that nobody asked for the longest goes first. A client uses some dozens. */
const MAX_HOPS = 4096

/** Creates empty records. */
export function createHopRecords(maxHops: number = MAX_HOPS): HopRecords {
  const records = new Map<NodeKey, HopRecord>()
  return {
    of(hop) {
      const record = records.get(hop) ?? { servedBytes: 0, lostBytes: 0 }
      records.delete(hop)
      records.set(hop, record)
      const [oldest] = records.keys()
      if (records.size > maxHops && oldest !== undefined) records.delete(oldest)
      return record
    },
  }
}
