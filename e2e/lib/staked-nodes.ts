/** Nodes in this process that spread their descriptors by gossip, with a registry that the test writes: no chain, no client, no directory file but one first contact. */
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createNode, type RunningNode } from '@byway/node'
import { toHex } from '@byway/protocol/base'
import type { NetworkParameters, StakeSource } from '@byway/protocol/directory'

/** Stakes by node id; each node has 100. */
export interface TestRegistry extends StakeSource {
  readonly staked: Set<string>
  stake(nodeId: Uint8Array): void
  unstake(nodeId: Uint8Array): void
}

export function createTestRegistry(): TestRegistry {
  const staked = new Set<string>()
  const listeners = new Set<() => void>()
  const change = (run: () => void): void => {
    run()
    for (const listener of listeners) listener()
  }
  return {
    staked,
    view: {
      get activeStake() {
        return BigInt(staked.size) * STAKE
      },
      get activeCount() {
        return staked.size
      },
      stakeOf: ({ nodeId }) => (staked.has(toHex(nodeId)) ? STAKE : 0n),
      provenOf: () => [],
      ownerOf: () => undefined,
      sinceBlockOf: ({ nodeId }) => (staked.has(toHex(nodeId)) ? 0 : undefined),
      hasNode: (nodeId) => staked.has(toHex(nodeId)),
      records: () => [],
    },
    onChange(listener) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    stake: (nodeId) => change(() => staked.add(toHex(nodeId))),
    unstake: (nodeId) => change(() => staked.delete(toHex(nodeId))),
  }
}

const STAKE = 100n

export interface StakedNodes {
  readonly registry: TestRegistry
  readonly nodes: readonly RunningNode[]
  readonly network: NetworkParameters
  /** Starts one more, which knows only the first contact. With a stake unless told otherwise. */
  start(options?: { readonly isStaked?: boolean }): Promise<RunningNode>
}

/** Who ends what was started: a test, or a bench. */
export type Owner = {
  readonly signal: AbortSignal
  after(end: () => unknown): void
}

/** Creates a network without nodes; the first that starts is the first contact. All end with their owner. */
export async function createStakedNodes(t: Owner): Promise<StakedNodes> {
  const folder = await mkdtemp(join(tmpdir(), 'byway-staked-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  const registry = createTestRegistry()
  const nodes: RunningNode[] = []
  let network: NetworkParameters = {
    name: 'staked',
    local: true,
    reachablePrefixes: ['127.0.0.0/8'],
    asnTable: [],
    bootstrap: [],
    exitTargets: [],
  }
  let count = 0
  return {
    registry,
    nodes,
    get network() {
      return network
    },
    async start({ isStaked = true } = {}) {
      const number = ++count
      const home = join(folder, String(number))
      await mkdir(home, { mode: 0o700 })
      const host = `127.${number}.0.1`
      const node = createNode({ network, home, listen: { host, port: 0 }, stakes: registry })
      t.after(() => node[Symbol.asyncDispose]())
      await node.start(t.signal)
      if (number === 1 && node.listen) {
        const { port } = node.listen
        network = { ...network, bootstrap: [{ nodeId: node.nodeId, address: host, port }] }
      }
      if (isStaked) registry.stake(node.nodeId)
      nodes.push(node)
      return node
    },
  }
}
