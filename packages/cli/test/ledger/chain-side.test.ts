/** What `byway ledger --chain` says, on books that agree with the chain and on books that do not. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createLedger, reconcile, type Found } from '@byway/protocol/ledger'
import { summaryJson } from '../../src/ledger/ledger-json.ts'
import { ledgerTable } from '../../src/ledger/ledger-table.ts'

const unit = { symbol: 'TEST', decimals: 3 }

function showing(chainWins: bigint): { readonly table: string; readonly agrees: unknown } {
  const ledger = createLedger('client')
  const head = { atMs: 1 }
  const hop = '11'.repeat(32)
  ledger.post({ ...head, id: 'in', type: 'purse-received', amount: 9000n })
  ledger.post({ ...head, id: 'leaf:0', type: 'deposited', amount: 9000n })
  ledger.post({ ...head, id: 'slot:aa', type: 'slot-shown', hop, amount: 2500n })
  ledger.post({ ...head, id: 'log:1', type: 'slot-won', hop, wins: 1, amount: 1000n })
  const found: readonly Found[] = [
    { commodity: 'wins', name: 'paid', amount: chainWins, source: 'chain' },
    { commodity: 'money', name: 'won by hops', amount: chainWins * 1000n, source: 'chain' },
  ]
  const held = reconcile(ledger, found)
  const books = { ledger, isLive: false, unreadable: 0, rejected: {} }
  const table = ledgerTable(books, { since: undefined, unit, winAmount: 1000n, found: held })
  const { chain } = summaryJson(books, 0, 1000n, held)
  return { table, agrees: chain instanceof Object && 'agrees' in chain && chain['agrees'] }
}

test('says that the chain agrees, with what both say', () => {
  const { table, agrees } = showing(1n)
  assert.equal(agrees, true)
  assert.match(table, /the chain agrees:\n {2}wins, paid: chain 1, books 1: agrees/)
})

test('says where the chain does not agree, and by how much', () => {
  const { table, agrees } = showing(3n)
  assert.equal(agrees, false)
  assert.match(table, /THE CHAIN DOES NOT AGREE:/)
  assert.match(table, /won by hops: chain 3 TEST, books 1 TEST: DIFFERS by \+2 TEST/)
})
