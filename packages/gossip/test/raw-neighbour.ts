/** A neighbour whose gossip frames are written by hand: what a peer sends that keeps to no limit, or that answers a burst as gossipsub does, all in one frame. */
import { createHash } from 'node:crypto'
import type { TestContext } from 'node:test'
import { noise } from '@chainsafe/libp2p-noise'
import { yamux } from '@chainsafe/libp2p-yamux'
import { generateKeyPairFromSeed } from '@libp2p/crypto/keys'
import { identify } from '@libp2p/identify'
import type { Stream } from '@libp2p/interface'
import { tcp } from '@libp2p/tcp'
import { createLibp2p } from 'libp2p'
import { multiaddrOf, peerIdOf, type GossipAddress } from '../src/peer-names.ts'

const PROTOCOL = '/meshsub/1.1.0'

export type RawNeighbour = {
  /** Sends messages, all in one frame. */
  messages(all: readonly Uint8Array[]): void
  /** Says that it has messages (IHAVE), by their bytes. */
  offers(all: readonly Uint8Array[]): void
  /** Sends a frame of so many bytes that say nothing. */
  junk(bytes: number): void
  /** Bytes that came to it. */
  readonly heard: () => number
  readonly isConnected: () => boolean
  /** Connects, subscribes. @throws when it is not let in */
  join(): Promise<void>
}

/** Makes one that dials a node. @param seed - 32 bytes, of its identity key */
export async function rawNeighbour(
  t: TestContext,
  seed: Uint8Array,
  topic: string,
  node: { readonly nodeId: Uint8Array; readonly address: GossipAddress },
): Promise<RawNeighbour> {
  const host = await createLibp2p({
    privateKey: await generateKeyPairFromSeed('Ed25519', seed),
    transports: [tcp()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    connectionGater: { denyDialMultiaddr: () => false },
    services: { identify: identify() },
  })
  t.after(() => host.stop())
  let heard = 0
  let out: Stream | undefined
  await host.handle(PROTOCOL, (stream) => {
    stream.addEventListener('message', ({ data }) => (heard += data.byteLength))
  })
  const send = (rpc: Uint8Array): void => {
    out?.send(Buffer.concat([varint(rpc.length), rpc]))
  }
  return {
    async join() {
      const peer = peerIdOf(node.nodeId)
      const connection = await host.dial(multiaddrOf(node.address, peer))
      out = await connection.newStream(PROTOCOL)
      send(field(1, Buffer.concat([Buffer.from([8, 1]), field(2, Buffer.from(topic))])))
    },
    messages(all) {
      const one = (data: Uint8Array): Uint8Array =>
        field(2, Buffer.concat([field(2, data), field(4, Buffer.from(topic))]))
      send(Buffer.concat(all.map(one)))
    },
    offers(all) {
      const ids = all.map((data) => field(2, createHash('sha256').update(data).digest()))
      send(field(3, field(1, Buffer.concat([field(1, Buffer.from(topic)), ...ids]))))
    },
    junk: (bytes) => send(new Uint8Array(bytes)),
    heard: () => heard,
    isConnected: () => host.getPeers().length > 0,
  }
}

/** A field of a protocol buffer that has a length. */
function field(number: number, bytes: Uint8Array): Uint8Array {
  return Buffer.concat([Buffer.from([number * 8 + 2]), varint(bytes.length), bytes])
}

function varint(value: number): Uint8Array {
  const bytes: number[] = []
  let rest = value
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128)
  return Uint8Array.from([...bytes, rest])
}
