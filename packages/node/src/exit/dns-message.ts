/**
 * DNS queries and replies on the wire (RFC 1035, RFC 6891), through dns-packet's codec.
 * A reply counts only when id, question and direction fit the query; anything else is reported as foreign, never thrown.
 * Sockets and retries are `dns-transport.ts` and `dns-stub.ts`; following aliases is `dns-chain.ts`.
 */
import { formatAddress, parseAddress } from '@byway/protocol/policy'
import { decode, encode, type Packet, RECURSION_DESIRED } from 'dns-packet'

/** The record types an exit asks for. */
export type DnsType = 'A' | 'AAAA'

/** One query as it was sent; a reply is checked against it. */
export type DnsQuery = {
  readonly id: number
  /** As sent, in mixed case when {@link mixCase} was applied; compared exactly then. */
  readonly name: string
  readonly type: DnsType
  readonly bytes: Uint8Array
}

/** One record of class IN that a lookup can use; names are lower case without the trailing dot. */
export type DnsRecord = {
  readonly owner: string
  readonly type: DnsType | 'CNAME'
  readonly ttlSeconds: number
  /** Address text or the alias's target. */
  readonly value: string
}

/** What a datagram or TCP message is to a query. */
export type DnsReply =
  | { readonly kind: 'foreign' }
  | { readonly kind: 'truncated' }
  | { readonly kind: 'failed'; readonly rcode: string }
  | { readonly kind: 'answer'; readonly records: readonly DnsRecord[] }

/**
 * Encodes a recursive query; `id` below 2^16, `name` already judged, without the trailing dot.
 * `plain` leaves EDNS out, for old forwarders that do not answer a query with it (RFC 6891 §6.2.2).
 */
export function encodeDnsQuery(
  id: number,
  name: string,
  type: DnsType,
  form: 'edns' | 'plain' = 'edns',
): DnsQuery {
  const opt = { type: 'OPT', name: '.', udpPayloadSize: EDNS_PAYLOAD_BYTES, flags: 0 } as const
  const bytes = encode({
    type: 'query',
    id,
    flags: RECURSION_DESIRED,
    questions: [{ name, type }],
    additionals: form === 'edns' ? [opt] : [],
  })
  return { id, name, type, bytes }
}

/** Reads bytes from a server as a reply to `query`. Malformed bytes are foreign. */
export function readDnsReply(bytes: Uint8Array, query: DnsQuery): DnsReply {
  const packet = decodeOrNothing(bytes)
  if (packet === undefined || !isReplyTo(packet, query)) return readHeaderOnly(bytes, query)
  if (packet.flag_tc) return { kind: 'truncated' }
  if (packet.rcode !== 'NOERROR') return { kind: 'failed', rcode: packet.rcode }
  const records = usableRecords(packet)
  return records === undefined ? { kind: 'foreign' } : { kind: 'answer', records }
}

/** Spells a name in random case (draft-vixie-dnsext-dns0x20): one bit of `random` for each letter. */
export function mixCase(name: string, random: Uint8Array): string {
  return Array.from(name, (letter, index) => {
    const bit = ((random[(index >> 3) % random.length] ?? 0) >> (index & 7)) & 1
    return bit === 1 ? letter.toUpperCase() : letter
  }).join('')
}

/** A truncated message may stop inside a record and so not decode; its header and question still tell. */
function readHeaderOnly(bytes: Uint8Array, query: DnsQuery): DnsReply {
  if (bytes.length < HEADER_BYTES) return { kind: 'foreign' }
  const head = Buffer.from(bytes)
  if ((head.readUInt16BE(2) & TRUNCATED_BIT) === 0) return { kind: 'foreign' }
  // Keep one question, drop the records that may be cut.
  head.fill(0, 6, HEADER_BYTES)
  const packet = decodeOrNothing(head)
  return packet !== undefined && isReplyTo(packet, query)
    ? { kind: 'truncated' }
    : { kind: 'foreign' }
}

function decodeOrNothing(bytes: Uint8Array): Packet | undefined {
  try {
    return decode(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength))
  } catch {
    return undefined
  }
}

function isReplyTo(packet: Packet, query: DnsQuery): boolean {
  const [question] = packet.questions
  return (
    packet.type === 'response' &&
    packet.opcode === 'QUERY' &&
    packet.id === query.id &&
    packet.questions.length === 1 &&
    question?.name === query.name &&
    question.type === query.type &&
    question.class === 'IN'
  )
}

/** The records a lookup can use; nothing when one is malformed (dns-packet reads an address past the end of the message). */
function usableRecords(packet: Packet): readonly DnsRecord[] | undefined {
  const records: DnsRecord[] = []
  for (const { name, type, data, ttl, class: recordClass } of packet.answers) {
    if (type !== 'A' && type !== 'AAAA' && type !== 'CNAME') continue
    if (recordClass !== 'IN' || typeof data !== 'string' || ttl === undefined) continue
    const value = type === 'CNAME' ? plainName(data) : plainAddress(data)
    if (value === undefined) return undefined
    records.push({ owner: plainName(name), type, ttlSeconds: ttl, value })
  }
  return records
}

function plainAddress(text: string): string | undefined {
  const address = parseAddress(text)
  return address && formatAddress(address)
}

function plainName(name: string): string {
  const lower = name.toLowerCase()
  return lower.endsWith('.') ? lower.slice(0, -1) : lower
}

/** What passes every path unfragmented (DNS flag day 2020). */
const EDNS_PAYLOAD_BYTES = 1232

const HEADER_BYTES = 12
const TRUNCATED_BIT = 1 << 9
