/** Asks the default gateway for a port: by PCP, and by NAT-PMP where it speaks no PCP or says nothing for a second. @module */
import { createSocket } from 'node:dgram'
import { setTimeout as wait } from 'node:timers/promises'
import type { PortMapAnswer } from './answer.ts'
import {
  decodePcpMap,
  decodePmpAddress,
  decodePmpMap,
  encodePcpMap,
  encodePmpAddress,
  encodePmpMap,
  type MapRequest,
  type PortControlAnswer,
} from './port-control.ts'

/** Whom to ask: a real router at `PORT_CONTROL_PORT`. */
export type PortControlPlace = { readonly host: string; readonly port: number }

// Local limits (tunable): docs/LIMITS.md.
/** A router at home answers in milliseconds; RFC 6886 begins with 250 and doubles. */
const FIRST_RESEND_MS = 250
const MAX_RESENDS = 5
/** How long PCP is given before NAT-PMP is tried beside it. */
const PCP_HEAD_START_MS = 1000

/** @throws what says why no port was opened, or the signal's reason */
export async function askPortControl(
  gateway: PortControlPlace,
  request: MapRequest,
  signal: AbortSignal,
): Promise<PortMapAnswer> {
  const over = new AbortController()
  const limit = AbortSignal.any([signal, over.signal])
  try {
    const pcp = byPcp(gateway, request, limit)
    const first = await Promise.race([
      pcp.catch(() => undefined),
      wait(PCP_HEAD_START_MS, undefined, { signal: limit }),
    ])
    return first ?? (await Promise.any([pcp, byNatPmp(gateway, request, limit)]))
  } finally {
    over.abort()
  }
}

async function byPcp(
  gateway: PortControlPlace,
  request: MapRequest,
  signal: AbortSignal,
): Promise<PortMapAnswer> {
  const decode = (bytes: Uint8Array) => decodePcpMap(bytes, request)
  const {
    address = '',
    port,
    lifetimeS,
  } = await ask(gateway, encodePcpMap(request), decode, signal)
  return { host: address, port, lifetimeS, protocol: 'pcp' }
}

async function byNatPmp(
  gateway: PortControlPlace,
  request: MapRequest,
  signal: AbortSignal,
): Promise<PortMapAnswer> {
  const decode = (bytes: Uint8Array) => decodePmpMap(bytes, request.port)
  const { port, lifetimeS } = await ask(gateway, encodePmpMap(request), decode, signal)
  const host = await ask(gateway, encodePmpAddress(), decodePmpAddress, signal)
  return { host, port, lifetimeS, protocol: 'nat-pmp' }
}

/** Sends until something answers that is an answer. The socket is connected: nobody but the gateway is heard. */
async function ask<T>(
  gateway: PortControlPlace,
  question: Uint8Array,
  decode: (bytes: Uint8Array) => PortControlAnswer<T> | undefined,
  signal: AbortSignal,
): Promise<T> {
  signal.throwIfAborted()
  const socket = createSocket('udp4')
  const { promise, resolve, reject } = Promise.withResolvers<T>()
  const onAbort = (): void => reject(signal.reason as Error)
  signal.addEventListener('abort', onAbort, { once: true })
  socket.on('error', reject)
  socket.on('message', (bytes) => {
    const answer = decode(bytes)
    if (answer?.result === 'given') resolve(answer.value)
    else if (answer) reject(new Error(`the gateway said no: ${JSON.stringify(answer)}`))
  })
  let timer: NodeJS.Timeout | undefined
  const send = (sent: number): void => {
    socket.send(question)
    if (sent < MAX_RESENDS) timer = setTimeout(() => send(sent + 1), FIRST_RESEND_MS * 2 ** sent)
  }
  socket.connect(gateway.port, gateway.host, () => send(0))
  try {
    return await promise
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', onAbort)
    socket.close()
  }
}
