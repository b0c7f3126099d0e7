/**
 * What an exit keeps for clients that do not behave (THREAT-MODEL T14, SPEC §9.3): memory in all, tunnels without a leg, and what is left when a node drains.
 */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:net'
import type { Socket } from 'node:net'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import type { HopSpec } from '@byway/protocol/circuit'
import { destroyCell } from '@byway/protocol/circuit'
import { CLOSE_REASON, HOP_MESSAGE } from '@byway/protocol/wire'
import { listenAsTarget } from '@byway/testnet'
import { dialAs, makeNet } from './lib/net.ts'
import { dialRaw, openRawTunnel } from './lib/raw-client.ts'
import type { Listening, RawTunnel } from './lib/raw-client.ts'
import { startOrigin, transfer } from './lib/transfer.ts'
import type { Origin } from './lib/transfer.ts'
import { until, within } from './lib/until.ts'

const TERMS = { trafficClass: 'browse', classStep: 0, priceStep: 0 } as const

const newId = (): Uint8Array => new Uint8Array(randomBytes(16))

async function specsOf(t: TestContext, node: Listening, localAddress?: string) {
  const raw = await dialRaw(node, localAddress)
  t.after(() => raw.link.close('local'))
  return { raw, specs: await raw.hops() }
}

function pick(specs: ReadonlyMap<string, HopSpec>, key: string): HopSpec {
  const spec = specs.get(key)
  assert.ok(spec)
  return spec
}

/** OPEN and BEGIN, with the head of a transfer as optimistic data. */
function openStream(tunnel: RawTunnel, { address: host, port }: Origin, downBytes: number): void {
  const head = new Uint8Array(8)
  new DataView(head.buffer).setUint32(4, downBytes)
  const stream = 1
  tunnel.send(
    { type: HOP_MESSAGE.OPEN, tunnelId: newId(), ...TERMS },
    { type: HOP_MESSAGE.BEGIN, sequence: 0, stream, flags: 1, host, port },
    { type: HOP_MESSAGE.DATA, sequence: 1, stream, payload: head },
    { type: HOP_MESSAGE.WINDOW, stream, offset: 4 * 1024 * 1024 },
  )
}

test('when memory runs out the tunnels with the oldest waiting bytes die, and a reader beside them does not notice', async (t) => {
  const origin = await startOrigin(t)
  const net = await makeNet(t, [origin])
  const guard = await net.honest()
  const limitBytes = 8 * 1024 * 1024
  const exit = await net.probe({ exit: { memoryBytes: limitBytes } })
  await net.honest()
  await net.settled()
  const { raw, specs } = await specsOf(t, guard.node)
  const hops = [pick(specs, guard.key), pick(specs, exit.key)]
  // Each takes what comes and acknowledges nothing: the exit must keep it all.
  const deaf: RawTunnel[] = []
  for (let i = 0; i < 24; i++) {
    const tunnel = await openRawTunnel(raw, hops)
    openStream(tunnel, origin, 64 * 1024 * 1024)
    deaf.push(tunnel)
  }
  const client = await net.client([guard])
  const stream = await client.connect({ host: origin.address, port: origin.port }, dialAs())
  const outcome = await within('the honest download', transfer(stream, 1000, 8_000_000))
  assert.deepEqual(outcome, {
    received: 8_000_000,
    isAltered: false,
    end: 'clean',
    code: undefined,
  })
  await until('a deaf tunnel to die', () =>
    deaf.some(({ circuit }) => circuit.destroyed !== undefined),
  )
  for (const { circuit } of deaf)
    if (circuit.destroyed !== undefined)
      assert.equal(circuit.destroyed, CLOSE_REASON.RESOURCE_LIMIT)
  assert.ok(exit.heldBytes <= limitBytes * 1.15, `holds ${exit.heldBytes}`)
  assert.equal(client.status().tunnels.at(-1)?.rejoins, 0)
})

test('of three hundred tunnels without a leg at most 256 are kept, the oldest go first', async (t) => {
  const origin = await startOrigin(t)
  const net = await makeNet(t, [origin])
  const guard = await net.honest()
  const exit = await net.probe({ exit: {} })
  await net.honest()
  await net.settled()
  let { raw, specs } = await specsOf(t, guard.node)
  const hops = [pick(specs, guard.key), pick(specs, exit.key)]
  for (let i = 0; i < 300; i++) {
    // Ninety circuits at once are allowed of one address: take others.
    if (i % 75 === 74) ({ raw, specs } = await specsOf(t, guard.node, `127.96.${(i + 1) / 75}.1`))
    const tunnel = await openRawTunnel(raw, hops)
    openStream(tunnel, origin, 0)
    await until('the visit', () => origin.visits.length === i + 1)
    tunnel.circuit.push(destroyCell(CLOSE_REASON.FINISHED))
  }
  await until('the orphans', () => exit.exit?.status().orphans === 256)
  await until(
    'the oldest to be reset',
    () => origin.visits.filter(({ end }) => end === 'reset').length === 44,
  )
  assert.ok(origin.visits.slice(0, 44).every(({ end }) => end === 'reset'))
  assert.ok(origin.visits.slice(44).every(({ end }) => end !== 'reset'))
})

test('JOIN to a tunnel that was given up resets the application (SPEC §9.3)', async (t) => {
  const origin = await startOrigin(t)
  const net = await makeNet(t, [origin])
  const guard = await net.honest()
  const exit = await net.probe({ exit: {} })
  await net.honest()
  await net.settled()
  const client = await net.client([guard])
  const stream = await client.connect({ host: origin.address, port: origin.port }, dialAs())
  const reading = transfer(stream, 1000, 50_000_000)
  await until('some bytes', () => (origin.visits[0]?.body.received ?? 0) > 0)
  for (const circuit of exit.relay.circuits) circuit.close(CLOSE_REASON.INTERNAL)
  // Before the client can be back.
  exit.exit?.onAbuse('tunnel-1')
  const outcome = await within('the reset', reading)
  assert.equal(outcome.end, 'reset')
  assert.equal(outcome.isAltered, false)
})

test('a draining exit lets a download finish and begins nothing new', async (t) => {
  const sockets: Socket[] = []
  const server = createServer((socket) => {
    socket.on('error', () => {})
    sockets.push(socket)
    socket.write('first half')
  })
  const port = await listenAsTarget(server)
  t.after(() => server.close())
  const net = await makeNet(t, [{ address: '127.0.0.1', port }])
  const guard = await net.honest()
  const exit = await net.honest({ exit: { profile: 'web' } })
  await net.honest()
  await net.settled()
  const client = await net.client([guard])
  const target = { host: '127.0.0.1', port }
  const stream = await client.connect(target, dialAs('a'))
  let text = ''
  // The exit closes streams whose client says nothing for ten seconds.
  stream.write('go')
  stream.on('data', (part: Buffer) => (text += part.toString()))
  await until('the first half', () => text === 'first half')
  const drained = exit.node.drain(10)
  const late = (async (): Promise<void> => {
    const other = await client.connect(target, dialAs('b'))
    other.on('error', () => {})
    await other.connected
  })()
  await within('the refusal', assert.rejects(late))
  sockets[0]?.end(' and the rest')
  await within('the end', once(stream, 'end'))
  assert.equal(text, 'first half and the rest')
  const closed = once(stream, 'close')
  stream.end()
  await closed
  await client[Symbol.asyncDispose]()
  await within('the drain', drained)
})
