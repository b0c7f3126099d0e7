import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mock, suite, test } from 'node:test'
import { nodeCrypto } from '@byway/protocol/node-crypto'
import type { StoredSlotWord } from '@byway/store'
import { VERDICT } from '@byway/protocol/wire'
import type { Opening } from '@byway/protocol/wire'
import { createSlotJudge } from '../../src/money/slot-judge.ts'
import { createFakeChain } from './fake-chain.ts'
import { createMemoryStore } from './memory-store.ts'

const PROVIDER = randomBytes(20)
const ROOT_MAX_AGE_S = 3600
const LOCK_S = 3600
const HOUR_MS = 3_600_000

function openingOf(): Opening {
  return {
    root: randomBytes(32),
    nullifier: randomBytes(32),
    sessionKey: randomBytes(20),
    receiptKey: new Uint8Array(32),
    proof: new Uint8Array(0),
  }
}

function worldOf() {
  const chain = createFakeChain()
  const { slotWords } = createMemoryStore()
  const clock = { nowMs: 0, wallMs: 1_700_000_000_000 }
  const judgeOf = (stored: readonly StoredSlotWord[]) =>
    createSlotJudge({
      chain,
      hash: nodeCrypto,
      provider: PROVIDER,
      rootMaxAgeS: ROOT_MAX_AGE_S,
      lockS: LOCK_S,
      refundDelayS: 12 * 3600,
      closeDelayS: 72 * 3600,
      records: slotWords,
      stored,
      nowMs: () => clock.nowMs,
      wallMs: () => clock.wallMs,
    })
  const opening = openingOf()
  chain.publish(opening.root, chain.nowS - 60)
  const pass = (ms: number): void => {
    clock.nowMs += ms
    clock.wallMs += ms
  }
  /** Another process with the same disk: its monotonic clock begins anew. */
  const restart = async () => {
    const stored = await slotWords.all()
    clock.nowMs = 0
    return judgeOf(stored)
  }
  return { chain, judge: judgeOf([]), opening, clock, slotWords, pass, restart }
}

suite('judging a slot by the chain (SPEC §15.6)', () => {
  test('takes a slot that nobody holds under a young root', async () => {
    const { judge, opening } = worldOf()
    assert.equal(await judge.judge(opening, true), VERDICT.OK)
    assert.equal(await judge.standing(opening), 'open')
  })

  test('refuses a root that is not published', async () => {
    const { judge, opening } = worldOf()
    const other = { ...openingOf(), nullifier: opening.nullifier }
    assert.equal(await judge.judge(other, true), VERDICT.UNKNOWN_ROOT)
  })

  test('takes the newest root whatever its age: where nobody deposits, none follows it', async () => {
    const { chain, judge, opening } = worldOf()
    chain.nowS += 1000 * ROOT_MAX_AGE_S
    assert.equal(await judge.judge(opening, true), VERDICT.OK)
  })

  test('takes the root before for so long after the next, counted from that; afterwards for slots shown before only', async () => {
    const { chain, judge, opening, pass } = worldOf()
    assert.equal(await judge.judge(opening, true), VERDICT.OK)
    chain.nowS += 1000 * ROOT_MAX_AGE_S
    chain.publish(randomBytes(32), chain.nowS)
    // What was the newest a minute ago is asked about anew.
    pass(60_000)
    assert.equal(await judge.judge(opening, true), VERDICT.OK)
    chain.nowS += ROOT_MAX_AGE_S
    assert.equal(await judge.judge(opening, true), VERDICT.OK)
    chain.nowS += 1
    assert.equal(await judge.judge(opening, true), VERDICT.UNKNOWN_ROOT)
    assert.equal(await judge.judge(opening, false), VERDICT.OK)
  })

  const holder = (opening: Opening): Uint8Array =>
    nodeCrypto.sha256(PROVIDER, opening.sessionKey).subarray(0, 20)
  const standings = [
    ['locked', () => PROVIDER, 'mine'],
    ['locked', () => randomBytes(20), 'taken'],
    ['bound', holder, 'mine'],
    ['bound', () => PROVIDER, 'taken'],
    ['lapsed', () => randomBytes(20), 'open'],
    ['refunding', () => new Uint8Array(20), 'taken'],
    ['closing', holder, 'taken'],
    ['withdrawing', () => new Uint8Array(20), 'taken'],
    ['refunded', () => new Uint8Array(20), 'taken'],
  ] as const
  for (const [state, holderOf, standing] of standings) {
    test(`a slot that is ${state} is ${standing}`, async () => {
      const { chain, judge, opening } = worldOf()
      chain.setSlot(opening.nullifier, state, holderOf(opening))
      assert.equal(await judge.standing(opening), standing)
      const verdict = standing === 'taken' ? VERDICT.SLOT_TAKEN : VERDICT.OK
      assert.equal(await judge.judge(opening, true), verdict)
    })
  }

  for (const [state, holderOf, standing] of [
    ['none', () => new Uint8Array(20), 'taken'],
    ['lapsed', () => randomBytes(20), 'taken'],
    ['locked', () => PROVIDER, 'mine'],
    ['bound', holder, 'mine'],
  ] as const)
    test(`a slot that was used twice and is ${state} is ${standing}`, async () => {
      const { chain, judge, opening } = worldOf()
      chain.setSlot(opening.nullifier, state, holderOf(opening))
      chain.burn(opening.nullifier)
      assert.equal(await judge.standing(opening), standing)
    })

  test('a chain that fails means TRY_LATER, and is asked again later', async () => {
    const { chain, judge, opening, pass } = worldOf()
    chain.mood = 'fails'
    assert.equal(await judge.judge(opening, true), VERDICT.TRY_LATER)
    chain.mood = 'answers'
    pass(2000)
    assert.equal(await judge.judge(opening, true), VERDICT.OK)
  })

  test('a chain that hangs means TRY_LATER in bounded time, and beyond so many questions at once', async () => {
    const { chain, judge } = worldOf()
    chain.mood = 'hangs'
    const timeout = mock.method(AbortSignal, 'timeout', () => hung.signal)
    const hung = new AbortController()
    try {
      const waiting = Array.from({ length: 64 }, () => judge.standing(openingOf()))
      // No room for another question: the answer comes at once.
      assert.equal(await judge.standing(openingOf()), 'unknown')
      hung.abort()
      assert.deepEqual(new Set(await Promise.all(waiting)), new Set(['unknown']))
    } finally {
      timeout.mock.restore()
    }
  })

  test('asks once for what many ask at once, and anew a second later', async () => {
    const { chain, judge, opening, pass } = worldOf()
    await Promise.all(Array.from({ length: 10 }, () => judge.standing(opening)))
    assert.equal(chain.asked, 1)
    pass(1000)
    chain.setSlot(opening.nullifier, 'refunding')
    assert.equal(await judge.standing(opening), 'taken')
    assert.equal(chain.asked, 2)
  })

  suite('while the chain is away', () => {
    test('a slot that is bound to the node stays its own for a day', async () => {
      const { chain, judge, opening, pass } = worldOf()
      chain.setSlot(opening.nullifier, 'bound', holder(opening))
      assert.equal(await judge.standing(opening), 'mine')
      chain.mood = 'fails'
      pass(24 * HOUR_MS - 1)
      assert.equal(await judge.standing(opening), 'mine')
      assert.equal(await judge.judge(opening, false), VERDICT.OK, 'it is shown on a new link')
      const stranger = { ...opening, sessionKey: randomBytes(20) }
      assert.equal(await judge.standing(stranger), 'taken')
      pass(1)
      assert.equal(await judge.standing(opening), 'unknown')
    })

    test("one that is locked to it stays so until its lock's end", async () => {
      const { chain, judge, opening, pass } = worldOf()
      chain.setSlot(opening.nullifier, 'locked', PROVIDER, chain.nowS - 600)
      assert.equal(await judge.standing(opening), 'mine')
      // Looked at again and again, it ends no later.
      pass(1_200_000)
      chain.nowS += 1200
      assert.equal(await judge.standing(opening), 'mine')
      chain.mood = 'fails'
      pass((LOCK_S - 1800) * 1000 - 1)
      assert.equal(await judge.standing(opening), 'mine')
      pass(1)
      assert.equal(await judge.standing(opening), 'unknown')
    })

    test('one that nobody held goes on for two hours; one that was never asked about does not begin', async () => {
      const { chain, judge, opening, pass } = worldOf()
      const later = openingOf()
      chain.publish(later.root, chain.nowS)
      assert.equal(await judge.judge(opening, true), VERDICT.OK)
      chain.mood = 'fails'
      pass(2 * HOUR_MS - 1)
      assert.equal(await judge.judge(opening, false), VERDICT.OK)
      assert.equal(await judge.judge({ ...later, root: opening.root }, true), VERDICT.TRY_LATER)
      pass(1)
      assert.equal(await judge.judge(opening, false), VERDICT.TRY_LATER)
      chain.mood = 'answers'
      pass(1000)
      chain.setSlot(opening.nullifier, 'refunding')
      assert.equal(await judge.judge(opening, false), VERDICT.SLOT_TAKEN)
      chain.mood = 'fails'
      pass(1000)
      assert.equal(await judge.standing(opening), 'unknown', 'what speaks against it ends it')
    })

    test('a restart forgets nothing, and makes nothing hold longer', async () => {
      const { chain, judge, opening: open, pass, restart } = worldOf()
      const [bound, locked, gone] = [openingOf(), openingOf(), openingOf()]
      chain.setSlot(bound.nullifier, 'bound', holder(bound))
      chain.setSlot(locked.nullifier, 'locked', PROVIDER, chain.nowS - 600)
      for (const each of [open, bound, locked, gone]) await judge.standing(each)
      chain.setSlot(gone.nullifier, 'refunding')
      pass(1000)
      assert.equal(await judge.standing(gone), 'taken')
      chain.mood = 'fails'
      pass((LOCK_S - 600) * 1000 - 1001)
      const second = await restart()
      assert.equal(await second.judge(open, false), VERDICT.OK)
      assert.deepEqual(
        await Promise.all([bound, locked, open, gone].map((each) => second.standing(each))),
        ['mine', 'mine', 'open', 'unknown'],
      )
      assert.equal(await second.judge(openingOf(), true), VERDICT.TRY_LATER, 'never asked about')
      pass(1)
      assert.equal(await second.standing(locked), 'unknown', "its lock's end is no later")
      pass(2 * HOUR_MS - (LOCK_S - 600) * 1000)
      const third = await restart()
      assert.deepEqual(await Promise.all([bound, open].map((each) => third.standing(each))), [
        'mine',
        'unknown',
      ])
    })

    test('a clock that jumps back or forth meanwhile makes no slot hold beyond its time', async () => {
      for (const [jumpMs, standing] of [
        [-1000 * HOUR_MS, 'open'],
        [3 * HOUR_MS, 'unknown'],
      ] as const) {
        const { chain, judge, opening, clock, pass, restart } = worldOf()
        assert.equal(await judge.standing(opening), 'open')
        chain.mood = 'fails'
        clock.wallMs += jumpMs
        pass(1000)
        assert.equal(await judge.standing(opening), 'open', 'the running node heeds no wall clock')
        const again = await restart()
        assert.equal(await again.standing(opening), standing)
        pass(2 * HOUR_MS)
        assert.equal(await again.standing(opening), 'unknown')
      }
    })

    test('a slot that is asked about each second is written once in a while', async () => {
      const { judge, opening, slotWords, pass } = worldOf()
      const put = mock.method(slotWords, 'put')
      for (let second = 0; second < 1800; second++) {
        pass(1000)
        await judge.standing(opening)
      }
      // The word of half an hour ago holds for two hours: three times are enough for an eighth of that.
      assert.ok(put.mock.callCount() >= 2 && put.mock.callCount() <= 3)
    })

    test('who asks too much at once does not make it seem away', async () => {
      const { chain, judge, opening, pass } = worldOf()
      assert.equal(await judge.standing(opening), 'open')
      pass(1000)
      const hung = new AbortController()
      const timeout = mock.method(AbortSignal, 'timeout', () => hung.signal)
      try {
        chain.mood = 'hangs'
        const waiting = Array.from({ length: 64 }, () => judge.standing(openingOf()))
        assert.equal(await judge.standing(opening), 'unknown')
        hung.abort()
        await Promise.all(waiting)
        chain.mood = 'fails'
        pass(1000)
        assert.equal(await judge.standing(opening), 'open', 'now it is known to be away')
      } finally {
        timeout.mock.restore()
      }
    })
  })
})
