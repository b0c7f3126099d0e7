/** Which slots the client is done with, so that what is left in them comes back by itself. @module */
import { nodeKeyOf } from '@byway/protocol/directory'
import type { SlotRecord } from '../money/ports.ts'
import type { ReturnOrder, SlotFact, SlotFacts } from './ports.ts'

/**
 * Orders for slots that their hops take no more. A full slot holds its bond alone: `isBondWorth` says whether that is more than what a relayer gets.
 */
export function ordersForOver(
  records: readonly SlotRecord[],
  facts: SlotFacts,
  isBondWorth: boolean,
): readonly ReturnOrder[] {
  const isOver = ({ nullifier, standing, hop }: SlotRecord): boolean => {
    if (standing === 'shown' || hop === NOBODY) return false
    if (standing === 'full' && !isBondWorth) return false
    return isFreeOrBound(facts.of(nullifier))
  }
  return records.filter(isOver).map(({ nullifier }) => ({ nullifier, kind: 'back' }))
}

/** Orders for all that was ever shown and has not come back. */
export function ordersForShown(
  records: readonly SlotRecord[],
  facts: SlotFacts,
): readonly ReturnOrder[] {
  const shown = records.map((record) => ({ ...record, standing: 'refused' }) as const)
  return ordersForOver(shown, facts, true)
}

/** Orders for slots that no record names (DESIGN §7.1): they count as shown, and nobody is paid with them. */
export function ordersForUnknown(
  nullifiers: readonly Uint8Array[],
  facts: SlotFacts,
): readonly ReturnOrder[] {
  return nullifiers
    .filter((nullifier) => isFreeOrBound(facts.of(nullifier)))
    .map((nullifier) => ({ nullifier, kind: 'back' }))
}

/** A slot whose lock runs waits for its end. */
function isFreeOrBound(fact: SlotFact | undefined): boolean {
  return fact?.state === 'none' || fact?.state === 'lapsed' || fact?.state === 'bound'
}

/** In the journal beside slots that were withdrawn: no hop was shown them. */
const NOBODY = nodeKeyOf(new Uint8Array(32))
