/**
 * An exit that lies to its clients (THREAT-MODEL T6, T20): stray messages cost it the circuit at once and the application reads an error; a stream that it
 * cuts off is a reset, never a clean end.
 *
 *   client ── guard ── rogue exit        the rogue writes its lists by hand
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import type { ByteStream, Client } from '@byway/client'
import { isBywayError } from '@byway/protocol/base'
import { CLOSE_REASON, HOP_MESSAGE, RESET_REASON } from '@byway/protocol/wire'
import { dialAs, makeNet } from './lib/net.ts'
import { answerBegin, createRogueExit } from './lib/rogue-exit.ts'
import type { RogueExit, RogueLeg } from './lib/rogue-exit.ts'
import { until, within } from './lib/until.ts'

const TERMS = { trafficClass: 'browse', classStep: 0, priceStep: 0 } as const

const H = HOP_MESSAGE
const TARGET = { host: '192.0.2.7', port: 443 }
const bytes = (count: number): Uint8Array => new Uint8Array(count)

async function makeWorld(t: TestContext) {
  const rogue = createRogueExit()
  const net = await makeNet(t, [])
  const guard = await net.honest()
  await net.probe({ terminals: rogue })
  await net.honest()
  await net.settled()
  return { net, rogue, client: await net.client([guard]) }
}

/** What a stream came to, read by an application. */
type Reading = {
  readonly bytes: number
  readonly end: 'clean' | 'reset'
  readonly code: string | undefined
}

async function read(stream: ByteStream, isReading = true): Promise<Reading> {
  let received = 0
  const done = Promise.withResolvers<Reading>()
  if (isReading) stream.on('data', (chunk: Uint8Array) => (received += chunk.length))
  stream.on('end', () => done.resolve({ bytes: received, end: 'clean', code: undefined }))
  stream.on('error', (error) =>
    done.resolve({ bytes: received, end: 'reset', code: isBywayError(error) ? error.code : '?' }),
  )
  return within('the stream to end', done.promise)
}

/** Runs the stray on the leg of a fresh stream and returns what the application read. */
async function provoke(
  client: Client,
  rogue: RogueExit,
  stray: (leg: RogueLeg, stream: number) => void,
  isReading: boolean,
): Promise<{ reading: Reading; leg: RogueLeg; stream: ByteStream }> {
  let struck: RogueLeg | undefined
  rogue.script = (leg, message) => {
    if (message.type !== H.BEGIN) return
    struck = leg
    stray(leg, message.stream)
  }
  const stream = await client.connect(TARGET, dialAs())
  const reading = await read(stream, isReading)
  rogue.script = () => {}
  assert.ok(struck, 'the rogue saw BEGIN')
  return { reading, leg: struck, stream }
}

const ip = { family: 4 as const, bytes: new Uint8Array([192, 0, 2, 1]) }
const endpoint = { ...ip, port: 53 }
const mac = bytes(32)
const tunnelId = bytes(16)

const BEYOND = 'DATA beyond the window'

/** One message that no honest exit sends at this point. */
const STRAYS: Record<string, (leg: RogueLeg, stream: number) => void> = {
  'DATA of a stream that was never begun': (leg) =>
    leg.send({ type: H.DATA, sequence: leg.sequence++, stream: 999, payload: bytes(10) }),
  'DATA before CONNECTED': (leg, stream) =>
    leg.send({ type: H.DATA, sequence: leg.sequence++, stream, payload: bytes(10) }),
  'DATA after DONE': (leg, stream) => {
    answerBegin(leg, stream)
    leg.send({ type: H.DONE, sequence: leg.sequence++, stream })
    leg.send({ type: H.DATA, sequence: leg.sequence++, stream, payload: bytes(10) })
  },
  [BEYOND]: (leg, stream) => {
    answerBegin(leg, stream)
    // The application does not read, so that the window stays where it was.
    for (let sent = 0; sent <= 6 * 1024 * 1024; sent += 16_000)
      leg.send({ type: H.DATA, sequence: leg.sequence++, stream, payload: bytes(16_000) })
  },
  'CONNECTED twice': (leg, stream) => {
    answerBegin(leg, stream)
    answerBegin(leg, stream)
  },
  'CONNECTED of a stream that was never begun': (leg) => answerBegin(leg, 77),
  'DONE before CONNECTED': (leg, stream) =>
    leg.send({ type: H.DONE, sequence: leg.sequence++, stream }),
  'DONE twice': (leg, stream) => {
    answerBegin(leg, stream)
    leg.send({ type: H.DONE, sequence: leg.sequence++, stream })
    leg.send({ type: H.DONE, sequence: leg.sequence++, stream })
  },
  'RESET of a stream that was never begun': (leg) =>
    leg.send({ type: H.RESET, sequence: leg.sequence++, stream: 50, reason: RESET_REASON.MISC }),
  'RESOLVED unasked': (leg, stream) =>
    leg.send({
      type: H.RESOLVED,
      sequence: leg.sequence++,
      stream,
      reason: undefined,
      ttlS: 60,
      addresses: [ip],
    }),
  'BEGIN towards a client': (leg) =>
    leg.send({
      type: H.BEGIN,
      sequence: leg.sequence++,
      stream: 2,
      flags: 1,
      port: 80,
      host: 'a.b',
    }),
  'RESOLVE towards a client': (leg) =>
    leg.send({ type: H.RESOLVE, sequence: leg.sequence++, stream: 2, flags: 1, host: 'a.b' }),
  'ASSOCIATE towards a client': (leg) =>
    leg.send({ type: H.ASSOCIATE, sequence: leg.sequence++, stream: 2 }),
  'OPEN towards a client': (leg) => leg.send({ type: H.OPEN, tunnelId, ...TERMS }),
  'JOIN towards a client': (leg) =>
    leg.send({ type: H.JOIN, tunnelId, generation: 1, nextSequence: 0, mac }),
  'JOINED never asked': (leg) => leg.send({ type: H.JOINED, generation: 1, nextSequence: 0, mac }),
  'an ACK that nobody asked for': (leg) => leg.send({ type: H.ACK, serial: 1, random: bytes(8) }),
  'TUNNEL_ACK of what was not sent': (leg) => leg.send({ type: H.TUNNEL_ACK, nextSequence: 1000 }),
  'WINDOW that falls': (leg, stream) => leg.send({ type: H.WINDOW, stream, offset: 1 }),
  'WINDOW of a stream that was never begun': (leg) =>
    leg.send({ type: H.WINDOW, stream: 88, offset: 300_000 }),
  'WINDOW wider than 4 MiB': (leg, stream) => leg.send({ type: H.WINDOW, stream, offset: 2 ** 40 }),
  'DATAGRAM of a TCP stream': (leg, stream) =>
    leg.send({ type: H.DATAGRAM, stream, endpoint, payload: bytes(5) }),
  'a gap in the sequence': (leg, stream) => {
    leg.sequence += 5
    answerBegin(leg, stream)
  },
  'more ACK_REQUESTs than any sender may have open': (leg) => {
    const requests = Array.from({ length: 1080 }, (_, at) => {
      return { type: H.ACK_REQUEST, serial: at + 1, random: bytes(8) }
    })
    leg.send(...requests)
  },
  'an unknown message': (leg) => leg.sendRaw(new Uint8Array([99, 0, 1, 7, 0])),
  'a message that runs past the end': (leg) => leg.sendRaw(new Uint8Array([18, 255, 255, 1])),
  'a message shorter than its body': (leg) => leg.sendRaw(new Uint8Array([17, 0, 3, 1, 2, 3, 0])),
  'a flood of WINDOWs for a stream that is over': (leg, stream) => {
    leg.send({ type: H.RESET, sequence: leg.sequence++, stream, reason: RESET_REASON.MISC })
    for (let i = 0; i < 50; i++) leg.send({ type: H.WINDOW, stream, offset: 300_000 })
  },
}

test('a stray message kills the circuit and the tunnel, and costs the client nothing else (THREAT-MODEL T6)', async (t) => {
  const { rogue, client } = await makeWorld(t)
  assert.ok(Object.keys(STRAYS).length >= 14)
  for (const [name, stray] of Object.entries(STRAYS)) {
    await t.test(name, async (sub) => {
      const { reading, leg, stream } = await provoke(client, rogue, stray, name !== BEYOND)
      sub.after(() => stream.destroy())
      // A DONE that came before the lie is honest as far as anybody can tell.
      if (!name.includes('DONE')) assert.equal(reading.end, 'reset')
      await until('the circuit to die', () => leg.closedBy !== undefined)
      assert.ok([CLOSE_REASON.PROTOCOL, CLOSE_REASON.FINISHED].includes(leg.closedBy as never))
      await until('the tunnel to go', () => client.status().tunnels.length === 0)
    })
  }
  rogue.script = (leg, message) => {
    if (message.type === H.BEGIN) answerBegin(leg, message.stream)
  }
  const stream = await client.connect(TARGET, dialAs())
  assert.deepEqual(await stream.connected, { family: 4 }, 'the client still works')
  stream.destroy()
})

const CUTS: Record<string, (leg: RogueLeg, stream: number) => void> = {
  CLOSE: (leg) => leg.send({ type: H.CLOSE }),
  RESET: (leg, stream) =>
    leg.send({ type: H.RESET, sequence: leg.sequence++, stream, reason: RESET_REASON.MISC }),
  'DESTROY(FINISHED)': ({ terminal }) => terminal.destroy(CLOSE_REASON.FINISHED),
  'DESTROY(NOT_EXIT)': ({ terminal }) => terminal.destroy(CLOSE_REASON.NOT_EXIT),
  'DESTROY(PROTOCOL) and no JOIN': ({ terminal }) => terminal.destroy(CLOSE_REASON.PROTOCOL),
  'a closed link and no JOIN': ({ terminal }) => terminal.link.close('local'),
}

test('an exit that cuts a stream short never makes a clean end of it (THREAT-MODEL T20)', async (t) => {
  const { rogue, client } = await makeWorld(t)
  for (const [name, cut] of Object.entries(CUTS)) {
    await t.test(name, async () => {
      rogue.script = (leg, message) => {
        if (message.type === H.JOIN) leg.terminal.destroy(CLOSE_REASON.UNKNOWN_TUNNEL)
        if (message.type !== H.BEGIN) return
        answerBegin(leg, message.stream, bytes(5000))
        // After what was sent has left: a cut link still delivers that.
        setImmediate(() => setImmediate(() => cut(leg, message.stream)))
      }
      const reading = await read(await client.connect(TARGET, dialAs()))
      assert.equal(reading.end, 'reset')
    })
  }
})

test('an exit that answers JOIN falsely loses the tunnel, and the application reads a reset (SPEC §9.2)', async (t) => {
  const { rogue, client } = await makeWorld(t)
  rogue.script = (leg, message) => {
    if (message.type === H.BEGIN) {
      answerBegin(leg, message.stream, bytes(5000))
      leg.terminal.destroy(CLOSE_REASON.INTERNAL)
    }
    if (message.type === H.JOIN)
      leg.send({ type: H.JOINED, generation: message.generation, nextSequence: 0, mac })
  }
  const reading = await read(await client.connect(TARGET, dialAs()))
  assert.equal(reading.end, 'reset')
  assert.equal(client.status().tunnels.length, 0)
})
