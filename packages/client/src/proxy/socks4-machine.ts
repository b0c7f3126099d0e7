/**
 * SOCKS4 and SOCKS4a, the request and its reply. One message each way, no authentication; the user id
 * takes the grammar of `username.ts`. BIND is not served.
 *
 * | offset | size | field |
 * |---|---|---|
 * | 0 | 1 | version, 4 |
 * | 1 | 1 | command: 1 CONNECT |
 * | 2 | 2 | port |
 * | 4 | 4 | IPv4 address; 0.0.0.x with x ≠ 0 means that a name follows (4a) |
 * | 8 | … | user id, ends with 0 |
 * | … | … | name, ends with 0 (4a only) |
 * @module
 */
import { faulty, joinBytes, MORE, textOf } from './socks-parse.ts'
import { parseUsername } from './username.ts'
import { SOCKS4_REJECTED } from './reply-codes.ts'
import type { Parsed, SocksMachine, SocksOutput } from './socks-parse.ts'

/** A SOCKS4 request as it stands on the wire. */
export type Socks4WireRequest = {
  readonly hostKind: 'name' | 'literal'
  readonly host: string
  readonly port: number
  readonly username: string
}

/** Makes a machine for one connection, to be fed from its first byte on. */
export function createSocks4Machine(): SocksMachine {
  let isOver = false
  let kept: Uint8Array = new Uint8Array()
  return {
    push(bytes) {
      if (isOver) return []
      kept = joinBytes(kept, bytes)
      const output = outputFor(kept)
      if (output === undefined) return []
      isOver = true
      kept = new Uint8Array()
      return [output]
    },
  }
}

/** Reads a request from the front of `bytes`. */
export function parseSocks4Request(bytes: Uint8Array): Parsed<Socks4WireRequest> {
  const [version, command] = bytes
  if (version === undefined) return MORE
  if (version !== SOCKS4_VERSION) return faulty('SOCKS_VERSION')
  if (command === undefined) return MORE
  if (command !== COMMAND_CONNECT) return faulty('SOCKS_COMMAND')
  if (bytes.length <= FIXED_BYTES) return MORE
  const port = ((bytes[2] ?? 0) << 8) | (bytes[3] ?? 0)
  const user = readString(bytes, FIXED_BYTES)
  if (user.type !== 'done') return user
  const username = user.value
  const address = bytes.subarray(4, FIXED_BYTES)
  const hasName = address[0] === 0 && address[1] === 0 && address[2] === 0 && address[3] !== 0
  if (!hasName) {
    const value = { hostKind: 'literal', host: address.join('.'), port, username } as const
    return { type: 'done', value, usedBytes: user.usedBytes }
  }
  const name = readString(bytes, user.usedBytes)
  if (name.type !== 'done') return name
  if (name.value === '') return faulty('SOCKS_NAME')
  return {
    type: 'done',
    value: { hostKind: 'name', host: name.value, port, username },
    usedBytes: name.usedBytes,
  }
}

/** Writes a reply: a zero byte, the code, and an address that is not told. */
export function encodeSocks4Reply(code: number): Uint8Array {
  return Uint8Array.of(0, code, 0, 0, 0, 0, 0, 0)
}

function outputFor(bytes: Uint8Array): SocksOutput | undefined {
  const parsed = parseSocks4Request(bytes)
  if (parsed.type === 'more') return undefined
  if (parsed.type === 'error') return refuse(parsed.fault)
  const name = parseUsername(parsed.value.username)
  if (!name.ok) return refuse(name.error.code)
  const request = {
    ...parsed.value,
    command: 'connect',
    password: '',
    selection: name.selection,
  } as const
  return { type: 'request', request, rest: bytes.subarray(parsed.usedBytes) }
}

function refuse(fault: string): SocksOutput {
  return { type: 'refuse', fault, bytes: encodeSocks4Reply(SOCKS4_REJECTED) }
}

/** Reads up to a zero byte; `usedBytes` counts from the start of `bytes`. */
function readString(bytes: Uint8Array, start: number): Parsed<string> {
  const end = bytes.indexOf(0, start)
  const length = (end === -1 ? bytes.length : end) - start
  if (length > MAX_STRING_BYTES) return faulty('SOCKS_TOO_LONG')
  if (end === -1) return MORE
  return { type: 'done', value: textOf(bytes.subarray(start, end)), usedBytes: end + 1 }
}

const SOCKS4_VERSION = 0x04
const COMMAND_CONNECT = 0x01
const FIXED_BYTES = 8
/** Local limit: the protocol has none; SOCKS5 allows as much. */
const MAX_STRING_BYTES = 255
