/**
 * A tunnel of the linkage test: the core's own machines at both ends, over wires that note every cell at each hop, there and back, and what the hops read in those that are for them. An application asks
 * for names and pages and is answered; whom it asks and what it says are drawn by nobody's taste. A tunnel may go on over another wire.
 */
import assert from 'node:assert/strict'
import {
  type ClientTunnel,
  createClientTunnel,
  createExitLeg,
  createExitTunnels,
  createOriginLeg,
  type ExitTunnel,
  type ExitTunnelDriver,
  type Leg,
  type LegLink,
  preferredSizeClass,
} from '@byway/protocol/circuit'
import { nodeCrypto } from '@byway/protocol/node-crypto'
import {
  ADDRESS_FLAG,
  decodeHopMessage,
  type HopMessage,
  messagesIn,
  type TunnelTerms,
} from '@byway/protocol/wire'
import { type Wire, watchedLeg } from './wire.ts'

export type TunnelPlay = {
  readonly tunnel: ClientTunnel
  /** The application asks for pages, and has them all. */
  browse(): void
  /** The circuit dies under it, and it goes on over another one to the same exit. */
  rejoin(wire: Wire): void
  /** Lets everything arrive that waits to be sent. */
  settle(): void
  /** Says that it is over. */
  close(): void
}

export type TunnelPlayOptions = {
  readonly randomBytes: (count: number) => Uint8Array
  /** Uniform in [0, 1); of the world, for what people ask for is no client's own. */
  readonly random: () => number
  /** What its client has said of it to the exit. */
  readonly terms: TunnelTerms
  /** Told each message that a hop reads, by the hop's place on the way. */
  readonly onMessage: (hop: number, message: HopMessage) => void
  /** Told each cell that the client sends or gets, in bytes. */
  readonly onCell: (isSent: boolean, bytes: number) => void
}

type PlayedLeg = {
  readonly wire: Wire
  readonly client: Leg
  readonly exit: Leg
  readonly forward: Uint8Array[]
  readonly backward: Uint8Array[]
}

/** Destinations, some longer than others. */
const HOSTS: readonly string[] = [3, 5, 8, 13, 21, 34].flatMap((length) =>
  ['org', 'net'].map((end) => `${'site'.repeat(9).slice(0, length)}.example.${end}`),
)
const PORTS = [80, 443]
/** Whoever answers a datagram. */
const ANSWERED_FROM = { family: 4, bytes: Uint8Array.of(203, 0, 113, 1), port: 443 } as const
const FLAGS = ADDRESS_FLAG.IPV4 | ADDRESS_FLAG.IPV6
/** So many bytes may wait for a wire. */
const ROOM_BYTES = 256 * 1024
/** Fast enough for the largest cells, in bytes a millisecond. */
const RATE = 1000
const MOST_STREAMS = 3
const ANSWER_BYTES = 6000
/** Of this many answers one needs the largest cells. */
const LARGE_EVERY = 20
const LARGE_BYTES = 20_000
/** A virtual turn. */
const TURN_MS = 10
const MOST_TURNS = 1000

/** Opens one on a fresh wire; what its tunnel is told to say before the first page goes first. */
export function openTunnel(wire: Wire, options: TunnelPlayOptions): TunnelPlay {
  const { random, randomBytes, onMessage, onCell } = options
  const tunnels = createExitTunnels({ provider: nodeCrypto })
  let nowMs = 1000
  let exit: ExitTunnel | undefined
  let joined: Leg | undefined
  let open = 0
  const answered = new Set<number>()
  const pick = <T>(from: readonly T[]): T =>
    from[Math.floor(random() * from.length)] ?? assert.fail()
  const leg = createPlayedLeg(wire, options)
  let current = leg
  const tunnel = createClientTunnel({
    provider: nodeCrypto,
    tunnelId: randomBytes(16),
    terms: options.terms,
    leg: leg.client,
    handler: {
      ...QUIET,
      onData: (stream, bytes) => tunnel.consumed(stream, bytes.length, nowMs),
      onEnd(stream) {
        open--
        tunnel.end(stream)
      },
      onResolved: () => void open--,
      onDatagram: () => void open--,
    },
  })
  const driver = (): ExitTunnelDriver => ({
    ...QUIET,
    onOpened: (opened) => void (exit = opened),
    onBegin: (stream) => exit?.connected(stream, pick([4, 6])),
    onResolve: (stream) =>
      exit?.resolved(stream, {
        reason: undefined,
        ttlS: 60,
        addresses: [{ family: 4, bytes: randomBytes(4) }],
      }),
    onDatagram: (stream, _endpoint, { length }) =>
      exit?.sendDatagram(stream, ANSWERED_FROM, randomBytes(length), nowMs),
    onData(stream, bytes) {
      exit?.consumed(stream, bytes.length, nowMs)
      if (answered.has(stream)) return
      answered.add(stream)
      const isLarge = random() < 1 / LARGE_EVERY
      const most = isLarge ? LARGE_BYTES : ANSWER_BYTES
      exit?.write(stream, randomBytes(1 + Math.floor(random() * most)), nowMs)
      exit?.end(stream)
    },
  })

  function arrive(cell: Uint8Array): void {
    if (joined === current.exit) {
      assert.equal(exit?.onCell(current.exit, cell, nowMs), undefined)
      return
    }
    const first = tunnels.onFirstCell(current.exit, cell, nowMs, driver)
    assert.ok(first.type === 'opened' || first.type === 'joined', first.type)
    joined = current.exit
  }

  function sendForward(cell: Uint8Array): void {
    const { layers, note, noteOpened } = current.wire
    for (const [hop, layer] of layers.entries()) {
      if (hop === layers.length - 1) {
        note(hop, 'forward', cell)
        arrive(cell)
        return
      }
      const before = cell.slice()
      const list = layer.openForward(cell)
      const isIts = list instanceof Uint8Array
      note(hop, isIts ? 'forward to it' : 'forward', before)
      if (!isIts) {
        assert.equal(list, 'pass')
        continue
      }
      noteOpened(hop, cell)
      for (const { type, body } of messagesIn(list)) onMessage(hop, decodeHopMessage(type, body))
      return
    }
  }

  function sendBackward(cell: Uint8Array): void {
    const { layers, note } = current.wire
    const last = layers.length - 1
    for (let hop = last; hop >= 0; hop--) {
      if (hop !== last) layers[hop]?.sealBackward(cell)
      note(hop, 'backward', cell)
    }
    assert.equal(tunnel.onCell(current.client, cell, nowMs), undefined)
  }

  function settle(): void {
    for (let turn = 0; turn < MOST_TURNS; turn++) {
      const packed = tunnel.pump(nowMs) + (exit?.pump(nowMs) ?? 0)
      for (const cell of current.forward.splice(0)) {
        sendForward(cell)
        onCell(true, cell.length)
      }
      for (const cell of current.backward.splice(0)) {
        sendBackward(cell)
        onCell(false, cell.length)
      }
      if (packed === 0) return
      nowMs += TURN_MS
    }
    assert.fail('it does not settle')
  }

  return {
    tunnel,
    browse() {
      const streams = 1 + Math.floor(random() * MOST_STREAMS)
      for (let i = 0; i < streams; i++) {
        open++
        const host = pick(HOSTS)
        const kind = random()
        if (kind < 1 / 4) {
          tunnel.resolve(host, FLAGS, nowMs)
          continue
        }
        if (kind < 1 / 2) {
          const to = { host, port: pick(PORTS) }
          tunnel.sendDatagram(tunnel.associate(nowMs), to, randomBytes(1200), nowMs)
          continue
        }
        const stream = tunnel.connect({ host, port: pick(PORTS), flags: FLAGS }, nowMs)
        tunnel.write(stream, randomBytes(200 + Math.floor(random() * 600)), nowMs)
      }
      settle()
      assert.equal(open, 0, 'all was answered')
    },
    rejoin(next) {
      assert.ok(exit)
      tunnel.detachLeg()
      tunnels.onLegGone(exit, current.exit, nowMs)
      current = createPlayedLeg(next, options)
      tunnel.attachLeg(current.client)
      settle()
      assert.equal(tunnel.isJoining, false)
    },
    settle,
    close() {
      tunnel.close()
      settle()
    },
  }
}

function createPlayedLeg(
  wire: Wire,
  { randomBytes, onMessage }: Pick<TunnelPlayOptions, 'randomBytes' | 'onMessage'>,
): PlayedLeg {
  const last = wire.layers.length - 1
  const [forward, backward]: Uint8Array[][] = [[], []]
  assert.ok(forward && backward)
  const common = { ...wire.last, randomBytes }
  const exitLayers = wire.layers[last] ?? assert.fail()
  const exit = createExitLeg(exitLayers, { ...common, link: linkOf(backward) })
  return {
    wire,
    forward,
    backward,
    client: createOriginLeg(wire.origin, { ...common, link: linkOf(forward) }),
    exit: watchedLeg(exit, (cell, list) => {
      wire.noteOpened(last, cell)
      for (const { type, body } of messagesIn(list)) onMessage(last, decodeHopMessage(type, body))
    }),
  }
}

function linkOf(queue: Uint8Array[]): LegLink {
  return {
    send: (cell) => void queue.push(cell),
    roomBytes: () => ROOM_BYTES - queue.reduce((sum, { length }) => sum + length, 0),
    preferredClass: (waitingBytes) => preferredSizeClass(waitingBytes, RATE),
  }
}

/** Told what needs no answer here. */
const QUIET = {
  onWork() {},
  onData() {},
  onEnd() {},
  onReset() {},
  onDrained() {},
  onDatagram() {},
  onDraining() {},
  onPay: () => true,
  onOver() {},
  onConnected() {},
  onResolved() {},
  onJoined() {},
  onBegin() {},
  onResolve() {},
  onAssociate() {},
}
