/**
 * What is said to a router on UDP port 5351: PCP's MAP (RFC 6887) and NAT-PMP (RFC 6886), for one TCP port. Pure: bytes in and out.
 *
 * PCP, offsets in bytes:
 *
 * | request | response | |
 * |---|---|---|
 * | 0 version 2, 1 opcode 1, 4 lifetime u32, 8 own address [16] | 0 version, 1 opcode 129, 3 result, 4 lifetime u32, 8 epoch u32 | head, 24 bytes |
 * | 24 nonce [12], 36 protocol 6, 40 internal port, 42 wanted port, 44 wanted address [16] | the same with what was given | MAP, 36 bytes |
 *
 * NAT-PMP: request `0 version 0, 1 opcode (0 address, 2 TCP)`, then for TCP `4 internal port, 6 wanted port, 8 lifetime u32`; response `1 opcode + 128, 2 result u16, 4 epoch u32`, then
 * `8 address [4]`, or `8 internal port, 10 port, 12 lifetime u32`.
 * @module
 */
import { isIPv4 } from 'node:net'

export const PORT_CONTROL_PORT = 5351
export const NONCE_BYTES = 12

/** What a router has opened. */
export type OpenedPort = {
  /** Undefined where the protocol says it apart. */
  readonly address: string | undefined
  readonly port: number
  /** When the router forgets it by itself. */
  readonly lifetimeS: number
}

export type PortControlAnswer<T> =
  | { readonly result: 'given'; readonly value: T }
  /** It speaks the other protocol only. */
  | { readonly result: 'other-version' }
  /** It will not, or cannot now. */
  | { readonly result: 'refused'; readonly code: number }

export type MapRequest = {
  /** Tells our mapping from another host's that claims our address; the same for each renewal (RFC 6887 §11.1). */
  readonly nonce: Uint8Array
  /** As the router sees it: where it sees another there is a second router between. */
  readonly ownAddress: string
  readonly port: number
  readonly lifetimeS: number
}

/** PCP: opens `port`, or keeps it open. */
export function encodePcpMap({ nonce, ownAddress, port, lifetimeS }: MapRequest): Uint8Array {
  const bytes = new Uint8Array(PCP_BYTES)
  const view = new DataView(bytes.buffer)
  bytes[0] = PCP_VERSION
  bytes[1] = OP_MAP
  view.setUint32(4, lifetimeS)
  bytes.set(mappedAddress(ownAddress), 8)
  bytes.set(nonce.subarray(0, NONCE_BYTES), 24)
  bytes[36] = PROTOCOL_TCP
  view.setUint16(40, port)
  view.setUint16(42, port)
  // RFC 6887 §11.1: all zeros in the form of an IPv4 address, when any will do.
  bytes.set(mappedAddress('0.0.0.0'), 44)
  return bytes
}

/** Nothing for what answers no such request: anybody at home may send anything. */
export function decodePcpMap(
  bytes: Uint8Array,
  { nonce, port }: Pick<MapRequest, 'nonce' | 'port'>,
): PortControlAnswer<OpenedPort> | undefined {
  // RFC 6887 §9: a router without PCP answers in its own version's form, which may be short.
  if (bytes.length >= PMP_LEAST_BYTES && bytes[0] === 0) return { result: 'other-version' }
  if (bytes.length < PCP_HEAD_BYTES || bytes[0] !== PCP_VERSION) return undefined
  if (bytes[1] !== (OP_MAP | RESPONSE)) return undefined
  const code = bytes[3] ?? 0
  if (code === RESULT_VERSION) return { result: 'other-version' }
  if (bytes.length < PCP_BYTES) return code === 0 ? undefined : { result: 'refused', code }
  const view = viewOf(bytes)
  const isOurs = nonce.every((byte, at) => bytes[24 + at] === byte)
  if (!isOurs || bytes[36] !== PROTOCOL_TCP || view.getUint16(40) !== port) return undefined
  if (code !== 0) return { result: 'refused', code }
  const address = plainAddress(bytes.subarray(44, 60))
  const given = view.getUint16(42)
  const lifetimeS = view.getUint32(4)
  if (address === undefined || given === 0 || lifetimeS === 0) return undefined
  return { result: 'given', value: { address, port: given, lifetimeS } }
}

/** NAT-PMP: opens `port`, or keeps it open. */
export function encodePmpMap({
  port,
  lifetimeS,
}: Omit<MapRequest, 'nonce' | 'ownAddress'>): Uint8Array {
  const bytes = new Uint8Array(12)
  const view = new DataView(bytes.buffer)
  bytes[1] = PMP_MAP_TCP
  view.setUint16(4, port)
  view.setUint16(6, port)
  view.setUint32(8, lifetimeS)
  return bytes
}

/** NAT-PMP: asks for the router's own address. */
export function encodePmpAddress(): Uint8Array {
  return new Uint8Array(2)
}

/** Nothing for what answers no such request. */
export function decodePmpMap(
  bytes: Uint8Array,
  port: number,
): PortControlAnswer<OpenedPort> | undefined {
  const refusal = pmpRefusal(bytes, PMP_MAP_TCP)
  if (refusal !== undefined) return refusal
  if (!isPmp(bytes, PMP_MAP_TCP, 16)) return undefined
  const view = viewOf(bytes)
  const given = view.getUint16(10)
  const lifetimeS = view.getUint32(12)
  if (view.getUint16(8) !== port || given === 0 || lifetimeS === 0) return undefined
  return { result: 'given', value: { address: undefined, port: given, lifetimeS } }
}

/** Nothing for what answers no such request. */
export function decodePmpAddress(bytes: Uint8Array): PortControlAnswer<string> | undefined {
  const refusal = pmpRefusal(bytes, PMP_ADDRESS)
  if (refusal !== undefined) return refusal
  if (!isPmp(bytes, PMP_ADDRESS, 12)) return undefined
  return { result: 'given', value: bytes.subarray(8, 12).join('.') }
}

function isPmp(bytes: Uint8Array, opcode: number, least: number): boolean {
  return bytes.length >= least && bytes[0] === 0 && bytes[1] === (opcode | RESPONSE)
}

function pmpRefusal(
  bytes: Uint8Array,
  opcode: number,
): Exclude<PortControlAnswer<never>, { result: 'given' }> | undefined {
  if (!isPmp(bytes, opcode, PMP_LEAST_BYTES)) return undefined
  const code = viewOf(bytes).getUint16(2)
  if (code === 0) return undefined
  return code === RESULT_VERSION ? { result: 'other-version' } : { result: 'refused', code }
}

function mappedAddress(address: string): Uint8Array {
  const bytes = new Uint8Array(16)
  if (!isIPv4(address)) return bytes
  bytes.set([0xff, 0xff, ...address.split('.').map(Number)], 10)
  return bytes
}

function plainAddress(bytes: Uint8Array): string | undefined {
  const isMapped = mappedAddress('0.0.0.0').every((byte, at) => at >= 12 || bytes[at] === byte)
  return isMapped ? bytes.subarray(12).join('.') : undefined
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

// Protocol constants: RFC 6887 §7, §11; RFC 6886 §3.
const PCP_VERSION = 2
const OP_MAP = 1
const RESPONSE = 0x80
const PROTOCOL_TCP = 6
const PCP_HEAD_BYTES = 24
const PCP_BYTES = 60
const PMP_ADDRESS = 0
const PMP_MAP_TCP = 2
const PMP_LEAST_BYTES = 8
/** UNSUPP_VERSION of both. */
const RESULT_VERSION = 1
