/** Arbitrary valid values of each layout, and the check that every decoder must pass on bytes of a peer. */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { isBywayError } from '@byway/protocol/base'
import {
  CLOSE_REASON,
  type CreatedPayload,
  type CreateFailure,
  type CreatePayload,
  type Descriptor,
  type Endpoint,
  HOP_MESSAGE,
  type HopMessage,
  type IpBytes,
  LINK_MESSAGE,
  type LinkMessage,
  type LinkProof,
  RESET_REASON,
  type SocketAddressBytes,
} from '@byway/protocol/wire'

const SLOW = process.env['SLOW'] === '1'

/** Runs of one property: ten of them make 10^5, a hundred times that with SLOW=1. */
export const runs = (count: number): { numRuns: number } => ({
  numRuns: SLOW ? 100 * count : count,
})

export const bytes = (length: number): fc.Arbitrary<Uint8Array> =>
  fc.uint8Array({ minLength: length, maxLength: length })
const someBytes = (minLength: number, maxLength: number): fc.Arbitrary<Uint8Array> =>
  fc.uint8Array({ minLength, maxLength, size: 'max' })
const u8 = fc.integer({ min: 0, max: 0xff })
const u16 = fc.integer({ min: 0, max: 0xffff })
const u32 = fc.integer({ min: 0, max: 0xffff_ffff })
const u64 = fc.maxSafeNat()
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

/** A record with an ordinary prototype, which deepEqual compares. */
function record<T>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> {
  return fc.record(model, { noNullPrototype: true })
}

export const ip: fc.Arbitrary<IpBytes> = fc.oneof(
  record<IpBytes>({ family: fc.constant(4 as const), bytes: bytes(4) }),
  record<IpBytes>({ family: fc.constant(6 as const), bytes: bytes(16) }),
)
const socketAddress: fc.Arbitrary<SocketAddressBytes> = fc
  .tuple(ip, fc.integer({ min: 1, max: 0xffff }))
  .map(([address, port]) => ({ ...address, port }))
export const endpoint: fc.Arbitrary<Endpoint> = fc.oneof(
  socketAddress as fc.Arbitrary<Endpoint>,
  record<Endpoint>({ host, port: u16 }),
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
  record<HopMessage>({ type: fc.constant(HOP_MESSAGE.OPEN), tunnelId: bytes(16) }),
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
  record<LinkMessage>({ type: fc.constant(LINK_MESSAGE.DIRECTORY_GET), requestId: u16 }),
  record<LinkMessage>({
    type: fc.constant(LINK_MESSAGE.DIRECTORY_PART),
    requestId: u16,
    last: fc.boolean(),
    descriptors: fc.array(someBytes(236, 260), { maxLength: 3 }),
  }),
  record<LinkMessage>({
    type: fc.constant(LINK_MESSAGE.DIRECTORY_PUBLISH),
    descriptor: someBytes(236, 1536),
  }),
  record<LinkMessage>({ type: fc.constant(LINK_MESSAGE.DRAIN), seconds: u16 }),
)

const failure: fc.Arbitrary<CreateFailure> = fc
  .tuple(closeReason, someBytes(236, 400))
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
    someBytes(1157, 1200).map((message2) => ({ result: 'extended' as const, message2 })),
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

const optionalId = fc.option(
  bytes(32).filter((id) => id.some((byte) => byte !== 0)),
  { nil: undefined },
)

export const descriptor: fc.Arbitrary<Descriptor> = fc
  .tuple(
    record<Omit<Descriptor, 'publishedS' | 'expiresS'>>({
      nodeId: bytes(32),
      sequence: u64,
      onionKey: bytes(32),
      roles: fc.integer({ min: 0, max: 3 }),
      exitProfile: fc.constantFrom(0 as const, 1 as const, 2 as const),
      exitFlags: fc.integer({ min: 0, max: 3 }),
      country: fc.constantFrom('', 'DE', 'NO', 'ZZ'),
      asn: u32,
      familyId: optionalId,
      stakerId: optionalId,
      addresses: fc.array(socketAddress, { minLength: 1, maxLength: 8 }),
      attachments: fc.array(bytes(32), { maxLength: 6 }),
      software: fc.string({ maxLength: 32, unit: 'grapheme-ascii' }),
    }),
    u32,
    fc.integer({ min: 1, max: 48 * 3600 }),
  )
  .map(([fields, publishedS, lifeS]) => ({ ...fields, publishedS, expiresS: publishedS + lifeS }))

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
