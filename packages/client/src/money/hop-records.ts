/** What each hop has served and what it kept or turned down for nothing, over all its links, tunnels and visits of this run: how far ahead it is paid, and how much it is believed (SPEC §15.3). */
import type { NodeKey } from '@byway/protocol/directory'
import type { HopRecord } from '@byway/protocol/payment'

type HopFacts = HopRecord & {
  /** Of tickets that it did not turn down. */
  paidUnits: number
  /** Of tickets that it has turned down: it could redeem them all the same. */
  refusedUnits: number
}

/** By hop. */
export interface HopRecords {
  /** The hop's record, shared by all who ask for it. */
  of(hop: NodeKey): HopRecord
  /** Tickets over so many units went to it; fewer than none where they count no more. */
  onPaid(hop: NodeKey, units: number): void
  /** It turns down a ticket over so many units; false when it has turned down more than it is believed. */
  mayRefuse(hop: NodeKey, units: number): boolean
}

// Local limit (tunable): docs/LIMITS.md.
/** Hops whose records are kept; the one that nobody asked for the longest goes first. A client uses some dozens. */
const MAX_HOPS = 4096

/** Units of tickets that a hop may turn down in a run, on whichever carriers: two of the largest, and a part of what it has taken. */
const MAX_REFUSED_UNITS = 128
const PAID_PARTS = 16

const FRESH: HopFacts = { servedBytes: 0, lostBytes: 0, paidUnits: 0, refusedUnits: 0 }

/** Creates empty records. */
export function createHopRecords(maxHops: number = MAX_HOPS): HopRecords {
  const records = new Map<NodeKey, HopFacts>()
  const of = (hop: NodeKey): HopFacts => {
    const record = records.get(hop) ?? { ...FRESH }
    records.delete(hop)
    records.set(hop, record)
    const [oldest] = records.keys()
    if (records.size > maxHops && oldest !== undefined) records.delete(oldest)
    return record
  }
  return {
    of,
    onPaid(hop, units) {
      of(hop).paidUnits += units
    },
    mayRefuse(hop, units) {
      const record = of(hop)
      record.refusedUnits += units
      return record.refusedUnits <= MAX_REFUSED_UNITS + record.paidUnits / PAID_PARTS
    },
  }
}
