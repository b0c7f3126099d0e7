/**
 * How a downloader reaches the origin, and the client side of SOCKS5 (RFC 1928, RFC 1929) that it needs.
 * Plain and sequential, as curl does it: greeting, login, CONNECT, answer, then data. Reads go into one buffer per
 * connection that is used again, so that the downloader costs little beside what it measures.
 */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

/** A way to the origin. With `tcp` the port leads there by itself; with `socks5` the proxy is asked for it. */
export type Route =
  | { readonly kind: 'tcp'; readonly port: number; readonly host?: string | undefined }
  | { readonly kind: 'socks5'; readonly port: number }

/** An open connection to the origin. */
export interface RouteConnection {
  write(text: string): void
  /** Stops to read for good. */
  stall(): void
  /** From now on `sink` gets every piece received; the piece is valid during the call only. */
  receive(sink: (piece: Buffer) => void): void
  /** Resolves on a clean end. @throws Error when the connection broke or was silent for `SILENCE_TIMEOUT_MS`. */
  readonly ended: Promise<void>
  close(): void
}

/** Longest silence of a connection before the measurement fails. */
const SILENCE_TIMEOUT_MS = 60_000
/** Bytes taken from the socket in one read. */
const READ_BYTES = 256 * 1024

/**
 * Opens a connection to 127.0.0.1:`originPort` by `route`. Systems that isolate by SOCKS user carry connections of
 * different `isolation` on different circuits.
 * @throws Error when the proxy refuses.
 */
export async function openRoute(
  route: Route,
  originPort: number,
  isolation: string,
): Promise<RouteConnection> {
  const inbox = createInbox()
  const socket = connect({
    host: (route.kind === 'tcp' ? route.host : undefined) ?? '127.0.0.1',
    port: route.port,
    noDelay: true,
    onread: {
      buffer: Buffer.allocUnsafe(READ_BYTES),
      callback: (length, buffer) => {
        inbox.push(Buffer.from(buffer.buffer, buffer.byteOffset, length))
        return true
      },
    },
  })
  const ended = new Promise<void>((resolve, reject) => {
    socket.setTimeout(SILENCE_TIMEOUT_MS, () =>
      socket.destroy(new Error(`silent for ${SILENCE_TIMEOUT_MS} ms`)),
    )
    socket
      .once('error', reject)
      .once('close', () => reject(new Error('the connection broke')))
      .once('end', resolve)
  })
  ended.then(
    () => inbox.end('the proxy closed the connection'),
    (cause: unknown) => inbox.end(String(cause)),
  )
  try {
    if (route.kind === 'socks5') await socksConnect(socket, inbox, originPort, isolation)
    else await once(socket, 'connect')
  } catch (cause) {
    socket.destroy()
    throw cause
  }
  return {
    write: (text) => void socket.write(text),
    stall: () => void socket.pause().setTimeout(0),
    receive: (sink) => inbox.divert(sink),
    ended,
    close: () => void socket.destroy(),
  }
}

async function socksConnect(
  socket: Socket,
  inbox: Inbox,
  originPort: number,
  isolation: string,
): Promise<void> {
  socket.write(Buffer.from([5, 2, 0, 2]))
  const method = (await inbox.take(2))[1]
  if (method === 2) {
    const user = Buffer.from(isolation)
    socket.write(
      Buffer.concat([Buffer.from([1, user.length]), user, Buffer.from([1]), Buffer.from('x')]),
    )
    if ((await inbox.take(2))[1] !== 0) throw new Error('the proxy refused the user name')
  } else if (method !== 0) {
    throw new Error(`the proxy offers no method but ${String(method)}`)
  }
  const request = Buffer.from([5, 1, 0, 1, 127, 0, 0, 1, 0, 0])
  request.writeUInt16BE(originPort, 8)
  socket.write(request)
  const answer = await inbox.take(4)
  if (answer[1] !== 0) throw new Error(`the proxy answered CONNECT with code ${String(answer[1])}`)
  const addressBytes = answer[3] === 4 ? 16 : answer[3] === 1 ? 4 : ((await inbox.take(1))[0] ?? 0)
  await inbox.take(addressBytes + 2)
}

/** What was received: first taken in exact counts (the handshake), then diverted to a sink. */
interface Inbox {
  push(piece: Buffer): void
  end(reason: string): void
  take(count: number): Promise<Buffer>
  divert(sink: (piece: Buffer) => void): void
}

function createInbox(): Inbox {
  let held = Buffer.alloc(0)
  let endReason: string | undefined
  let wake = (): void => undefined
  let sink = (piece: Buffer): void => {
    held = Buffer.concat([held, piece])
    wake()
  }
  return {
    push: (piece) => sink(piece),
    end: (reason) => {
      endReason = reason
      wake()
    },
    take: async (count) => {
      while (held.length < count) {
        if (endReason !== undefined) throw new Error(endReason)
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      }
      const taken = held.subarray(0, count)
      held = held.subarray(count)
      return taken
    },
    divert: (newSink) => {
      sink = newSink
      if (held.length > 0) newSink(held)
    },
  }
}
