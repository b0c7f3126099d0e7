/** An exit in memory and circuits to it: cells are really sealed and opened, and arrive a turn later. */
import { randomBytes } from 'node:crypto'
import {
  createExitLeg,
  createExitTunnels,
  createHopLayers,
  destroyCell,
  preferredSizeClass,
} from '@byway/protocol/circuit'
import type { ExitTunnel, ExitTunnelDriver, HopKeys } from '@byway/protocol/circuit'
import type { AeadKey } from '@byway/protocol/crypto'
import { createDescriptorSet, createPathNodeSet } from '@byway/protocol/directory'
import type { NodeKey, PathNode } from '@byway/protocol/directory'
import { nodeCrypto } from '@byway/protocol/node-crypto'
import { CLOSE_REASON } from '@byway/protocol/wire'
import type { CloseReason } from '@byway/protocol/wire'
import type { ReadyCircuit } from '../../src/engine/circuit-source.ts'
import { createClientLink } from '../../src/engine/client-link.ts'
import type { CircuitSink } from '../../src/engine/client-link.ts'
import { createFakeLink } from './fake-link.ts'
import { NETWORK, NOW_MS, signedNode } from './signed-nodes.ts'

export type TestCircuit = ReadyCircuit & {
  /** Why the client destroyed it. */
  readonly destroyed: CloseReason[]
  /** A relay in between dies: both ends are told, and nothing under way arrives. */
  die(reason?: CloseReason): void
  /** The link to the entry closes. */
  loseLink(): void
  /** A relay in between swallows every cell from now on, and nobody is told. */
  swallow(): void
}

export type TestExit = {
  /** Opens a circuit over these nodes, the last being the exit's place. */
  circuit(path: readonly PathNode[]): TestCircuit
  /** What applications asked for: `host:port`, or the name looked up. */
  readonly begun: string[]
  /** Streams that the client reset. */
  readonly resets: number[]
  readonly received: Map<number, string>
  tunnel(): ExitTunnel
  /** Answers to BEGIN; none makes the exit silent. @default connected */
  onBegin: (tunnel: ExitTunnel, stream: number) => void
  /** False while its targets take nothing: the windows of the streams stand still. @default true */
  consumes: boolean
  /** Forgets its tunnels, as after a restart. */
  restart(): void
}

/** Public relays and exits 0 to `count` as the path rules see them. */
export function pathNodes(count: number): readonly PathNode[] {
  const set = createDescriptorSet(nodeCrypto)
  for (let i = 0; i < count; i++) set.offer(signedNode(i + 1), NOW_MS)
  return createPathNodeSet(set, NETWORK).list(NOW_MS)
}

export const keysOf = (path: readonly PathNode[]): readonly NodeKey[] => path.map(({ key }) => key)

export function createTestExit(nowMs: () => number): TestExit {
  let tunnels = createExitTunnels({ provider: nodeCrypto })
  let latest: ExitTunnel | undefined
  const exit: TestExit = {
    begun: [],
    resets: [],
    received: new Map(),
    consumes: true,
    onBegin: (tunnel, stream) => tunnel.connected(stream, 4),
    tunnel() {
      if (!latest) throw new Error('no tunnel was opened')
      return latest
    },
    restart: () => void (tunnels = createExitTunnels({ provider: nodeCrypto })),
    circuit,
  }

  function driver(): ExitTunnelDriver {
    let tunnel: ExitTunnel | undefined
    const pump = (): void => queueMicrotask(() => void tunnel?.pump(nowMs()))
    return {
      onOpened: (opened) => void (latest = tunnel = opened),
      onWork: pump,
      onBegin(stream, { host, port }) {
        exit.begun.push(`${host}:${port}`)
        if (tunnel) exit.onBegin(tunnel, stream)
      },
      onResolve: (_stream, host) => void exit.begun.push(host),
      onAssociate: () => void exit.begun.push('datagrams'),
      onData(stream, bytes) {
        const before = exit.received.get(stream) ?? ''
        exit.received.set(stream, before + Buffer.from(bytes).toString())
        if (exit.consumes) tunnel?.consumed(stream, bytes.length, nowMs())
      },
      onEnd() {},
      onReset: (stream) => void exit.resets.push(stream),
      onDrained() {},
      onDatagram() {},
      onDraining() {},
      onPay: () => true,
      onOver() {},
    }
  }

  function circuit(path: readonly PathNode[]): TestCircuit {
    const key = (): AeadKey => nodeCrypto.aeadKey(randomBytes(32))
    const keys = {
      forward: key(),
      backward: key(),
      bind: randomBytes(32),
      tunnelSecret: randomBytes(32),
    }
    const hop: HopKeys = { suite: 'aes-256-gcm', keys, handshakeHash: randomBytes(32) }
    const link = createFakeLink()
    const early: Uint8Array[] = []
    let sink: CircuitSink | undefined
    let isDead = false
    let isSwallowed = false
    let tunnel: ExitTunnel | undefined
    const toClient = (cell: Uint8Array): void => {
      if (sink) sink.onCell(cell, nowMs())
      else early.push(cell)
    }
    const later = (run: () => void): void =>
      void setImmediate(() => (isDead || isSwallowed ? undefined : run()))
    const leg = createExitLeg(
      createHopLayers({ provider: nodeCrypto, hop, position: 2, entryLayer: false }),
      {
        handshakeHash: hop.handshakeHash,
        tunnelSecret: keys.tunnelSecret,
        randomBytes,
        link: {
          send: (cell) => later(() => toClient(cell)),
          roomBytes: () => 262_144,
          preferredClass: (waitingBytes) => preferredSizeClass(waitingBytes, 1000),
        },
      },
    )
    const end = (): void => {
      if (isDead) return
      isDead = true
      if (tunnel) tunnels.onLegGone(tunnel, leg, nowMs())
    }
    const die = (reason: CloseReason = CLOSE_REASON.LINK_CLOSED): void => {
      end()
      toClient(destroyCell(reason))
    }
    const loseLink = (): void => {
      end()
      sink?.onLinkClosed(CLOSE_REASON.LINK_CLOSED)
    }
    const onCell = (cell: Uint8Array): void => {
      if (tunnel) {
        tunnel.onCell(leg, cell, nowMs())
        return
      }
      const first = tunnels.onFirstCell(leg, cell, nowMs(), driver)
      if (first.type === 'refused') die(first.reason)
      else if (first.type !== 'waiting') {
        tunnel = first.tunnel
        tunnel.pump(nowMs())
      }
    }
    link.onPush = (_id, cell) => later(() => onCell(cell.slice()))
    const destroyed: CloseReason[] = []
    return {
      destroyed,
      die,
      loseLink,
      swallow: () => void (isSwallowed = true),
      path,
      circuit: {
        clientLink: createClientLink(link, new Uint8Array(32)),
        link,
        queue: link.openQueue(1),
        circuitId: 1,
        hops: [hop, hop],
        entryLayer: false,
        buildMs: 1,
        seen: [],
        setSink(next) {
          sink = next
          for (const cell of early.splice(0)) next.onCell(cell, nowMs())
        },
        destroy(reason) {
          destroyed.push(reason)
          end()
        },
      },
    }
  }
  return exit
}
