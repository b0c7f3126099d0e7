/** A door that is far away: what goes in or out arrives so much later, in order. Bytes are not looked at. */
import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'

export interface FarDoor extends AsyncDisposable {
  readonly port: number
  /** Where it leads from now on. */
  leadTo(target: { readonly host: string; readonly port: number }): void
}

/** Opens one that leads nowhere yet. @param oneWayMs - of each byte, either way */
export async function openFarDoor(host: string, oneWayMs: number): Promise<FarDoor> {
  const sockets = new Set<Socket>()
  const target = Promise.withResolvers<{ host: string; port: number }>()
  const keep = (socket: Socket): Socket => {
    sockets.add(socket)
    return socket.on('error', () => socket.destroy()).on('close', () => sockets.delete(socket))
  }
  const join = async (near: Socket): Promise<void> => {
    const far = keep(connect({ ...(await target.promise), noDelay: true }))
    carry(near, far, oneWayMs)
    carry(far, near, oneWayMs)
  }
  const server = createServer((near) => void join(keep(near)))
  server.listen({ host, port: 0 })
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    leadTo: ({ host: to, port }) => target.resolve({ host: to, port }),
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close')
      server.close()
      for (const socket of sockets) socket.destroy()
      await closed
    },
  }
}

/** Timers of one length run in the order in which they were set. */
function carry(from: Socket, to: Socket, oneWayMs: number): void {
  from.on('data', (bytes: Buffer) => void delay(oneWayMs).then(() => to.write(bytes)))
  from.on('close', () => void delay(oneWayMs).then(() => to.destroy()))
}
