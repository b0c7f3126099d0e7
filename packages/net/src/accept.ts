/**
 * The listener's half of the greeting (SPEC §3.3): proves the node, reads who the dialler is, and makes the link.
 * @module
 */
import { isIPv6, SocketAddress } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { isBywayError } from '@byway/protocol/base'
import type { CryptoProvider } from '@byway/protocol/crypto'
import type { LinkPeer } from '@byway/protocol/link'
import {
  CLIENT_GREETING_BYTES,
  LINK_MESSAGE,
  LINK_PROOF_BYTES,
  LINK_ROLE,
  LINK_SIDE,
  type LinkMessage,
  readGreetingRole,
} from '@byway/protocol/wire'
import { createByteCollector } from './byte-collector.ts'
import { checkProof, type LinkIdentity, proveIdentity } from './greeting.ts'
import { createLink, type NetLink } from './link-driver.ts'
import type { LinkRuntime } from './runtime.ts'
import { feedFromData } from './socket-feed.ts'
import { createTlsTransport } from './tls-transport.ts'
import { UPGRADE_RESPONSE } from './upgrade.ts'

export type AcceptInput = {
  readonly crypto: CryptoProvider
  readonly identity: LinkIdentity
  readonly runtime: LinkRuntime
  readonly socket: TLSSocket
  /** Bytes that came behind the request. */
  readonly head: Uint8Array
  readonly exporter: Uint8Array
  readonly timeoutMs: number
  readonly onLink: (link: NetLink) => void
  readonly onFailed: () => void
}

/** Greets and reads the greeting; calls `onLink` once, or `onFailed` and closes. */
export function acceptLink(input: AcceptInput): void {
  const { socket, crypto, runtime } = input
  const collector = createByteCollector(MAX_GREETING_BYTES)
  const feed = feedFromData(socket, input.head)
  let isSettled = false
  const settle = (): void => {
    isSettled = true
    timer.cancel()
    socket.off('close', fail)
  }
  const fail = (): void => {
    if (isSettled) return
    settle()
    socket.destroy()
    input.onFailed()
  }
  const timer = runtime.setTimer(fail, input.timeoutMs)
  socket.on('error', fail).on('close', fail)
  socket.write(UPGRADE_RESPONSE, 'latin1')
  socket.write(proveIdentity(crypto, input.identity, LINK_SIDE.LISTENER, input.exporter))

  feed.setReader((chunk) => {
    if (isSettled) return false
    if (!collector.add(chunk)) {
      fail()
      return false
    }
    const peer = attempt(fail, () => readPeer(input, collector.bytes))
    if (!peer) return false
    settle()
    collector.skip(peer.role === 'client' ? CLIENT_GREETING_BYTES : LINK_PROOF_BYTES)
    feed.pause(collector.bytes)
    input.onLink(
      createLink(createTlsTransport(socket, feed), {
        peer,
        isDialler: false,
        isClientLink: peer.role === 'client',
        runtime,
      }),
    )
    return false
  })
}

/** The address at which we see the dialler (SPEC §4.4), or `undefined` when the socket is gone. */
export function netInfoFor(socket: TLSSocket, timeS: number): LinkMessage | undefined {
  const text = socket.remoteAddress
  if (text === undefined) return undefined
  const plain = text.toLowerCase().startsWith('::ffff:') ? text.slice(7) : text
  const address = isIPv6(plain)
    ? { family: 6 as const, bytes: ipv6Bytes(plain) }
    : { family: 4 as const, bytes: Uint8Array.from(plain.split('.').map(Number)) }
  return { type: LINK_MESSAGE.NETINFO, address, timeS }
}

/** Reads the greeting; `undefined` when more is needed. @throws kind peer */
function readPeer(input: AcceptInput, bytes: Uint8Array): LinkPeer | undefined {
  if (bytes.length < CLIENT_GREETING_BYTES) return undefined
  if (readGreetingRole(bytes) === LINK_ROLE.CLIENT) return { role: 'client' }
  if (bytes.length < LINK_PROOF_BYTES) return undefined
  const nodeId = checkProof(input.crypto, bytes.subarray(0, LINK_PROOF_BYTES), {
    side: LINK_SIDE.DIALLER,
    exporter: input.exporter,
    nowS: input.runtime.unixS(),
  })
  return { role: 'node', nodeId }
}

function attempt<T>(fail: () => void, run: () => T): T | undefined {
  try {
    return run()
  } catch (error) {
    if (!isBywayError(error) || error.kind !== 'peer') throw error
    fail()
    return undefined
  }
}

/** Expands an address that Node printed: `::` once at most, no zone. */
function ipv6Bytes(text: string): Uint8Array {
  const [bare = ''] = text.split('%')
  const canonical = new SocketAddress({ address: bare, family: 'ipv6' }).address
  const [head = '', tail] = canonical.split('::')
  const groups = (part: string): number[] =>
    part === '' ? [] : part.split(':').map((group) => Number.parseInt(group, 16))
  const first = groups(head)
  const last = tail === undefined ? [] : groups(tail)
  const all = [...first, ...Array<number>(8 - first.length - last.length).fill(0), ...last]
  return Uint8Array.from(all.flatMap((group) => [group >>> 8, group & 0xff]))
}

/** A node's greeting and one TLS record behind it. */
const MAX_GREETING_BYTES = LINK_PROOF_BYTES + 16_384
