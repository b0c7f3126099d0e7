/** The origin's end of one leg of a tunnel: a circuit whose cells are counted where its hops are paid. @module */
import { createOriginLayers, createOriginLeg, type Leg } from '@byway/protocol/circuit'
import type { CryptoProvider } from '@byway/protocol/crypto'
import { CLOSE_REASON } from '@byway/protocol/wire'
import { createLegLink } from '@byway/net'
import type { ReadyCircuit } from './circuit-source.ts'
import { circuitError } from './errors.ts'

export type TunnelLegDeps = {
  readonly provider: CryptoProvider
  readonly randomBytes: (count: number) => Uint8Array
  /** Told the bytes of each cell that is sent; none where nothing is paid. */
  readonly onSent?: ((bytes: number) => void) | undefined
  /** The queue has room again. */
  readonly onRoom: () => void
}

/** Creates the leg. @throws CIRCUIT_FAILED for a circuit without hops, which is a bug */
export function createTunnelLeg(
  { hops, entryLayer, link, queue }: ReadyCircuit['circuit'],
  { provider, randomBytes, onSent, onRoom }: TunnelLegDeps,
): Leg {
  const last = hops.at(-1)
  if (!last) throw circuitError(CLOSE_REASON.INTERNAL)
  const pushCounted = (cell: Uint8Array): void => {
    onSent?.(cell.length)
    link.push(queue, cell)
  }
  return createOriginLeg(createOriginLayers({ provider, hops, entryLayer }), {
    handshakeHash: last.handshakeHash,
    tunnelSecret: last.keys.tunnelSecret,
    link: createLegLink({ link, queue, push: onSent && pushCounted, onRoom }),
    randomBytes,
  })
}
