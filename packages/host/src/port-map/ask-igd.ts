/** Asks routers that answer to a UPnP search for a port, the first that opens one wins. @module */
import { createSocket } from 'node:dgram'
import { request } from 'node:http'
import { isIPv4 } from 'node:net'
import type { PortMapAnswer } from './answer.ts'
import {
  callText,
  elementOf,
  ERROR_CONFLICT,
  locationOf,
  searchText,
  wanServicesOf,
  type WanService,
} from './igd-text.ts'

// Local limits (tunable): docs/LIMITS.md.
/** Searches are lost as any datagram is. */
const SEARCH_AGAIN_MS = 1000
/** Routers that are asked; a home has one or two. */
const MAX_ROUTERS = 4
/** A description is some kilobytes; whoever sends more is none. */
const MAX_ANSWER_BYTES = 256 * 1024
/** Ports tried at a router of version 1 where the wanted one is another's. */
const MAX_PORTS = 4

/** Where routers listen for searches (UPnP Device Architecture). */
const SEARCH_PORT = 1900
const SEARCH_GROUP = '239.255.255.250'

export type IgdRequest = {
  readonly port: number
  readonly lifetimeS: number
  /** Own IPv4 addresses to search from. */
  readonly from: readonly string[]
}

/** @throws when the signal ends it, or none of the routers opens a port */
export async function askIgd(
  { port, lifetimeS, from }: IgdRequest,
  signal: AbortSignal,
): Promise<PortMapAnswer> {
  const { promise, resolve, reject } = Promise.withResolvers<PortMapAnswer>()
  const over = new AbortController()
  const limit = AbortSignal.any([signal, over.signal])
  limit.addEventListener('abort', () => reject(limit.reason as Error), { once: true })
  const asked = new Set<string>()
  const onLocation = (location: URL, ownAddress: string): void => {
    if (asked.has(location.href) || asked.size >= MAX_ROUTERS) return
    asked.add(location.href)
    openAt(location, { port, lifetimeS, ownAddress }, limit).then(resolve, () => {})
  }
  for (const ownAddress of from) search(ownAddress, onLocation, limit)
  try {
    return await promise
  } finally {
    over.abort()
  }
}

/** Searches from one address until the signal. */
function search(
  ownAddress: string,
  onLocation: (location: URL, ownAddress: string) => void,
  signal: AbortSignal,
): void {
  const socket = createSocket('udp4')
  const send = (): void => socket.send(searchText(), SEARCH_PORT, SEARCH_GROUP, ignore)
  let timer: NodeJS.Timeout | undefined
  const end = (): void => {
    clearInterval(timer)
    socket.close()
  }
  socket.on('error', ignore)
  socket.on('message', (bytes, { address }) => {
    const location = locationOf(bytes.toString('latin1'), address)
    if (location) onLocation(location, ownAddress)
  })
  socket.bind(0, ownAddress, () => {
    socket.setMulticastInterface(ownAddress)
    send()
    timer = setInterval(send, SEARCH_AGAIN_MS)
  })
  signal.addEventListener('abort', end, { once: true })
}

type Wanted = Omit<IgdRequest, 'from'> & { readonly ownAddress: string }

async function openAt(location: URL, wanted: Wanted, signal: AbortSignal): Promise<PortMapAnswer> {
  const { text } = await fetchText(location, undefined, signal)
  for (const service of wanServicesOf(text, location)) {
    const call = caller(location, service, signal)
    const host = elementOf((await call('GetExternalIPAddress', {})).text, 'NewExternalIPAddress')
    // A line that is not connected has none.
    if (host === undefined || !isIPv4(host) || host === '0.0.0.0') continue
    const port = await mapAt(service, wanted, call)
    if (port !== undefined) {
      return { host, port, lifetimeS: wanted.lifetimeS, protocol: 'upnp' }
    }
  }
  throw new Error('this router opens no port')
}

type Call = (
  action: string,
  fields: Readonly<Record<string, string | number>>,
) => Promise<{ readonly status: number; readonly text: string }>

function caller(location: URL, { type, controlPath }: WanService, signal: AbortSignal): Call {
  return async (action, fields) => {
    const body = callText(type, action, fields)
    return await fetchText(new URL(controlPath, location), { type, action, body }, signal)
  }
}

/** The port that was opened; nothing when the router will not. */
async function mapAt(
  { type }: WanService,
  { port, lifetimeS, ownAddress }: Wanted,
  call: Call,
): Promise<number | undefined> {
  const fieldsFor = (external: number) => ({
    NewRemoteHost: '',
    NewExternalPort: external,
    NewProtocol: 'TCP',
    NewInternalPort: port,
    NewInternalClient: ownAddress,
    NewEnabled: 1,
    NewPortMappingDescription: 'byway',
    NewLeaseDuration: lifetimeS,
  })
  if (type.endsWith(':2')) {
    const { status, text } = await call('AddAnyPortMapping', fieldsFor(port))
    const given = Number(elementOf(text, 'NewReservedPort'))
    return status === 200 && given >= 1 && given <= 65_535 ? given : undefined
  }
  for (let external = port; external < port + MAX_PORTS && external <= 65_535; external++) {
    const { status, text } = await call('AddPortMapping', fieldsFor(external))
    if (status === 200) return external
    // What opens ports for ever or not at all is not used: nobody would close it.
    if (Number(elementOf(text, 'errorCode')) !== ERROR_CONFLICT) return undefined
  }
  return undefined
}

type Post = { readonly type: string; readonly action: string; readonly body: string }

/** Follows no redirection: the router that answered the search is asked, and nobody else. */
async function fetchText(
  url: URL,
  post: Post | undefined,
  signal: AbortSignal,
): Promise<{ readonly status: number; readonly text: string }> {
  const { promise, resolve, reject } = Promise.withResolvers<{ status: number; text: string }>()
  const headers = post && {
    'content-type': 'text/xml; charset="utf-8"',
    'content-length': Buffer.byteLength(post.body),
    soapaction: `"${post.type}#${post.action}"`,
  }
  const asking = request(url, { method: post ? 'POST' : 'GET', headers: headers ?? {}, signal })
  asking.on('error', reject)
  asking.on('response', (response) => {
    const parts: Buffer[] = []
    let bytes = 0
    response.on('data', (part: Buffer) => {
      bytes += part.length
      parts.push(part)
      if (bytes > MAX_ANSWER_BYTES) asking.destroy(new Error('too long'))
    })
    response.on('error', reject)
    response.on('end', () =>
      resolve({ status: response.statusCode ?? 0, text: Buffer.concat(parts).toString('utf8') }),
    )
  })
  asking.end(post?.body)
  return await promise
}

function ignore(): void {}
