import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { SlotState } from '@byway/protocol/payment'
import type { StoredWinner } from '@byway/store'
import {
  BATCH_MAX_ENTRIES,
  dueBatches,
  feeCapOf,
  type Candidate,
} from '../../src/redemption/batching.ts'
import { DrawnWaits } from '../../src/redemption/drawn-waits.ts'
import { fatesOf, type SlotCase } from '../../src/redemption/fate.ts'

const DELAYS = { lockS: 3600, refundDelayS: 43_200, closeDelayS: 259_200 }
const POLICY = { bindWaitMs: 60_000, claimWaitMs: 600_000, companyMs: 0, delays: DELAYS }
const NOW = { nowMs: 1_000_000_000, chainNowS: 1_000_000, partOf: () => 1 }

function winner(slot: number, index: number, ageMs = 0): StoredWinner {
  return {
    nullifier: new Uint8Array(32).fill(slot),
    index,
    opening: new Uint8Array(0),
    provider: new Uint8Array(20),
    amount: 1n,
    nonce: new Uint8Array(16),
    reveal: new Uint8Array(32),
    signature: new Uint8Array(65),
    receivedAtMs: NOW.nowMs - ageMs,
    state: 'received',
    reason: undefined,
    carrier: undefined,
    changedAtMs: NOW.nowMs,
  }
}

function slotCase(
  winners: readonly StoredWinner[],
  state: SlotState,
  word: Partial<SlotCase['word']> = {},
): SlotCase {
  return {
    nullifier: winners[0]?.nullifier ?? new Uint8Array(32),
    winners,
    word: {
      holder: new Uint8Array(20),
      lastIndex: 0,
      wins: 0,
      state,
      isBurned: false,
      timeS: NOW.chainNowS,
      ...word,
    },
    holder: state === 'none' || state === 'lapsed' ? 'nobody' : 'ours',
    isLockTried: false,
  }
}

function candidate(slot: SlotCase): Candidate {
  return { slot, winners: slot.winners }
}

function batchesOf(...slots: readonly SlotCase[]) {
  return dueBatches(slots.map(candidate), POLICY, NOW).map(({ kind, winners, isUrgent }) => {
    return { kind, entries: winners.length, isUrgent }
  })
}

test('a lock never waits, a bind waits for company, a whole batch goes at once', () => {
  assert.deepEqual(batchesOf(slotCase([winner(1, 1)], 'none')), [
    { kind: 'lock', entries: 1, isUrgent: false },
  ])
  assert.deepEqual(batchesOf(slotCase([winner(1, 1)], 'locked')), [])
  assert.deepEqual(batchesOf(slotCase([winner(1, 1, 60_000)], 'locked')), [
    { kind: 'bind', entries: 1, isUrgent: false },
  ])
  const many = Array.from({ length: BATCH_MAX_ENTRIES + 1 }, (_, at) =>
    slotCase([winner(at, 1)], 'locked'),
  )
  assert.deepEqual(batchesOf(...many), [{ kind: 'bind', entries: 16, isUrgent: false }])
})

test('a win waits for a part of the time that was drawn for it, bind or claim, and takes along those who wait', () => {
  for (const [state, waitMs] of [
    ['locked', POLICY.bindWaitMs],
    ['bound', POLICY.claimWaitMs],
  ] as const) {
    const [one, other] = [winner(1, 1, waitMs / 2), winner(2, 1, waitMs / 2 - 1)]
    const candidates = [one, other].map((each) => candidate(slotCase([each], state)))
    const due = (parts: ReadonlyMap<StoredWinner, number>) =>
      dueBatches(candidates, POLICY, { ...NOW, partOf: (each) => parts.get(each) ?? 1 }).flatMap(
        ({ winners }) => winners,
      )
    assert.deepEqual(due(new Map([[other, 0.5]])), [])
    assert.deepEqual(due(new Map([[one, 0.5]])), [one, other])
  }
})

test('the part of the wait is drawn once for each win, from a quarter to all of it', () => {
  const draws = [0, 0.5, 0.999, 0]
  const waits = new DrawnWaits(() => draws.shift() ?? assert.fail('drawn too often'))
  const winners = [winner(1, 1), winner(1, 2), winner(2, 1)] as const
  const parts = (): readonly number[] => winners.map((each) => waits.partOf({ ...each }))
  const first = parts()
  assert.deepEqual(
    first.map((part) => Math.round(part * 1000)),
    [250, 625, 999],
  )
  assert.deepEqual(parts(), first)
  waits.keepOnly(winners.slice(0, 2))
  assert.deepEqual([...parts().slice(0, 2), parts()[2]], [...first.slice(0, 2), 0.25], 'forgotten')
})

test('a deadline makes it urgent: three quarters of a lock, of a refund, of a closing', () => {
  for (const [state, spanS, kind] of [
    ['locked', DELAYS.lockS, 'bind'],
    ['refunding', DELAYS.refundDelayS, 'bind'],
    ['closing', DELAYS.closeDelayS, 'claim'],
  ] as const) {
    const timeS = NOW.chainNowS - (spanS * 3) / 4
    assert.deepEqual(batchesOf(slotCase([winner(1, 1)], state, { timeS })), [
      { kind, entries: 1, isUrgent: true },
    ])
  }
})

test('a clock that was set back lets no win wait for ever', () => {
  assert.equal(batchesOf(slotCase([winner(1, 1, -3_600_000)], 'locked')).length, 1)
})

test('a slot that nothing keeps from others is urgent at once: lapsed, or not locked when it was tried', () => {
  assert.deepEqual(batchesOf(slotCase([winner(1, 1)], 'lapsed')), [
    { kind: 'bind', entries: 1, isUrgent: true },
  ])
  assert.deepEqual(batchesOf({ ...slotCase([winner(1, 1)], 'none'), isLockTried: true }), [
    { kind: 'bind', entries: 1, isUrgent: true },
  ])
})

test('urgent gas may cost more, company makes it cheaper, and a tenfold price of the coin allows a tenth', () => {
  const worth = { winValue: 10n ** 17n, coinPrice: 10n ** 18n }
  const patient = feeCapOf({ kind: 'bind', isUrgent: false }, 1, worth)
  assert.ok(feeCapOf({ kind: 'bind', isUrgent: true }, 1, worth) > 4n * patient)
  assert.ok(
    feeCapOf({ kind: 'bind', isUrgent: false }, BATCH_MAX_ENTRIES, worth) > (5n * patient) / 2n,
  )
  assert.equal(
    feeCapOf({ kind: 'bind', isUrgent: false }, 1, { ...worth, coinPrice: 10n ** 19n }),
    patient / 10n,
  )
})

test('at the start values nothing waits for its deadline at the usual price of gas', () => {
  // A win of 0.1, a coin of 3000, 0.01 gwei (DESIGN §7.2) and the tip.
  const worth = { winValue: 10n ** 17n, coinPrice: 3000n * 10n ** 18n }
  for (const kind of ['lock', 'bind', 'claim'] as const)
    for (const entries of [1, 2, BATCH_MAX_ENTRIES])
      assert.ok(feeCapOf({ kind, isUrgent: false }, entries, worth) >= 11_000_000n, kind)
})

test('the cap stands on the measured gas of a batch', () => {
  const worth = { winValue: 10n ** 17n, coinPrice: 10n ** 18n }
  // contracts/GAS.md: a call of 1 and of 16; a bind with its slot proofs.
  const measured = {
    lock: { 1: 53_383n, 16: 425_890n },
    bind: { 1: 296_608n, 16: 1_680_624n },
    claim: { 1: 44_569n, 16: 283_473n },
  } as const
  for (const kind of ['lock', 'bind', 'claim'] as const)
    for (const entries of [1, 16] as const) {
      const cost = feeCapOf({ kind, isUrgent: true }, entries, worth) * measured[kind][entries]
      const half = (worth.winValue * BigInt(entries)) / 2n
      assert.ok(cost <= half && cost >= (half * 98n) / 100n, `${kind} ${entries}`)
    }
})

test('no batch is too large, holds a winner twice, or sends indices of a slot out of order', () => {
  const state = fc.constantFrom<SlotState>(
    'none',
    'locked',
    'lapsed',
    'bound',
    'closing',
    'refunding',
  )
  const slots = fc.array(fc.tuple(state, fc.integer({ min: 1, max: 3 }), fc.nat(700_000)), {
    maxLength: 60,
  })
  fc.assert(
    fc.property(slots, (all) => {
      const cases = all.map(([one, wins, ageMs], at) =>
        slotCase(
          Array.from({ length: wins }, (_, index) => winner(at, index + 1, ageMs)),
          one,
        ),
      )
      const batches = dueBatches(cases.map(candidate), POLICY, NOW)
      const seen = new Set<StoredWinner>()
      for (const { kind, winners } of batches) {
        assert.ok(winners.length > 0 && winners.length <= BATCH_MAX_ENTRIES)
        for (const [at, one] of winners.entries()) {
          assert.ok(!seen.has(one))
          seen.add(one)
          const before = winners
            .slice(0, at)
            .filter(({ nullifier }) => nullifier[0] === one.nullifier[0])
          assert.ok(before.every(({ index }) => index < one.index))
          if (kind === 'bind') assert.equal(one.index, 1, 'a bind takes the first')
        }
      }
    }),
  )
})

test('a bound slot pays by rising index up to K; the word says which are paid (SPEC §14.3)', () => {
  const winners = [5, 2, 9, 12].map((index) => winner(1, index))
  const fates = (word: Partial<SlotCase['word']>, state: SlotState = 'bound') =>
    fatesOf(slotCase(winners, state, word), 3).map(
      ({ winner: { index }, fate }) => `${index} ${fate}`,
    )
  assert.deepEqual(fates({ lastIndex: 5, wins: 2 }), ['2 paid', '5 paid', '9 open', '12 open'])
  assert.deepEqual(fates({ lastIndex: 5, wins: 1 }), ['2 index', '5 paid', '9 open', '12 open'])
  assert.deepEqual(fates({ lastIndex: 9, wins: 3 }), ['2 paid', '5 paid', '9 paid', '12 full'])
  assert.deepEqual(fates({ lastIndex: 5, wins: 2 }, 'closed'), [
    '2 paid',
    '5 paid',
    '9 ended',
    '12 ended',
  ])
  assert.deepEqual(fates({}, 'refunded'), ['2 ended', '5 ended', '9 ended', '12 ended'])
})

test('the claims of one slot go out together, and no more of them than one order holds', () => {
  const winners = Array.from({ length: 20 }, (_, at) => winner(1, at + 2, 1e9))
  const batches = dueBatches([candidate(slotCase(winners, 'bound'))], POLICY, NOW)
  assert.deepEqual(
    batches.map((batch) => [batch.kind, batch.winners.map(({ index }) => index)]),
    [['claim', winners.slice(0, BATCH_MAX_ENTRIES).map(({ index }) => index)]],
  )
})
