import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test, type TestContext } from 'node:test'
import { nodeCrypto } from '@byway/protocol/node-crypto'
import { startGossip, type Gossip, type GossipPeer, type GossipVerdict } from '../src/index.ts'
import { rawNeighbour, type RawNeighbour } from './raw-neighbour.ts'

const LIMIT = { timeout: 30_000 }
const MAX_MESSAGE_BYTES = 1536

type Setting = {
  readonly gossip: Gossip
  readonly neighbour: RawNeighbour
  readonly judged: string[]
  readonly address: { readonly host: string; readonly port: number }
}

/** A node with one neighbour, which has joined. */
async function setting(t: TestContext, judge: (text: string) => GossipVerdict): Promise<Setting> {
  const judged: string[] = []
  const seed = seedOf('node')
  const gossip = await startGossip({
    networkName: 'test',
    identitySeed: seed,
    listen: { host: '127.0.0.1', port: 0 },
    isLocal: true,
    maxMessageBytes: MAX_MESSAGE_BYTES,
    judge(data) {
      const text = Buffer.from(data).toString('latin1')
      judged.push(text)
      return judge(text)
    },
    mayJoin: () => true,
    candidates: () => [],
    onNeighbour: () => {},
    random: () => 0.5,
    nowMs: () => performance.now(),
  })
  t.after(() => gossip[Symbol.asyncDispose]())
  const address = { host: '127.0.0.1', port: gossip.port ?? 0 }
  const node = { nodeId: nodeCrypto.ed25519KeyPair(seed).publicKey, address }
  const neighbour = await rawNeighbour(t, seedOf('neighbour'), '/byway/test/descriptors/1', node)
  await neighbour.join()
  // Both ways: its subscription comes on a stream of its own.
  await until(t, () => gossip.status.listening === 1 && neighbour.heard() > 0)
  return { gossip, neighbour, judged, address }
}

const seedOf = (name: string): Uint8Array =>
  new Uint8Array(createHash('sha256').update(name).digest())

const messagesOf = (count: number, bytes: number, name = 'm'): Uint8Array[] =>
  Array.from({ length: count }, (_, i) => Buffer.from(`${name}${i} `.padEnd(bytes, '.')))

async function until(t: TestContext, holds: () => boolean): Promise<void> {
  while (!holds()) {
    t.signal.throwIfAborted()
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

test(
  'a burst cuts no neighbour off: its ids and its messages each come in one frame',
  LIMIT,
  async (t) => {
    const { gossip, neighbour, judged } = await setting(t, () => 'accept')
    const burst = messagesOf(200, 400)
    const before = neighbour.heard()
    neighbour.offers(burst)
    // It asks for all of them: 200 ids of 34 bytes.
    await until(t, () => neighbour.heard() >= before + 200 * 34)
    neighbour.messages(burst)
    await until(t, () => judged.length === 200)
    neighbour.messages(messagesOf(4, MAX_MESSAGE_BYTES, 'long'))
    await until(t, () => judged.length === 204)
    assert.equal(gossip.status.listening, 1)
  },
)

test(
  'a message longer than a descriptor is refused unjudged, and counts as forged',
  LIMIT,
  async (t) => {
    const { neighbour, judged } = await setting(t, () => 'accept')
    neighbour.messages(messagesOf(2, MAX_MESSAGE_BYTES + 1))
    await until(t, () => !neighbour.isConnected())
    assert.deepEqual(judged, [])
  },
)

test(
  'a connection whose stream broke is ended, so that it can be dialled again',
  LIMIT,
  async (t) => {
    const { gossip, neighbour, judged } = await setting(t, () => 'accept')
    neighbour.junk(300_000)
    await until(t, () => gossip.status.listening === 0)
    await until(t, () => !neighbour.isConnected())
    await neighbour.join()
    await until(t, () => gossip.status.listening === 1)
    neighbour.messages(messagesOf(1, 100))
    await until(t, () => judged.length === 1)
  },
)

test(
  'two forged messages cost a neighbour its link, and it is not let in again',
  LIMIT,
  async (t) => {
    const { gossip, neighbour, judged } = await setting(t, (text) =>
      text.startsWith('bad') ? 'reject' : 'accept',
    )
    neighbour.messages(messagesOf(2, 100, 'bad'))
    await until(t, () => judged.length === 2)
    await until(t, () => !neighbour.isConnected())
    // It is let go after the handshake, maybe before it could open a stream.
    const speaks = (): void => neighbour.messages(messagesOf(1, 100, 'good'))
    await neighbour
      .join()
      .then(speaks)
      .catch(() => {})
    await until(t, () => !neighbour.isConnected())
    assert.equal(judged.length, 2)
    assert.equal(gossip.status.neighbours, 0)
  },
)

test('messages that are old or early cost nothing', LIMIT, async (t) => {
  const { neighbour, judged } = await setting(t, () => 'ignore')
  neighbour.messages(messagesOf(100, 100))
  await until(t, () => judged.length === 100)
  neighbour.messages(messagesOf(1, 100, 'later'))
  await until(t, () => judged.length === 101)
  assert.ok(neighbour.isConnected())
})

test(
  'what is sent over the allowance is not judged, and costs a neighbour its link',
  LIMIT,
  async (t) => {
    const { neighbour, judged } = await setting(t, () => 'accept')
    for (let i = 0; i < 10; i++) neighbour.messages(messagesOf(400, 50, `flood ${i} `))
    await until(t, () => !neighbour.isConnected())
    // 2000 at once, and ten more in each second of the test.
    assert.ok(judged.length >= 2000 && judged.length < 2400, String(judged.length))
  },
)

test('one neighbour of each group is dialled', LIMIT, async (t) => {
  const peers: GossipPeer[] = []
  const listeners: Gossip[] = []
  const start = async (
    name: string,
    listen: string,
    known: readonly GossipPeer[],
  ): Promise<Gossip> => {
    const gossip = await startGossip({
      networkName: 'test',
      identitySeed: seedOf(name),
      listen: { host: listen, port: 0 },
      isLocal: true,
      maxMessageBytes: MAX_MESSAGE_BYTES,
      judge: () => 'accept',
      mayJoin: () => true,
      candidates: () => (known.length > 0 ? (looks++, known) : known),
      onNeighbour: () => {},
      random: () => 0.5,
      nowMs: () => performance.now(),
    })
    t.after(() => gossip[Symbol.asyncDispose]())
    return gossip
  }
  let looks = 0
  for (let i = 0; i < 6; i++) {
    const name = `listener ${i}`
    const gossip = await start(name, '127.0.0.1', [])
    listeners.push(gossip)
    const nodeId = nodeCrypto.ed25519KeyPair(seedOf(name)).publicKey
    const group = i < 4 ? 'crowd' : name
    peers.push({ nodeId, addresses: [{ host: '127.0.0.1', port: gossip.port ?? 0 }], group })
  }
  const gossip = await start('dialler', '127.0.0.1', peers)
  await until(t, () => gossip.status.neighbours >= 3 && looks >= 4)
  assert.equal(gossip.status.neighbours, 3)
  assert.equal(listeners.slice(0, 4).filter(({ status }) => status.neighbours > 0).length, 1)
})
