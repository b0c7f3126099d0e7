/** The client of a bench network with its proxy, as its own process; what it is told is `ClientSettings`. */
import { createClient, createProxy } from '@byway/client'
import { NO_LOG } from '@byway/protocol/base'

import { serve, tell } from './line-protocol.ts'
import { readSettings, toNetwork, type ClientSettings } from './settings.ts'

const START_TIMEOUT_MS = 30_000

const { network, home, hops } = readSettings() as ClientSettings
const client = createClient({
  network: toNetwork(network),
  home,
  hops,
  unsafeSingleHop: hops === 1,
  onPath: (path) => tell({ event: 'path', hops: path.hops.map(({ nodeId }) => nodeId) }),
})
await client.start(AbortSignal.timeout(START_TIMEOUT_MS))
const targets = network.exitTargets.map(({ address, port }) => ({ host: address, port }))
const proxy = createProxy({ dialer: client, log: NO_LOG }, { port: 0, allowTargets: targets })
const { port } = await proxy.start()
tell({ event: 'ready', port })
serve(
  {
    status: () => ({ ...client.status() }),
    ping: async () => ({ guards: await client.measureGuards() }),
  },
  async () => {
    await proxy[Symbol.asyncDispose]()
    await client[Symbol.asyncDispose]()
  },
)
