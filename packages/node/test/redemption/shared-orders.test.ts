/** Orders of several providers go out in one transaction: which, when, and what becomes of them (DESIGN §7.1). */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { encodeRedeemOrder, REDEEM_KIND, type RedeemOrder } from '@byway/protocol/wire'
import { createHash } from 'node:crypto'
import type { HandOver } from '@byway/store'
import { BATCH_MAX_ENTRIES } from '../../src/redemption/batching.ts'
import {
  dueGroups,
  orderKey,
  orderName,
  ordersOfKey,
  type OpenOrder,
} from '../../src/redemption/shared-orders.ts'

const NOW = 1_000_000
const WAIT = 60_000
const TIME_S = 5000
const MOMENT = {
  nowMs: NOW,
  timeS: TIME_S,
  waitMs: WAIT,
  partOf: () => 1,
  alone: new Set<string>(),
}

let made = 0
/** An order of so many locks that has waited so long. */
function locks(count: number, waitedMs: number, change: Partial<RedeemOrder> = {}): OpenOrder {
  const nullifiers = Array.from({ length: count }, () => new Uint8Array(32).fill(++made))
  return open({ kind: REDEEM_KIND.LOCK, nullifiers }, waitedMs, change)
}

function claims(count: number, waitedMs: number, change: Partial<RedeemOrder> = {}): OpenOrder {
  const ticket = {
    index: 1,
    amount: 1n,
    reveal: new Uint8Array(32),
    nonce: new Uint8Array(16),
    signature: new Uint8Array(65),
  }
  const some = Array.from({ length: count }, () => ({
    nullifier: new Uint8Array(32).fill(++made),
    ticket,
  }))
  return open({ kind: REDEEM_KIND.CLAIM, claims: some }, waitedMs, change)
}

function open(
  entries: RedeemOrder['entries'],
  waitedMs: number,
  change: Partial<RedeemOrder>,
): OpenOrder {
  const order: RedeemOrder = {
    provider: new Uint8Array(20).fill(made),
    fee: 1n,
    deadlineS: TIME_S + 3600,
    signature: new Uint8Array(65),
    entries,
    ...change,
  }
  const body = encodeRedeemOrder(order)
  const id = new Uint8Array(createHash('sha256').update(body).digest())
  const handOver: HandOver = {
    side: 'taken',
    id,
    peer: new Uint8Array(32),
    body,
    deadlineS: order.deadlineS,
    atMs: NOW - waitedMs,
    state: 'open',
  }
  return { handOver, order }
}

test('later wins wait for company, and go with all that there is once one has waited enough', () => {
  const [young, other, old] = [claims(1, 0), claims(2, WAIT - 1), claims(1, WAIT)]
  assert.deepEqual(dueGroups([young, other], MOMENT), [])
  assert.deepEqual(dueGroups([young, old, other], MOMENT), [[young, old, other]])
})

test('an order waits the part that was drawn for it, and no longer than a quarter of its promise', () => {
  const half = { ...MOMENT, partOf: () => 0.5 }
  const [one, short] = [claims(1, WAIT / 2), claims(1, 250_000, { deadlineS: TIME_S + 750 })]
  assert.deepEqual(dueGroups([one], half), [[one]])
  assert.deepEqual(dueGroups([one], MOMENT), [])
  const patient = { ...MOMENT, waitMs: 900_000 }
  assert.deepEqual(dueGroups([short], patient), [[short]])
  assert.deepEqual(dueGroups([short], { ...patient, nowMs: NOW - 1 }), [])
})

test('a clock that was set back keeps nobody waiting', () => {
  const ahead = claims(1, -WAIT)
  assert.deepEqual(dueGroups([ahead], MOMENT), [[ahead]])
})

test('a lock waits for nobody, and takes along those that are there; kinds go apart', () => {
  const [one, two, claim] = [locks(1, 0), locks(1, 0), claims(1, WAIT)]
  assert.deepEqual(dueGroups([one, claim, two], MOMENT), [[one, two], [claim]])
})

test('a full batch goes at once: sixteen entries', () => {
  const [ten, six, more] = [claims(10, 0), claims(6, 0), claims(1, 0)]
  assert.deepEqual(dueGroups([ten, six, more], MOMENT), [[ten, six]])
  const [large, larger] = [claims(10, 0), claims(7, 0)]
  assert.deepEqual(dueGroups([large, larger], MOMENT), [[large]], 'the next one does not fit')
})

test('what ends soon goes alone and at once, and so does what has failed in company', () => {
  const [soon, failed, fine] = [
    claims(1, 0, { deadlineS: TIME_S + 599 }),
    claims(1, 0),
    claims(1, WAIT),
  ]
  const alone = new Set([orderName(failed.handOver)])
  assert.deepEqual(dueGroups([soon, failed, fine], { ...MOMENT, alone }), [
    [soon],
    [failed],
    [fine],
  ])
})

test('the key of a transaction fits the lane, and names what it carries', () => {
  const all = Array.from({ length: BATCH_MAX_ENTRIES }, () => claims(1, 0))
  const others = [claims(1, 0), claims(1, 0)]
  const key = orderKey(all.map(({ handOver }) => handOver))
  assert.match(key, /^[\w:.-]{1,160}$/)
  assert.deepEqual(ordersOfKey(key, [...others, ...all]), all)
  const [one] = others
  assert.ok(one)
  assert.equal(orderKey([one.handOver]), `redeem:${orderName(one.handOver)}`)
  assert.deepEqual(ordersOfKey(orderKey([one.handOver]), [...all, ...others]), [one])
  assert.deepEqual(ordersOfKey('bind:00:1', others), [])
})
