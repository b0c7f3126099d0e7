/**
 * Encodes payment messages (SPEC §15.1), the inverse of pay-message-decode.ts.
 * @module
 */
import { writeAmount } from './amount.ts'
import { unreachable } from '@byway/protocol/base'
import { ByteWriter } from './byte-writer.ts'
import { CHAIN_VERDICT, MAX_CHAIN_PART_BYTES } from './chain-answer.ts'
import { chainQuestionBytes, writeChainQuestion } from './chain-question.ts'
import { wireError } from './errors.ts'
import {
  CHAIN_ADDRESS_BYTES,
  FIELD_BYTES,
  openingBytes,
  writeOpening,
  TICKET_SIGNATURE_BYTES,
} from './opening.ts'
import {
  COMMIT_BYTES,
  MAX_COMMITS,
  MAX_REVEALS,
  MAX_TICKET_INDEX,
  MAX_TOKEN_BYTES,
  MAX_TOKEN_ELEMENT_BYTES,
  MAX_TOKEN_KEY_BYTES,
  MAX_TOKEN_KEYS,
  MAX_TOKENS_AT_ONCE,
  PAY,
  type HeldMessage,
  type PayMessage,
  RECEIPT_KEY_BYTES,
  RECEIPT_SIGNATURE_BYTES,
  type ReceiptMessage,
  type SoldMessage,
  TICKET_NONCE_BYTES,
  TOKEN_KEY_ID_BYTES,
  TOKEN_NONCE_BYTES,
  type ToldMessage,
  type TokenKey,
} from './pay-messages.ts'
import { MAX_PRICE_STEP } from './price-step.ts'
import { returnRequestBytes, writeReturnRequest } from './return-request.ts'
import { VERDICT } from './verdicts.ts'

/** Encodes a payment message. @throws WIRE_ENCODE */
export function encodePayMessage(message: PayMessage): Uint8Array {
  const writer = new ByteWriter(new Uint8Array(payMessageBytes(message)))
  writePayMessage(writer.u8(message.kind, 'kind'), message)
  return writer.done()
}

/** Returns the bytes that {@link encodePayMessage} makes. */
export function payMessageBytes(message: PayMessage): number {
  switch (message.kind) {
    case PAY.SHOW:
    case PAY.NEXT:
      return 1 + openingBytes(message.opening)
    case PAY.SHOWN:
      return 1 + 1 + FIELD_BYTES + CHAIN_ADDRESS_BYTES + 1
    case PAY.COMMITS:
      return 1 + FIELD_BYTES + 4 + 1 + COMMIT_BYTES * message.commits.length
    case PAY.TICKET:
      return 1 + 4 + 12 + TICKET_NONCE_BYTES + TICKET_SIGNATURE_BYTES
    case PAY.REFUSED:
      return 1 + 1 + 4
    case PAY.SLOT_FULL:
      return 1 + FIELD_BYTES + 1 + (4 + COMMIT_BYTES) * message.reveals.length
    case PAY.HELD:
      return 1 + FIELD_BYTES + 4 + 4 + RECEIPT_SIGNATURE_BYTES
    case PAY.RECEIPT:
      return 1 + FIELD_BYTES + 4 + 4 + RECEIPT_KEY_BYTES + RECEIPT_SIGNATURE_BYTES
    case PAY.KEYS_GET:
      return 1
    case PAY.KEYS:
      return message.keys.reduce((sum, key) => sum + 1 + 8 + 8 + 2 + key.publicKey.length, 1 + 1)
    case PAY.BUY:
      return 1 + 2 + 1 + TOKEN_KEY_ID_BYTES + 1 + 2 + sumOfLengths(message.elements)
    case PAY.SOLD:
      return 1 + 2 + 1 + 1 + 2 + sumOfLengths(message.signatures)
    case PAY.SPEND:
      return 1 + 1 + TOKEN_KEY_ID_BYTES + TOKEN_NONCE_BYTES + 2 + message.token.length
    case PAY.DUE:
      return 1 + 8 + 8
    case PAY.RETURN:
      return 1 + returnRequestBytes(message.request)
    case PAY.RETURNED:
      return 1 + 1
    case PAY.CHAIN:
      return 1 + 2 + chainQuestionBytes(message.question)
    case PAY.TOLD:
      return 1 + 2 + 1 + 1 + 2 + message.part.length
    default:
      return unreachable(message, 'every payment message has a size')
  }
}

function writePayMessage(writer: ByteWriter, message: PayMessage): void {
  switch (message.kind) {
    case PAY.SHOW:
    case PAY.NEXT:
      writeOpening(writer, message.opening)
      break
    case PAY.SHOWN:
      requireAtMost(message.priceStep, MAX_PRICE_STEP, 'priceStep')
      writer
        .u8(message.verdict, 'verdict')
        .fixed(message.nullifier, FIELD_BYTES, 'nullifier')
        .fixed(message.provider, CHAIN_ADDRESS_BYTES, 'provider')
        .u8(message.priceStep, 'priceStep')
      break
    case PAY.COMMITS:
      requireCount(message.commits, MAX_COMMITS, 'commits')
      requireAtMost(message.firstIndex + message.commits.length - 1, MAX_TICKET_INDEX, 'firstIndex')
      writer.fixed(message.nullifier, FIELD_BYTES, 'nullifier').u32(message.firstIndex, 'index')
      writer.u8(message.commits.length, 'commits')
      for (const commit of message.commits) writer.fixed(commit, COMMIT_BYTES, 'commit')
      break
    case PAY.TICKET:
      writeAmount(writer.u32(message.index, 'index'), message.amount)
        .fixed(message.nonce, TICKET_NONCE_BYTES, 'nonce')
        .fixed(message.signature, TICKET_SIGNATURE_BYTES, 'signature')
      break
    case PAY.REFUSED:
      writer.u8(message.verdict, 'verdict').u32(message.index, 'index')
      break
    case PAY.SLOT_FULL:
      writeSlotFull(writer, message)
      break
    case PAY.DUE:
      writer.u64(message.countedBytes, 'counted').u64(message.paidBytes, 'paid')
      break
    case PAY.RETURN:
      writeReturnRequest(writer, message.request)
      break
    case PAY.RETURNED:
      writer.u8(message.answer, 'answer')
      break
    case PAY.CHAIN:
      writeChainQuestion(writer.u16(message.request, 'request'), message.question)
      break
    case PAY.TOLD:
      writeTold(writer, message)
      break
    case PAY.HELD:
    case PAY.RECEIPT:
      writeReceipt(writer, message)
      break
    case PAY.KEYS_GET:
    case PAY.KEYS:
    case PAY.BUY:
    case PAY.SOLD:
    case PAY.SPEND:
      writeTokenMessage(writer, message)
      break
  }
}

function writeReceipt(writer: ByteWriter, message: HeldMessage | ReceiptMessage): void {
  writer
    .fixed(message.nullifier, FIELD_BYTES, 'nullifier')
    .u32(message.epoch, 'epoch')
    .u32(message.units, 'units')
  if (message.kind === PAY.RECEIPT) writer.fixed(message.publicKey, RECEIPT_KEY_BYTES, 'publicKey')
  writer.fixed(message.signature, RECEIPT_SIGNATURE_BYTES, 'signature')
}

type TokenMessage = Extract<
  PayMessage,
  { readonly kind: (typeof PAY)['KEYS_GET' | 'KEYS' | 'BUY' | 'SOLD' | 'SPEND'] }
>

function writeTokenMessage(writer: ByteWriter, message: TokenMessage): void {
  switch (message.kind) {
    case PAY.KEYS_GET:
      break
    case PAY.KEYS:
      requireAtMost(message.keys.length, MAX_TOKEN_KEYS, 'keys')
      writer.u8(message.keys.length, 'keys')
      for (const key of message.keys) writeTokenKey(writer, key)
      break
    case PAY.BUY:
      requireCount(message.elements, MAX_TOKENS_AT_ONCE, 'elements')
      writer
        .u16(message.request, 'request')
        .u8(message.tokenKind, 'tokenKind')
        .fixed(message.keyId, TOKEN_KEY_ID_BYTES, 'keyId')
      writeElements(writer, message.elements)
      break
    case PAY.SOLD:
      writeSold(writer, message)
      break
    case PAY.SPEND:
      requireLength(message.token, MAX_TOKEN_BYTES, 'token')
      writer
        .u8(message.tokenKind, 'tokenKind')
        .fixed(message.keyId, TOKEN_KEY_ID_BYTES, 'keyId')
        .fixed(message.nonce, TOKEN_NONCE_BYTES, 'nonce')
        .u16(message.token.length, 'tokenBytes')
        .raw(message.token, 'token')
      break
  }
}

function writeSlotFull(
  writer: ByteWriter,
  { nullifier, reveals }: Extract<PayMessage, { kind: typeof PAY.SLOT_FULL }>,
): void {
  requireCount(reveals, MAX_REVEALS, 'reveals')
  writer.fixed(nullifier, FIELD_BYTES, 'nullifier').u8(reveals.length, 'reveals')
  let last = -1
  for (const { index, reveal } of reveals) {
    if (index <= last) throw wireError('WIRE_ENCODE', { field: 'index' })
    writer.u32(index, 'index').fixed(reveal, COMMIT_BYTES, 'reveal')
    last = index
  }
}

function writeTold(writer: ByteWriter, { request, verdict, isLast, part }: ToldMessage): void {
  const hasBody = verdict === CHAIN_VERDICT.OK || verdict === CHAIN_VERDICT.REVERTED
  if (!hasBody && (!isLast || part.length > 0)) throw wireError('WIRE_ENCODE', { field: 'part' })
  requireAtMost(part.length, MAX_CHAIN_PART_BYTES, 'part')
  writer
    .u16(request, 'request')
    .u8(verdict, 'chainVerdict')
    .u8(isLast ? 1 : 0, 'last')
  writer.u16(part.length, 'part').raw(part, 'part')
}

function writeTokenKey(writer: ByteWriter, key: TokenKey): void {
  if (key.notAfterS <= key.notBeforeS) throw wireError('WIRE_ENCODE', { field: 'notAfter' })
  requireLength(key.publicKey, MAX_TOKEN_KEY_BYTES, 'publicKey')
  writer
    .u8(key.tokenKind, 'tokenKind')
    .u64(key.notBeforeS, 'notBefore')
    .u64(key.notAfterS, 'notAfter')
    .u16(key.publicKey.length, 'publicKeyBytes')
    .raw(key.publicKey, 'publicKey')
}

function writeSold(writer: ByteWriter, { request, verdict, signatures }: SoldMessage): void {
  if (signatures.length > 0 !== (verdict === VERDICT.OK)) {
    throw wireError('WIRE_ENCODE', { field: 'signatures' })
  }
  writer.u16(request, 'request').u8(verdict, 'verdict')
  writeElements(writer, signatures)
}

/** `u8 n ‖ u16 bytes ‖ n × element`; without an element `bytes` is 0. */
function writeElements(writer: ByteWriter, elements: readonly Uint8Array[]): void {
  requireAtMost(elements.length, MAX_TOKENS_AT_ONCE, 'elements')
  const bytes = elements[0]?.length ?? 0
  writer.u8(elements.length, 'elements').u16(bytes, 'elementBytes')
  for (const element of elements) {
    requireLength(element, MAX_TOKEN_ELEMENT_BYTES, 'element')
    writer.fixed(element, bytes, 'element')
  }
}

function requireAtMost(value: number, max: number, field: string): void {
  if (value > max) throw wireError('WIRE_ENCODE', { field })
}

function requireCount(items: readonly unknown[], max: number, field: string): void {
  if (items.length === 0 || items.length > max) throw wireError('WIRE_ENCODE', { field })
}

function requireLength({ length }: Uint8Array, max: number, field: string): void {
  if (length === 0 || length > max) throw wireError('WIRE_ENCODE', { field })
}

function sumOfLengths(parts: readonly Uint8Array[]): number {
  return parts.reduce((sum, { length }) => sum + length, 0)
}
