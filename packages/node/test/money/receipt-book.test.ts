/** The receipts of a node (SPEC §17.1): what the client signed is kept and told to it again, and nothing else is. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, suite, test } from 'node:test'
import { epochOf, type SignedReceipt } from '@byway/protocol/payment'
import { maxSlotUnits, unitPrice } from '@byway/protocol/ticket'
import { PAY, type HeldMessage, type Opening, type ReceiptMessage } from '@byway/protocol/wire'
import type { StoredReceipt } from '@byway/store'
import { createReceiptCrypto } from '@byway/zk'
import { createReceiptBook } from '../../src/money/receipt-book.ts'
import { TEST_POOL } from './paying-client.ts'

const EPOCH_S = 604_800
const PROVIDER = randomBytes(20)
const NOW_S = 1_700_000_000
const EPOCH = epochOf(NOW_S, EPOCH_S)
const MOST = maxSlotUnits(TEST_POOL, unitPrice(TEST_POOL, 4))
const crypto = createReceiptCrypto()
after(() => crypto[Symbol.asyncDispose]())

type World = Awaited<ReturnType<typeof worldOf>>

/** A node's book with a disk in memory, and a client's key for one slot. */
async function worldOf() {
  const stored = new Map<string, StoredReceipt>()
  const disk = { isBroken: false }
  const clock = { nowMs: NOW_S * 1000 }
  const nameOf = (nullifier: Uint8Array, epoch: number): string =>
    `${Buffer.from(nullifier).toString('hex')} ${epoch}`
  const answer = async <T>(value: () => T): Promise<T> =>
    disk.isBroken
      ? await Promise.reject(new Error('the disk failed'))
      : await Promise.resolve(value())
  const restart = () =>
    createReceiptBook({
      crypto,
      records: {
        put: (receipt) =>
          answer(() => void stored.set(nameOf(receipt.nullifier, receipt.epoch), receipt)),
        get: (nullifier, epoch) => answer(() => stored.get(nameOf(nullifier, epoch))),
        forgetBefore: () => answer(() => 0),
      },
      provider: PROVIDER,
      epochS: EPOCH_S,
      maxUnits: MOST,
      nowMs: () => clock.nowMs,
      onStoreFailed() {},
    })
  const secret = randomBytes(32)
  const opening: Opening = {
    root: new Uint8Array(32),
    nullifier: new Uint8Array(32).fill(9),
    sessionKey: new Uint8Array(20).fill(1),
    receiptKey: await crypto.keyOf(secret),
    proof: new Uint8Array(),
  }
  return { stored, disk, clock, secret, opening, book: restart(), restart }
}

async function receiptOver(
  { opening, secret }: World,
  units: number,
  change: Partial<SignedReceipt> = {},
): Promise<ReceiptMessage> {
  const { nullifier } = opening
  const body = { provider: PROVIDER, nullifier, epoch: EPOCH, units }
  const { publicKey, signature } = await crypto.sign(secret, body)
  return { kind: PAY.RECEIPT, nullifier, epoch: EPOCH, units, publicKey, signature, ...change }
}

suite('the receipts of a node', () => {
  test('keeps the last receipt of a slot, and tells it to the client that comes back', async () => {
    const world = await worldOf()
    const { book, opening } = world
    assert.equal(await book.open(opening), undefined)
    book.paid(opening, 32)
    assert.equal(await book.take(opening, await receiptOver(world, 16)), 'kept')
    const last = await receiptOver(world, 32)
    assert.equal(await book.take(opening, last), 'kept')
    assert.equal(await book.take(opening, await receiptOver(world, 16)), 'dropped')
    const { nullifier, signature } = last
    const held: HeldMessage = { kind: PAY.HELD, nullifier, epoch: EPOCH, units: 32, signature }
    assert.deepEqual(await world.restart().open(opening), held)
    assert.equal(world.stored.size, 1)
  })

  test('takes no more than was paid, after the first receipt of its life', async () => {
    const world = await worldOf()
    const { book, opening } = world
    book.paid(opening, 40)
    assert.equal(await book.take(opening, await receiptOver(world, 32)), 'kept')
    assert.equal(await book.take(opening, await receiptOver(world, 41)), 'dropped')
    book.paid(opening, MOST)
    assert.equal(await book.take(opening, await receiptOver(world, MOST + 1)), 'dropped')
    assert.equal(await book.take(opening, await receiptOver(world, MOST)), 'kept')
  })

  test('refuses what the slot’s key did not sign, and drops other weeks and slots', async () => {
    const world = await worldOf()
    const { book, opening } = world
    book.paid(opening, 100)
    const other = { ...world, secret: randomBytes(32) }
    assert.equal(await book.take(opening, await receiptOver(other, 16)), 'forged')
    assert.equal(await book.take(opening, await receiptOver(world, 16, { units: 17 })), 'forged')
    assert.equal(
      await book.take(opening, await receiptOver(world, 16, { epoch: EPOCH - 1 })),
      'dropped',
    )
    const strange = await receiptOver(world, 16, { nullifier: new Uint8Array(32) })
    assert.equal(await book.take(opening, strange), 'dropped')
    const keyless = { ...opening, receiptKey: new Uint8Array(32) }
    assert.equal(await book.take(keyless, await receiptOver(world, 16)), 'dropped')
    assert.equal(world.stored.size, 0)
  })

  test('a disk that fails costs the proof and nothing else', async () => {
    const world = await worldOf()
    const { book, opening, disk } = world
    book.paid(opening, 64)
    disk.isBroken = true
    assert.equal(await book.take(opening, await receiptOver(world, 16)), 'dropped')
    assert.equal(await book.open(opening), undefined)
    disk.isBroken = false
    assert.equal(await book.take(opening, await receiptOver(world, 16)), 'kept')
  })

  test('a new week begins at nothing', async () => {
    const world = await worldOf()
    const { book, opening, clock } = world
    book.paid(opening, 100)
    assert.equal(await book.take(opening, await receiptOver(world, 100)), 'kept')
    clock.nowMs += EPOCH_S * 1000
    assert.equal(await book.open(opening), undefined)
    assert.equal(await book.take(opening, await receiptOver(world, 101)), 'dropped')
  })
})
