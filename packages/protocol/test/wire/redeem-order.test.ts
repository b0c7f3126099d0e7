import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  decodeRedeemOrder,
  encodeRedeemOrder,
  MAX_REDEEM_ENTRIES,
  REDEEM_KIND,
  type RedeemEntries,
  type RedeemOrder,
} from '@byway/protocol/wire'
import { code, hex } from './hex.ts'

const bytes = (length: number): fc.Arbitrary<Uint8Array> =>
  fc.uint8Array({ minLength: length, maxLength: length })
const record = <T>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> =>
  fc.record(model, { noNullPrototype: true })
const amount = fc.bigInt({ min: 0n, max: 2n ** 96n - 1n })
const ticket = record({
  index: fc.nat(2 ** 32 - 1),
  amount,
  reveal: bytes(32),
  nonce: bytes(16),
  signature: bytes(65),
})
const opening = record({
  root: bytes(32),
  nullifier: bytes(32),
  sessionKey: bytes(20),
  receiptKey: bytes(32),
  proof: fc.uint8Array({ maxLength: 400 }),
})
const some = <T>(item: fc.Arbitrary<T>): fc.Arbitrary<T[]> =>
  fc.array(item, { minLength: 1, maxLength: MAX_REDEEM_ENTRIES })
const { LOCK, BIND, CLAIM, COMMIT, ANSWER, SETTLE } = REDEEM_KIND
const epoch = fc.nat(2 ** 32 - 1)
const units = fc.nat(2 ** 48 - 1)
const proof = fc.uint8Array({ maxLength: 400 })
const twelve = fc.array(opening, { minLength: 12, maxLength: 12 })
const claim = record({ nullifier: bytes(32), ticket })
const entries: fc.Arbitrary<RedeemEntries> = fc.oneof(
  record({ kind: fc.constant(LOCK), nullifiers: some(bytes(32)) }),
  record({ kind: fc.constant(BIND), binds: some(record({ opening, ticket })) }),
  record({ kind: fc.constant(CLAIM), claims: some(claim) }),
  record({ kind: fc.constant(COMMIT), epoch, root: bytes(32), total: units, maxUnits: units }),
  record({ kind: fc.constant(ANSWER), epoch, openings: twelve, proof }),
  record({ kind: fc.constant(SETTLE), epoch }),
)
const order: fc.Arbitrary<RedeemOrder> = record({
  provider: bytes(20),
  fee: amount,
  deadlineS: fc.nat(2 ** 40),
  signature: bytes(65),
  entries,
})

test('an order comes back as it was (SPEC §15.7)', () => {
  fc.assert(
    fc.property(order, (one) => assert.deepEqual(decodeRedeemOrder(encodeRedeemOrder(one)), one)),
  )
})

test('a lock has the bytes of its table (SPEC §15.7)', () => {
  const written = encodeRedeemOrder({
    provider: hex('aa*20'),
    fee: 258n,
    deadlineS: 1_800_000_000,
    signature: hex('bb*65'),
    entries: { kind: LOCK, nullifiers: [hex('cc*32'), hex('dd*32')] },
  })
  assert.deepEqual(written, hex('01 aa*20 00*10 0102 00000000 6b49d200 bb*65 02 cc*32 dd*32'))
})

test('a commit has the bytes of its table, and stands alone (SPEC §15.7)', () => {
  const written = encodeRedeemOrder({
    provider: hex('aa*20'),
    fee: 258n,
    deadlineS: 1_800_000_000,
    signature: hex('bb*65'),
    entries: { kind: COMMIT, epoch: 2969, root: hex('cc*32'), total: 100_000, maxUnits: 2048 },
  })
  const head = '04 aa*20 00*10 0102 00000000 6b49d200 bb*65 01'
  const entry = '00000b99 cc*32 00000000 000186a0 00000000 00000800'
  assert.deepEqual(written, hex(`${head} ${entry}`))
  written[106] = 2
  assert.throws(() => decodeRedeemOrder(written), code('WIRE_VALUE'))
})

test('bytes that are no order are refused, never more than one error', () => {
  const good = encodeRedeemOrder({
    provider: hex('aa*20'),
    fee: 1n,
    deadlineS: 1,
    signature: hex('bb*65'),
    entries: { kind: LOCK, nullifiers: [hex('cc*32')] },
  })
  const changed = (at: number, value: number): Uint8Array => {
    const copy = Uint8Array.from(good)
    copy[at] = value
    return copy
  }
  assert.throws(() => decodeRedeemOrder(changed(0, 7)), code('WIRE_VALUE'))
  assert.throws(() => decodeRedeemOrder(changed(106, 0)), code('WIRE_VALUE'))
  assert.throws(() => decodeRedeemOrder(changed(106, 17)), code('WIRE_VALUE'))
  assert.throws(() => decodeRedeemOrder(changed(106, 2)), code('WIRE_LENGTH'))
  assert.throws(() => decodeRedeemOrder(good.subarray(1)), code('WIRE_VALUE'))
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 600 }), (noise) => {
      try {
        decodeRedeemOrder(noise)
      } catch (error) {
        assert.match((error as { code: string }).code, /^WIRE_(?:LENGTH|VALUE)$/)
      }
    }),
  )
})

test('an order that fits no cell is not made', () => {
  const long = {
    root: hex('00*32'),
    nullifier: hex('00*32'),
    sessionKey: hex('00*20'),
    receiptKey: hex('00*32'),
    proof: hex('00*1024'),
  }
  const winning = {
    index: 1,
    amount: 1n,
    reveal: hex('00*32'),
    nonce: hex('00*16'),
    signature: hex('00*65'),
  }
  const binds = Array.from({ length: 16 }, () => ({ opening: long, ticket: winning }))
  const head = { provider: hex('aa*20'), fee: 1n, deadlineS: 1, signature: hex('bb*65') }
  assert.throws(
    () => encodeRedeemOrder({ ...head, entries: { kind: BIND, binds } }),
    code('WIRE_ENCODE'),
  )
  const openings = Array.from({ length: 11 }, () => ({ ...long, sessionKey: hex('01*20') }))
  const answer = { kind: ANSWER, epoch: 1, openings, proof: hex('00*256') }
  assert.throws(() => encodeRedeemOrder({ ...head, entries: answer }), code('WIRE_ENCODE'))
})
