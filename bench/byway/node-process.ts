/** One Byway node of a bench network, as its own process; what it is told is `NodeSettings`. */
import { createNode } from '@byway/node'

import { serve, tell } from './line-protocol.ts'
import { idText, readSettings, toNetwork, type NodeSettings } from './settings.ts'

const START_TIMEOUT_MS = 30_000

const { network, home, host, isExit } = readSettings() as NodeSettings
const node = createNode({
  network: toNetwork(network),
  home,
  listen: { host, port: 0 },
  exit: isExit ? { profile: 'web' } : undefined,
})
await node.start(AbortSignal.timeout(START_TIMEOUT_MS))
tell({ event: 'ready', nodeId: idText(node.nodeId), port: node.listen?.port })
serve({ status: () => ({ ...node.status() }) }, async () => node[Symbol.asyncDispose]())
