/**
 * CPU time per 16 KiB cell of each party of a 3-hop circuit under bulk download (SPEC §6–§9): the exit packs and seals, the
 * middle adds its layer, the client opens and delivers. No sockets. The bytes are compared before anything is timed:
 *
 *     node --conditions=byway:source packages/protocol/bench/circuit.bench.ts
 */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { cpus } from 'node:os'
import {
  type ClientTunnel,
  createClientTunnel,
  createExitLeg,
  createExitTunnels,
  createHopBuild,
  createHopLayers,
  createOnionKeys,
  createOriginLayers,
  createOriginLeg,
  type ExitTunnel,
  type HopAnswer,
  type HopLayers,
  type Leg,
  type LegLink,
  startOriginBuild,
} from '@byway/protocol/circuit'
import { nodeCrypto as provider } from '@byway/protocol/node-crypto'
import { SIZE_CLASS } from '@byway/protocol/wire'

const TERMS = { trafficClass: 'browse', classStep: 0, priceStep: 0 } as const

const BULK_BYTES = 256 * 1024 * 1024
const CHUNK = randomBytes(64 * 1024)
const CELL_BYTES = 16_384

type Party = 'exit' | 'middle' | 'client' | 'acks'
type Bench = {
  readonly client: ClientTunnel
  readonly clientLeg: Leg
  readonly exit: ExitTunnel
  readonly exitLeg: Leg
  readonly middle: HopLayers
  readonly up: Uint8Array[]
  readonly down: Uint8Array[]
  readonly stream: number
}

const received = { bytes: 0 }
let onBytes: (bytes: Uint8Array) => void = () => {}
const fresh = (count: number): Uint8Array => new Uint8Array(randomBytes(count))

for (const preferAes of [true, false]) {
  const bench = build(preferAes)
  check(bench)
  const spent = run(bench)
  const cells = BULK_BYTES / CELL_BYTES
  for (const [party, micros] of Object.entries(spent)) {
    const suite = preferAes ? 'AES-256-GCM' : 'ChaCha20-Poly1305'
    console.log(
      `${suite.padEnd(18)} ${party.padEnd(7)} ${(micros / cells).toFixed(2)} µs per 16 KiB`,
    )
  }
}
console.log(
  `node ${process.version}, ${cpus()[0]?.model}, ${new Date().toISOString().slice(0, 10)}`,
)

/** Sends 8 MiB of known bytes and compares them. */
function check(bench: Bench): void {
  const sent = Array.from({ length: 128 }, () => randomBytes(64 * 1024))
  const got: Buffer[] = []
  onBytes = (bytes) => void got.push(Buffer.from(bytes))
  for (const chunk of sent) {
    bench.exit.write(bench.stream, chunk, now())
    round(bench, undefined)
  }
  for (let i = 0; i < 200; i++) round(bench, undefined)
  assert.ok(Buffer.concat(got).equals(Buffer.concat(sent)))
  onBytes = () => {}
}

function run(bench: Bench): Record<Party, number> {
  const spent = { exit: 0, middle: 0, client: 0, acks: 0 }
  received.bytes = 0
  while (received.bytes < BULK_BYTES) {
    timed(spent, 'exit', () => {
      let more = true
      while (more) more = bench.exit.write(bench.stream, CHUNK, now())
    })
    round(bench, spent)
  }
  return spent
}

/** Moves what may move, one party after the other. */
function round(bench: Bench, spent: Record<Party, number> | undefined): void {
  timed(spent, 'exit', () => bench.exit.pump(now()))
  const down = bench.down.splice(0)
  timed(spent, 'middle', () => {
    for (const cell of down) bench.middle.sealBackward(cell)
  })
  timed(spent, 'client', () => {
    for (const cell of down)
      assert.equal(bench.client.onCell(bench.clientLeg, cell, now()), undefined)
  })
  timed(spent, 'acks', () => {
    bench.client.pump(now())
    for (const cell of bench.up.splice(0)) {
      assert.equal(bench.middle.openForward(cell), 'pass')
      assert.equal(bench.exit.onCell(bench.exitLeg, cell, now()), undefined)
    }
  })
}

function timed(spent: Record<Party, number> | undefined, party: Party, work: () => void): void {
  const before = process.cpuUsage()
  work()
  const { user, system } = process.cpuUsage(before)
  if (spent) spent[party] += user + system
}

function build(preferAes: boolean): Bench {
  const nodes = Array.from({ length: 3 }, () => {
    const nodeId = fresh(32)
    const onionKeys = createOnionKeys({ provider, nodeId, randomBytes: fresh }, 0)
    const common = { provider, randomBytes: fresh, nodeId, onionKeys, preferAes }
    return { nodeId, onionKeys, hop: createHopBuild({ ...common, descriptor: () => fresh(300) }) }
  })
  const hops = nodes.map(({ nodeId, onionKeys }) => ({
    nodeId,
    onionKey: onionKeys.current().pair.publicKey,
  }))
  const origin = startOriginBuild({ provider, randomBytes: fresh, hops })
  const layers: HopLayers[] = []
  const ask = (cell: Uint8Array, index: number): HopAnswer => {
    const step = nodes[index]?.hop.onCreate(cell, index === 0 ? 'client' : 'node', 0)
    assert.ok(step)
    const answer =
      step.type === 'extend' ? step.onNextCreated(ask(step.cell, index + 1).cell) : step
    assert.equal(answer.type, 'ready')
    layers[index] = createHopLayers({ provider, ...answer.circuit })
    return answer
  }
  const result = origin.onCreated(ask(origin.cell, 0).cell)
  assert.equal(result.type, 'ready')
  return connect(createOriginLayers({ provider, ...result }), layers, result.hops.at(-1))
}

function connect(
  origin: ReturnType<typeof createOriginLayers>,
  layers: readonly HopLayers[],
  last: { handshakeHash: Uint8Array; keys: { tunnelSecret: Uint8Array } } | undefined,
): Bench {
  const [, middle, end] = layers
  assert.ok(middle && end && last)
  const up: Uint8Array[] = []
  const down: Uint8Array[] = []
  const link = (queue: Uint8Array[]): LegLink => ({
    send: (cell) => void queue.push(cell),
    roomBytes: () => 1024 * 1024 - queue.length * CELL_BYTES,
    preferredClass: (waiting) => (waiting >= 12_288 ? SIZE_CLASS.LARGE : SIZE_CLASS.MEDIUM),
  })
  const common = { ...last, tunnelSecret: last.keys.tunnelSecret, randomBytes: fresh }
  const clientLeg = createOriginLeg(origin, { ...common, link: link(up) })
  const exitLeg = createExitLeg(end, { ...common, link: link(down) })
  const nothing = (): void => {}
  const quiet = {
    onWork: nothing,
    onEnd: nothing,
    onReset: nothing,
    onDrained: nothing,
    onDatagram: nothing,
    onDraining: nothing,
    onPay: () => true,
    onOver: nothing,
    onConnected: nothing,
    onResolved: nothing,
    onJoined: nothing,
    onBegin: nothing,
    onResolve: nothing,
    onAssociate: nothing,
    onOpened: nothing,
  }
  const client = createClientTunnel({
    terms: TERMS,
    provider,
    tunnelId: fresh(16),
    leg: clientLeg,
    handler: {
      ...quiet,
      onData(stream, bytes) {
        received.bytes += bytes.length
        onBytes(bytes)
        client.consumed(stream, bytes.length, now())
      },
    },
  })
  const stream = client.connect({ host: 'a.example', port: 80, flags: 1 }, now())
  client.pump(now())
  const [cell] = up.splice(0)
  assert.ok(cell)
  assert.equal(middle.openForward(cell), 'pass')
  const tunnels = createExitTunnels({ provider })
  const opened = tunnels.onFirstCell(exitLeg, cell, now(), () => ({ ...quiet, onData: nothing }))
  assert.equal(opened.type, 'opened')
  opened.tunnel.connected(stream, 4)
  return { client, clientLeg, exit: opened.tunnel, exitLeg, middle, up, down, stream }
}

function now(): number {
  return performance.now()
}
