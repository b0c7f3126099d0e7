/** UDP sockets on the loopback that exits may write to. */
import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { mayBeTargetPort } from '@byway/testnet'

/** Binds one at a port that the system chooses and exits open. */
export async function bindAsTarget(): Promise<Socket> {
  for (;;) {
    const socket = createSocket('udp4')
    socket.bind(0, '127.0.0.1')
    await once(socket, 'listening')
    if (mayBeTargetPort(socket.address().port)) return socket
    socket.close()
  }
}
