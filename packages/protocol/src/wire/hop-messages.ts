/**
 * Hop messages: what a client and a hop of its circuit say to each other (SPEC §7.1). Types and the table; the bodies
 * are read in hop-message-decode.ts and written in hop-message-encode.ts. What they do is the circuit folder's.
 * @module
 */
import type { IpBytes, IpFamily } from './address.ts'
import type { Endpoint } from './endpoint.ts'
import type { PayMessage } from './pay-messages.ts'
import type { ResetReason } from './reasons.ts'
import type { TunnelTerms } from './traffic-class.ts'

/** SPEC §7.1. Names are those of the table. */
export const HOP_MESSAGE = {
  ACK_REQUEST: 1,
  ACK: 2,
  TUNNEL_ACK: 3,
  WINDOW: 4,
  OPEN: 5,
  JOIN: 6,
  JOINED: 7,
  CLOSE: 8,
  DRAIN: 9,
  DATAGRAM: 10,
  PAY: 11,
  BEGIN: 16,
  CONNECTED: 17,
  DATA: 18,
  DONE: 19,
  RESET: 20,
  RESOLVE: 21,
  RESOLVED: 22,
  ASSOCIATE: 23,
} as const
export type HopMessageType = (typeof HOP_MESSAGE)[keyof typeof HOP_MESSAGE]

/** SPEC §7.1, "Flags of BEGIN and RESOLVE". Other bits are refused. */
export const ADDRESS_FLAG = { IPV4: 1, IPV6: 2, PREFER_IPV6: 4 } as const

/** Bytes of DATA before its payload: u64 sequence ‖ u32 stream. */
export const DATA_HEADER_BYTES = 12

/** Bytes of a tunnel id (SPEC §7.1). */
export const TUNNEL_ID_BYTES = 16

type Types = typeof HOP_MESSAGE
type Sequenced = { readonly sequence: number; readonly stream: number }

/** ACK_REQUEST and the ACK that returns its serial and its 8 random bytes. */
export type AckMessage = {
  readonly type: Types['ACK_REQUEST' | 'ACK']
  readonly serial: number
  readonly random: Uint8Array
}

export type JoinMessage = {
  readonly type: Types['JOIN']
  readonly tunnelId: Uint8Array
  readonly generation: number
  readonly nextSequence: number
  readonly mac: Uint8Array
}

export type JoinedMessage = {
  readonly type: Types['JOINED']
  readonly generation: number
  readonly nextSequence: number
  readonly mac: Uint8Array
}

/** The payload is a view into the cell. */
export type DatagramMessage = {
  readonly type: Types['DATAGRAM']
  readonly stream: number
  readonly endpoint: Endpoint
  readonly payload: Uint8Array
}

/** The payload is a view into the cell. */
export type DataMessage = Sequenced & { readonly type: Types['DATA']; readonly payload: Uint8Array }

export type BeginMessage = Sequenced & {
  readonly type: Types['BEGIN']
  /** Bits of {@link ADDRESS_FLAG}. */
  readonly flags: number
  readonly port: number
  readonly host: string
}

export type ResolvedMessage = Sequenced & {
  readonly type: Types['RESOLVED']
  /** Undefined when found: the byte 0. */
  readonly reason: ResetReason | undefined
  readonly ttlS: number
  readonly addresses: readonly IpBytes[]
}

/** Messages that a tunnel numbers and keeps until acknowledged (SPEC §9.1). */
export type SequencedMessage =
  | BeginMessage
  | (Sequenced & { readonly type: Types['CONNECTED']; readonly family: IpFamily })
  | DataMessage
  | (Sequenced & { readonly type: Types['DONE' | 'ASSOCIATE'] })
  | (Sequenced & { readonly type: Types['RESET']; readonly reason: ResetReason })
  | (Sequenced & {
      readonly type: Types['RESOLVE']
      /** Bits of {@link ADDRESS_FLAG}. */
      readonly flags: number
      readonly host: string
    })
  | ResolvedMessage

/** Begins a tunnel (SPEC §9.2). */
export type OpenMessage = TunnelTerms & {
  readonly type: Types['OPEN']
  readonly tunnelId: Uint8Array
}

/** Carries a payment message (SPEC §15.1). */
export type HopPayCarrier = { readonly type: Types['PAY']; readonly pay: PayMessage }

/** Narrow on `type`. Byte fields are copies, except payloads. */
export type HopMessage =
  | AckMessage
  | { readonly type: Types['TUNNEL_ACK']; readonly nextSequence: number }
  | { readonly type: Types['WINDOW']; readonly stream: number; readonly offset: number }
  | OpenMessage
  | JoinMessage
  | JoinedMessage
  | { readonly type: Types['CLOSE'] }
  | { readonly type: Types['DRAIN']; readonly seconds: number }
  | DatagramMessage
  | HopPayCarrier
  | SequencedMessage

/** True for the types that carry a tunnel sequence (SPEC §7.1, "sequenced"). */
export function isSequencedType(type: number): boolean {
  return type >= HOP_MESSAGE.BEGIN && type <= HOP_MESSAGE.ASSOCIATE
}

/** True for a message that carries a tunnel sequence. */
export function isSequenced(message: HopMessage): message is SequencedMessage {
  return isSequencedType(message.type)
}
