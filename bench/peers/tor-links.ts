/**
 * Idle links to a Tor relay as clients hold them (tor-spec §2 to §4): TLS, VERSIONS, and a NETINFO that leaves the
 * client unauthenticated. No circuit, no padding.
 */
import { once } from 'node:events'
import { connect, type TLSSocket } from 'node:tls'

import type { IdleLoad } from '../lib/system.ts'

/** Links are opened this many at a time. */
const BATCH = 50
const OPEN_TIMEOUT_MS = 20_000

/** VERSIONS: circuit id 0 in 2 bytes, command 7, 4 bytes of payload: versions 4 and 5. */
const VERSIONS_CELL = Buffer.from([0, 0, 7, 0, 4, 0, 4, 0, 5])

/** Opens `count` links to the relay at 127.0.0.1:`orPort` and keeps them open. */
export async function openTorLinks(orPort: number, count: number): Promise<IdleLoad> {
  const links: TLSSocket[] = []
  while (links.length < count) {
    const batch = Array.from({ length: Math.min(BATCH, count - links.length) }, () =>
      openLink(orPort),
    )
    links.push(...(await Promise.all(batch)))
  }
  return {
    close: () => {
      const lost = links.filter((link) => link.destroyed).length
      for (const link of links) link.destroy()
      return lost === 0
        ? Promise.resolve()
        : Promise.reject(new Error(`tor closed ${lost} of ${count} idle links`))
    },
  }
}

async function openLink(orPort: number): Promise<TLSSocket> {
  const socket = connect({ host: '127.0.0.1', port: orPort, rejectUnauthorized: false })
  const signal = AbortSignal.timeout(OPEN_TIMEOUT_MS)
  await once(socket, 'secureConnect', { signal })
  socket.on('error', () => socket.destroy())
  socket.write(VERSIONS_CELL)
  // The relay's VERSIONS, CERTS, AUTH_CHALLENGE and NETINFO: that it answers is enough here.
  await once(socket, 'data', { signal })
  socket.resume().write(netinfoCell())
  return socket
}

/** NETINFO: circuit id 0 in 4 bytes, command 8, 509 bytes: time 0 (untold), the relay's IPv4 address, no own address. */
function netinfoCell(): Buffer {
  const cell = Buffer.alloc(514)
  cell[4] = 8
  Buffer.from([4, 4, 127, 0, 0, 1, 0]).copy(cell, 9)
  return cell
}
