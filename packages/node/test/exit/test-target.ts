/** Targets on the loopback, and waiting for what they and the app see. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type Server, type Socket } from 'node:net'
import { listenAsTarget } from '@byway/testnet'

/** A TCP server on a port of the system's choice, closed with its sockets at the end of the scope. */
export type Target = {
  readonly port: number
  readonly sockets: readonly Socket[]
  /** How many sockets are open. */
  openCount(): number
  [Symbol.asyncDispose](): Promise<void>
}

export async function startTarget(
  onSocket: (socket: Socket) => void,
  pauseOnConnect = false,
): Promise<Target> {
  const sockets: Socket[] = []
  const server: Server = createServer({ allowHalfOpen: true, pauseOnConnect }, (socket) => {
    sockets.push(socket)
    socket.on('error', () => undefined)
    onSocket(socket)
  })
  const port = await listenAsTarget(server)
  return {
    port,
    sockets,
    openCount: () => sockets.filter((socket) => !socket.closed).length,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}

/** Ends a wait that would never end. */
const HANG_MS = 60_000

/** Waits, turn by turn, until something holds. */
export async function until(holds: () => boolean): Promise<void> {
  const deadline = performance.now() + HANG_MS
  while (!holds()) {
    assert.ok(performance.now() < deadline, 'waited for too long')
    await new Promise((resolve) => setTimeout(resolve, 1))
  }
}
