/**
 * Payment messages: what a client and a hop that it pays say to each other (SPEC §15.1). Types and the table; the fields
 * are read in pay-message-decode.ts and written in pay-message-encode.ts. What they do is the payment folder's.
 * @module
 */
import type { ChainVerdict } from './chain-answer.ts'
import type { ChainQuestion } from './chain-question.ts'
import type { RedeemAnswer } from './redeem-answer.ts'
import type { Opening } from './opening.ts'
import type { ReturnMessageBody } from './return-request.ts'
import type { Refusal, Verdict } from './verdicts.ts'

/** SPEC §15.1. Names are those of the table. */
export const PAY = {
  SHOW: 1,
  SHOWN: 2,
  COMMITS: 3,
  TICKET: 4,
  REFUSED: 5,
  SLOT_FULL: 6,
  KEYS_GET: 7,
  KEYS: 8,
  BUY: 9,
  SOLD: 10,
  SPEND: 11,
  DUE: 12,
  HELD: 13,
  RECEIPT: 14,
  RETURN: 15,
  RETURNED: 16,
  NEXT: 17,
  CHAIN: 18,
  TOLD: 19,
} as const
export type PayKind = (typeof PAY)[keyof typeof PAY]

/** SPEC §16. */
export const TOKEN_KIND = { BANDWIDTH: 1, ADMISSION: 2, BULK: 3 } as const
export type TokenKind = (typeof TOKEN_KIND)[keyof typeof TOKEN_KIND]

/** SPEC §15.1: commits in one COMMITS. */
export const MAX_COMMITS = 64
/** SPEC §15.1: wins in one SLOT_FULL. */
export const MAX_REVEALS = 32
/** SPEC §15.1: token keys in one KEYS. */
export const MAX_TOKEN_KEYS = 8
/** SPEC §15.1: bytes of a token public key. */
export const MAX_TOKEN_KEY_BYTES = 1024
/** SPEC §15.1: elements in one BUY and signatures in one SOLD. */
export const MAX_TOKENS_AT_ONCE = 32
/** SPEC §15.1: bytes of a blinded element, and of a blind signature; thirty-two of them fit a large cell. */
export const MAX_TOKEN_ELEMENT_BYTES = 384
/** SPEC §15.1: bytes of a token in SPEND. */
export const MAX_TOKEN_BYTES = 512
/** SPEC §13.4. */
export const TICKET_NONCE_BYTES = 16
/** Commits and reveals (SPEC §13.4): SHA-256. */
export const COMMIT_BYTES = 32
/** SPEC §16. */
export const TOKEN_KEY_ID_BYTES = 8
/** SPEC §15.1: the nonce of SPEND. */
export const TOKEN_NONCE_BYTES = 32
/** SPEC §17.1: `Ax ‖ Ay`. */
export const RECEIPT_KEY_BYTES = 64
/** SPEC §17.1: `R8x ‖ R8y ‖ S`. */
export const RECEIPT_SIGNATURE_BYTES = 96
/** SPEC §13.4: the last index. */
export const MAX_TICKET_INDEX = 0xffff_ffff

type Kinds = typeof PAY

export type ShowMessage = { readonly kind: Kinds['SHOW']; readonly opening: Opening }

/** The slot that will follow the one shown (SPEC §15.2). */
export type NextMessage = { readonly kind: Kinds['NEXT']; readonly opening: Opening }

export type ShownMessage = {
  readonly kind: Kinds['SHOWN']
  readonly verdict: Verdict
  readonly nullifier: Uint8Array
  /** 20 bytes: who the tickets are for. */
  readonly provider: Uint8Array
  readonly priceStep: number
}

export type CommitsMessage = {
  readonly kind: Kinds['COMMITS']
  readonly nullifier: Uint8Array
  readonly firstIndex: number
  /** 1 to {@link MAX_COMMITS}. */
  readonly commits: readonly Uint8Array[]
}

export type TicketMessage = {
  readonly kind: Kinds['TICKET']
  readonly index: number
  /** A u96 of the token's smallest part. */
  readonly amount: bigint
  readonly nonce: Uint8Array
  /** 65 bytes, not checked here. */
  readonly signature: Uint8Array
}

export type RefusedMessage = {
  readonly kind: Kinds['REFUSED']
  readonly verdict: Refusal
  readonly index: number
}

/** A won index and what its commit was made of. */
export type Reveal = { readonly index: number; readonly reveal: Uint8Array }

export type SlotFullMessage = {
  readonly kind: Kinds['SLOT_FULL']
  readonly nullifier: Uint8Array
  /** 1 to {@link MAX_REVEALS}, indices rising. */
  readonly reveals: readonly Reveal[]
}

/** A token key as KEYS announces it. */
export type TokenKey = {
  readonly tokenKind: TokenKind
  readonly notBeforeS: number
  readonly notAfterS: number
  /** 1 to {@link MAX_TOKEN_KEY_BYTES} bytes. */
  readonly publicKey: Uint8Array
}

export type KeysMessage = { readonly kind: Kinds['KEYS']; readonly keys: readonly TokenKey[] }

export type BuyMessage = {
  readonly kind: Kinds['BUY']
  readonly request: number
  readonly tokenKind: TokenKind
  readonly keyId: Uint8Array
  /** 1 to {@link MAX_TOKENS_AT_ONCE} of one length, 1 to {@link MAX_TOKEN_ELEMENT_BYTES}. */
  readonly elements: readonly Uint8Array[]
}

export type SoldMessage = {
  readonly kind: Kinds['SOLD']
  readonly request: number
  readonly verdict: Verdict
  /** As many as were asked for, of one length, with verdict OK; none with another. */
  readonly signatures: readonly Uint8Array[]
}

export type SpendMessage = {
  readonly kind: Kinds['SPEND']
  readonly tokenKind: TokenKind
  readonly keyId: Uint8Array
  readonly nonce: Uint8Array
  /** 1 to {@link MAX_TOKEN_BYTES} bytes. */
  readonly token: Uint8Array
}

export type DueMessage = {
  readonly kind: Kinds['DUE']
  readonly countedBytes: number
  readonly paidBytes: number
}

/** What a client signed for a slot before (SPEC §17.1). */
export type HeldMessage = {
  readonly kind: Kinds['HELD']
  readonly nullifier: Uint8Array
  /** Weeks since 1970. */
  readonly epoch: number
  readonly units: number
  readonly signature: Uint8Array
}

/** A receipt (SPEC §17.1); nothing of it is checked here. */
export type ReceiptMessage = {
  readonly kind: Kinds['RECEIPT']
  readonly nullifier: Uint8Array
  readonly epoch: number
  readonly units: number
  readonly publicKey: Uint8Array
  readonly signature: Uint8Array
}

/** A slot on its way back to its owner, to be sent by this hop (SPEC §15.8). */
export type ReturnMessage = { readonly kind: Kinds['RETURN']; readonly request: ReturnMessageBody }

export type ReturnedMessage = { readonly kind: Kinds['RETURNED']; readonly answer: RedeemAnswer }

/** A question about the chain (SPEC §15.9). */
export type ChainMessage = {
  readonly kind: Kinds['CHAIN']
  readonly request: number
  readonly question: ChainQuestion
}

/** A part of the answer (SPEC §15.9). */
export type ToldMessage = {
  readonly kind: Kinds['TOLD']
  readonly request: number
  readonly verdict: ChainVerdict
  readonly isLast: boolean
  /** Empty, and the last, with a verdict other than OK and REVERTED. */
  readonly part: Uint8Array
}

/** Narrow on `kind`. Every byte field is a copy. */
export type PayMessage =
  | ShowMessage
  | ShownMessage
  | CommitsMessage
  | TicketMessage
  | RefusedMessage
  | SlotFullMessage
  | { readonly kind: Kinds['KEYS_GET'] }
  | KeysMessage
  | BuyMessage
  | SoldMessage
  | SpendMessage
  | DueMessage
  | HeldMessage
  | ReceiptMessage
  | ReturnMessage
  | ReturnedMessage
  | NextMessage
  | ChainMessage
  | ToldMessage

/** What a client sends: SHOW, NEXT, TICKET, KEYS_GET, BUY, SPEND, RECEIPT, RETURN and CHAIN (SPEC §15.1, "from"). */
export type ClientPayMessage = Extract<
  PayMessage,
  {
    readonly kind: Kinds[
      | 'SHOW'
      | 'NEXT'
      | 'TICKET'
      | 'KEYS_GET'
      | 'BUY'
      | 'SPEND'
      | 'RECEIPT'
      | 'RETURN'
      | 'CHAIN']
  }
>

/** What a hop sends: all the others. */
export type HopPayMessage = Exclude<PayMessage, ClientPayMessage>

/** True for a message that a client sends; a hop that gets another one breaks with the carrier, and the other way round. */
export function isClientPay(message: PayMessage): message is ClientPayMessage {
  return CLIENT_KINDS.has(message.kind)
}

const CLIENT_KINDS: ReadonlySet<PayKind> = new Set([
  PAY.SHOW,
  PAY.NEXT,
  PAY.TICKET,
  PAY.KEYS_GET,
  PAY.BUY,
  PAY.SPEND,
  PAY.RECEIPT,
  PAY.RETURN,
  PAY.CHAIN,
])
