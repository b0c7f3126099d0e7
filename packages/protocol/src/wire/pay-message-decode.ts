/**
 * Decodes payment messages (SPEC §15.1). Every count and length is compared with its limit and with what is left before
 * anything is kept.
 * @module
 */
import { readAmount } from './amount.ts'
import { ByteReader } from './byte-reader.ts'
import { CHAIN_VERDICT, MAX_CHAIN_PART_BYTES, readChainVerdict } from './chain-answer.ts'
import { readChainQuestion } from './chain-question.ts'
import { wireError } from './errors.ts'
import { CHAIN_ADDRESS_BYTES, FIELD_BYTES, readOpening, TICKET_SIGNATURE_BYTES } from './opening.ts'
import {
  type BuyMessage,
  COMMIT_BYTES,
  type CommitsMessage,
  type KeysMessage,
  MAX_COMMITS,
  MAX_REVEALS,
  MAX_TICKET_INDEX,
  MAX_TOKEN_BYTES,
  MAX_TOKEN_ELEMENT_BYTES,
  MAX_TOKEN_KEY_BYTES,
  MAX_TOKEN_KEYS,
  MAX_TOKENS_AT_ONCE,
  PAY,
  type PayMessage,
  RECEIPT_KEY_BYTES,
  RECEIPT_SIGNATURE_BYTES,
  type Reveal,
  type SlotFullMessage,
  type SoldMessage,
  type SpendMessage,
  TICKET_NONCE_BYTES,
  TOKEN_KEY_ID_BYTES,
  TOKEN_KIND,
  TOKEN_NONCE_BYTES,
  type ToldMessage,
  type TokenKey,
  type TokenKind,
} from './pay-messages.ts'
import { MAX_PRICE_STEP } from './price-step.ts'
import { readRedeemAnswer } from './redeem-answer.ts'
import { readReturnRequest } from './return-request.ts'
import { parseRefusal, parseVerdict, VERDICT } from './verdicts.ts'

/**
 * Decodes a payment message; nothing may follow it. Accepts only what `encodePayMessage` makes of the result.
 *
 * @throws WIRE_TYPE for a kind not in the table, WIRE_LENGTH, WIRE_VALUE
 */
export function decodePayMessage(body: Uint8Array): PayMessage {
  const reader = new ByteReader(body)
  const message = readPayMessage(reader.u8('kind'), reader)
  reader.end('payMessage')
  return message
}

function readPayMessage(kind: number, reader: ByteReader): PayMessage {
  switch (kind) {
    case PAY.SHOW:
    case PAY.NEXT:
      return { kind, opening: readOpening(reader) }
    case PAY.SHOWN:
      return {
        kind,
        verdict: parseVerdict(reader.u8('verdict')),
        nullifier: reader.copy(FIELD_BYTES, 'nullifier'),
        provider: reader.copy(CHAIN_ADDRESS_BYTES, 'provider'),
        priceStep: readBelow(reader, MAX_PRICE_STEP, 'priceStep'),
      }
    case PAY.COMMITS:
      return readCommits(reader)
    case PAY.TICKET:
      return {
        kind,
        index: reader.u32('index'),
        amount: readAmount(reader),
        nonce: reader.copy(TICKET_NONCE_BYTES, 'nonce'),
        signature: reader.copy(TICKET_SIGNATURE_BYTES, 'signature'),
      }
    case PAY.REFUSED:
      return { kind, verdict: parseRefusal(reader.u8('verdict')), index: reader.u32('index') }
    case PAY.SLOT_FULL:
      return readSlotFull(reader)
    case PAY.DUE:
      return { kind, countedBytes: reader.u64('counted'), paidBytes: reader.u64('paid') }
    case PAY.HELD:
      return { kind, ...readReceiptHead(reader), signature: readReceiptSignature(reader) }
    case PAY.RECEIPT:
      return {
        kind,
        ...readReceiptHead(reader),
        publicKey: reader.copy(RECEIPT_KEY_BYTES, 'publicKey'),
        signature: readReceiptSignature(reader),
      }
    case PAY.RETURN:
      return { kind, request: readReturnRequest(reader) }
    case PAY.RETURNED:
      return { kind, answer: readRedeemAnswer(reader) }
    case PAY.CHAIN:
      return { kind, request: reader.u16('request'), question: readChainQuestion(reader) }
    case PAY.TOLD:
      return readTold(reader)
    default:
      return readTokenMessage(kind, reader)
  }
}

function readTokenMessage(kind: number, reader: ByteReader): PayMessage {
  switch (kind) {
    case PAY.KEYS_GET:
      return { kind }
    case PAY.KEYS:
      return readKeys(reader)
    case PAY.BUY:
      return readBuy(reader)
    case PAY.SOLD:
      return readSold(reader)
    case PAY.SPEND:
      return readSpend(reader)
    default:
      throw wireError('WIRE_TYPE', { list: 'pay', type: kind })
  }
}

/** SPEC §15.9: only what was said, or refused by a contract, has bytes. */
function readTold(reader: ByteReader): ToldMessage {
  const request = reader.u16('request')
  const verdict = readChainVerdict(reader)
  const isLast = readBelow(reader, 1, 'last') === 1
  const bytes = reader.u16('part')
  const hasBody = verdict === CHAIN_VERDICT.OK || verdict === CHAIN_VERDICT.REVERTED
  const max = hasBody ? MAX_CHAIN_PART_BYTES : 0
  if (bytes > max) throw wireError('WIRE_LENGTH', { field: 'part', want: max, have: bytes })
  if (!hasBody && !isLast) throw wireError('WIRE_VALUE', { field: 'last', value: 0 })
  return { kind: PAY.TOLD, request, verdict, isLast, part: reader.copy(bytes, 'part') }
}

function readReceiptHead(reader: ByteReader) {
  return {
    nullifier: reader.copy(FIELD_BYTES, 'nullifier'),
    epoch: reader.u32('epoch'),
    units: reader.u32('units'),
  }
}

function readReceiptSignature(reader: ByteReader): Uint8Array {
  return reader.copy(RECEIPT_SIGNATURE_BYTES, 'signature')
}

function readCommits(reader: ByteReader): CommitsMessage {
  const nullifier = reader.copy(FIELD_BYTES, 'nullifier')
  const firstIndex = reader.u32('firstIndex')
  const count = readCount(reader, MAX_COMMITS, 'commits')
  if (firstIndex + count - 1 > MAX_TICKET_INDEX) {
    throw wireError('WIRE_VALUE', { field: 'firstIndex', value: firstIndex })
  }
  const commits = Array.from({ length: count }, () => reader.copy(COMMIT_BYTES, 'commit'))
  return { kind: PAY.COMMITS, nullifier, firstIndex, commits }
}

function readSlotFull(reader: ByteReader): SlotFullMessage {
  const nullifier = reader.copy(FIELD_BYTES, 'nullifier')
  const count = readCount(reader, MAX_REVEALS, 'reveals')
  const reveals: Reveal[] = []
  for (let i = 0; i < count; i++) {
    const index = reader.u32('index')
    if (index <= (reveals.at(-1)?.index ?? -1)) {
      throw wireError('WIRE_VALUE', { field: 'index', value: index })
    }
    reveals.push({ index, reveal: reader.copy(COMMIT_BYTES, 'reveal') })
  }
  return { kind: PAY.SLOT_FULL, nullifier, reveals }
}

function readKeys(reader: ByteReader): KeysMessage {
  const count = readBelow(reader, MAX_TOKEN_KEYS, 'keys')
  return { kind: PAY.KEYS, keys: Array.from({ length: count }, () => readTokenKey(reader)) }
}

function readTokenKey(reader: ByteReader): TokenKey {
  const tokenKind = readTokenKind(reader)
  const notBeforeS = reader.u64('notBefore')
  const notAfterS = reader.u64('notAfter')
  if (notAfterS <= notBeforeS) {
    throw wireError('WIRE_VALUE', { field: 'notAfter', value: notAfterS - notBeforeS })
  }
  const bytes = readLength(reader, MAX_TOKEN_KEY_BYTES, 'publicKey')
  return { tokenKind, notBeforeS, notAfterS, publicKey: reader.copy(bytes, 'publicKey') }
}

function readBuy(reader: ByteReader): BuyMessage {
  const request = reader.u16('request')
  const tokenKind = readTokenKind(reader)
  const keyId = reader.copy(TOKEN_KEY_ID_BYTES, 'keyId')
  const count = readCount(reader, MAX_TOKENS_AT_ONCE, 'elements')
  return { kind: PAY.BUY, request, tokenKind, keyId, elements: readElements(reader, count) }
}

/** SPEC §15.1: signatures come with verdict OK and with no other. */
function readSold(reader: ByteReader): SoldMessage {
  const request = reader.u16('request')
  const verdict = parseVerdict(reader.u8('verdict'))
  const count = readBelow(reader, MAX_TOKENS_AT_ONCE, 'signatures')
  if (count > 0 !== (verdict === VERDICT.OK)) {
    throw wireError('WIRE_VALUE', { field: 'signatures', value: count })
  }
  if (count > 0) {
    return { kind: PAY.SOLD, request, verdict, signatures: readElements(reader, count) }
  }
  const bytes = reader.u16('elementBytes')
  if (bytes > 0) throw wireError('WIRE_VALUE', { field: 'elementBytes', value: bytes })
  return { kind: PAY.SOLD, request, verdict, signatures: [] }
}

function readSpend(reader: ByteReader): SpendMessage {
  const tokenKind = readTokenKind(reader)
  const keyId = reader.copy(TOKEN_KEY_ID_BYTES, 'keyId')
  const nonce = reader.copy(TOKEN_NONCE_BYTES, 'nonce')
  const token = reader.copy(readLength(reader, MAX_TOKEN_BYTES, 'token'), 'token')
  return { kind: PAY.SPEND, tokenKind, keyId, nonce, token }
}

/** `u16 bytes ‖ count × element`, each of so many bytes. */
function readElements(reader: ByteReader, count: number): Uint8Array[] {
  const bytes = readLength(reader, MAX_TOKEN_ELEMENT_BYTES, 'element')
  return Array.from({ length: count }, () => reader.copy(bytes, 'element'))
}

function readTokenKind(reader: ByteReader): TokenKind {
  const kind = reader.u8('tokenKind')
  if (!isTokenKind(kind)) throw wireError('WIRE_VALUE', { field: 'tokenKind', value: kind })
  return kind
}

const KINDS: ReadonlySet<number> = new Set(Object.values(TOKEN_KIND))

function isTokenKind(kind: number): kind is TokenKind {
  return KINDS.has(kind)
}

function readBelow(reader: ByteReader, max: number, field: string): number {
  const value = reader.u8(field)
  if (value > max) throw wireError('WIRE_VALUE', { field, value })
  return value
}

function readCount(reader: ByteReader, max: number, field: string): number {
  const count = readBelow(reader, max, field)
  if (count === 0) throw wireError('WIRE_VALUE', { field, value: 0 })
  return count
}

function readLength(reader: ByteReader, max: number, field: string): number {
  const bytes = reader.u16(field)
  if (bytes === 0 || bytes > max) {
    throw wireError('WIRE_LENGTH', { field, want: max, have: bytes })
  }
  return bytes
}
