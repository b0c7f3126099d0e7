/**
 * The client's visits to hops on control circuits, put together: what is paid there and not used stays theirs between visits, and each circuit waits for its last receipt.
 * What is said on one is visit.ts's.
 * @module
 */
import type { CryptoProvider } from '@byway/protocol/crypto'
import type { PathNode } from '@byway/protocol/directory'
import type { TokenOrder } from '@byway/protocol/payment'
import type { CircuitSource } from '../engine/circuit-source.ts'
import { createControlCircuit } from './control-circuit.ts'
import type { ControlCarrier } from './control-circuit.ts'
import type { HopAccount } from './hop-account.ts'
import { visitHop } from './visit.ts'
import type { VisitDeps } from './visit.ts'

export type VisitsDeps = Omit<VisitDeps, 'open' | 'accounts' | 'onLeaving' | 'onStocked'> & {
  readonly provider: CryptoProvider
  readonly source: CircuitSource
}

/** Visits hops. */
export interface Visits {
  /** Opens a control circuit to a hop. @throws what building throws, or the signal's reason */
  open(hop: PathNode, signal: AbortSignal): Promise<ControlCarrier>
  /** Buys at a hop, and tells each time when there is more. @throws what `visitHop` throws */
  visit(
    hop: PathNode,
    orders: readonly TokenOrder[],
    onStocked: () => void,
    signal: AbortSignal,
  ): Promise<void>
  /** Resolves when the last receipts of all visits are held, or will not be. */
  left(): Promise<void>
}

/** Creates them: none is under way. */
export function createVisits(deps: VisitsDeps): Visits {
  const accounts = new Map<string, HopAccount>()
  const leaving = new Set<Promise<void>>()

  async function open(hop: PathNode, signal: AbortSignal): Promise<ControlCarrier> {
    const ready = await deps.source.build({ controlled: hop.key }, signal)
    return createControlCircuit(deps, ready.circuit)
  }

  async function noteLeaving(left: Promise<void>): Promise<void> {
    leaving.add(left)
    await left
    leaving.delete(left)
  }

  const all = {
    ...deps,
    open,
    accounts,
    onLeaving: (left: Promise<void>) => void noteLeaving(left),
  }
  return {
    open,
    visit: (hop, orders, onStocked, signal) => visitHop({ ...all, onStocked }, hop, orders, signal),
    async left() {
      await Promise.all(leaving)
    },
  }
}
