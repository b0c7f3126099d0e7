/** The process that asks the router: one argument, the port; one line in, the nonce; one line out, the answer; nothing when no router opens it. */
import { readFile } from 'node:fs/promises'
import { networkInterfaces } from 'node:os'
import { text } from 'node:stream/consumers'
import { askIgd } from './ask-igd.ts'
import { askPortControl } from './ask-port-control.ts'
import type { PortMapAnswer } from './answer.ts'
import { defaultGateway, localAddressFor, ownAddresses } from './gateways.ts'
import { PORT_CONTROL_PORT } from './port-control.ts'

/** Twice what lies between two questions of the node. */
const LIFETIME_S = 7200
/** Whoever started it ends it long before. */
const LIMIT_MS = 30_000

const port = Number(process.argv[2])
const limit = AbortSignal.timeout(LIMIT_MS)
const interfaces = Object.values(networkInterfaces()).flat()

async function byPortControl(): Promise<PortMapAnswer> {
  const gateway = defaultGateway(await readFile('/proc/net/route', 'latin1'))
  if (gateway === undefined) throw new Error('there is no default route')
  const ownAddress = localAddressFor(gateway, interfaces)
  if (ownAddress === undefined) throw new Error('this gateway is on no network of ours')
  const nonce = Buffer.from(await text(process.stdin), 'hex')
  const place = { host: gateway, port: PORT_CONTROL_PORT }
  return await askPortControl(place, { nonce, ownAddress, port, lifetimeS: LIFETIME_S }, limit)
}

try {
  const answer = await Promise.any([
    askIgd({ port, lifetimeS: LIFETIME_S, from: ownAddresses(interfaces) }, limit),
    byPortControl(),
  ])
  process.stdout.write(`${JSON.stringify(answer)}\n`, () => process.exit(0))
} catch {
  process.exit(1)
}
