/** SOCKS5 by hand, so that answers can be compared byte by byte. */
import { once } from 'node:events'
import { connect } from 'node:net'
import type { Socket } from 'node:net'
import { within } from './until.ts'

/** Reads exactly so many bytes. */
async function take(socket: Socket, bytes: number): Promise<Buffer> {
  for (;;) {
    const chunk = socket.read(bytes) as Buffer | null
    if (chunk) return chunk
    await once(socket, 'readable')
  }
}

export type SocksAnswer = { readonly socket: Socket; readonly reply: Buffer }

/** Asks for a name with a command (1 CONNECT, 3 UDP ASSOCIATE) under a user of its own. */
export async function askSocks(
  proxyPort: number,
  { host, port, user, command = 1 }: { host: string; port: number; user: string; command?: number },
): Promise<SocksAnswer> {
  const socket = connect(proxyPort, '127.0.0.1')
  socket.on('error', () => {})
  const name = Buffer.from(user)
  socket.write(Buffer.from([5, 1, 2]))
  socket.write(Buffer.concat([Buffer.from([1, name.length]), name, Buffer.from([1, 120])]))
  const target = Buffer.from(host)
  const head = Buffer.from([5, command, 0, 3, target.length])
  socket.write(Buffer.concat([head, target, Buffer.from([port >> 8, port & 255])]))
  const reply = await within(
    'the proxy to answer',
    (async () => {
      await take(socket, 2)
      await take(socket, 2)
      return take(socket, 10)
    })(),
  )
  return { socket, reply }
}
