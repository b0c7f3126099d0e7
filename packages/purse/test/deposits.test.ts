import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  createPurse,
  type DepositOwner,
  findDeposits,
  forgetPast,
  formatVoucher,
  hasNotedRecords,
  keepVoucher,
  noteRecords,
  openPurse,
  parseVoucher,
  reserveDeposits,
  voucherText,
  type Purse,
} from '@byway/purse'
import { nodePoseidon } from '@byway/protocol/node-ticket'
import type { DepositLeaf } from '@byway/protocol/payment'
import { identityCommitment } from '@byway/protocol/ticket'
import { CHEAP, PASSPHRASE, WORDS } from './signer/signer-fixture.ts'
import { temporaryHome } from './temporary-home.ts'

const OPEN = { passphrase: PASSPHRASE, isLocal: true } as const
const NETWORK = { chainId: 31_337, pool: new Uint8Array(20).fill(9) }

/** The chain's leaves for these owners, with a stranger's between them. */
function leavesOf(owners: readonly DepositOwner[]): readonly DepositLeaf[] {
  const stranger = { idc: 5n, limit: 5 }
  const own = owners.map(({ secret }) => ({
    idc: identityCommitment(nodePoseidon, secret),
    limit: 10,
  }))
  return own
    .flatMap((leaf) => [stranger, leaf])
    .map((leaf, index) => ({ ...leaf, index, leaf: BigInt(index) }))
}

async function numbers(purse: Purse, leaves: readonly DepositLeaf[]): Promise<readonly string[]> {
  const { deposits } = await findDeposits(purse, leaves, nodePoseidon)
  return deposits.map(({ kind, number, leafIndex, isPastKnown }) =>
    [kind, number, leafIndex, isPastKnown].join(' '),
  )
}

test('finds its deposits and vouchers among all leaves, over a gap', async (t) => {
  const home = await temporaryHome(t)
  await createPurse(home, WORDS, CHEAP)
  await using purse = await openPurse(home, OPEN)
  const owners = [
    await purse.depositOwner(1),
    await purse.depositOwner(128),
    await purse.voucherOwner(0),
  ]
  const leaves = leavesOf(owners)
  const expected = ['deposit 1 1 true', 'deposit 128 3 true', 'voucher 0 5 false']
  assert.deepEqual(await numbers(purse, leaves), expected)
  const { nextDeposit, nextVoucher } = await findDeposits(purse, leaves, nodePoseidon)
  assert.deepEqual([nextDeposit, nextVoucher], [129, 1])
})

test('takes the largest of the leaves of one owner', async (t) => {
  const home = await temporaryHome(t)
  await createPurse(home, WORDS, CHEAP)
  await using purse = await openPurse(home, OPEN)
  const [leaf] = leavesOf([await purse.depositOwner(0)]).slice(1)
  assert.ok(leaf)
  const leaves = [leaf, { ...leaf, index: 1, limit: 15 }, { ...leaf, index: 2, limit: 5 }]
  const { deposits } = await findDeposits(purse, leaves, nodePoseidon)
  assert.deepEqual(
    deposits.map(({ leafIndex, limit }) => [leafIndex, limit]),
    [[1, 15]],
  )
})

test('after a restore it vouches for nothing but what it makes itself', async (t) => {
  const home = await temporaryHome(t)
  await createPurse(home, WORDS, { ...CHEAP, isRestored: true })
  const open = async (): Promise<Purse> => await openPurse(home, OPEN)
  await using before = await open()
  const leaves = leavesOf([await before.depositOwner(0), await before.depositOwner(33)])
  assert.deepEqual(await numbers(before, leaves), ['deposit 0 1 false', 'deposit 33 3 false'])
  // Slots may be on their way back to numbers that nobody remembers.
  assert.equal(await reserveDeposits(home, { next: 1, count: 2 }), 33)
  assert.equal(await reserveDeposits(home, { next: 1, count: 1 }), 35, 'no number is given twice')
  await using after = await open()
  assert.deepEqual(await numbers(after, leaves), ['deposit 0 1 false', 'deposit 33 3 true'])
})

test('after its records were lost it vouches for nothing that it had, and for what comes then', async (t) => {
  const home = await temporaryHome(t)
  await createPurse(home, WORDS, CHEAP)
  const vouchers = [1, 2].map((digit) => new Uint8Array(32).fill(digit))
  const [old, fresh] = vouchers
  assert.ok(old && fresh)
  await keepVoucher(home, old, PASSPHRASE)
  assert.equal(await hasNotedRecords(home), false)
  await noteRecords(home)
  assert.equal(await hasNotedRecords(home), true)
  await forgetPast(home)
  assert.equal(await hasNotedRecords(home), false, 'once is enough')
  assert.equal(await reserveDeposits(home, { next: 1, count: 1 }), 33)
  await keepVoucher(home, fresh, PASSPHRASE)
  await using purse = await openPurse(home, OPEN)
  const own = [await purse.depositOwner(0), await purse.depositOwner(33)]
  const leaves = leavesOf([...own, ...(await purse.redeemedOwners())])
  assert.deepEqual(await numbers(purse, leaves), [
    'deposit 0 1 false',
    'deposit 33 3 true',
    'redeemed 0 5 false',
    'redeemed 1 7 true',
  ])
})

test('a voucher made in one purse is spent by another, and by the one that made it', async (t) => {
  const [giver, friend] = [await temporaryHome(t), await temporaryHome(t)]
  await createPurse(giver, WORDS, CHEAP)
  const friendWords = `${'abandon '.repeat(23)}art`.split(' ')
  await createPurse(friend, friendWords, CHEAP)
  const text = await voucherText(giver, PASSPHRASE, { index: 0, network: NETWORK })
  assert.match(text, /^byway-voucher-1-[a-z2-7]{64}$/)
  const key = parseVoucher(text, NETWORK)
  assert.equal(await keepVoucher(friend, key, PASSPHRASE), true)
  await using made = await openPurse(giver, OPEN)
  await using taken = await openPurse(friend, OPEN)
  const leaves = leavesOf([await made.voucherOwner(0)])
  assert.deepEqual(await numbers(made, leaves), ['voucher 0 1 false'])
  assert.deepEqual(await numbers(taken, leaves), ['redeemed 0 1 true'])
  // Its maker takes it back: he has it once, and may spend it.
  await keepVoucher(giver, key, PASSPHRASE)
  await using back = await openPurse(giver, OPEN)
  assert.deepEqual(await numbers(back, leaves), ['redeemed 0 1 true'])
})

const key32 = fc.uint8Array({ minLength: 32, maxLength: 32 }).filter((key) => (key[0] ?? 0) < 0xff)

test('a voucher reads back what was written, in capitals and over several lines too', () => {
  fc.assert(
    fc.property(
      key32.filter((key) => key.some((byte) => byte !== 0)),
      (key) => {
        const text = formatVoucher(key, NETWORK)
        assert.deepEqual(parseVoucher(text, NETWORK), key)
        const spread = text.toUpperCase().replace(/(.{10})/g, '$1 \n')
        assert.deepEqual(parseVoucher(spread, NETWORK), key)
      },
    ),
  )
})

test('a voucher with a changed letter, of another network or cut off is refused', () => {
  const text = formatVoucher(new Uint8Array(32).fill(7), NETWORK)
  for (let at = 16; at < text.length; at++) {
    const other = text[at] === 'a' ? 'b' : 'a'
    assert.throws(() => parseVoucher(text.slice(0, at) + other + text.slice(at + 1), NETWORK), {
      code: 'PURSE_VOUCHER',
      context: { problem: 'checksum' },
    })
  }
  for (const cut of [
    '',
    'byway-voucher-1-',
    text.slice(0, -1),
    `${text}a`,
    text.replace('-1-', '-2-'),
  ]) {
    assert.throws(() => parseVoucher(cut, NETWORK), { context: { problem: 'format' } })
  }
  assert.throws(() => parseVoucher(text, { ...NETWORK, chainId: 1 }), {
    context: { problem: 'network' },
  })
})
