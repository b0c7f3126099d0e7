/**
 * Reads and writes SOCKS5 messages: RFC 1928 (greeting, request, reply), RFC 1929 (user and password)
 * and Tor's RESOLVE command (0xF0). Pure; the order of messages is `socks5-machine.ts`.
 * @module
 */
import { parseAddress as parseIpAddress } from '@byway/protocol/policy'
import { canonicalHost } from './target-rules.ts'
import { faulty, MORE, textOf } from './socks-parse.ts'
import type { Parsed, SocksCommand } from './socks-parse.ts'
import type { Target } from './dialer.ts'

/** A destination field: address type, address and port. */
export type Socks5Address = Target & { readonly hostKind: 'name' | 'literal' }

/** A request as it stands on the wire. */
export type Socks5WireRequest = Socks5Address & { readonly command: SocksCommand }

/** A user name and password, one character a byte. */
export type Credentials = { readonly username: string; readonly password: string }

export const SOCKS5_VERSION = 0x05
export const METHOD_NONE = 0x00
export const METHOD_PASSWORD = 0x02
export const METHOD_REFUSED = 0xff

/**
 * Reads the greeting (RFC 1928 §3).
 *
 * | offset | size | field |
 * |---|---|---|
 * | 0 | 1 | version, 5 |
 * | 1 | 1 | n, number of methods |
 * | 2 | n | methods |
 */
export function parseGreeting(bytes: Uint8Array): Parsed<readonly number[]> {
  const [version, count] = bytes
  if (version === undefined) return MORE
  if (version !== SOCKS5_VERSION) return faulty('SOCKS_VERSION')
  if (count === undefined) return MORE
  if (count === 0) return faulty('SOCKS_METHODS')
  if (bytes.length < 2 + count) return MORE
  return { type: 'done', value: [...bytes.subarray(2, 2 + count)], usedBytes: 2 + count }
}

/**
 * Reads user name and password (RFC 1929 §2). Empty ones are taken, since apps send them.
 *
 * | offset | size | field |
 * |---|---|---|
 * | 0 | 1 | version, 1 |
 * | 1 | 1 | n |
 * | 2 | n | user name |
 * | 2 + n | 1 | m |
 * | 3 + n | m | password |
 */
export function parseCredentials(bytes: Uint8Array): Parsed<Credentials> {
  const [version, nameBytes] = bytes
  if (version === undefined) return MORE
  if (version !== AUTH_VERSION) return faulty('SOCKS_AUTH')
  if (nameBytes === undefined) return MORE
  const passwordBytes = bytes[2 + nameBytes]
  if (passwordBytes === undefined) return MORE
  const usedBytes = 3 + nameBytes + passwordBytes
  if (bytes.length < usedBytes) return MORE
  const username = textOf(bytes.subarray(2, 2 + nameBytes))
  const password = textOf(bytes.subarray(3 + nameBytes, usedBytes))
  return { type: 'done', value: { username, password }, usedBytes }
}

/**
 * Reads a request (RFC 1928 §4). The reserved byte is not looked at.
 *
 * | offset | size | field |
 * |---|---|---|
 * | 0 | 1 | version, 5 |
 * | 1 | 1 | command: 1 CONNECT, 3 UDP ASSOCIATE, 0xF0 RESOLVE |
 * | 2 | 1 | reserved |
 * | 3 | … | address, see {@link parseAddress} |
 */
export function parseRequest(bytes: Uint8Array): Parsed<Socks5WireRequest> {
  const [version, commandByte] = bytes
  if (version === undefined) return MORE
  if (version !== SOCKS5_VERSION) return faulty('SOCKS_VERSION')
  if (commandByte === undefined) return MORE
  const command = COMMANDS.get(commandByte)
  if (command === undefined) return faulty('SOCKS_COMMAND')
  if (bytes.length < 4) return MORE
  const address = parseAddress(bytes.subarray(3))
  if (address.type !== 'done') return address
  return { type: 'done', value: { command, ...address.value }, usedBytes: 3 + address.usedBytes }
}

/**
 * Reads an address (RFC 1928 §5), also that of a datagram (§7).
 *
 * | offset | size | field |
 * |---|---|---|
 * | 0 | 1 | type: 1 IPv4 (4 bytes), 3 name (u8 n, n bytes), 4 IPv6 (16 bytes) |
 * | 1 | … | address |
 * | … | 2 | port |
 */
export function parseAddress(bytes: Uint8Array): Parsed<Socks5Address> {
  const [type, nameBytes] = bytes
  if (type === undefined) return MORE
  if (type !== TYPE_IPV4 && type !== TYPE_NAME && type !== TYPE_IPV6)
    return faulty('SOCKS_ADDRESS_TYPE')
  if (type === TYPE_NAME && nameBytes === undefined) return MORE
  if (type === TYPE_NAME && nameBytes === 0) return faulty('SOCKS_NAME')
  const start = type === TYPE_NAME ? 2 : 1
  const end = start + (type === TYPE_NAME ? (nameBytes ?? 0) : type === TYPE_IPV4 ? 4 : 16)
  if (bytes.length < end + 2) return MORE
  const port = ((bytes[end] ?? 0) << 8) | (bytes[end + 1] ?? 0)
  const field = bytes.subarray(start, end)
  if (type === TYPE_NAME && field.includes(0)) return faulty('SOCKS_NAME')
  const host =
    type === TYPE_NAME ? textOf(field) : type === TYPE_IPV4 ? field.join('.') : ipv6Text(field)
  const hostKind = type === TYPE_NAME ? 'name' : 'literal'
  return { type: 'done', value: { hostKind, host, port }, usedBytes: end + 2 }
}

/** Writes a reply (RFC 1928 §6). Without `bound` the address is 0.0.0.0:0, which tells the app nothing. */
export function encodeReply(code: number, bound: Target = UNSPECIFIED): Uint8Array {
  return Buffer.concat([Uint8Array.of(SOCKS5_VERSION, code, 0), encodeAddress(bound)])
}

/** Writes the server's choice of method (RFC 1928 §3). */
export function encodeMethod(method: number): Uint8Array {
  return Uint8Array.of(SOCKS5_VERSION, method)
}

/** Writes the verdict on user name and password (RFC 1929 §2): 0 is success. */
export function encodeAuthStatus(status: number): Uint8Array {
  return Uint8Array.of(AUTH_VERSION, status)
}

/** Writes an address. Names longer than 255 bytes cannot come here: they never parsed. */
export function encodeAddress({ host, port }: Target): Uint8Array {
  const portBytes = Uint8Array.of(port >> 8, port & 0xff)
  const address = parseIpAddress(host)
  if (address === undefined) {
    const name = Buffer.from(host, 'latin1')
    return Buffer.concat([Uint8Array.of(TYPE_NAME, name.length), name, portBytes])
  }
  const type = address.family === 4 ? TYPE_IPV4 : TYPE_IPV6
  const hex = address.value.toString(16).padStart(address.family === 4 ? 8 : 32, '0')
  return Buffer.concat([Uint8Array.of(type), Buffer.from(hex, 'hex'), portBytes])
}

function ipv6Text(field: Uint8Array): string {
  const hex = Buffer.from(field).toString('hex')
  return canonicalHost(hex.replace(/.{4}(?!$)/g, '$&:'))
}

const AUTH_VERSION = 0x01
const TYPE_IPV4 = 0x01
const TYPE_NAME = 0x03
const TYPE_IPV6 = 0x04
const UNSPECIFIED: Target = { host: '0.0.0.0', port: 0 }
const COMMANDS: ReadonlyMap<number, SocksCommand> = new Map([
  [0x01, 'connect'],
  [0x03, 'associate'],
  [0xf0, 'resolve'],
])
