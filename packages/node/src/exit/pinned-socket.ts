/**
 * One TCP connection to one judged address, and the race between several (RFC 8305 §5, over judged addresses only).
 * A socket is handed out only after its peer proved to be the very address that was judged. No name ever gets here.
 */
import { connect, type Socket } from 'node:net'
import { setTimeout } from 'node:timers/promises'
import { formatAddress, type IpAddress, isSameAddress, parseAddress } from '@byway/protocol/policy'
import type { ConnectOutcome } from './circuit-limits.ts'
import { exitError } from './exit-errors.ts'

/** Opens a socket towards a literal; production passes {@link openSocket}, tests may lie about the peer. */
export type OpenSocket = (address: IpAddress, port: number) => Socket

/** Asked before each attempt; may hold it back for a while, rejects to refuse it. The outcome is reported once. */
export type AdmitAttempt = (
  address: IpAddress,
  signal: AbortSignal,
) => Promise<(outcome: ConnectOutcome, socket?: Socket) => void>

/** A connected, checked socket; paused, half-open allowed, with an error listener. */
export type PinnedConnection = { readonly socket: Socket; readonly address: IpAddress }

/** What a race needs. */
export type RaceOptions = {
  readonly openSocket: OpenSocket
  readonly admit: AdmitAttempt
  readonly staggerMs: number
  readonly timeoutMs: number
}

/** Opens a TCP socket to a literal; a lookup is impossible. */
export const openSocket: OpenSocket = (address, port) =>
  connect({
    host: formatAddress(address),
    port,
    family: address.family,
    autoSelectFamily: false,
    allowHalfOpen: true,
    noDelay: true,
    lookup: (_name, _options, done) => done(new Error('a literal needs no lookup'), '', 0),
  })

/**
 * Connects to the first address that answers: attempts start in order, one every `staggerMs` or as soon as all before it failed.
 * @throws an NODE_EXIT_CONNECT_… code, NODE_EXIT_PEER_MISMATCH, whatever `admit` rejected with, or the signal's reason
 */
export async function raceConnect(
  pins: readonly [IpAddress, ...IpAddress[]],
  port: number,
  options: RaceOptions,
  signal: AbortSignal,
): Promise<PinnedConnection> {
  const race = new AbortController()
  const either = AbortSignal.any([signal, race.signal])
  const attempts: Promise<PinnedConnection>[] = []
  let winner: PinnedConnection | undefined
  try {
    for (const pin of pins.slice(0, MAX_ATTEMPTS)) {
      signal.throwIfAborted()
      attempts.push(connectPinned(pin, port, options, either))
      winner = await Promise.race([firstConnected(attempts), pause(options.staggerMs, either)])
      if (winner !== undefined) break
    }
    winner ??= await firstConnected(attempts)
    signal.throwIfAborted()
    // The first address is the resolver's choice: its failure is the one that explains.
    return winner ?? (await Promise.race(attempts.slice(0, 1)))
  } finally {
    race.abort()
    for (const attempt of attempts) {
      attempt.then(
        (connection) =>
          connection === winner && !signal.aborted ? connection : connection.socket.destroy(),
        () => undefined,
      )
    }
  }
}

/** The first connection there is; nothing once every attempt has failed. */
async function firstConnected(
  attempts: readonly Promise<PinnedConnection>[],
): Promise<PinnedConnection | undefined> {
  return Promise.any(attempts).catch(() => undefined)
}

async function pause(ms: number, signal: AbortSignal): Promise<undefined> {
  return setTimeout(ms, undefined, { signal }).catch(() => undefined)
}

/** One attempt: admitted, opened, answered, checked. */
async function connectPinned(
  address: IpAddress,
  port: number,
  options: RaceOptions,
  signal: AbortSignal,
): Promise<PinnedConnection> {
  const settle = await options.admit(address, signal)
  const socket = options.openSocket(address, port)
  // Stays for good: an error in the moment before the caller listens must not end the process.
  socket.on('error', () => undefined)
  try {
    await connected(socket, options.timeoutMs, signal)
    checkPeer(socket, address, port)
  } catch (error) {
    socket.destroy()
    settle(signal.aborted ? 'abandoned' : 'failed')
    throw describe(error)
  }
  settle('connected', socket)
  return { socket, address }
}

async function connected(socket: Socket, timeoutMs: number, signal: AbortSignal): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const onAbort = (): void => reject(signal.reason)
  const onClose = (): void => reject(exitError('NODE_EXIT_CONNECT_RESET', {}))
  const deadline = AbortSignal.timeout(timeoutMs)
  const onTimeout = (): void => reject(exitError('NODE_EXIT_CONNECT_TIMEOUT', { timeoutMs }))
  deadline.addEventListener('abort', onTimeout, { once: true })
  signal.addEventListener('abort', onAbort, { once: true })
  socket.once('connect', resolve).once('error', reject).once('close', onClose)
  try {
    await promise
  } finally {
    socket.off('error', reject).off('close', onClose)
    deadline.removeEventListener('abort', onTimeout)
    signal.removeEventListener('abort', onAbort)
  }
}

/** The last check before anyone is told "connected": the kernel's idea of the peer is the judged address. */
function checkPeer(socket: Socket, address: IpAddress, port: number): void {
  const peer = parseAddress(socket.remoteAddress ?? '')
  // A peer that is gone already has no address any more.
  if (socket.remoteAddress === undefined) throw exitError('NODE_EXIT_CONNECT_RESET', {})
  const isPeer = peer !== undefined && isSameAddress(peer, address) && socket.remotePort === port
  // TCP's simultaneous open lets a loopback socket connect to itself when nobody listens there.
  const isSelf = socket.localPort === port && socket.localAddress === socket.remoteAddress
  if (!isPeer) throw exitError('NODE_EXIT_PEER_MISMATCH', {})
  if (isSelf) throw exitError('NODE_EXIT_CONNECT_REFUSED', {})
}

function describe(error: unknown): unknown {
  const errno = error instanceof Error && 'code' in error ? String(error.code) : undefined
  if (errno === undefined || errno.startsWith('NODE_EXIT_')) return error
  if (errno === 'ECONNREFUSED') return exitError('NODE_EXIT_CONNECT_REFUSED', {})
  if (errno === 'ECONNRESET') return exitError('NODE_EXIT_CONNECT_RESET', {})
  if (errno === 'ETIMEDOUT') return exitError('NODE_EXIT_CONNECT_TIMEOUT', { timeoutMs: 0 })
  // Node's error names the address: it is not kept as a cause.
  return ERRNO.test(errno) ? exitError('NODE_EXIT_CONNECT_UNREACHABLE', { errno }) : error
}

const ERRNO = /^E[A-Z0-9_]+$/

/** Addresses tried for one stream; more would be a scan of a large answer. */
const MAX_ATTEMPTS = 4
