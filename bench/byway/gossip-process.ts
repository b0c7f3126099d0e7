/**
 * Gossip alone, as its own process, which loads the library when it is told to start. What it is told, in a line of JSON as its argument: how many hosts. They know whom they are told to
 * know, and pass on whatever is said.
 */
import { randomBytes } from 'node:crypto'
import { nodeCrypto } from '@byway/protocol/node-crypto'
import type { Gossip, GossipPeer } from '@byway/gossip'
import { serve, tell } from './line-protocol.ts'

/** What it is told. */
export type GossipSettings = {
  readonly hosts: number
  /** Addresses are 127.N.0.1 from here on. */
  readonly firstHost: number
}

/** A host as others dial it. */
export type GossipHostLine = {
  readonly nodeId: string
  readonly host: string
  readonly port: number
}

/** About an edition of an exit. */
const MESSAGE_BYTES = 330

const { hosts, firstHost } = JSON.parse(process.argv[2] ?? '{}') as GossipSettings
const running: Gossip[] = []
const known: GossipPeer[] = []
let heard = 0

tell({ event: 'ready' })
serve(
  {
    /** Not before: memory without the library is read first. */
    start: async () => {
      const started: GossipHostLine[] = []
      for (let at = 0; at < hosts; at++) started.push(await startHost(firstHost + at))
      return { hosts: started }
    },
    know: ({ hosts: others }) => {
      for (const { nodeId, host, port } of others as readonly GossipHostLine[])
        known.push({
          nodeId: new Uint8Array(Buffer.from(nodeId, 'hex')),
          addresses: [{ host, port }],
          group: host,
        })
      for (const gossip of running) gossip.lookAround()
      return {}
    },
    status: () => ({ listening: running.map(({ status }) => status.listening), heard }),
    say: async ({ from }) => {
      await running[Number(from) % running.length]?.publish(randomBytes(MESSAGE_BYTES))
      return {}
    },
    /** Memory is read right after what nobody needs is gone. */
    collect: () => {
      globalThis.gc?.()
      return {}
    },
  },
  async () => {
    await Promise.all(running.map((gossip) => gossip[Symbol.asyncDispose]()))
  },
)

async function startHost(number: number): Promise<GossipHostLine> {
  const { startGossip } = await import('@byway/gossip')
  const identitySeed = new Uint8Array(randomBytes(32))
  const nodeId = nodeCrypto.ed25519KeyPair(identitySeed).publicKey
  const host = `127.${number}.0.1`
  const gossip = await startGossip({
    networkName: 'bench',
    identitySeed,
    listen: { host, port: 0 },
    isLocal: true,
    maxMessageBytes: 2048,
    judge: () => {
      heard++
      return 'accept'
    },
    mayJoin: () => true,
    candidates: () => known,
    onNeighbour: () => {},
    random: Math.random,
    nowMs: () => performance.now(),
  })
  running.push(gossip)
  return { nodeId: Buffer.from(nodeId).toString('hex'), host, port: gossip.port ?? 0 }
}
