import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  decodeLinkMessage,
  encodeLinkMessage,
  LINK_MESSAGE,
  RECORD_PART,
  type LinkMessage,
  linkMessageBytes,
  PAY,
  REACH_RESULT,
  REDEEM_ANSWER,
} from '@byway/protocol/wire'
import { code, hex } from './hex.ts'

/** One hand-written body for each row of SPEC §4.4. */
const ROWS: readonly (readonly [LinkMessage, string])[] = [
  [{ type: LINK_MESSAGE.PING, token: 0x0102_0304_0506_0708n }, '0102030405060708'],
  [{ type: LINK_MESSAGE.PONG, token: 0xffff_ffff_ffff_ffffn }, 'ff*8'],
  [
    {
      type: LINK_MESSAGE.NETINFO,
      address: { family: 4, bytes: hex('01020304') },
      timeS: 1_800_000_000,
    },
    '04 01020304 00000000 6b49d200',
  ],
  [
    { type: LINK_MESSAGE.NETINFO, address: { family: 6, bytes: hex('20*16') }, timeS: 1 },
    '06 20*16 00*7 01',
  ],
  [{ type: LINK_MESSAGE.DIRECTORY_GET, requestId: 0x102, sinceS: 5 }, '0102 00*7 05'],
  [
    {
      type: LINK_MESSAGE.DIRECTORY_PART,
      requestId: 0x102,
      last: true,
      asOfS: 6,
      block: hex('aa*291'),
    },
    '0102 01 00*7 06 aa*291',
  ],
  [
    {
      type: LINK_MESSAGE.DIRECTORY_PART,
      requestId: 1,
      last: false,
      asOfS: 0,
      block: hex(''),
    },
    '0001 00 00*8',
  ],
  [{ type: LINK_MESSAGE.DIRECTORY_PUBLISH, descriptor: hex('aa*1536') }, 'aa*1536'],
  [{ type: LINK_MESSAGE.DRAIN, seconds: 600 }, '0258'],
  [
    { type: LINK_MESSAGE.PAY, pay: { kind: PAY.DUE, countedBytes: 3, paidBytes: 2 } },
    '0c 00*7 03 00*7 02',
  ],
  [{ type: LINK_MESSAGE.REDEEM, requestId: 0x102, order: hex('aa*100') }, '0102 aa*100'],
  [{ type: LINK_MESSAGE.REDEEMED, requestId: 7, answer: REDEEM_ANSWER.FEE_TOO_LOW }, '0007 03'],
  [
    { type: LINK_MESSAGE.PROOF_GET, requestId: 0x102, provider: hex('bb*20'), epoch: 2969 },
    '0102 bb*20 00000b99',
  ],
  [{ type: LINK_MESSAGE.PROOF, requestId: 0x102, proof: hex('cc*4890') }, '0102 cc*4890'],
  [{ type: LINK_MESSAGE.PROOF, requestId: 3, proof: hex('') }, '0003'],
  [{ type: LINK_MESSAGE.REACH, requestId: 0x102, port: 9443 }, '0102 24e3'],
  [{ type: LINK_MESSAGE.REACHED, requestId: 7, result: REACH_RESULT.STRANGER }, '0007 03'],
  [
    {
      type: LINK_MESSAGE.RECORD_GET,
      requestId: 0x102,
      name: hex('ab*32'),
      atS: 0x6a000000,
      page: 20_700,
    },
    '0102 ab*32 00*4 6a000000 000050dc',
  ],
  [{ type: LINK_MESSAGE.RECORD, requestId: 7, part: RECORD_PART.END, body: hex('') }, '0007 00'],
  [
    { type: LINK_MESSAGE.RECORD, requestId: 7, part: RECORD_PART.PROOF, body: hex('cc*500') },
    '0007 01 cc*500',
  ],
  [
    { type: LINK_MESSAGE.RECORD, requestId: 7, part: RECORD_PART.HEADS, body: hex('dd*354') },
    '0007 02 dd*354',
  ],
]

for (const [message, body] of ROWS) {
  test(`link message ${message.type} has the body of its row: ${body} (SPEC §4.4)`, () => {
    assert.deepEqual(encodeLinkMessage(message), hex(body))
    assert.equal(linkMessageBytes(message), hex(body).length)
    assert.deepEqual(decodeLinkMessage(message.type, hex(body)), message)
  })
}

test('every type of the table has a row here', () => {
  const seen = new Set(ROWS.map(([{ type }]) => type))
  assert.deepEqual(
    [...seen].toSorted((a, b) => a - b),
    Object.values(LINK_MESSAGE),
  )
})

test('refuses types that the table does not have (SPEC §4.3)', () => {
  for (const type of [0, 17, 255]) {
    assert.throws(() => decodeLinkMessage(type, hex('00*8')), code('WIRE_TYPE'))
  }
})

/** Their bodies are judged by other codecs. */
const OPEN_ENDED = new Set<number>([
  LINK_MESSAGE.DIRECTORY_PART,
  LINK_MESSAGE.DIRECTORY_PUBLISH,
  LINK_MESSAGE.REDEEM,
  LINK_MESSAGE.RECORD,
])

test('refuses short and long bodies', () => {
  for (const [message, body] of ROWS) {
    const bytes = hex(body)
    const { type } = message
    if (OPEN_ENDED.has(type)) continue
    const short = bytes.subarray(0, -1)
    assert.throws(() => decodeLinkMessage(message.type, short), code('WIRE_LENGTH'), body)
    assert.throws(() => decodeLinkMessage(message.type, hex(`${body} 00`)), code('WIRE_LENGTH'))
  }
})

test('refuses a descriptor of impossible size', () => {
  const { DIRECTORY_PUBLISH } = LINK_MESSAGE
  for (const body of ['', 'aa*288', 'aa*1537']) {
    assert.throws(() => decodeLinkMessage(DIRECTORY_PUBLISH, hex(body)), code('WIRE_LENGTH'))
  }
})

test('refuses a `last` that is neither 0 nor 1, and an unknown family', () => {
  const part = (): LinkMessage => decodeLinkMessage(LINK_MESSAGE.DIRECTORY_PART, hex('0001 02'))
  assert.throws(part, code('WIRE_VALUE', 'last'))
  const info = (): LinkMessage => decodeLinkMessage(LINK_MESSAGE.NETINFO, hex('05 00*12'))
  assert.throws(info, code('WIRE_VALUE', 'family'))
})

test('refuses to try port 0, and results that the table does not have', () => {
  const ask = (): LinkMessage => decodeLinkMessage(LINK_MESSAGE.REACH, hex('0001 0000'))
  assert.throws(ask, code('WIRE_VALUE', 'port'))
  const answer = (): LinkMessage => decodeLinkMessage(LINK_MESSAGE.REACHED, hex('0001 05'))
  assert.throws(answer, code('WIRE_VALUE', 'result'))
})

test('our own bad values are bugs, not bytes on the wire', () => {
  const bad: readonly LinkMessage[] = [
    { type: LINK_MESSAGE.PING, token: -1n },
    { type: LINK_MESSAGE.PING, token: 1n << 64n },
    { type: LINK_MESSAGE.DRAIN, seconds: 65_536 },
    { type: LINK_MESSAGE.DIRECTORY_PUBLISH, descriptor: hex('aa') },
    { type: LINK_MESSAGE.NETINFO, address: { family: 6, bytes: hex('00*4') }, timeS: 0 },
  ]
  for (const message of bad) assert.throws(() => encodeLinkMessage(message), code('WIRE_ENCODE'))
})

test('refuses a record of an unknown part, or of a length that its part cannot have (SPEC §10.6)', () => {
  const { RECORD } = LINK_MESSAGE
  assert.throws(() => decodeLinkMessage(RECORD, hex('0001 03')), code('WIRE_VALUE'))
  const bodies = ['00 aa', '01', '01 aa*121', '01 aa*4405', '02', '02 aa*176', '02 aa*353']
  for (const body of bodies)
    assert.throws(() => decodeLinkMessage(RECORD, hex(`0001 ${body}`)), code('WIRE_LENGTH'), body)
})
