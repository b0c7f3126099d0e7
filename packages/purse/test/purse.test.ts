import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { chmod, readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import {
  backUpPurse,
  changePassphrase,
  createLocalPurse,
  createPurse,
  type DepositOwner,
  keepVoucher,
  newWords,
  openPurse,
  parseWords,
  restoreKeystore,
  sealOwner,
} from '@byway/purse'
import { toHex } from '@byway/protocol/base'
import { unsealKeystore } from '../src/keystore.ts'
import { parseJsonRecord } from '../src/keystore-format.ts'
import { addressOfKey } from '../src/keys.ts'
import { temporaryHome } from './temporary-home.ts'

const WORDS = parseWords(`${'test '.repeat(11)}junk`)
const PASSPHRASE = 'correct horse battery'
const CHEAP = { passphrase: PASSPHRASE, cost: 'local' } as const
const OPEN = { passphrase: PASSPHRASE, isLocal: true } as const
/** SPEC §13.3. */
function secretOfKey(key: Uint8Array): bigint {
  const hash = createHash('sha256').update('byway deposit v1').update(key).digest('hex')
  return BigInt(`0x${hash}`) >> 8n
}

const hexOf = ({ secret }: DepositOwner): string => secret.toString(16)

test('the same words lead to the same purse, with a key for each purpose', async (t) => {
  const homes = [await temporaryHome(t), await temporaryHome(t)] as const
  const seen = []
  for (const home of homes) {
    const accounts = await createPurse(home, WORDS, CHEAP)
    await using purse = await openPurse(home, OPEN)
    assert.deepEqual(purse.accounts, accounts)
    seen.push([
      ...Object.values(accounts).map((bytes) => toHex(bytes ?? new Uint8Array())),
      hexOf(await purse.depositOwner(0)),
      hexOf(await purse.depositOwner(1)),
      hexOf(await purse.voucherOwner(0)),
      toHex(purse.sessionSecret()),
      toHex(purse.storeKey()),
    ])
  }
  assert.deepEqual(seen[0], seen[1])
  assert.equal(new Set(seen[0]).size, 8)
})

// Frozen: another derivation would lose the deposits of every purse restored from words.
test('derives what it always derived', async (t) => {
  const home = await temporaryHome(t)
  await createPurse(home, WORDS, CHEAP)
  await using purse = await openPurse(home, OPEN)
  assert.deepEqual(
    [
      toHex(purse.accounts.provider),
      hexOf(await purse.depositOwner(0)),
      hexOf(await purse.voucherOwner(7)),
      toHex(purse.sessionSecret()),
    ],
    [
      'bd77a871ac13cb0067249b02ef9c71c1cb4b8659',
      '212563ca7839b28664fff518701dd68e1a99d1d2ed26051e9e87d59a044ad6',
      '38e703989defd85b4329e83a54f570da24ce91581fc3eb7287c31f227a0b88',
      '6d76a79d9d71554748c63b71d2483fcaff8163b6e8ec1f100bdc8423e7abfcc0',
    ],
  )
})

test('writes one private file that holds no key in the clear', async (t) => {
  const home = await temporaryHome(t)
  await createPurse(home, WORDS, CHEAP)
  assert.deepEqual(await readdir(home), ['purse.json'])
  assert.equal((await stat(join(home, 'purse.json'))).mode & 0o777, 0o600)
  const text = await readFile(join(home, 'purse.json'), 'utf8')
  const funds = await unsealKeystore(parseJsonRecord(text), PASSPHRASE)
  assert.doesNotMatch(text, new RegExp(toHex(funds)))
  await chmod(join(home, 'purse.json'), 0o644)
  await assert.rejects(openPurse(home, OPEN), { code: 'HOME_FILE_OPEN' })
})

test('refuses a wrong passphrase, a missing purse, and a second one', async (t) => {
  const home = await temporaryHome(t)
  await assert.rejects(openPurse(home, OPEN), { code: 'PURSE_MISSING' })
  await createPurse(home, WORDS, CHEAP)
  const before = await readFile(join(home, 'purse.json'))
  await assert.rejects(openPurse(home, { ...OPEN, passphrase: 'wrong' }), {
    code: 'PURSE_PASSPHRASE_WRONG',
  })
  await assert.rejects(createPurse(home, newWords(), CHEAP), { code: 'PURSE_EXISTS' })
  assert.deepEqual(await readFile(join(home, 'purse.json')), before)
})

test('takes a purse of a local network in a local network only', async (t) => {
  const home = await temporaryHome(t)
  await createLocalPurse(home)
  await (await openPurse(home, { isLocal: true }))[Symbol.asyncDispose]()
  await assert.rejects(openPurse(home, {}), { code: 'PURSE_KEYSTORE_WEAK' })
})

test('refuses a short passphrase', async (t) => {
  const home = await temporaryHome(t)
  await assert.rejects(createPurse(home, WORDS, { passphrase: '123456789' }), {
    code: 'PURSE_PASSPHRASE_WEAK',
  })
  assert.deepEqual(await readdir(home), [])
})

test('refuses a file whose addresses are not those of its key', async (t) => {
  const home = await temporaryHome(t)
  const { provider } = await createPurse(home, WORDS, CHEAP)
  const path = join(home, 'purse.json')
  const text = await readFile(path, 'utf8')
  await writeFile(path, text.replace(toHex(provider), '11'.repeat(20)))
  await assert.rejects(openPurse(home, OPEN), {
    code: 'PURSE_DAMAGED',
    context: { field: 'provider' },
  })
})

test('nothing works after it is disposed', async (t) => {
  const home = await temporaryHome(t)
  await createPurse(home, WORDS, CHEAP)
  const purse = await openPurse(home, OPEN)
  await purse[Symbol.asyncDispose]()
  assert.throws(() => purse.storeKey(), { code: 'PURSE_LOCKED' })
  await assert.rejects(purse.depositOwner(0), { code: 'PURSE_LOCKED' })
})

test('a changed passphrase opens the purse, the old one does not; the back-up keeps its own', async (t) => {
  const home = await temporaryHome(t)
  await createPurse(home, WORDS, CHEAP)
  const copy = join(home, 'copy.json')
  await backUpPurse(home, copy, PASSPHRASE)
  assert.equal((await stat(copy)).mode & 0o777, 0o600)
  const fresh = 'another long passphrase'
  await changePassphrase(home, { old: PASSPHRASE, fresh, cost: 'local' })
  await assert.rejects(openPurse(home, OPEN), { code: 'PURSE_PASSPHRASE_WRONG' })
  await (await openPurse(home, { passphrase: fresh, isLocal: true }))[Symbol.asyncDispose]()
  await assert.rejects(backUpPurse(home, copy, fresh), { code: 'EEXIST' })
  const other = await temporaryHome(t)
  await restoreKeystore(other, await readFile(copy, 'utf8'), CHEAP)
  await using restored = await openPurse(other, OPEN)
  await using now = await openPurse(home, { passphrase: fresh, isLocal: true })
  assert.deepEqual(restored.accounts, now.accounts)
  assert.ok(restored.accounts.owner)
})

test('makes no back-up with a wrong passphrase', async (t) => {
  const home = await temporaryHome(t)
  await createPurse(home, WORDS, CHEAP)
  await assert.rejects(backUpPurse(home, join(home, 'copy.json'), 'wrong'), {
    code: 'PURSE_PASSPHRASE_WRONG',
  })
  assert.deepEqual(await readdir(home), ['purse.json'])
})

test("a keystore of another wallet becomes a purse without an owner's address", async (t) => {
  const words = newWords()
  const owner = await sealOwner(words, CHEAP)
  const home = await temporaryHome(t)
  const accounts = await restoreKeystore(home, owner, CHEAP)
  assert.equal(accounts.owner, undefined)
  const key = await unsealKeystore(parseJsonRecord(owner), PASSPHRASE)
  assert.deepEqual(accounts.funds, addressOfKey(key))
  const purse = await readFile(join(home, 'purse.json'), 'utf8')
  assert.deepEqual(await unsealKeystore(parseJsonRecord(purse), PASSPHRASE), key)
  await assert.rejects(
    restoreKeystore(await temporaryHome(t), owner, { ...CHEAP, passphrase: 'x' }),
    {
      code: 'PURSE_PASSPHRASE_WRONG',
    },
  )
})

test('keeps redeemed vouchers in the file, its copies and through another passphrase', async (t) => {
  const home = await temporaryHome(t)
  await createPurse(home, WORDS, CHEAP)
  const keys = [1, 2].map((byte) => new Uint8Array(32).fill(byte))
  for (const key of keys) assert.equal(await keepVoucher(home, key, PASSPHRASE), true)
  for (const key of keys) assert.equal(await keepVoucher(home, key, PASSPHRASE), false)
  const fresh = 'another long passphrase'
  await changePassphrase(home, { old: PASSPHRASE, fresh, cost: 'local' })
  await using purse = await openPurse(home, { passphrase: fresh, isLocal: true })
  const owners = await purse.redeemedOwners()
  assert.deepEqual(
    owners.map(({ secret }) => secret),
    keys.map(secretOfKey),
  )
  assert.doesNotMatch(await readFile(join(home, 'purse.json'), 'utf8'), /(01){32}|(02){32}/)
})

test('finds a changed byte in the sealed vouchers', async (t) => {
  const home = await temporaryHome(t)
  await createPurse(home, WORDS, CHEAP)
  await keepVoucher(home, new Uint8Array(32).fill(1), PASSPHRASE)
  const path = join(home, 'purse.json')
  const text = await readFile(path, 'utf8')
  const spoiled = text.replace(
    /("vouchers": "[0-9a-f]{40})(.)/,
    (_all, before: string, digit: string) => {
      return `${before}${digit === '0' ? '1' : '0'}`
    },
  )
  assert.notEqual(spoiled, text)
  await writeFile(path, spoiled)
  await assert.rejects(openPurse(home, OPEN), {
    code: 'PURSE_DAMAGED',
    context: { field: 'vouchers' },
  })
})
