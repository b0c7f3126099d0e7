/** A small SOCKS5 client, apart from the proxy's own code: what an application does. */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

export type SocksTarget = {
  readonly proxyPort: number
  readonly host: string
  readonly port: number
  /** With a password of one letter; @default no authentication */
  readonly username?: string | undefined
}

/** RFC 1928 §6: the reply, and the socket with what follows it. */
export type SocksReply = { readonly code: number; readonly socket: Socket }

/** Asks for a connection by name, and resolves with the reply. */
export async function connectSocks(target: SocksTarget): Promise<SocksReply> {
  const { proxyPort, host, port, username } = target
  const socket = connect({ host: '127.0.0.1', port: proxyPort })
  await once(socket, 'connect')
  socket.write(Uint8Array.of(5, 1, username === undefined ? 0 : 2))
  await read(socket, 2)
  if (username !== undefined) {
    const user = Buffer.from(username)
    socket.write(Buffer.concat([Uint8Array.of(1, user.length), user, Uint8Array.of(1, 120)]))
    await read(socket, 2)
  }
  const name = Buffer.from(host)
  const tail = Uint8Array.of(port >> 8, port & 255)
  socket.write(Buffer.concat([Uint8Array.of(5, 1, 0, 3, name.length), name, tail]))
  const reply = await read(socket, 10)
  return { code: reply[1] ?? 255, socket }
}

/** Reads exactly so many bytes; rejects when the socket ends before. */
async function read(socket: Socket, count: number): Promise<Buffer> {
  for (;;) {
    const found = socket.read(count) as Buffer | null
    if (found) return found
    if (socket.readableEnded || socket.destroyed) throw new Error('the proxy ended the connection')
    await Promise.race([once(socket, 'readable'), once(socket, 'end')])
  }
}
