/** Properties of every codec: inverse, canonical, safe on any bytes and on mutated valid bytes, small in memory. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  type Created,
  decodeChainHeader,
  decodeChainLogs,
  decodeChainReceipt,
  decodeCreate,
  decodeCreated,
  decodeCreatedPayload,
  decodeCreatePayload,
  decodeDescriptor,
  decodeHopMessage,
  decodeLinkMessage,
  decodeLinkProof,
  decodeOpening,
  decodePayMessage,
  encodeChainHeader,
  encodeChainLogs,
  encodeChainReceipt,
  encodeCreatedPayload,
  encodeCreatePayload,
  encodeDescriptor,
  encodeHopMessage,
  encodeLinkMessage,
  encodeLinkProof,
  encodeOpening,
  encodePayMessage,
  HOP_MESSAGE,
  hopMessageBytes,
  LINK_MESSAGE,
  linkMessageBytes,
  MessageListWriter,
  messagesIn,
  openingBytes,
  payMessageBytes,
  RESET_REASON,
  writeCreate,
  writeCreated,
} from '@byway/protocol/wire'
import {
  bytes,
  createdPayload,
  createPayload,
  decodeOrPeerError,
  descriptor,
  hopMessage,
  linkMessage,
  linkProof,
  mutated,
  opening,
  payMessage,
  runs,
} from './arbitraries.ts'
import { chainHeader, chainLog, chainReceipt } from './chain-arbitraries.ts'

/** A layout whose bytes alone say what they are. */
type Codec = {
  readonly name: string
  readonly valid: fc.Arbitrary<Uint8Array>
  readonly maxBytes: number
  /** Decodes and encodes again; for cells' bodies, without the padding behind. */
  readonly recode: (input: Uint8Array) => Uint8Array
}

const listOf = (
  message: fc.Arbitrary<{ type: number; body: Uint8Array }>,
): fc.Arbitrary<Uint8Array> =>
  fc.array(message, { maxLength: 4 }).map((messages) => {
    const writer = new MessageListWriter().reset(new Uint8Array(4087))
    for (const { type, body } of messages) writer.append(type, body)
    return writer.region.slice(0, writer.finish())
  })
const hopBody = hopMessage.map((message) => ({
  type: message.type,
  body: encodeHopMessage(message),
}))
const linkBody = linkMessage.map((message) => ({
  type: message.type,
  body: encodeLinkMessage(message),
}))

const createdBody = fc
  .oneof(
    bytes(1157).map((message2): Created => ({ result: 'answered', message2 })),
    bytes(300).map((view): Created => ({ result: 'failed', reason: 19, descriptor: view })),
  )
  .map((created) => {
    const body = new Uint8Array(4087)
    writeCreated(body, created)
    return body
  })
const createBody = fc
  .tuple(bytes(8), fc.constantFrom(1, 2, 3), bytes(1254))
  .map(([onionKeyId, position, message1]) => {
    const body = new Uint8Array(4087)
    writeCreate(body, { onionKeyId, position, message1 })
    return body
  })

function recodeList(
  input: Uint8Array,
  recode: (type: number, body: Uint8Array) => Uint8Array,
): Uint8Array {
  const writer = new MessageListWriter().reset(new Uint8Array(input.length))
  for (const { type, body } of messagesIn(input)) writer.append(type, recode(type, body))
  return writer.region.slice(0, writer.finish())
}

function recodeHopBody(type: number, body: Uint8Array): Uint8Array {
  const message = decodeHopMessage(type, body)
  const again = encodeHopMessage(message)
  // Reasons that this version does not know read as MISC: the one place where two encodings mean one thing.
  const hasReason = type === HOP_MESSAGE.RESET || type === HOP_MESSAGE.RESOLVED
  if (hasReason && again[12] === RESET_REASON.MISC) again[12] = body[12]!
  return again
}

const CODECS: readonly Codec[] = [
  {
    name: 'descriptor',
    valid: fc.tuple(descriptor, bytes(64)).map(([d, signature]) => encodeDescriptor(d, signature)),
    maxBytes: 1600,
    recode: (input) => {
      const { descriptor: decoded, signature } = decodeDescriptor(input)
      return encodeDescriptor(decoded, signature)
    },
  },
  {
    name: 'link proof',
    valid: linkProof.map((proof) => encodeLinkProof(proof, proof.proofSignature)),
    maxBytes: 220,
    recode: (input) => {
      const proof = decodeLinkProof(input)
      return encodeLinkProof(proof, proof.proofSignature)
    },
  },
  {
    name: 'payload of message 1',
    valid: createPayload.map(encodeCreatePayload),
    maxBytes: 1400,
    recode: (input) => encodeCreatePayload(decodeCreatePayload(input)),
  },
  {
    name: 'opening',
    valid: opening.map(encodeOpening),
    maxBytes: 500,
    recode: (input) => encodeOpening(decodeOpening(input)),
  },
  {
    name: 'payment message',
    valid: payMessage.map(encodePayMessage),
    maxBytes: 1015,
    recode: (input) => encodePayMessage(decodePayMessage(input)),
  },
  {
    name: 'header of a block',
    valid: chainHeader.map(encodeChainHeader),
    maxBytes: 200,
    recode: (input) => encodeChainHeader(decodeChainHeader(input)),
  },
  {
    name: 'page of logs',
    valid: fc
      .tuple(fc.nat(), bytes(8), fc.array(chainLog, { maxLength: 4 }))
      .map(([total, set, logs]) => encodeChainLogs({ total, set, logs })),
    maxBytes: 1015,
    recode: (input) => encodeChainLogs(decodeChainLogs(input)),
  },
  {
    name: 'receipt of a transaction',
    valid: chainReceipt.map(encodeChainReceipt),
    maxBytes: 1015,
    recode: (input) => encodeChainReceipt(decodeChainReceipt(input)),
  },
  {
    name: 'list of hop messages',
    valid: listOf(hopBody),
    maxBytes: 1015,
    recode: (input) => recodeList(input, recodeHopBody),
  },
  {
    name: 'list of link messages',
    valid: listOf(linkBody),
    maxBytes: 1015,
    recode: (input) =>
      recodeList(input, (type, body) => encodeLinkMessage(decodeLinkMessage(type, body))),
  },
]

for (const { name, valid, maxBytes, recode } of CODECS) {
  test(`${name}: what was encoded is decoded to the same bytes`, () => {
    fc.assert(
      fc.property(valid, (input) => assert.deepEqual(recode(input), input)),
      runs(2000),
    )
  })

  test(`${name}: any bytes decode or give a peer error`, () => {
    const any = fc.uint8Array({ maxLength: maxBytes, size: 'max' })
    fc.assert(
      fc.property(any, (input) => void decodeOrPeerError(() => recode(input))),
      runs(4000),
    )
  })

  test(`${name}: mutated valid bytes decode canonically or give a peer error`, () => {
    fc.assert(
      fc.property(mutated(valid), (input) => {
        const again = decodeOrPeerError(() => recode(input))
        if (again) assert.deepEqual(again, input.subarray(0, again.length))
        // Only lists have padding; anywhere else a byte more or less must not decode.
        if (again && !name.startsWith('list')) assert.equal(again.length, input.length)
      }),
      runs(9000),
    )
  })
}

test('hop messages: decode inverts encode, and the size is known before', () => {
  fc.assert(
    fc.property(hopMessage, (message) => {
      const body = encodeHopMessage(message)
      assert.equal(body.length, hopMessageBytes(message))
      assert.deepEqual(decodeHopMessage(message.type, body), message)
    }),
    runs(5000),
  )
})

test('link messages: decode inverts encode, and the size is known before', () => {
  fc.assert(
    fc.property(linkMessage, (message) => {
      const body = encodeLinkMessage(message)
      assert.equal(body.length, linkMessageBytes(message))
      assert.deepEqual(decodeLinkMessage(message.type, body), message)
    }),
    runs(2000),
  )
})

test('payment messages, openings: decode inverts encode, and the size is known before', () => {
  fc.assert(
    fc.property(payMessage, opening, (message, shown) => {
      const body = encodePayMessage(message)
      assert.equal(body.length, payMessageBytes(message))
      assert.deepEqual(decodePayMessage(body), message)
      assert.equal(encodeOpening(shown).length, openingBytes(shown))
      assert.deepEqual(decodeOpening(encodeOpening(shown)), shown)
    }),
    runs(1000),
  )
})

test('payloads of message 2: decode inverts encode; any and mutated bytes give peer errors', () => {
  fc.assert(
    fc.property(createdPayload, (payload) => {
      assert.deepEqual(decodeCreatedPayload(encodeCreatedPayload(payload)), payload)
    }),
    runs(1000),
  )
  const input = fc.oneof(
    fc.uint8Array({ maxLength: 1400, size: 'max' }),
    mutated(createdPayload.map(encodeCreatedPayload)),
  )
  fc.assert(
    fc.property(input, (body) => void decodeOrPeerError(() => decodeCreatedPayload(body))),
    runs(8000),
  )
})

test('bodies of CREATE and CREATED: any and mutated bytes give peer errors', () => {
  const any = fc.uint8Array({ maxLength: 4087, size: 'max' })
  fc.assert(
    fc.property(fc.oneof(any, mutated(createBody), mutated(createdBody)), (body) => {
      decodeOrPeerError(() => decodeCreate(body))
      decodeOrPeerError(() => decodeCreated(body))
    }),
    runs(4000),
  )
})

test('single bodies of every type: any bytes give peer errors', () => {
  const type = fc.integer({ min: 0, max: 255 })
  const known = fc.constantFrom(...Object.values(HOP_MESSAGE), ...Object.values(LINK_MESSAGE))
  const any = fc.uint8Array({ maxLength: 400, size: 'max' })
  fc.assert(
    fc.property(fc.oneof(type, known), any, (given, body) => {
      decodeOrPeerError(() => decodeHopMessage(given, body))
      decodeOrPeerError(() => decodeLinkMessage(given, body))
    }),
    runs(10_000),
  )
})

test('lengths declared huge allocate less than 1 MB (THREAT-MODEL T13)', () => {
  const huge = new Uint8Array(16_375).fill(0xff)
  const decoders: readonly (() => unknown)[] = [
    () => [...messagesIn(huge)],
    () => decodeDescriptor(huge.subarray(0, 1536)),
    () => decodeCreate(huge),
    () => decodeCreated(huge),
    () => decodeCreatePayload(huge),
    () => decodeCreatedPayload(huge),
    () => decodeLinkProof(huge),
    ...Array.from({ length: 24 }, (_, type) => () => decodeHopMessage(type, huge)),
    ...Array.from({ length: 9 }, (_, type) => () => decodeLinkMessage(type, huge)),
    ...Array.from({ length: 13 }, (_, kind) => () => {
      return decodePayMessage(Uint8Array.of(kind, ...huge.subarray(1)))
    }),
    () => decodeOpening(huge),
  ]
  for (const decode of decoders) {
    decodeOrPeerError(decode)
    const before = process.memoryUsage().arrayBuffers
    decodeOrPeerError(decode)
    assert.ok(process.memoryUsage().arrayBuffers - before < 1_000_000)
  }
})
