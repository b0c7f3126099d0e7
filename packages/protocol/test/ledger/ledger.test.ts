/** What events do to the books, in numbers that can be added up by hand; a golden CSV of them. */
import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { suite, test } from 'node:test'
import {
  createLedger,
  CSV_HEADER,
  csvRows,
  decodeMoneyEvent,
  encodeMoneyEvent,
  reconcile,
  type Ledger,
  type LedgerSide,
  type Line,
  type MoneyEvent,
} from '@byway/protocol/ledger'
import { CLIENT_MONTH, HOP, NODE_MONTH, START_MS } from './month.ts'

const MIB = 1n << 20n

function booksOf(side: LedgerSide, events: readonly MoneyEvent[], sinceMs = 0): Ledger {
  const ledger = createLedger(side, { sinceMs })
  for (const event of events) assert.equal(ledger.post(event).type, 'posted', event.id)
  return ledger
}

function table(ledger: Ledger): Record<string, bigint> {
  const rows = ledger
    .trialBalance()
    .flatMap(({ accounts }) => accounts)
    .map(({ commodity, name, hop }) => {
      const where = hop === undefined ? '' : hop === HOP ? ' at entry' : ' at exit'
      return [
        `${commodity}: ${name}${where}`,
        ledger.balances.of({ commodity, name, hop }),
      ] as const
    })
  return Object.fromEntries(rows.filter(([, amount]) => amount !== 0n))
}

suite('the books of a month', () => {
  test('fees that a node earned and moved to its owner leave its purse alone', () => {
    const head = { atMs: START_MS }
    const ledger = booksOf('node', [
      { ...head, id: 'earned', type: 'fee-earned', amount: 7n },
      { ...head, id: 'moved', type: 'fees-moved', amount: 7n },
    ])
    assert.deepEqual(table(ledger), { 'money: wins of others': -7n, 'money: outside': 7n })
    assert.deepEqual(ledger.overdrafts(), [])
  })

  test('at a node: from bytes to the purse', () => {
    const ledger = booksOf('node', NODE_MONTH)
    assert.deepEqual(table(ledger), {
      'bytes: sold': -160n * MIB,
      'bytes: owed on links': 4n * MIB,
      'bytes: owed to slots': 4n * MIB,
      'bytes: owed by exiting': 2n * MIB,
      'bytes: carried for pay': 110n * MIB,
      'bytes: free': -MIB,
      'bytes: carried free': MIB,
      'bytes: lapsed': 40n * MIB,
      'tickets: clients': -70n,
      'tickets: received': 70n,
      'bandwidth tokens: issued': -7n,
      'bandwidth tokens: redeemed': 6n,
      'bandwidth tokens: lapsed': 1n,
      'admission tokens: issued': -8n,
      'admission tokens: outstanding': 8n,
      'bulk tokens: issued': -2n,
      'bulk tokens: redeemed': 1n,
      'bulk tokens: lapsed': 1n,
      'expected: clients': -1600n,
      'expected: from tickets': 1600n,
      'wins: drawn': -2n,
      'wins: unredeemed': 1n,
      'wins: paid': 1n,
      'money: outside': -5000n,
      'money: client slots': -2000n,
      'money: wins unredeemed': 1000n,
      'money: purse': 1930n,
      'money: stake': 4000n,
      'money: fees burned': 50n,
      'money: redeemer fees': 20n,
      'gas: outside': -90_000n,
      'gas: gas money': 46_000n,
      'gas: spent': 44_000n,
    })
    assert.deepEqual(ledger.overdrafts(), [])
    assert.deepEqual(ledger.luck(), { expected: 1600n, variance: 1_440_000n, realised: 2000n })
  })

  test('at its client: what each hop cost, what is left where', () => {
    const ledger = booksOf('client', CLIENT_MONTH)
    assert.deepEqual(table(ledger), {
      'bytes: bought at entry': -64n * MIB,
      'bytes: ahead on links at entry': 4n * MIB,
      'bytes: used at entry': 60n * MIB,
      'bytes: free at entry': -MIB,
      'bytes: used free at entry': MIB,
      'bytes: bought at exit': -96n * MIB,
      'bytes: ahead at hops at exit': 4n * MIB,
      'bytes: ahead on circuits at exit': 2n * MIB,
      'bytes: used at exit': 50n * MIB,
      'bytes: lost at exit': 40n * MIB,
      'tickets: made at entry': -64n,
      'tickets: sent at entry': 64n,
      'tickets: made at exit': -6n,
      'tickets: sent at exit': 6n,
      'bandwidth tokens: bought at exit': -7n,
      'bandwidth tokens: spent at exit': 6n,
      'bandwidth tokens: lost at exit': 1n,
      'bulk tokens: bought at exit': -2n,
      'bulk tokens: spent at exit': 1n,
      'bulk tokens: lost at exit': 1n,
      'expected: own at entry': -640n,
      'expected: spent on tickets at entry': 640n,
      'expected: own at exit': -960n,
      'expected: spent on tickets at exit': 960n,
      'wins: drawn at entry': -1n,
      'wins: paid at entry': 1n,
      'money: outside': -10_000n,
      'money: purse': 4475n,
      'money: deposit': 3000n,
      'money: slots at entry': 1500n,
      'money: won by hops at entry': 1000n,
      'money: relayer fees': 25n,
    })
    assert.deepEqual(ledger.overdrafts(), [])
  })

  test('every event of both months is stored and read again as it was', () => {
    for (const event of [...NODE_MONTH, ...CLIENT_MONTH])
      assert.deepEqual(decodeMoneyEvent(encodeMoneyEvent(event)), event)
  })

  test('both sides agree on tickets, bytes and money that went from one to the other', () => {
    const client = booksOf('client', CLIENT_MONTH)
    const node = booksOf('node', NODE_MONTH)
    for (const [commodity, spent, earned] of [
      ['tickets', 'sent', 'received'],
      ['expected', 'spent on tickets', 'from tickets'],
      ['bytes', 'used', 'carried for pay'],
      ['bytes', 'bought', 'sold'],
      ['bandwidth tokens', 'bought', 'issued'],
      ['bandwidth tokens', 'spent', 'redeemed'],
      ['bulk tokens', 'bought', 'issued'],
      ['bulk tokens', 'spent', 'redeemed'],
    ] as const) {
      assert.equal(client.balances.total(commodity, spent), node.balances.total(commodity, earned))
    }
  })

  test('a period has its own movements, while balances are of all time', () => {
    const ledger = booksOf('node', NODE_MONTH, START_MS + 3 * 60_000)
    assert.equal(ledger.period.total('bytes', 'carried for pay'), 30n * MIB)
    assert.equal(ledger.balances.total('bytes', 'carried for pay'), 110n * MIB)
    assert.equal(ledger.period.total('money', 'purse'), 930n)
    assert.deepEqual(ledger.luck(), { expected: 640n, variance: 537_600n, realised: 1000n })
  })
})

suite('what is rejected', () => {
  const judge = (side: LedgerSide, event: object): string => {
    const ledger = booksOf(side, side === 'node' ? NODE_MONTH : CLIENT_MONTH)
    const before = table(ledger)
    const posting = ledger.post(event as MoneyEvent)
    assert.deepEqual(table(ledger), before)
    return posting.type === 'rejected' ? posting.reason : posting.type
  }
  const claim = {
    id: 'log:b2:0',
    atMs: 1,
    type: 'claim-paid',
    wins: 1,
    amount: 1000n,
    burned: 50n,
    redeemerFee: 20n,
    heldBack: 0n,
    received: 930n,
  }

  test('a claim whose parts do not add up', () => {
    assert.equal(judge('node', { ...claim, received: 931n }), 'unbalanced')
    assert.equal(judge('node', { ...claim, burned: 0n }), 'unbalanced')
  })

  test('an event of the other side', () => {
    assert.equal(judge('client', claim), 'side')
    assert.equal(judge('node', { id: 'x', atMs: 1, type: 'deposited', amount: 1n }), 'side')
  })

  test('a field that is missing, extra, negative, broken or of another kind', () => {
    const { burned: _, ...missing } = claim
    for (const event of [
      missing,
      { ...claim, note: 'x' },
      { ...claim, amount: -1n },
      { ...claim, wins: 0.5 },
      { ...claim, wins: 2 ** 53 },
      { ...claim, amount: 1000 },
      { ...claim, id: '' },
      { ...claim, id: 'a b' },
      { ...claim, id: 'x'.repeat(129) },
      { ...claim, atMs: -1 },
      { ...claim, type: 'toString' },
    ]) {
      assert.equal(judge('node', event), 'malformed')
    }
  })

  test('a reversal of nothing, of what was carried, of a reversal', () => {
    const reversal = { id: 'undo', atMs: 1, type: 'reversed' }
    assert.equal(judge('node', { ...reversal, of: 'nothing' }), 'unknown')
    assert.equal(judge('node', { ...reversal, of: 'count:1:6' }), 'final')
    const ledger = booksOf('node', NODE_MONTH)
    const undo = { ...reversal, of: 'log:b1:0' } as MoneyEvent
    assert.equal(ledger.post(undo).type, 'posted')
    assert.deepEqual(ledger.post({ id: 'redo', atMs: 1, type: 'reversed', of: 'undo' }), {
      type: 'rejected',
      reason: 'final',
    })
  })
})

suite('reconciliation', () => {
  test('says that books and chain agree', () => {
    const result = reconcile(booksOf('node', NODE_MONTH), [
      { commodity: 'money', name: 'purse', amount: 1930n, source: 'chain' },
      { commodity: 'money', name: 'stake', amount: 4000n, source: 'chain' },
      { commodity: 'wins', name: 'unredeemed', amount: 1n, source: 'store' },
    ])
    assert.equal(result.isSound, true)
    assert.equal(result.compared.length, 3)
  })

  test('says where they do not, and by how much', () => {
    const result = reconcile(booksOf('client', CLIENT_MONTH), [
      { commodity: 'money', name: 'deposit', amount: 3000n, source: 'chain' },
      { commodity: 'money', name: 'slots', amount: 500n, source: 'chain' },
    ])
    assert.equal(result.isSound, false)
    assert.deepEqual(result.differences, [
      {
        commodity: 'money',
        name: 'slots',
        amount: 500n,
        source: 'chain',
        books: 1500n,
        difference: -1000n,
      },
    ])
  })

  test('gas that came from outside unseen is no fault of the books', () => {
    const ledger = booksOf(
      'node',
      NODE_MONTH.filter(({ type }) => type !== 'gas-received'),
    )
    assert.equal(reconcile(ledger, []).isSound, true)
  })

  test('an account below zero betrays a missing event', () => {
    const ledger = booksOf(
      'node',
      NODE_MONTH.filter(({ type }) => type !== 'claimed'),
    )
    const { isSound, overdrafts } = reconcile(ledger, [])
    assert.equal(isSound, false)
    assert.deepEqual(
      overdrafts.map(({ commodity, name }) => [commodity, name]),
      [
        ['wins', 'claimed'],
        ['money', 'claims'],
      ],
    )
  })
})

suite('CSV (RFC 4180)', () => {
  const rowsOf = (side: LedgerSide, events: readonly MoneyEvent[]): string => {
    const ledger = createLedger(side)
    const rows = events.map((event) => {
      const posting = ledger.post(event)
      assert.ok(posting.type === 'posted')
      return csvRows(event, posting.lines, new Date(event.atMs).toISOString())
    })
    return CSV_HEADER + rows.join('')
  }

  for (const [side, events] of [
    ['node', NODE_MONTH],
    ['client', CLIENT_MONTH],
  ] as const) {
    test(`the ${side}'s month is the golden file, byte for byte`, () => {
      const file = new URL(`golden-${side}.csv`, import.meta.url)
      const text = rowsOf(side, events)
      if (process.env['WRITE_GOLDEN'] === '1') writeFileSync(file, text)
      assert.equal(text, readFileSync(file, 'utf8'))
    })
  }

  test('no cell is a formula, whatever stands in it; quotes and line ends are quoted', () => {
    const event = NODE_MONTH[0] ?? assert.fail()
    for (const name of [
      '=1+1',
      '+1',
      '-1',
      '@x',
      '\tx',
      'a"b',
      'a,b',
      'a\r\nb',
      '=HYPERLINK("x")',
    ]) {
      const line = { commodity: 'money', name, hop: name, amount: 5n } as Line
      const row = csvRows({ ...event, id: name }, [line], name)
      assert.ok(row.endsWith('\r\n'))
      const cells = parseRow(row)
      assert.equal(cells.length, 8)
      for (const cell of cells) assert.doesNotMatch(cell, /^[=+\-@\t\r\n]/)
      assert.equal(cells[4]?.replace(/^'/, ''), name)
    }
  })
})

/** Reads one row as RFC 4180 says. */
function parseRow(row: string): string[] {
  const cells: string[] = []
  const cell = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)/y
  for (let match = cell.exec(row); match; match = cell.exec(row)) {
    cells.push(match[1]?.replaceAll('""', '"') ?? match[2] ?? '')
  }
  return cells
}
