import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import type { TLSSocket } from 'node:tls'
import { COMMAND, LINK_MESSAGE, SIZE_CLASS, stampHeader } from '@byway/protocol/wire'
import { dataCell, Recorder } from './support/handlers.ts'
import {
  closed,
  LISTENER_GREETING_BYTES,
  openTls,
  readBytes,
  rightToken,
  upgrade,
} from './support/raw-client.ts'
import { type Listening, listening } from './support/tls-pair.ts'

const limit = { timeout: 60_000 }
/** Dialler's ids have the top bit. */
const ID = 0x8000_0001

/** A link whose far end is ours to misuse. */
async function greeted(side: Listening): Promise<{ socket: TLSSocket; recorder: Recorder }> {
  const socket = await openTls(side.port)
  socket.write(upgrade(rightToken(socket, side.node.nodeId)))
  await readBytes(socket, LISTENER_GREETING_BYTES)
  const accepted = side.nextLink()
  socket.write(Buffer.from([1, 0]))
  return { socket, recorder: new Recorder(await accepted) }
}

function cell(change: (bytes: Uint8Array) => void = () => {}): Uint8Array {
  const bytes = dataCell(0, SIZE_CLASS.SMALL)
  stampHeader(bytes, ID, 0)
  change(bytes)
  return bytes
}

const FAULTS: readonly [what: string, bytes: () => Uint8Array][] = [
  ['an unknown command', () => cell((bytes) => (bytes[4] = 0x0e))],
  ['a command in a class it may not have', () => cell((bytes) => (bytes[4] = COMMAND.CREATE))],
  ['a LINK cell with a circuit id', () => cell((bytes) => (bytes[4] = COMMAND.LINK))],
  ['a circuit cell without an id', () => cell((bytes) => stampHeader(bytes, 0, 0))],
  ['a count of bytes that were never sent', () => cell((bytes) => stampHeader(bytes, ID, 1 << 30))],
  ['a count of bytes that runs backwards', () => cell((bytes) => stampHeader(bytes, ID, -1 >>> 0))],
  [
    'a link message that runs past its cell',
    () => {
      const bytes = cell((made) => stampHeader(made, 0, 0))
      bytes.set([COMMAND.LINK, 0, 0, 0, 0, LINK_MESSAGE.PING, 0xff, 0xff], 4)
      return bytes
    },
  ],
  ['16 KiB of 0xff', () => new Uint8Array(16_384).fill(0xff)],
  ['an HTTP request', () => Buffer.from('GET / HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(700))],
]

test('a peer that breaks a rule loses its link, and the others notice nothing', limit, async () => {
  await using side = await listening()
  const honest = side.nextLink()
  const link = await side.dial()
  const good = new Recorder(await honest)
  void new Recorder(link)
  const queue = link.openQueue(ID)
  for (const [what, bytes] of FAULTS) {
    const { socket, recorder } = await greeted(side)
    socket.write(cell())
    socket.write(bytes())
    await recorder.until(({ closed: reasons }) => reasons.length > 0)
    assert.deepEqual(recorder.closed, ['protocol'], what)
    assert.equal(recorder.cells.length, 1, what)
    await closed(socket)
    link.push(queue, dataCell(1))
  }
  await good.until(({ cells }) => cells.length === FAULTS.length)
  assert.deepEqual(good.closed, [])
})

test(
  'a stream that ends within a cell delivers the whole ones and closes as remote',
  limit,
  async () => {
    await using side = await listening()
    const { socket, recorder } = await greeted(side)
    socket.end(Buffer.concat([cell(), cell(), cell().subarray(0, 1000)]))
    await recorder.until(({ closed: reasons }) => reasons.length > 0)
    assert.equal(recorder.cells.length, 2)
    assert.deepEqual(recorder.closed, ['remote'])
  },
)

test('cells cut anywhere are put together', limit, async () => {
  await using side = await listening()
  const { socket, recorder } = await greeted(side)
  const bytes = Buffer.concat([cell(), cell((made) => made.fill(7, 9)), cell()])
  for (const byte of bytes.subarray(0, 30)) socket.write(Buffer.of(byte))
  socket.write(bytes.subarray(30, 1500))
  socket.write(bytes.subarray(1500))
  await recorder.until(({ cells }) => cells.length === 3)
  assert.ok(recorder.cells[1]?.cell.subarray(9).every((byte) => byte === 7))
  socket.destroy()
})

test(
  'a connection that breaks in the middle of bulk closes one link and throws nowhere',
  limit,
  async () => {
    await using side = await listening()
    const { socket, recorder } = await greeted(side)
    const [link] = side.links
    const queue = link?.openQueue(1)
    assert.ok(link && queue)
    for (let i = 0; i < 64; i++) link.push(queue, dataCell(1))
    // With bytes unread, the kernel answers the destroyed socket's peer with a reset.
    socket.pause()
    socket.destroy()
    await recorder.until(({ closed: reasons }) => reasons.length > 0)
    assert.ok(['io', 'remote'].includes(recorder.closed[0] ?? ''))
    link.push(queue, dataCell(1))
    link.send({ type: LINK_MESSAGE.DRAIN, seconds: 1 })
    link.close('local')
    assert.equal(recorder.closed.length, 1)
  },
)

test(
  'a peer that asks and never reads the answers is closed before they pile up',
  limit,
  async () => {
    await using side = await listening()
    const { socket, recorder } = await greeted(side)
    socket.pause()
    const ping = cell((bytes) => {
      bytes.fill(0)
      for (let at = 9; at + 11 < bytes.length; at += 11) bytes.set([LINK_MESSAGE.PING, 0, 8], at)
    })
    const flood = Buffer.concat(Array<Uint8Array>(64).fill(ping))
    const pump = (): void => {
      while (!socket.destroyed && socket.write(flood));
    }
    socket.on('drain', pump)
    pump()
    await recorder.until(({ closed: reasons }) => reasons.length > 0)
    assert.deepEqual(recorder.closed, ['limit'])
    socket.destroy()
  },
)

test('random streams close their link or do nothing, and never throw', limit, async () => {
  await using side = await listening(() => {}, {
    limits: { connectBurst: 1000, linksPerAddress: 1000 },
  })
  for (let round = 0; round < 30; round++) {
    const { socket, recorder } = await greeted(side)
    socket.end(randomBytes(1 + Math.floor(Math.random() * 40_000)))
    await recorder.until(({ closed: reasons }) => reasons.length > 0)
    assert.ok(['protocol', 'remote'].includes(recorder.closed[0] ?? ''))
  }
})
