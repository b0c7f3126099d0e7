import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  CLOSE_REASON,
  CREATE_BODY_BYTES,
  decodeCreate,
  decodeCreated,
  decodeCreatedPayload,
  decodeCreatePayload,
  encodeCreatedPayload,
  encodeCreatePayload,
  MESSAGE_1_OVERHEAD_BYTES,
  MESSAGE_2_OVERHEAD_BYTES,
  SUITE,
  writeCreate,
  writeCreated,
} from '@byway/protocol/wire'
import { code, hex } from './hex.ts'

const message1 = hex('aa*1254')
const message2 = hex('bb*1157')
const descriptor = hex('dd*300')

test('CREATE is n, mac1, onion key id, position, message 1 and zeros (SPEC §5.2)', () => {
  const body = new Uint8Array(CREATE_BODY_BYTES).fill(0xee)
  const { mac1, macInput } = writeCreate(body, {
    onionKeyId: hex('0102030405060708'),
    position: 2,
    message1,
  })
  mac1.set(hex('cc*16'))
  assert.deepEqual(body, hex('04e6 cc*16 0102030405060708 02 aa*1254 00*2806'))
  assert.deepEqual(macInput, body.subarray(18, 27 + 1254))
  const create = decodeCreate(body)
  assert.deepEqual(create.mac1, hex('cc*16'))
  assert.deepEqual(create.macInput, macInput)
  assert.deepEqual(create.onionKeyId, hex('0102030405060708'))
  assert.equal(create.position, 2)
  assert.deepEqual(create.message1, message1)
})

test('refuses a CREATE whose message 1 is shorter than any, or runs past the body', () => {
  const header = '00*16 00*8 01'
  assert.throws(() => decodeCreate(hex(`04e5 ${header} aa*4060`)), code('WIRE_LENGTH', 'message1'))
  assert.throws(() => decodeCreate(hex(`ffff ${header} aa*4060`)), code('WIRE_LENGTH', 'message1'))
  assert.throws(() => decodeCreate(hex(`0fdd ${header} aa*4060`)), code('WIRE_LENGTH', 'message1'))
  assert.doesNotThrow(() => decodeCreate(hex(`0fdc ${header} aa*4060`)))
})

test('refuses positions other than 1, 2 and 3 (SPEC §5.2)', () => {
  for (const position of ['00', '04', 'ff']) {
    const body = hex(`04e6 00*16 00*8 ${position} aa*1254`)
    assert.throws(() => decodeCreate(body), code('WIRE_VALUE', 'position'))
  }
})

test('writeCreate refuses a body of another size, and a message 1 that does not fit', () => {
  const create = { onionKeyId: hex('00*8'), position: 1, message1 } as const
  assert.throws(() => writeCreate(new Uint8Array(4086), create), code('WIRE_ENCODE'))
  const long = { ...create, message1: new Uint8Array(4061) }
  assert.throws(() => writeCreate(new Uint8Array(4087), long), code('WIRE_ENCODE'))
})

test('the payload of a last hop is exactly 6 bytes (SPEC §5.3)', () => {
  const payload = { suites: 3, entryLayer: false, deadlineMs: 10_000, extend: undefined }
  assert.deepEqual(encodeCreatePayload(payload), hex('01 03 00 2710 00'))
  assert.deepEqual(decodeCreatePayload(hex('01 03 00 2710 00')), payload)
  assert.throws(() => decodeCreatePayload(hex('01 03 00 2710 00 00')), code('WIRE_LENGTH'))
  assert.throws(() => decodeCreatePayload(hex('01 03 00 2710')), code('WIRE_LENGTH'))
})

test('an extending payload names node, key and message 1 at 6, 38 and 48 (SPEC §5.3)', () => {
  const extend = { nodeId: hex('11*32'), onionKeyId: hex('22*8'), message1 }
  const payload = { suites: 2, entryLayer: true, deadlineMs: 8000, extend }
  const bytes = hex('01 02 01 1f40 01 11*32 22*8 04e6 aa*1254')
  assert.deepEqual(encodeCreatePayload(payload), bytes)
  assert.deepEqual(decodeCreatePayload(bytes), payload)
})

test('refuses payloads outside the table (SPEC §5.3)', () => {
  assert.throws(() => decodeCreatePayload(hex('02 03 00 2710 00')), code('WIRE_VERSION'))
  assert.throws(() => decodeCreatePayload(hex('01 01 00 2710 00')), code('WIRE_VALUE', 'suites'))
  assert.throws(() => decodeCreatePayload(hex('01 03 02 2710 00')), code('WIRE_VALUE', 'flags'))
  assert.throws(() => decodeCreatePayload(hex('01 03 00 2710 02')), code('WIRE_VALUE', 'extend'))
  const suites = { suites: 1, entryLayer: false, deadlineMs: 1, extend: undefined }
  assert.throws(() => encodeCreatePayload(suites), code('WIRE_ENCODE'))
})

test('three hops nest to 3873 of the 4087 bytes (SPEC §5.3)', () => {
  const sizes: number[] = []
  let inner: Uint8Array | undefined
  for (let hop = 0; hop < 3; hop++) {
    const extend = inner && { nodeId: hex('11*32'), onionKeyId: hex('22*8'), message1: inner }
    const base = { suites: 3, entryLayer: false, deadlineMs: 6000 }
    const payload = encodeCreatePayload({ ...base, extend })
    inner = new Uint8Array(payload.length + MESSAGE_1_OVERHEAD_BYTES)
    sizes.push(inner.length)
  }
  assert.deepEqual(sizes, [1254, 2550, 3846])
  assert.ok(27 + 3846 <= CREATE_BODY_BYTES)
})

test('CREATED is 0, n and message 2, or a reason (SPEC §5.4)', () => {
  const body = new Uint8Array(CREATE_BODY_BYTES).fill(0xee)
  writeCreated(body, { result: 'answered', message2 })
  assert.deepEqual(body, hex('00 0485 bb*1157 00*2927'))
  assert.deepEqual(decodeCreated(body), { result: 'answered', message2 })

  const stale = { result: 'failed', reason: CLOSE_REASON.STALE_KEY, descriptor } as const
  writeCreated(body, stale)
  assert.deepEqual(body, hex('13 012c dd*300 00*3784'))
  assert.deepEqual(decodeCreated(body), stale)

  const limit = {
    result: 'failed',
    reason: CLOSE_REASON.RESOURCE_LIMIT,
    descriptor: undefined,
  } as const
  writeCreated(body, limit)
  assert.deepEqual(body, hex('12 0000 00*4084'))
  assert.deepEqual(decodeCreated(body), limit)
})

test('refuses a CREATED with a short answer, a missing or an unasked descriptor', () => {
  assert.throws(() => decodeCreated(hex('00 0484 bb*4084')), code('WIRE_LENGTH', 'message2'))
  assert.throws(() => decodeCreated(hex('00 ffff bb*4084')), code('WIRE_LENGTH', 'answer'))
  assert.throws(() => decodeCreated(hex('13 0000 00*4084')), code('WIRE_LENGTH', 'descriptor'))
  assert.throws(() => decodeCreated(hex('13 0601 00*4084')), code('WIRE_LENGTH', 'descriptor'))
  assert.throws(() => decodeCreated(hex('12 0001 00*4084')), code('WIRE_LENGTH'))
})

const UNSEEN = { country: '', asn: 0 }

test('the payload of message 2 says suite, outcome and what follows (SPEC §5.4)', () => {
  const { STALE_KEY, TIMEOUT } = CLOSE_REASON
  const rows = [
    [{ result: 'ready' }, '01 00 00 0000'],
    [{ result: 'extended', message2, seen: UNSEEN }, '01 00 01 0485 bb*1157 0000 00000000'],
    [
      { result: 'extended', message2, seen: { country: 'DE', asn: 3320 } },
      '01 00 01 0485 bb*1157 4445 00000cf8',
    ],
    [{ result: 'failed', reason: STALE_KEY, descriptor }, '01 00 13 012c dd*300'],
    [{ result: 'failed', reason: TIMEOUT, descriptor: undefined }, '01 00 17 0000'],
  ] as const
  for (const [outcome, body] of rows) {
    const payload = { suite: SUITE.AES_256_GCM, outcome }
    assert.deepEqual(encodeCreatedPayload(payload), hex(body))
    assert.deepEqual(decodeCreatedPayload(hex(body)), payload)
    assert.throws(() => decodeCreatedPayload(hex(`${body} 00`)), code('WIRE_LENGTH'))
  }
})

test('refuses payloads of message 2 outside the table (SPEC §5.4)', () => {
  assert.throws(() => decodeCreatedPayload(hex('02 00 00 0000')), code('WIRE_VERSION'))
  assert.throws(() => decodeCreatedPayload(hex('01 02 00 0000')), code('WIRE_VALUE', 'suite'))
  assert.throws(() => decodeCreatedPayload(hex('01 00 00 0001 00')), code('WIRE_LENGTH'))
  assert.throws(
    () => decodeCreatedPayload(hex('01 00 01 0001 00')),
    code('WIRE_LENGTH', 'message2'),
  )
  const outcome = { result: 'failed', reason: CLOSE_REASON.TIMEOUT, descriptor } as const
  assert.throws(() => encodeCreatedPayload({ suite: 0, outcome }), code('WIRE_ENCODE'))
})

test('the longest failure of three hops, a stale key at the last, fits the body (SPEC §5.4)', () => {
  const stale = {
    result: 'failed',
    reason: CLOSE_REASON.STALE_KEY,
    descriptor: hex('dd*1536'),
  } as const
  const second =
    encodeCreatedPayload({ suite: 0, outcome: stale }).length + MESSAGE_2_OVERHEAD_BYTES
  const message = new Uint8Array(second)
  const outcome = { result: 'extended', message2: message, seen: UNSEEN } as const
  const first = encodeCreatedPayload({ suite: 0, outcome }).length + MESSAGE_2_OVERHEAD_BYTES
  assert.ok(3 + first <= CREATE_BODY_BYTES)
})
