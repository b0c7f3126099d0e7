/** What the proxy's tests share: a dialer that connects to local servers, raw clients, and a clock to move by hand. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import { Duplex } from 'node:stream'
import type { TestContext } from 'node:test'
import { BywayError, isLogWord } from '@byway/protocol/base'
import type { Logger, LogLine } from '@byway/protocol/base'
import { createProxy } from '../../src/proxy/create-proxy.ts'
import type { Proxy } from '../../src/proxy/create-proxy.ts'
import type {
  ByteStream,
  ConnectInfo,
  Datagram,
  DatagramFlow,
  DialOptions,
  Dialer,
  Target,
} from '../../src/proxy/dialer.ts'
import type { ProxyOptions } from '../../src/proxy/options.ts'
import type { Timers } from '../../src/proxy/timers.ts'

/** One call that the fake dialer saw. */
export type Dialed = { readonly target: Target; readonly options: DialOptions }

/** How the fake dialer behaves; absent parts refuse with NO_PATH. */
export type FakeDialerParts = {
  readonly connect?: (target: Target, options: DialOptions) => ByteStream | Promise<ByteStream>
  readonly resolve?: (host: string) => readonly string[]
  readonly openDatagrams?: (onDatagram: (datagram: Datagram) => void) => DatagramFlow
}

/** A dialer that notes each call. */
export function fakeDialer(parts: FakeDialerParts): Dialer & { readonly dialed: Dialed[] } {
  const dialed: Dialed[] = []
  return {
    dialed,
    async connect(target, options) {
      dialed.push({ target, options })
      if (parts.connect === undefined) throw failure('NO_PATH')
      return parts.connect(target, options)
    },
    async resolve(host, options) {
      dialed.push({ target: { host, port: 0 }, options })
      if (parts.resolve === undefined) throw failure('EXIT_RESOLVE_FAILED')
      return parts.resolve(host)
    },
    async openDatagrams({ onDatagram, ...options }) {
      dialed.push({ target: { host: '', port: 0 }, options })
      if (parts.openDatagrams === undefined) throw failure('NO_PATH')
      return parts.openDatagrams(onDatagram)
    },
  }
}

/** An error as a dialer throws it. */
export function failure(code: string): BywayError {
  return new BywayError(code, 'exit', 'as the test wants it', {})
}

/** A stream to a local server, whatever the name that was asked for. */
export function streamTo(port: number): ByteStream {
  const socket = connect({ host: '127.0.0.1', port, allowHalfOpen: true })
  const connected = once(socket, 'connect').then((): ConnectInfo => ({ family: 4 }))
  connected.catch(() => undefined)
  return Object.assign(socket, { connected })
}

/** A stream in memory with its far end in the test's hands; a slow one takes bytes only once released. */
export function memoryStream({ isSlow = false }: { readonly isSlow?: boolean } = {}): {
  readonly stream: ByteStream
  readonly received: () => Buffer
  readonly ended: Promise<void>
  readonly closed: Promise<Error | undefined>
  readonly accept: () => void
  readonly release: () => void
  readonly refuse: (error: Error) => void
} {
  const chunks: Buffer[] = []
  const ended = Promise.withResolvers<void>()
  const closed = Promise.withResolvers<Error | undefined>()
  const connected = Promise.withResolvers<ConnectInfo>()
  const released = Promise.withResolvers<void>()
  connected.promise.catch(() => undefined)
  const duplex = new Duplex({
    allowHalfOpen: true,
    read() {},
    write(chunk: Buffer, _encoding, done) {
      const take = (): void => {
        chunks.push(chunk)
        done()
      }
      if (isSlow) void released.promise.then(take)
      else take()
    },
    final(done) {
      ended.resolve()
      done()
    },
    destroy(error, done) {
      closed.resolve(error ?? undefined)
      done(error)
    },
  })
  return {
    stream: Object.assign(duplex, { connected: connected.promise }),
    received: () => Buffer.concat(chunks),
    ended: ended.promise,
    closed: closed.promise,
    release: released.resolve,
    accept: () => connected.resolve({ family: 4 }),
    refuse: connected.reject,
  }
}

/** A server on a port of the system's choice, gone with the test. */
export async function tcpServer(
  t: TestContext,
  onConnection: (socket: Socket) => void,
): Promise<number> {
  const open = new Set<Socket>()
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    open.add(socket)
    socket.on('error', () => undefined)
    onConnection(socket)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    open.forEach((socket) => socket.destroy())
    server.close()
  })
  return (server.address() as AddressInfo).port
}

/** A log that keeps every line as text. */
export function keptLog(): Logger & { readonly lines: readonly string[] } {
  const lines: string[] = []
  const keep: LogLine = (message, fields = {}) => {
    assert.ok(Object.values(fields).every((value) => typeof value === 'number' || isLogWord(value)))
    lines.push(`${message} ${JSON.stringify(fields)}`)
  }
  const log: Logger = {
    error: keep,
    warn: keep,
    info: keep,
    debug: keep,
    trace: keep,
    child: () => log,
  }
  return { ...log, lines }
}

/** A clock that moves when told. */
export function manualTimers(): Timers & { advance(byMs: number): void } {
  let nowMs = 0
  const waiting = new Set<{ readonly atMs: number; readonly run: () => void }>()
  return {
    after(delayMs, run) {
      const entry = { atMs: nowMs + delayMs, run }
      waiting.add(entry)
      return () => waiting.delete(entry)
    },
    advance(byMs) {
      nowMs += byMs
      for (const entry of [...waiting].filter(({ atMs }) => atMs <= nowMs)) {
        waiting.delete(entry)
        entry.run()
      }
    },
  }
}

/** A running proxy over a dialer, gone with the test. */
export async function startProxy(
  t: TestContext,
  dialer: Dialer,
  options: ProxyOptions = {},
  timers?: Timers,
): Promise<{ proxy: Proxy; port: number; lines: readonly string[] }> {
  const log = keptLog()
  const proxy = createProxy({ dialer, log, timers }, { port: 0, ...options })
  const { port } = await proxy.start()
  t.after(() => proxy[Symbol.asyncDispose]())
  return { proxy, port, lines: log.lines }
}

/** A raw app. */
export interface App {
  readonly socket: Socket
  send(bytes: Uint8Array | string): void
  /** Waits until `count` bytes have come in all and returns them. */
  take(count: number): Promise<Buffer>
  /** How the connection ended: with a FIN or a reset; and everything that came before. */
  readonly ended: Promise<{ how: 'fin' | 'reset'; bytes: Buffer }>
}

/** Connects a raw app to a proxy. */
export async function openApp(t: TestContext, port: number): Promise<App> {
  const socket = connect({ host: '127.0.0.1', port, allowHalfOpen: true, noDelay: true })
  t.after(() => socket.destroy())
  const ended = Promise.withResolvers<{ how: 'fin' | 'reset'; bytes: Buffer }>()
  let bytes: Buffer = Buffer.alloc(0)
  const wake = new Set<() => void>()
  const wakeAll = (): void => wake.forEach((each) => each())
  socket.on('data', (chunk) => {
    bytes = Buffer.concat([bytes, chunk])
    wakeAll()
  })
  socket.on('end', () => ended.resolve({ how: 'fin', bytes }))
  socket.on('error', () => ended.resolve({ how: 'reset', bytes }))
  socket.on('close', wakeAll)
  await once(socket, 'connect')
  return {
    socket,
    send: (data) => void socket.write(data),
    async take(count) {
      while (bytes.length < count) {
        if (socket.readableEnded || socket.destroyed)
          throw new Error(`closed after ${bytes.length} bytes`)
        const { promise, resolve } = Promise.withResolvers<void>()
        wake.add(resolve)
        socket.once('end', resolve)
        await promise
        wake.delete(resolve)
      }
      return bytes
    },
    ended: ended.promise,
  }
}

/** A SOCKS5 greeting and request for a name, without authentication. */
export function socks5Connect(host: string, port: number, command = 1): Buffer {
  const request = [
    5,
    command,
    0,
    3,
    host.length,
    ...Buffer.from(host, 'latin1'),
    port >> 8,
    port & 255,
  ]
  return Buffer.from([5, 1, 0, ...request])
}

/** A SOCKS4a request for a name. */
export function socks4aConnect(host: string, port: number, user = ''): Buffer {
  const head = [4, 1, port >> 8, port & 255, 0, 0, 0, 1]
  return Buffer.concat([Buffer.from(head), Buffer.from(`${user}\0${host}\0`, 'latin1')])
}
