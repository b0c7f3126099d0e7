import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  CHAIN_QUESTION,
  CHAIN_VERDICT,
  type ChainQuestion,
  decodePayMessage,
  encodePayMessage,
  isClientPay,
  PAY,
  type PayMessage,
  payMessageBytes,
  REDEEM_ANSWER,
  RETURN_KIND,
  VERDICT,
  verdictName,
} from '@byway/protocol/wire'
import { code, hex } from './hex.ts'

const OPENING = {
  root: hex('01*32'),
  nullifier: hex('02*32'),
  sessionKey: hex('03*20'),
  receiptKey: hex('00*32'),
  proof: hex('aabb'),
}

const OPENING_HEX = '01*32 02*32 03*20 00*32 0002 aabb'
const DESTINATION = { idc: hex('21*32'), feeTo: hex('22*20'), signature: hex('23*65') }

/** One hand-written body for each row of SPEC §15.1, and the name of what sends it. */
const ROWS: readonly (readonly [PayMessage, string, 'client' | 'hop'])[] = [
  [{ kind: PAY.SHOW, opening: OPENING }, '01 01*32 02*32 03*20 00*32 0002 aabb', 'client'],
  [
    {
      kind: PAY.SHOWN,
      verdict: VERDICT.SLOT_TAKEN,
      nullifier: hex('02*32'),
      provider: hex('04*20'),
      priceStep: 8,
    },
    '02 03 02*32 04*20 08',
    'hop',
  ],
  [
    {
      kind: PAY.COMMITS,
      nullifier: hex('02*32'),
      firstIndex: 64,
      commits: [hex('05*32'), hex('06*32')],
    },
    '03 02*32 00000040 02 05*32 06*32',
    'hop',
  ],
  [
    {
      kind: PAY.TICKET,
      index: 65,
      amount: 0x0102_0304_0506_0708_090a_0b0cn,
      nonce: hex('07*16'),
      signature: hex('08*65'),
    },
    '04 00000041 0102030405060708090a0b0c 07*16 08*65',
    'client',
  ],
  [{ kind: PAY.REFUSED, verdict: VERDICT.BAD_INDEX, index: 65 }, '05 06 00000041', 'hop'],
  [
    {
      kind: PAY.SLOT_FULL,
      nullifier: hex('02*32'),
      reveals: [
        { index: 3, reveal: hex('09*32') },
        { index: 7, reveal: hex('0a*32') },
      ],
    },
    '06 02*32 02 00000003 09*32 00000007 0a*32',
    'hop',
  ],
  [{ kind: PAY.KEYS_GET }, '07', 'client'],
  [
    {
      kind: PAY.KEYS,
      keys: [{ tokenKind: 2, notBeforeS: 1, notAfterS: 0x1_0000_0000, publicKey: hex('aabb') }],
    },
    '08 01 02 00*7 01 00*3 01 00*4 0002 aabb',
    'hop',
  ],
  [
    {
      kind: PAY.BUY,
      request: 0x102,
      tokenKind: 1,
      keyId: hex('0b*8'),
      elements: [hex('aabbcc'), hex('ddeeff')],
    },
    '09 0102 01 0b*8 02 0003 aabbcc ddeeff',
    'client',
  ],
  [
    { kind: PAY.SOLD, request: 0x102, verdict: VERDICT.OK, signatures: [hex('aabb')] },
    '0a 0102 00 01 0002 aabb',
    'hop',
  ],
  [
    { kind: PAY.SOLD, request: 0x102, verdict: VERDICT.NOT_PAID, signatures: [] },
    '0a 0102 08 00 0000',
    'hop',
  ],
  [
    {
      kind: PAY.SPEND,
      tokenKind: 1,
      keyId: hex('0b*8'),
      nonce: hex('0c*32'),
      token: hex('aabb'),
    },
    '0b 01 0b*8 0c*32 0002 aabb',
    'client',
  ],
  [
    { kind: PAY.DUE, countedBytes: 0x1_0000_0002, paidBytes: 3 },
    '0c 0000000100000002 00*7 03',
    'hop',
  ],
  [
    { kind: PAY.HELD, nullifier: hex('0d*32'), epoch: 2969, units: 512, signature: hex('0e*96') },
    '0d 0d*32 00000b99 00000200 0e*96',
    'hop',
  ],
  [
    {
      kind: PAY.RECEIPT,
      nullifier: hex('0d*32'),
      epoch: 2969,
      units: 1024,
      publicKey: hex('0f*64'),
      signature: hex('0e*96'),
    },
    '0e 0d*32 00000b99 00000400 0f*64 0e*96',
    'client',
  ],
  [{ kind: PAY.RETURN, request: { kind: RETURN_KIND.ASK } }, '0f 00', 'client'],
  [
    {
      kind: PAY.RETURN,
      request: {
        kind: RETURN_KIND.REFUND,
        root: hex('01*32'),
        nullifier: hex('02*32'),
        idc: hex('21*32'),
        feeTo: hex('22*20'),
        attempt: 3,
        proof: hex('aabb'),
      },
    },
    '0f 01 01*32 02*32 21*32 22*20 00000003 0002 aabb',
    'client',
  ],
  [
    {
      kind: PAY.RETURN,
      request: {
        kind: RETURN_KIND.CLOSE,
        nullifier: hex('02*32'),
        provider: hex('04*20'),
        sessionKey: hex('03*20'),
        destination: DESTINATION,
      },
    },
    '0f 02 02*32 04*20 03*20 21*32 22*20 23*65',
    'client',
  ],
  [
    {
      kind: PAY.RETURN,
      request: {
        kind: RETURN_KIND.WITHDRAW,
        root: hex('01*32'),
        nullifier: hex('02*32'),
        to: hex('05*20'),
        feeTo: hex('22*20'),
        proof: hex('aabb'),
      },
    },
    '0f 03 01*32 02*32 05*20 22*20 0002 aabb',
    'client',
  ],
  [
    {
      kind: PAY.RETURN,
      request: {
        kind: RETURN_KIND.JOIN,
        root: hex('01*32'),
        rests: [hex('02*32'), hex('03*32'), hex('00*32'), hex('00*32')],
        units: 7,
        idc: hex('21*32'),
        feeTo: hex('22*20'),
        proof: hex('aabb'),
      },
    },
    '0f 04 01*32 02*32 03*32 00*64 00000007 21*32 22*20 0002 aabb',
    'client',
  ],
  [{ kind: PAY.RETURNED, answer: REDEEM_ANSWER.FEE_TOO_LOW }, '10 03', 'hop'],
  [{ kind: PAY.NEXT, opening: OPENING }, `11 ${OPENING_HEX}`, 'client'],
  ...chainRows(),
  [
    {
      kind: PAY.TOLD,
      request: 0x102,
      verdict: CHAIN_VERDICT.REVERTED,
      isLast: false,
      part: hex('aabb'),
    },
    '13 0102 02 00 0002 aabb',
    'hop',
  ],
  [
    {
      kind: PAY.TOLD,
      request: 0x102,
      verdict: CHAIN_VERDICT.CHAIN_AWAY,
      isLast: true,
      part: hex(''),
    },
    '13 0102 06 01 0000',
    'hop',
  ],
]

/** SPEC §15.9. */
function chainRows(): readonly (readonly [PayMessage, string, 'client'])[] {
  const [blockHash, account] = [hex('24*32'), hex('25*20')]
  const data = hex('aabb')
  const questions: readonly (readonly [ChainQuestion, string])[] = [
    [{ kind: CHAIN_QUESTION.HEAD }, '00'],
    [{ kind: CHAIN_QUESTION.BLOCK, number: 0x1_0000_0002 }, '01 0000000100000002'],
    [
      { kind: CHAIN_QUESTION.LOGS, contracts: 5, from: 1, to: 5000, skip: 3 },
      '02 05 00*7 01 00*6 1388 00000003',
    ],
    [{ kind: CHAIN_QUESTION.LOGS_OF, contracts: 7, blockHash, skip: 3 }, '03 07 24*32 00000003'],
    [{ kind: CHAIN_QUESTION.CALL, contract: 3, blockHash, data }, '04 03 24*32 0002 aabb'],
    [{ kind: CHAIN_QUESTION.RECEIPT, transaction: hex('26*32') }, '05 26*32'],
    [{ kind: CHAIN_QUESTION.BALANCE, account, blockHash }, '06 25*20 24*32'],
    [{ kind: CHAIN_QUESTION.NONCE, account, blockHash }, '07 25*20 24*32'],
    [{ kind: CHAIN_QUESTION.GAS, account, contract: 0, data }, '08 25*20 00 0002 aabb'],
    [{ kind: CHAIN_QUESTION.SEND, transaction: data }, '09 0002 aabb'],
  ]
  return questions.map(([question, body]) => [
    { kind: PAY.CHAIN, request: 0x102, question },
    `12 0102 ${body}`,
    'client',
  ])
}

for (const [message, body, from] of ROWS) {
  test(`payment message ${message.kind} has the body of its row: ${body} (SPEC §15.1)`, () => {
    assert.deepEqual(encodePayMessage(message), hex(body))
    assert.equal(payMessageBytes(message), hex(body).length)
    assert.deepEqual(decodePayMessage(hex(body)), message)
    assert.equal(isClientPay(message), from === 'client')
  })

  test(`payment message ${message.kind} (${body.length}) refuses a byte less and a byte more`, () => {
    const bytes = hex(body)
    assert.throws(() => decodePayMessage(bytes.subarray(0, -1)), code('WIRE_LENGTH'))
    assert.throws(() => decodePayMessage(hex(`${body} 00`)), code('WIRE_LENGTH'))
  })
}

test('every kind of the table has a row here', () => {
  const seen = new Set(ROWS.map(([{ kind }]) => kind))
  assert.deepEqual(
    [...seen].toSorted((a, b) => a - b),
    Object.values(PAY),
  )
})

test('refuses kinds that the table does not have (SPEC §15.1)', () => {
  for (const kind of ['00', '14', 'ff']) {
    assert.throws(() => decodePayMessage(hex(`${kind} 00*40`)), code('WIRE_TYPE'))
  }
})

test('verdicts are 0 to 13, and every other is refused (SPEC §15.6)', () => {
  assert.deepEqual(
    Object.values(VERDICT),
    Array.from({ length: 14 }, (_, i) => i),
  )
  assert.equal(verdictName(VERDICT.EXPIRED), 'EXPIRED')
  const refused = (text: string): void =>
    assert.throws(() => decodePayMessage(hex(text)), code('WIRE_VALUE', 'verdict'))
  refused('02 0e 02*32 04*20 08')
  refused('05 0e 00000041')
  // REFUSED with OK would be no refusal.
  refused('05 00 00000041')
})

test('refuses counts and values that its limits do not have (SPEC §15.1)', () => {
  const cases: readonly (readonly [string, string, string])[] = [
    ['SHOW with a proof of 2049', '01 01*32 02*32 03*20 00*32 0801 aa*2049', 'proof'],
    ['SHOW with no session key', '01 01*32 02*32 00*20 00*32 0000', 'sessionKey'],
    ['SHOWN with a ninth step', '02 00 02*32 04*20 09', 'priceStep'],
    ['no commits', '03 02*32 00000000 00', 'commits'],
    ['65 commits', '03 02*32 00000000 41 05*2080', 'commits'],
    ['commits beyond the last index', '03 02*32 ffffffff 02 05*64', 'firstIndex'],
    ['no reveals', '06 02*32 00', 'reveals'],
    ['33 reveals', '06 02*32 21 00*1188', 'reveals'],
    ['reveals that do not rise', '06 02*32 02 00000003 09*32 00000003 09*32', 'index'],
    ['nine token keys', '08 09', 'keys'],
    ['a token kind 4', '08 01 04 00*7 01 00*7 02 0001 aa', 'tokenKind'],
    ['a token key without a life', '08 01 01 00*7 01 00*7 01 0001 aa', 'notAfter'],
    ['an empty token key', '08 01 01 00*7 01 00*7 02 0000', 'publicKey'],
    ['a token key of 1025', '08 01 01 00*7 01 00*7 02 0401 aa*1025', 'publicKey'],
    ['no blinded element', '09 0102 01 0b*8 00 0001', 'elements'],
    ['33 blinded elements', '09 0102 01 0b*8 21 0001 aa*33', 'elements'],
    ['empty blinded elements', '09 0102 01 0b*8 01 0000', 'element'],
    ['a blinded element of 385', '09 0102 01 0b*8 01 0181 aa*385', 'element'],
    ['OK without a signature', '0a 0102 00 00 0000', 'signatures'],
    ['signatures with a refusal', '0a 0102 08 01 0001 aa', 'signatures'],
    ['a size of no signatures', '0a 0102 08 00 0001', 'elementBytes'],
    ['an empty token', '0b 01 0b*8 0c*32 0000', 'token'],
    ['a token of 513', '0b 01 0b*8 0c*32 0201 aa*513', 'token'],
    ['a tenth question about the chain', '12 0102 0a', 'chainQuestion'],
    ['logs of no contract', '12 0102 03 00 24*32 00*4', 'contracts'],
    ['logs of a fourth contract', '12 0102 03 08 24*32 00*4', 'contracts'],
    ['logs of 5001 blocks', '12 0102 02 01 00*8 00*6 1388 00*4', 'to'],
    ['logs of blocks backwards', '12 0102 02 01 00*7 02 00*7 01 00*4', 'to'],
    ['a call of a fifth contract', '12 0102 04 04 24*32 0001 aa', 'contract'],
    ['a call of nothing', '12 0102 04 00 24*32 0000', 'data'],
    ['a call of 2049', '12 0102 04 00 24*32 0801 aa*2049', 'data'],
    ['a transaction of 4097', '12 0102 09 1001 aa*4097', 'transaction'],
    ['an eighth verdict about the chain', '13 0102 07 01 0000', 'chainVerdict'],
    ['a refusal that is not the last', '13 0102 03 00 0000', 'last'],
    ['a refusal with bytes', '13 0102 03 01 0001 aa', 'part'],
    ['a part of 16001', '13 0102 00 01 3e81 aa*16001', 'part'],
    ['a count of bytes beyond 2^53', '0c 0020000000000000 00*8', 'counted'],
  ]
  for (const [name, text, field] of cases) {
    assert.throws(
      () => decodePayMessage(hex(text)),
      (error: { code?: string; context?: { field?: string } }) => {
        assert.match(error.code ?? '', /^WIRE_(?:VALUE|LENGTH)$/, name)
        assert.equal(error.context?.field, field, name)
        return true
      },
    )
  }
})

test('what it decodes does not share memory with the cell', () => {
  const body = hex('05*33')
  const bytes = Uint8Array.of(...hex('03 02*32 00000040 01'), ...body.subarray(1))
  const message = decodePayMessage(bytes)
  bytes.fill(0)
  assert.ok(message.kind === PAY.COMMITS)
  assert.deepEqual(message.commits, [hex('05*32')])
})

test('our own bad values are bugs, not bytes on the wire', () => {
  const bytes32 = hex('01*32')
  const ticket = { kind: PAY.TICKET, index: 1, nonce: hex('07*16'), signature: hex('08*65') }
  const bad: readonly PayMessage[] = [
    { kind: PAY.SHOW, opening: { ...OPENING, proof: hex('00*2049') } },
    { kind: PAY.SHOW, opening: { ...OPENING, sessionKey: hex('00*20') } },
    { ...ticket, amount: 1n << 96n },
    { ...ticket, amount: -1n },
    { kind: PAY.SHOWN, verdict: 0, nullifier: bytes32, provider: hex('04*20'), priceStep: 9 },
    { kind: PAY.COMMITS, nullifier: bytes32, firstIndex: 0, commits: [] },
    { kind: PAY.COMMITS, nullifier: bytes32, firstIndex: 2 ** 32 - 1, commits: [bytes32, bytes32] },
    {
      kind: PAY.SLOT_FULL,
      nullifier: bytes32,
      reveals: [
        { index: 7, reveal: bytes32 },
        { index: 3, reveal: bytes32 },
      ],
    },
    { kind: PAY.KEYS, keys: [{ tokenKind: 1, notBeforeS: 2, notAfterS: 2, publicKey: bytes32 }] },
    { kind: PAY.BUY, request: 1, tokenKind: 1, keyId: hex('0b*8'), elements: [hex('aa'), hex('')] },
    {
      kind: PAY.BUY,
      request: 1,
      tokenKind: 1,
      keyId: hex('0b*8'),
      elements: [hex('aa'), hex('bbcc')],
    },
    { kind: PAY.SOLD, request: 1, verdict: VERDICT.OK, signatures: [] },
    { kind: PAY.SOLD, request: 1, verdict: VERDICT.SPENT, signatures: [hex('aa')] },
    { kind: PAY.SPEND, tokenKind: 1, keyId: hex('0b*8'), nonce: bytes32, token: hex('') },
    {
      kind: PAY.CHAIN,
      request: 1,
      question: { kind: CHAIN_QUESTION.LOGS, contracts: 1, from: 0, to: 5000, skip: 0 },
    },
    { kind: PAY.TOLD, request: 1, verdict: CHAIN_VERDICT.NONE, isLast: true, part: hex('aa') },
  ]
  for (const message of bad) assert.throws(() => encodePayMessage(message), code('WIRE_ENCODE'))
})
