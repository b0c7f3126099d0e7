/** The home's router, as a node needs it. @module */
import type { SocketAddress } from '../socket-address.ts'

/** Where others find the port. */
export type PortMapping = SocketAddress & {
  readonly protocol: 'upnp' | 'nat-pmp' | 'pcp'
  /** When the router forgets it by itself. */
  readonly lifetimeS: number
}

/** Opens a port of the router for this host. */
export interface PortMap {
  /** Opens, or keeps open, one TCP port; nothing when no router does that. Never rejects. */
  open(port: number, signal: AbortSignal): Promise<PortMapping | undefined>
}
