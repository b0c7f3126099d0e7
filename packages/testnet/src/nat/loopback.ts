/**
 * Ways between the loopback of this machine and those of namespaces, of which no namespace has another. A connection that one end accepts is made anew from the other end:
 * no packet crosses, and nothing else of this machine can be reached.
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { connect, createServer, Server, type AddressInfo, type Socket } from 'node:net'
import { fileURLToPath } from 'node:url'
import { joinSockets } from './join-sockets.ts'
import type { Namespace } from './namespaces.ts'

/** An address of the loopback and a port. */
export type LoopbackPlace = { readonly host: string; readonly port: number }

/**
 * Lets programs in a namespace reach these places of this machine under their own names.
 * @throws what listening there throws, or the signal's reason
 */
export async function shareLoopback(
  namespace: Namespace,
  places: readonly LoopbackPlace[],
  signal: AbortSignal,
): Promise<AsyncDisposable> {
  if (places.length === 0) return new AsyncDisposableStack()
  const args = places.flatMap(({ host, port }) => [host, String(port)])
  const child = startInside(namespace, 'listen-inside-main', args)
  const killNow = (): void => void child.kill('SIGKILL')
  signal.addEventListener('abort', killNow, { once: true })
  const servers: Server[] = []
  const sockets = new Set<Socket>()
  const { promise: all, resolve, reject } = Promise.withResolvers<void>()
  child.once('error', reject)
  child.once('exit', (code) =>
    reject(signal.reason ?? new Error(`listening in a namespace ended with ${code}`)),
  )
  child.on('message', (index, server) => {
    const place = places[Number(index)]
    if (!place || !(server instanceof Server)) return
    servers.push(server)
    server.on('connection', (inner) => {
      const outer = connect(place)
      for (const each of [inner, outer]) keepUntilClosed(sockets, each)
      joinSockets(inner, outer)
    })
    if (servers.length === places.length) resolve()
  })
  await all.finally(() => signal.removeEventListener('abort', killNow))
  child.disconnect()
  await once(child, 'exit')
  return {
    async [Symbol.asyncDispose]() {
      const closed = servers.map((server) => once(server, 'close'))
      for (const server of servers) server.close()
      for (const socket of sockets) socket.destroy()
      await Promise.all(closed)
    },
  }
}

/** A port of this machine's loopback that leads to the port of the same number in a namespace. */
export interface PortInto extends AsyncDisposable {
  readonly port: number
  /** Begins to lead there; before, connections are cut. */
  begin(): Promise<void>
  /** Resolves when it leads nowhere any more. */
  readonly ended: Promise<void>
}

/** Opens such a port, which the system chooses. */
export async function openPortInto(namespace: Namespace): Promise<PortInto> {
  const server = createServer((socket) => socket.destroy()).listen({ host: '127.0.0.1', port: 0 })
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const { promise: ended, resolve: end } = Promise.withResolvers<void>()
  let child: ChildProcess | undefined
  return {
    port,
    ended,
    async begin() {
      child = startInside(namespace, 'carry-inside-main', [])
      child.once('exit', () => end()).once('error', () => end())
      const carrying = once(child, 'message')
      child.send(port, server)
      await Promise.race([carrying, ended])
      server.close()
    },
    async [Symbol.asyncDispose]() {
      if (server.listening) server.close()
      if (!child) return
      if (child.connected) child.disconnect()
      await ended
    },
  }
}

/** Starts one of the programs beside this file. It ends when this process does. */
function startInside(namespace: Namespace, main: string, args: readonly string[]): ChildProcess {
  const file = fileURLToPath(new URL(`./${main}${import.meta.url.slice(-3)}`, import.meta.url))
  const { command, args: whole } = namespace.wrap(process.execPath, [file, ...args])
  return spawn(command, whole, { env: {}, stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
}

function keepUntilClosed(sockets: Set<Socket>, socket: Socket): void {
  sockets.add(socket)
  socket.once('close', () => sockets.delete(socket))
}
