/**
 * What the exit has open, by the address that was judged, so that it can be judged again: an own network that moves (a new prefix, a
 * public address that was just learned) takes connections into it away.
 */
import {
  type IpAddress,
  isAllowTarget,
  ownNetworkReason,
  type PolicyContext,
} from '@byway/protocol/policy'

/** The open connections and datagram peers of an exit; the exit's limits bound their number. */
export interface OpenPins {
  /** Notes one; call what is returned when it is closed. */
  add(address: IpAddress, port: number, cut: () => void): () => void
  /** Cuts all that lead into the own network as it is now; returns how many. */
  cutInto(context: PolicyContext): number
}

/** Says whether an address that was judged once leads into the own network by now. */
export function leadsHome(address: IpAddress, port: number, context: PolicyContext): boolean {
  return !isAllowTarget(address, port, context) && ownNetworkReason(address, context) !== undefined
}

/** Creates an empty record. */
export function createOpenPins(): OpenPins {
  type Pin = { readonly address: IpAddress; readonly port: number; readonly cut: () => void }
  const pins = new Set<Pin>()
  return {
    add(address, port, cut) {
      const pin = { address, port, cut }
      pins.add(pin)
      return () => void pins.delete(pin)
    },
    cutInto(context) {
      const lost = [...pins].filter(({ address, port }) => leadsHome(address, port, context))
      for (const { cut } of lost) cut()
      return lost.length
    },
  }
}
