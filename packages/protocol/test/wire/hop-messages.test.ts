import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  appendData,
  appendHopMessage,
  dataRoomBytes,
  decodeHopMessage,
  encodeHopMessage,
  HOP_MESSAGE,
  type HopMessage,
  hopMessageBytes,
  isSequenced,
  MessageListWriter,
  PAY,
  RESET_REASON,
} from '@byway/protocol/wire'
import { code, hex } from './hex.ts'

const SEQUENCE = '0000000100000002'
const COLLECT = { trafficClass: 'collect', classStep: 8, priceStep: 4 } as const
const FREE = { trafficClass: 'browse', classStep: 0, priceStep: 0 } as const
const sequenced = { sequence: 0x1_0000_0002, stream: 3 }

/** One hand-written body for each row of SPEC §7.1. */
const ROWS: readonly (readonly [HopMessage, string])[] = [
  [
    { type: HOP_MESSAGE.ACK_REQUEST, serial: 5, random: hex('0102030405060708') },
    '00000005 0102030405060708',
  ],
  [{ type: HOP_MESSAGE.ACK, serial: 5, random: hex('ff*8') }, '00000005 ff*8'],
  [{ type: HOP_MESSAGE.TUNNEL_ACK, nextSequence: 0x1_0000_0002 }, SEQUENCE],
  [{ type: HOP_MESSAGE.WINDOW, stream: 3, offset: 0x4_0000 }, '00000003 0000000000040000'],
  [{ type: HOP_MESSAGE.OPEN, tunnelId: hex('ab*16'), ...COLLECT }, 'ab*16 01 08 04'],
  [{ type: HOP_MESSAGE.OPEN, tunnelId: hex('ab*16'), ...FREE }, 'ab*16 00 00 00'],
  [
    {
      type: HOP_MESSAGE.JOIN,
      tunnelId: hex('ab*16'),
      generation: 2,
      nextSequence: 0x1_0000_0002,
      mac: hex('cd*32'),
    },
    `ab*16 00000002 ${SEQUENCE} cd*32`,
  ],
  [
    { type: HOP_MESSAGE.JOINED, generation: 2, nextSequence: 0x1_0000_0002, mac: hex('cd*32') },
    `00000002 ${SEQUENCE} cd*32`,
  ],
  [{ type: HOP_MESSAGE.CLOSE }, ''],
  [{ type: HOP_MESSAGE.DRAIN, seconds: 600 }, '0258'],
  [
    { type: HOP_MESSAGE.PAY, pay: { kind: PAY.DUE, countedBytes: 3, paidBytes: 2 } },
    '0c 00*7 03 00*7 02',
  ],
  [
    {
      type: HOP_MESSAGE.DATAGRAM,
      stream: 3,
      endpoint: { host: 'a.b', port: 53 },
      payload: hex('aabb'),
    },
    '00000003 01 03 612e62 0035 aabb',
  ],
  [
    {
      type: HOP_MESSAGE.DATAGRAM,
      stream: 3,
      endpoint: { family: 4, bytes: hex('01020304'), port: 53 },
      payload: hex(''),
    },
    '00000003 04 01020304 0035',
  ],
  [
    { type: HOP_MESSAGE.BEGIN, ...sequenced, flags: 7, port: 443, host: 'a.b' },
    `${SEQUENCE} 00000003 07 01bb 03 612e62`,
  ],
  [{ type: HOP_MESSAGE.CONNECTED, ...sequenced, family: 6 }, `${SEQUENCE} 00000003 06`],
  [{ type: HOP_MESSAGE.DATA, ...sequenced, payload: hex('aabb') }, `${SEQUENCE} 00000003 aabb`],
  [{ type: HOP_MESSAGE.DONE, ...sequenced }, `${SEQUENCE} 00000003`],
  [{ type: HOP_MESSAGE.RESET, ...sequenced, reason: RESET_REASON.IDLE }, `${SEQUENCE} 00000003 0b`],
  [
    { type: HOP_MESSAGE.RESOLVE, ...sequenced, flags: 1, host: 'a.b' },
    `${SEQUENCE} 00000003 01 612e62`,
  ],
  [
    {
      type: HOP_MESSAGE.RESOLVED,
      ...sequenced,
      reason: undefined,
      ttlS: 300,
      addresses: [
        { family: 4, bytes: hex('01020304') },
        { family: 6, bytes: hex('20*16') },
      ],
    },
    `${SEQUENCE} 00000003 00 0000012c 02 04 01020304 06 20*16`,
  ],
  [{ type: HOP_MESSAGE.ASSOCIATE, ...sequenced }, `${SEQUENCE} 00000003`],
]

for (const [message, body] of ROWS) {
  test(`message ${message.type} has the body of its row: ${body || 'empty'} (SPEC §7.1)`, () => {
    assert.deepEqual(encodeHopMessage(message), hex(body))
    assert.equal(hopMessageBytes(message), hex(body).length)
    assert.deepEqual(decodeHopMessage(message.type, hex(body)), message)
  })
}

test('every type of the table has a row here', () => {
  const seen = new Set(ROWS.map(([{ type }]) => type))
  assert.deepEqual(
    [...seen].toSorted((a, b) => a - b),
    Object.values(HOP_MESSAGE),
  )
})

test('types 16 to 23 are sequenced and no other (SPEC §7.1)', () => {
  for (const [message] of ROWS) assert.equal(isSequenced(message), 'sequence' in message)
})

test('refuses types that the table does not have (SPEC §4.3)', () => {
  for (const type of [0, 12, 13, 14, 15, 24, 255]) {
    assert.throws(() => decodeHopMessage(type, hex('00*7 01 00*3 01')), code('WIRE_TYPE'))
  }
})

test('refuses a body that is a byte short', () => {
  for (const [message, body] of ROWS) {
    const bytes = hex(body)
    // What ends in free bytes can only be cut into those.
    const cut = message.type === HOP_MESSAGE.DATA ? 3 : 'payload' in message ? 3 : 1
    if (bytes.length === 0 || message.type === HOP_MESSAGE.RESOLVE) continue
    const short = bytes.subarray(0, bytes.length - cut)
    assert.throws(() => decodeHopMessage(message.type, short), code('WIRE_LENGTH'), body)
  }
})

test('refuses a byte behind a body that has an end', () => {
  for (const [message, body] of ROWS) {
    if ('payload' in message || message.type === HOP_MESSAGE.RESOLVE) continue
    assert.throws(() => decodeHopMessage(message.type, hex(`${body} 00`)), code('WIRE_LENGTH'))
  }
})

test('the payload of DATA is a view', () => {
  const body = hex(`${SEQUENCE} 00000003 aabb`)
  const message = decodeHopMessage(HOP_MESSAGE.DATA, body)
  assert.ok(message.type === HOP_MESSAGE.DATA)
  assert.equal(message.payload.buffer, body.buffer)
  assert.equal(message.payload.byteOffset, 12)
})

test('refuses stream 0, whose ids rise from 1 (SPEC §7.2)', () => {
  const refuses = code('WIRE_VALUE', 'stream')
  for (const type of [HOP_MESSAGE.DATA, HOP_MESSAGE.DONE]) {
    assert.throws(() => decodeHopMessage(type, hex('00*12')), refuses)
  }
  assert.throws(() => decodeHopMessage(HOP_MESSAGE.WINDOW, hex('00*12')), refuses)
})

test('refuses a sequence that a number does not hold', () => {
  const largest = decodeHopMessage(HOP_MESSAGE.TUNNEL_ACK, hex('001fffff ffffffff'))
  assert.deepEqual(largest, { type: 3, nextSequence: Number.MAX_SAFE_INTEGER })
  assert.throws(
    () => decodeHopMessage(HOP_MESSAGE.TUNNEL_ACK, hex('00200000 00000000')),
    code('WIRE_VALUE', 'nextSequence'),
  )
})

test('refuses hosts outside lower-case ASCII of 1 to 253 bytes (SPEC §7.1)', () => {
  const resolve = (host: string): HopMessage =>
    decodeHopMessage(HOP_MESSAGE.RESOLVE, hex(`${SEQUENCE} 00000003 01 ${host}`))
  assert.doesNotThrow(() => resolve('61*253'))
  for (const host of ['', '61*254']) assert.throws(() => resolve(host), code('WIRE_LENGTH', 'host'))
  for (const host of ['41', '6100', '61 20', '0a', '7f', 'c3bc']) {
    assert.throws(() => resolve(host), code('WIRE_VALUE', 'host'))
  }
})

test('the error for a bad host does not hold the host', () => {
  const secret = hex(`${SEQUENCE} 00000003 01 ${'53'.repeat(12)}`)
  assert.throws(
    () => decodeHopMessage(HOP_MESSAGE.RESOLVE, secret),
    (error: Error) => !/S{3}|83|0x53/.test(`${error.message} ${JSON.stringify(error)}`),
  )
})

test('refuses unknown address flags, families, endpoint types, classes and prices of classes', () => {
  const cases: readonly (readonly [number, string, string])[] = [
    [HOP_MESSAGE.RESOLVE, `${SEQUENCE} 00000003 08 61`, 'flags'],
    [HOP_MESSAGE.BEGIN, `${SEQUENCE} 00000003 80 0050 01 61`, 'flags'],
    [HOP_MESSAGE.CONNECTED, `${SEQUENCE} 00000003 05`, 'family'],
    [HOP_MESSAGE.DATAGRAM, '00000003 02 00*20', 'endpoint'],
    [HOP_MESSAGE.RESOLVED, `${SEQUENCE} 00000003 00 00*4 01 05 00*4`, 'family'],
    [HOP_MESSAGE.OPEN, 'ab*16 02 00 00', 'trafficClass'],
    [HOP_MESSAGE.OPEN, 'ab*16 00 09 04', 'classStep'],
    [HOP_MESSAGE.OPEN, 'ab*16 00 09 09', 'priceStep'],
    [HOP_MESSAGE.OPEN, 'ab*16 01 03 04', 'classStep'],
    [HOP_MESSAGE.OPEN, 'ab*16 01 01 00', 'classStep'],
  ]
  for (const [type, body, field] of cases) {
    assert.throws(() => decodeHopMessage(type, hex(body)), code('WIRE_VALUE', field))
  }
})

test('an unknown reset reason reads as MISC', () => {
  const message = decodeHopMessage(HOP_MESSAGE.RESET, hex(`${SEQUENCE} 00000003 63`))
  assert.deepEqual(message, { type: 20, ...sequenced, reason: RESET_REASON.MISC })
})

test('DATA is packed in place beside an ACK', () => {
  const region = new Uint8Array(40)
  const list = new MessageListWriter().reset(region)
  assert.equal(appendHopMessage(list, { type: HOP_MESSAGE.CLOSE }), true)
  assert.equal(dataRoomBytes(list), 40 - 3 - 3 - 12)
  const at = appendData(list, 0x1_0000_0002, 3, 2)
  region.set(hex('aabb'), at)
  list.finish()
  assert.deepEqual(region, hex(`08 0000 12 000e ${SEQUENCE} 00000003 aabb 00*20`))
  assert.equal(appendData(list, 0, 1, 100), -1)
})

test('our own bad values are bugs, not bytes on the wire', () => {
  const bad: readonly HopMessage[] = [
    { type: HOP_MESSAGE.DONE, sequence: -1, stream: 1 },
    { type: HOP_MESSAGE.DONE, sequence: 0, stream: 0 },
    { type: HOP_MESSAGE.DONE, sequence: 0, stream: 2 ** 32 },
    { type: HOP_MESSAGE.OPEN, tunnelId: hex('00*15'), ...FREE },
    { type: HOP_MESSAGE.OPEN, tunnelId: hex('00*16'), ...COLLECT, classStep: 9 },
    { type: HOP_MESSAGE.OPEN, tunnelId: hex('00*16'), ...COLLECT, classStep: 3 },
    { type: HOP_MESSAGE.OPEN, tunnelId: hex('00*16'), ...FREE, classStep: 1 },
    { type: HOP_MESSAGE.RESOLVE, sequence: 0, stream: 1, flags: 1, host: 'UPPER' },
    { type: HOP_MESSAGE.RESOLVE, sequence: 0, stream: 1, flags: 1, host: '' },
    { type: HOP_MESSAGE.RESOLVE, sequence: 0, stream: 1, flags: 8, host: 'a' },
    { type: HOP_MESSAGE.DRAIN, seconds: 1.5 },
  ]
  for (const message of bad) assert.throws(() => encodeHopMessage(message), code('WIRE_ENCODE'))
})
