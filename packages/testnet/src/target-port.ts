/**
 * Ports for origins that exits are to reach. Exits never open some ports, not even where the network file names them (SPEC §11), and the system gives some of these out as free
 * ones: on Linux 37215, 37810 and 52869, one time in nine thousand.
 */
import { once } from 'node:events'
import type { AddressInfo, Server } from 'node:net'
import { judgePortNumber } from '@byway/protocol/policy'

/** True for a port that an exit opens when the network file names it. */
export function mayBeTargetPort(port: number): boolean {
  return judgePortNumber(port) === undefined
}

/** Has a server listen at a port that the system chooses and exits open, and gives the port. Rejects with the system's error. */
export async function listenAsTarget(server: Server, host = '127.0.0.1'): Promise<number> {
  for (;;) {
    server.listen({ host, port: 0 })
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    if (mayBeTargetPort(port)) return port
    const closed = once(server, 'close')
    server.close()
    await closed
  }
}
