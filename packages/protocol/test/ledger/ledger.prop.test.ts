/** Properties of the books under any sequence of events. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  createLedger,
  decodeMoneyEvent,
  encodeMoneyEvent,
  type Ledger,
  type LedgerSide,
  type MoneyEvent,
} from '@byway/protocol/ledger'
import { anyEvent, clientEvent, nodeEvent } from './arbitrary-events.ts'

const numRuns = process.env['SLOW'] === '1' ? 100_000 : 500
const side = fc.constantFrom<LedgerSide>('node', 'client')
const events = fc.array(anyEvent, { maxLength: 60 })

function postAll(to: Ledger, all: readonly MoneyEvent[]): Ledger {
  for (const event of all) to.post(event)
  return to
}

/** Balances in an order that does not depend on that of the events. */
function balancesOf(ledger: Ledger): readonly string[] {
  return ledger
    .trialBalance()
    .flatMap(({ accounts }) => accounts)
    .filter(({ amount }) => amount !== 0n)
    .map(({ commodity, name, hop = '', amount }) => `${commodity}/${name}/${hop} ${amount}`)
    .toSorted()
}

test('every commodity sums to zero after any events, sound or not', () => {
  fc.assert(
    fc.property(side, events, (of, all) => {
      const ledger = createLedger(of)
      for (const event of all) {
        ledger.post(event)
        for (const { sum } of ledger.trialBalance()) assert.equal(sum, 0n)
      }
    }),
    { numRuns },
  )
})

test('posting the same events again, in any interleaving, changes nothing', () => {
  const unique = fc.uniqueArray(anyEvent, { selector: ({ id }) => id, maxLength: 30 })
  fc.assert(
    fc.property(side, unique, fc.nat(), (of, all, cut) => {
      // A reversal that comes before its event is rejected, and posted when it comes again.
      const sound = all.filter(({ type }) => type !== 'reversed')
      const once = postAll(createLedger(of), sound)
      const twice = postAll(createLedger(of), sound)
      postAll(twice, sound.slice(cut % (sound.length + 1)))
      postAll(twice, sound.toReversed())
      assert.deepEqual(balancesOf(twice), balancesOf(once))
      assert.equal(twice.events, once.events)
    }),
    { numRuns },
  )
})

test('a reversal takes back exactly what its event did, once', () => {
  fc.assert(
    fc.property(fc.array(nodeEvent, { maxLength: 30 }), (all) => {
      const ledger = postAll(createLedger('node'), all)
      const claim: MoneyEvent = {
        id: 'claim',
        atMs: 1,
        type: 'claim-paid',
        wins: 3,
        amount: 300n,
        burned: 15n,
        redeemerFee: 5n,
        heldBack: 0n,
        received: 280n,
      }
      const before = balancesOf(ledger)
      assert.equal(ledger.post(claim).type, 'posted')
      assert.notDeepEqual(balancesOf(ledger), before)
      assert.equal(
        ledger.post({ id: 'undo', atMs: 2, type: 'reversed', of: 'claim' }).type,
        'posted',
      )
      assert.deepEqual(balancesOf(ledger), before)
      const again = ledger.post({ id: 'undo2', atMs: 3, type: 'reversed', of: 'claim' })
      assert.equal(again.type, 'rejected')
      assert.equal(ledger.post(claim).type, 'known')
      assert.deepEqual(balancesOf(ledger), before)
    }),
    { numRuns },
  )
})

test('the order of events does not matter to the balances, reversals apart', () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(clientEvent, { selector: ({ id }) => id }),
      fc.nat(),
      (all, seed) => {
        const sound = all.filter(({ type }) => type !== 'reversed')
        const turned = sound.map((event, i) => [(i * 7919 + seed) % 1009, event] as const)
        const shuffled = turned.toSorted(([a], [b]) => a - b).map(([, event]) => event)
        assert.deepEqual(
          balancesOf(postAll(createLedger('client'), shuffled)),
          balancesOf(postAll(createLedger('client'), sound)),
        )
      },
    ),
    { numRuns },
  )
})

test('an event comes back from its text as it was, and other text gives none', () => {
  fc.assert(
    fc.property(anyEvent, fc.nat(), fc.string({ maxLength: 2 }), (event, at, noise) => {
      const text = encodeMoneyEvent(event)
      assert.deepEqual(decodeMoneyEvent(text), event)
      const spoiled = text.slice(0, at % text.length) + noise + text.slice((at % text.length) + 1)
      const read = decodeMoneyEvent(spoiled)
      if (read) assert.equal(decodeMoneyEvent(encodeMoneyEvent(read))?.id, read.id)
    }),
    { numRuns },
  )
})

test('a period holds what happened in it, and periods add up to the whole', () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(nodeEvent, { selector: ({ id }) => id }),
      fc.nat(2_000_000_000),
      (all, since) => {
        const sound = all.filter(({ type }) => type !== 'reversed')
        const sinceMs = since * 1000
        const whole = postAll(createLedger('node', { sinceMs }), sound)
        const before = sound.filter(({ atMs }) => atMs < sinceMs)
        const earlier = postAll(createLedger('node'), before)
        for (const { accounts } of whole.trialBalance()) {
          for (const account of accounts) {
            const parts = earlier.balances.of(account) + whole.period.of(account)
            assert.equal(parts, account.amount)
          }
        }
      },
    ),
    { numRuns },
  )
})
