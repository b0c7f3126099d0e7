/** A DNS server on the loopback that answers as a script says, over UDP and TCP on one port. For tests only. */
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import type { DnsServer } from '../../src/exit/dns-transport.ts'

/** A query as the server sees it. */
export type SeenQuery = {
  readonly id: number
  /** As spelled by the client. */
  readonly name: string
  readonly type: number
  readonly over: 'udp' | 'tcp'
  readonly ednsBytes: number | undefined
  readonly sourcePort: number
  readonly bytes: Buffer
}

/** Messages to send back, in order; none is silence. */
export type Script = (query: SeenQuery) => readonly Uint8Array[]

export type HostileDns = DnsServer & {
  readonly seen: readonly SeenQuery[]
  [Symbol.asyncDispose](): Promise<void>
}

/** @param place - where to listen; port 0 lets the system choose */
export async function startHostileDns(
  script: Script,
  place: { readonly address: string; readonly port: number } = { address: '127.0.0.1', port: 0 },
): Promise<HostileDns> {
  const seen: SeenQuery[] = []
  const tcp = createServer((socket) => {
    socket.on('error', () => undefined)
    socket.on('data', (bytes) => {
      const query = readQuery(bytes.subarray(2), 'tcp', socket.remotePort ?? 0)
      seen.push(query)
      for (const out of script(query)) socket.write(Buffer.concat([u16(out.length), out]))
    })
  })
  tcp.listen(place.port, place.address)
  await once(tcp, 'listening')
  const { port } = tcp.address() as AddressInfo
  const udp = createSocket('udp4')
  udp.bind(port, place.address)
  await once(udp, 'listening')
  udp.on('message', (bytes, from) => {
    const query = readQuery(bytes, 'udp', from.port)
    seen.push(query)
    for (const out of script(query)) udp.send(out, from.port, from.address)
  })
  return {
    address: place.address,
    port,
    seen,
    async [Symbol.asyncDispose]() {
      udp.close()
      tcp.close()
      await Promise.resolve()
    },
  }
}

export const A = 1
export const CNAME = 5
export const AAAA = 28

/** One record of a reply. */
export type Rr = {
  readonly name: string
  readonly type: number
  readonly data: Uint8Array
  readonly ttl?: number
}

export function a(name: string, address: string, ttl = 600): Rr {
  return { name, type: A, data: Uint8Array.from(address.split('.').map(Number)), ttl }
}

export function aaaa(name: string, groups: readonly number[], ttl = 600): Rr {
  return { name, type: AAAA, data: Buffer.concat(groups.map(u16)), ttl }
}

export function cname(name: string, target: string, ttl = 600): Rr {
  return { name, type: CNAME, data: encodeName(target), ttl }
}

export type ReplyFields = {
  readonly id?: number
  readonly name?: string
  readonly qtype?: number
  readonly flags?: number
  readonly rcode?: number
  readonly answers?: readonly Rr[]
}

/** A reply to `query`; every field can be falsified. */
export function reply(query: SeenQuery, fields: ReplyFields = {}): Uint8Array {
  const answers = fields.answers ?? []
  const flags = (fields.flags ?? 0x8180) | (fields.rcode ?? 0)
  return Buffer.concat([
    ...[fields.id ?? query.id, flags, 1, answers.length, 0, 0].map(u16),
    encodeName(fields.name ?? query.name),
    u16(fields.qtype ?? query.type),
    u16(1),
    ...answers.flatMap((rr) => [
      encodeName(rr.name),
      u16(rr.type),
      u16(1),
      u16((rr.ttl ?? 600) >>> 16),
      u16((rr.ttl ?? 600) & 0xffff),
      u16(rr.data.length),
      rr.data,
    ]),
  ])
}

export const TRUNCATED = 0x8380

function readQuery(bytes: Buffer, over: 'udp' | 'tcp', sourcePort: number): SeenQuery {
  const labels: string[] = []
  let offset = 12
  while ((bytes[offset] ?? 0) > 0) {
    const end = offset + 1 + (bytes[offset] ?? 0)
    labels.push(bytes.toString('latin1', offset + 1, end))
    offset = end
  }
  const type = bytes.readUInt16BE(offset + 1)
  const opt = offset + 5
  const ednsBytes = bytes.length > opt ? bytes.readUInt16BE(opt + 3) : undefined
  return {
    id: bytes.readUInt16BE(0),
    name: labels.join('.'),
    type,
    over,
    ednsBytes,
    sourcePort,
    bytes,
  }
}

function encodeName(name: string): Buffer {
  const labels = name.split('.').map((label) => Buffer.from(label, 'latin1'))
  return Buffer.concat([
    ...labels.flatMap((label) => [Buffer.of(label.length), label]),
    Buffer.of(0),
  ])
}

function u16(value: number): Buffer {
  return Buffer.of((value >> 8) & 0xff, value & 0xff)
}
