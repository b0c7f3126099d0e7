/** Arbitrary valid values of each layout, and the check that every decoder must pass on bytes of a peer. */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { isBywayError } from '@byway/protocol/base'
import {
  CLOSE_REASON,
  type CreatedPayload,
  type CreateFailure,
  type CreatePayload,
  type Endpoint,
  HOP_MESSAGE,
  type HopMessage,
  LINK_MESSAGE,
  type LinkMessage,
  type LinkProof,
  type Opening,
  PAY,
  type PayMessage,
  REDEEM_ANSWER,
  RESET_REASON,
  RETURN_KIND,
  type ReturnDestination,
  type ReturnMessageBody,
  TOKEN_KIND,
  VERDICT,
} from '@byway/protocol/wire'
import { bytes, nonZero, record, someBytes, u16, u32, u64, u8 } from './basic-arbitraries.ts'
import { chainPay } from './chain-arbitraries.ts'
import { ip, socketAddress, tunnelTerms } from './descriptor-arbitraries.ts'

export { bytes } from './basic-arbitraries.ts'
export { descriptor, ip } from './descriptor-arbitraries.ts'

const SLOW = process.env['SLOW'] === '1'

/** Runs of one property: ten of them make 10^5, each makes 10^5 with SLOW=1. */
export const runs = (count: number): { numRuns: number } => ({
  numRuns: SLOW ? 100_000 : count,
})

const stream = fc.integer({ min: 1, max: 0xffff_ffff })
const flags = fc.integer({ min: 0, max: 7 })
const HOST_LETTERS = 'abcdefghijklmnopqrstuvwxyz0123456789-._:'.split('')
const host = fc
  .array(fc.constantFrom(...HOST_LETTERS), {
    minLength: 1,
    maxLength: 253,
  })
  .map((letters) => letters.join(''))
const resetReason = fc.constantFrom(...Object.values(RESET_REASON))
const closeReason = fc.constantFrom(...Object.values(CLOSE_REASON))

export const endpoint: fc.Arbitrary<Endpoint> = fc.oneof(
  socketAddress as fc.Arbitrary<Endpoint>,
  record<Endpoint>({ host, port: u16 }),
)

export const opening: fc.Arbitrary<Opening> = record<Opening>({
  root: bytes(32),
  nullifier: bytes(32),
  sessionKey: nonZero(20),
  receiptKey: bytes(32),
  proof: someBytes(0, 300),
})

const tokenKind = fc.constantFrom(...Object.values(TOKEN_KIND))
const verdict = fc.constantFrom(...Object.values(VERDICT))
const refusal = verdict.filter((value) => value !== VERDICT.OK)
/** Of one length, as many as a test has time for. */
const elements = fc
  .integer({ min: 1, max: 384 })
  .chain((length) => fc.array(bytes(length), { minLength: 1, maxLength: 4 }))
const tokenKey = fc
  .tuple(tokenKind, u32, u32, someBytes(1, 300))
  .map(([kind, notBeforeS, lifeS, publicKey]) => ({
    tokenKind: kind,
    notBeforeS,
    notAfterS: notBeforeS + lifeS + 1,
    publicKey,
  }))
const reveals = fc
  .uniqueArray(u32, { minLength: 1, maxLength: 8 })
  .chain((indices) => fc.tuple(fc.constant(indices.toSorted((a, b) => a - b)), bytes(32)))
  .map(([indices, reveal]) => indices.map((index) => ({ index, reveal })))

const destination = record<ReturnDestination>({
  idc: bytes(32),
  feeTo: bytes(20),
  signature: bytes(65),
})
const returnRequest: fc.Arbitrary<ReturnMessageBody> = fc.oneof(
  record<ReturnMessageBody>({ kind: fc.constant(RETURN_KIND.ASK) }),
  record<ReturnMessageBody>({
    kind: fc.constant(RETURN_KIND.REFUND),
    root: bytes(32),
    nullifier: bytes(32),
    idc: bytes(32),
    feeTo: bytes(20),
    attempt: u32,
    proof: someBytes(0, 300),
  }),
  record<ReturnMessageBody>({
    kind: fc.constant(RETURN_KIND.CLOSE),
    nullifier: bytes(32),
    provider: bytes(20),
    sessionKey: bytes(20),
    destination,
  }),
  record<ReturnMessageBody>({
    kind: fc.constant(RETURN_KIND.WITHDRAW),
    root: bytes(32),
    nullifier: bytes(32),
    to: bytes(20),
    feeTo: bytes(20),
    proof: someBytes(0, 300),
  }),
  record<ReturnMessageBody>({
    kind: fc.constant(RETURN_KIND.JOIN),
    root: bytes(32),
    rests: fc.tuple(bytes(32), bytes(32), bytes(32), bytes(32)),
    units: u32,
    idc: bytes(32),
    feeTo: bytes(20),
    proof: someBytes(0, 300),
  }),
)

export const payMessage: fc.Arbitrary<PayMessage> = fc.oneof(
  chainPay,
  record<PayMessage>({ kind: fc.constant(PAY.SHOW), opening }),
  record<PayMessage>({ kind: fc.constant(PAY.NEXT), opening }),
  record<PayMessage>({
    kind: fc.constant(PAY.SHOWN),
    verdict,
    nullifier: bytes(32),
    provider: bytes(20),
    priceStep: fc.integer({ min: 0, max: 8 }),
  }),
  record<PayMessage>({
    kind: fc.constant(PAY.COMMITS),
    nullifier: bytes(32),
    firstIndex: fc.integer({ min: 0, max: 0xffff_ffff - 63 }),
    commits: fc.array(bytes(32), { minLength: 1, maxLength: 64 }),
  }),
  record<PayMessage>({
    kind: fc.constant(PAY.TICKET),
    index: u32,
    amount: fc.bigInt({ min: 0n, max: (1n << 96n) - 1n }),
    nonce: bytes(16),
    signature: bytes(65),
  }),
  record<PayMessage>({ kind: fc.constant(PAY.REFUSED), verdict: refusal, index: u32 }),
  record<PayMessage>({ kind: fc.constant(PAY.SLOT_FULL), nullifier: bytes(32), reveals }),
  record<PayMessage>({ kind: fc.constant(PAY.KEYS_GET) }),
  record<PayMessage>({
    kind: fc.constant(PAY.KEYS),
    keys: fc.array(tokenKey, { maxLength: 8 }),
  }),
  record<PayMessage>({
    kind: fc.constant(PAY.BUY),
    request: u16,
    tokenKind,
    keyId: bytes(8),
    elements,
  }),
  record<PayMessage>({
    kind: fc.constant(PAY.SOLD),
    request: u16,
    verdict: fc.constant(VERDICT.OK),
    signatures: elements,
  }),
  record<PayMessage>({
    kind: fc.constant(PAY.SOLD),
    request: u16,
    verdict: refusal,
    signatures: fc.constant([]),
  }),
  record<PayMessage>({
    kind: fc.constant(PAY.SPEND),
    tokenKind,
    keyId: bytes(8),
    nonce: bytes(32),
    token: someBytes(1, 512),
  }),
  record<PayMessage>({
    kind: fc.constant(PAY.HELD),
    nullifier: bytes(32),
    epoch: u32,
    units: u32,
    signature: bytes(96),
  }),
  record<PayMessage>({
    kind: fc.constant(PAY.RECEIPT),
    nullifier: bytes(32),
    epoch: u32,
    units: u32,
    publicKey: bytes(64),
    signature: bytes(96),
  }),
  record<PayMessage>({ kind: fc.constant(PAY.DUE), countedBytes: u64, paidBytes: u64 }),
  record<PayMessage>({ kind: fc.constant(PAY.RETURN), request: returnRequest }),
  record<PayMessage>({
    kind: fc.constant(PAY.RETURNED),
    answer: fc.constantFrom(...Object.values(REDEEM_ANSWER)),
  }),
)

const sequenced = { sequence: u64, stream }
export const hopMessage: fc.Arbitrary<HopMessage> = fc.oneof(
  record<HopMessage>({
    type: fc.constantFrom(HOP_MESSAGE.ACK_REQUEST, HOP_MESSAGE.ACK),
    serial: u32,
    random: bytes(8),
  }),
  record<HopMessage>({ type: fc.constant(HOP_MESSAGE.TUNNEL_ACK), nextSequence: u64 }),
  record<HopMessage>({ type: fc.constant(HOP_MESSAGE.WINDOW), stream, offset: u64 }),
  tunnelTerms.chain((terms) =>
    bytes(16).map((tunnelId) => ({ type: HOP_MESSAGE.OPEN, tunnelId, ...terms })),
  ),
  record<HopMessage>({
    type: fc.constant(HOP_MESSAGE.JOIN),
    tunnelId: bytes(16),
    generation: u32,
    nextSequence: u64,
    mac: bytes(32),
  }),
  record<HopMessage>({
    type: fc.constant(HOP_MESSAGE.JOINED),
    generation: u32,
    nextSequence: u64,
    mac: bytes(32),
  }),
  record<HopMessage>({ type: fc.constant(HOP_MESSAGE.CLOSE) }),
  record<HopMessage>({ type: fc.constant(HOP_MESSAGE.DRAIN), seconds: u16 }),
  record<HopMessage>({ type: fc.constant(HOP_MESSAGE.PAY), pay: payMessage }),
  record<HopMessage>({
    type: fc.constant(HOP_MESSAGE.DATAGRAM),
    stream,
    endpoint,
    payload: someBytes(0, 200),
  }),
  record<HopMessage>({
    type: fc.constant(HOP_MESSAGE.BEGIN),
    ...sequenced,
    flags,
    port: u16,
    host,
  }),
  record<HopMessage>({
    type: fc.constant(HOP_MESSAGE.CONNECTED),
    ...sequenced,
    family: fc.constantFrom(4 as const, 6 as const),
  }),
  record<HopMessage>({
    type: fc.constant(HOP_MESSAGE.DATA),
    ...sequenced,
    payload: someBytes(0, 200),
  }),
  record<HopMessage>({
    type: fc.constantFrom(HOP_MESSAGE.DONE, HOP_MESSAGE.ASSOCIATE),
    ...sequenced,
  }),
  record<HopMessage>({ type: fc.constant(HOP_MESSAGE.RESET), ...sequenced, reason: resetReason }),
  record<HopMessage>({ type: fc.constant(HOP_MESSAGE.RESOLVE), ...sequenced, flags, host }),
  record<HopMessage>({
    type: fc.constant(HOP_MESSAGE.RESOLVED),
    ...sequenced,
    reason: fc.option(resetReason, { nil: undefined }),
    ttlS: u32,
    addresses: fc.array(ip, { maxLength: 12 }),
  }),
)

export const linkMessage: fc.Arbitrary<LinkMessage> = fc.oneof(
  record<LinkMessage>({
    type: fc.constantFrom(LINK_MESSAGE.PING, LINK_MESSAGE.PONG),
    token: fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }),
  }),
  record<LinkMessage>({ type: fc.constant(LINK_MESSAGE.NETINFO), address: ip, timeS: u64 }),
  record<LinkMessage>({
    type: fc.constant(LINK_MESSAGE.DIRECTORY_GET),
    requestId: u16,
    sinceS: u64,
  }),
  record<LinkMessage>({
    type: fc.constant(LINK_MESSAGE.DIRECTORY_PART),
    requestId: u16,
    last: fc.boolean(),
    asOfS: u64,
    block: someBytes(0, 900),
  }),
  record<LinkMessage>({
    type: fc.constant(LINK_MESSAGE.DIRECTORY_PUBLISH),
    descriptor: someBytes(293, 1536),
  }),
  record<LinkMessage>({ type: fc.constant(LINK_MESSAGE.DRAIN), seconds: u16 }),
  record<LinkMessage>({ type: fc.constant(LINK_MESSAGE.PAY), pay: payMessage }),
  record<LinkMessage>({
    type: fc.constant(LINK_MESSAGE.PROOF_GET),
    requestId: u16,
    provider: bytes(20),
    epoch: u32,
  }),
  record<LinkMessage>({
    type: fc.constant(LINK_MESSAGE.PROOF),
    requestId: u16,
    proof: fc.oneof(bytes(0), bytes(4890)),
  }),
  record<LinkMessage>({
    type: fc.constant(LINK_MESSAGE.RECORD_GET),
    requestId: u16,
    name: bytes(32),
    atS: u64,
    page: u32,
  }),
  record<LinkMessage>({
    type: fc.constant(LINK_MESSAGE.RECORD),
    requestId: u16,
    part: fc.constant(2 as const),
    body: bytes(354),
  }),
)

const failure: fc.Arbitrary<CreateFailure> = fc
  .tuple(closeReason, someBytes(293, 400))
  .map(([reason, descriptor]) => ({
    result: 'failed',
    reason,
    descriptor: reason === CLOSE_REASON.STALE_KEY ? descriptor : undefined,
  }))

export const createPayload: fc.Arbitrary<CreatePayload> = record<CreatePayload>({
  suites: u8.map((bits) => bits | 2),
  entryLayer: fc.boolean(),
  deadlineMs: u16,
  extend: fc.option(
    record({ nodeId: bytes(32), onionKeyId: bytes(8), message1: someBytes(1254, 1300) }),
    { nil: undefined },
  ),
})

export const createdPayload: fc.Arbitrary<CreatedPayload> = record<CreatedPayload>({
  suite: fc.constantFrom(0 as const, 1 as const),
  outcome: fc.oneof(
    fc.constant({ result: 'ready' as const }),
    fc
      .tuple(someBytes(1157, 1200), fc.constantFrom('', 'DE', 'US'), u32)
      .map(([message2, country, asn]) => ({
        result: 'extended' as const,
        message2,
        seen: { country, asn },
      })),
    failure,
  ),
})

export const linkProof: fc.Arbitrary<LinkProof> = fc
  .tuple(bytes(32), bytes(32), u32, fc.integer({ min: 1, max: 48 * 3600 }), bytes(64), bytes(64))
  .map(([nodeId, linkKey, notBeforeS, lifeS, certSignature, proofSignature]) => ({
    nodeId,
    linkKey,
    notBeforeS,
    notAfterS: notBeforeS + lifeS,
    certSignature,
    proofSignature,
  }))

/** One change to valid bytes: a flipped bit, a cut, a tail, or a byte set to an edge value. */
export function mutated(valid: fc.Arbitrary<Uint8Array>): fc.Arbitrary<Uint8Array> {
  return fc
    .tuple(valid, fc.nat(), fc.constantFrom('flip', 'cut', 'grow', 'zero', 'full'), u8)
    .map(([original, at, how, byte]) => {
      const changed = Uint8Array.from(original)
      const index = changed.length === 0 ? 0 : at % changed.length
      if (how === 'cut') return changed.subarray(0, index)
      if (how === 'grow') return Uint8Array.of(...changed, byte)
      if (changed.length > 0) {
        changed[index] =
          how === 'flip' ? changed[index]! ^ (1 << (byte & 7)) : how === 'zero' ? 0 : 255
      }
      return changed
    })
}

/** Calls a decoder; gives its result, or undefined when it threw kind `peer`. Anything else fails the test. */
export function decodeOrPeerError<T>(decode: () => T): T | undefined {
  try {
    return decode()
  } catch (error) {
    assert.ok(isBywayError(error) && error.kind === 'peer', `not a peer error: ${String(error)}`)
    return undefined
  }
}
