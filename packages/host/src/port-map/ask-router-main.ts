/** The process that asks the router: one argument, the port; one line, the answer; nothing when no router opens it. */
import { readFile } from 'node:fs/promises'
import { networkInterfaces } from 'node:os'
import { pmpNat, upnpNat, type Gateway } from '@achingbrain/nat-port-mapper'
import type { PortMapAnswer, PortMapProtocol } from './answer.ts'
import { defaultGateway, localAddressFor } from './gateways.ts'

/** Twice what lies between two questions of the node. */
const LEASE_S = 7200
/** Whoever started it ends it long before. */
const LIMIT_MS = 30_000

const port = Number(process.argv[2])
const limit = AbortSignal.timeout(LIMIT_MS)

/** @throws what the library throws when the gateway refuses */
async function openAt(
  gateway: Gateway,
  protocol: PortMapProtocol,
  ttl: number,
): Promise<PortMapAnswer> {
  const local = localAddressFor(gateway.host, Object.values(networkInterfaces()).flat())
  if (local === undefined) throw new Error('this gateway is on no network of ours')
  const options = { protocol: 'tcp', ttl, autoRefresh: false, description: 'byway' } as const
  const mapping = await gateway.map(port, local, { ...options, signal: limit })
  return { host: mapping.externalHost, port: mapping.externalPort, protocol }
}

async function byUpnp(): Promise<PortMapAnswer> {
  for await (const gateway of upnpNat().findGateways({ signal: limit, searchInterval: 1000 })) {
    if (gateway.family !== 'IPv4') continue
    return await openAt(gateway, 'upnp', LEASE_S * 1000)
  }
  throw new Error('no gateway answered')
}

async function byNatPmp(): Promise<PortMapAnswer> {
  const host = defaultGateway(await readFile('/proc/net/route', 'latin1'))
  if (host === undefined) throw new Error('there is no default route')
  // This call takes seconds where the other takes milliseconds.
  return await openAt(pmpNat(host), 'nat-pmp', LEASE_S)
}

try {
  const answer = await Promise.any([byUpnp(), byNatPmp()])
  process.stdout.write(`${JSON.stringify(answer)}\n`, () => process.exit(0))
} catch {
  process.exit(1)
}
