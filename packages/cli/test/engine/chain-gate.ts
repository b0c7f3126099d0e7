/** A gate before a chain: it counts who comes; while it is shut, whoever asks is refused, and what was open is cut. */
import { connect, createServer, type Server, type Socket } from 'node:net'
import type { TestContext } from 'node:test'

export type ChainGate = {
  readonly url: string
  /** How often somebody came through so far. */
  readonly connections: number
  shut(): Promise<void>
  open(): Promise<void>
}

/** Opens a gate to an endpoint on this machine; it keeps its port. */
export async function openGate(t: TestContext, endpoint: string): Promise<ChainGate> {
  const target = Number(new URL(endpoint).port)
  const sockets = new Set<Socket>()
  const follow = (socket: Socket): void => {
    sockets.add(socket)
    socket.on('error', () => socket.destroy()).on('close', () => sockets.delete(socket))
  }
  let connections = 0
  const server: Server = createServer((inner) => {
    connections++
    const outer = connect(target, '127.0.0.1')
    follow(inner)
    follow(outer)
    inner.pipe(outer).pipe(inner)
  })
  const listen = (port: number): Promise<void> =>
    new Promise((resolve, reject) => {
      server.once('error', reject).listen(port, '127.0.0.1', resolve)
    })
  const shut = async (): Promise<void> => {
    if (!server.listening) return
    const closed = new Promise((resolve) => server.close(resolve))
    for (const socket of sockets) socket.destroy()
    await closed
  }
  await listen(0)
  const address = server.address()
  const port = typeof address === 'object' && address ? address.port : 0
  t.after(shut)
  return {
    url: `http://127.0.0.1:${port}`,
    get connections() {
      return connections
    },
    shut,
    open: () => listen(port),
  }
}
