/** `byway ledger` on real stores, with the program running and without; the months are those of the core's own tests. */
import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import type { LedgerSide, MoneyEvent } from '@byway/protocol/ledger'
import { openControl } from '../../src/control/control-socket.ts'
import { openOwnStore } from '../../src/engine/own-store.ts'
import { recordDeposits, recordWithdrawn } from '../../src/ledger/deposit-events.ts'
import { askLedger, ledgerPage } from '../../src/ledger/ledger-page.ts'
import { bytesText, decimalText, moneyText, roundedText } from '../../src/ledger/money-text.ts'
import { parseSince } from '../../src/ledger/since.ts'
import { CLIENT_MONTH, NODE_MONTH } from '../../../protocol/test/ledger/month.ts'
import { paymentTable } from '../network-text.ts'
import { run } from '../run-cli.ts'
import { byway, temporaryHome } from '../spawn-byway.ts'

const AMOUNTS = { win_value: 1000, bond: 500, unit: 500 }
const NETWORK = `name = "books"\nlocal = true\n${paymentTable({ ...AMOUNTS, rpc: ['http://127.0.0.1:9'] })}`
const golden = (side: LedgerSide): Promise<string> =>
  readFile(new URL(`../../../protocol/test/ledger/golden-${side}.csv`, import.meta.url), 'utf8')

async function keep(home: string, side: LedgerSide, events: readonly MoneyEvent[]): Promise<void> {
  await using store = await openOwnStore(home, side)
  for (const event of events) await store.ledger.record(event)
}

test('prints the golden CSV from the store of a program that does not run', async (t) => {
  const home = await temporaryHome(t)
  await keep(home, 'node', NODE_MONTH)
  await keep(home, 'client', CLIENT_MONTH)
  for (const side of ['node', 'client'] as const) {
    const { code, out, err } = await byway(['ledger', '--home', home, '--side', side, '--csv'])
    assert.deepEqual([code, err], [0, ''])
    assert.equal(out, await golden(side))
  }
})

test('prints the same while the program runs, from its own answers', async (t) => {
  const home = await temporaryHome(t)
  await keep(home, 'node', NODE_MONTH)
  await using store = await openOwnStore(home, 'node')
  await using _control = await openControl(home, 'node', {
    status: () => ({}),
    stop: () => ({}),
    ledger: (after) => ledgerPage(store.ledger, after),
  })
  const { code, out } = await run('ledger', '--home', home, '--side', 'node', '--csv')
  assert.equal(code, 0)
  assert.equal(out, await golden('node'))
})

test('a long ledger comes over the socket whole and in order', async (t) => {
  const home = await temporaryHome(t)
  await using store = await openOwnStore(home, 'client')
  const ids = Array.from({ length: 4500 }, (_, i) => `count:1:${i}`)
  await Promise.all(
    ids.map((id) => store.ledger.record({ id, atMs: 1, type: 'purse-received', amount: 1n })),
  )
  await using _control = await openControl(home, 'client', {
    status: () => ({}),
    stop: () => ({}),
    ledger: (after) => ledgerPage(store.ledger, after),
  })
  const read: (string | undefined)[] = []
  for await (const event of askLedger(home, 'client')) read.push(event?.id)
  assert.deepEqual(read, ids)
})

test('shows people a table of both sides, and how far luck goes', async (t) => {
  const home = await temporaryHome(t)
  await writeFile(join(home, 'network.toml'), NETWORK)
  await keep(home, 'node', NODE_MONTH)
  await keep(home, 'client', CLIENT_MONTH)
  const { code, out } = await run('ledger', '--home', home)
  assert.equal(code, 0)
  const lines = out.split('\n').map((line) => line.replaceAll(/ +/g, ' ').trim())
  for (const line of [
    'books of this node (not running), 22 entries, since the beginning',
    'carried for pay 110.00 MiB',
    'from tickets 1.6 TEST',
    'purse 1.93 TEST',
    'bulk tokens (32 MiB each)',
    'spent 0.000000000000044 ETH',
    'expected 1.6 TEST (1.60 wins), won 2 TEST',
    'luck: ± 1.2 TEST is one standard deviation, ± 2.4 TEST two; 95 of 100 such periods end between 0 TEST and 4 TEST',
    'that is within what luck does',
    'the books balance: every commodity adds up to zero',
    'books of this client (not running), 19 entries, since the beginning',
    'a1a1a1a1a1a1a1a1… 60.00 MiB 0.64 TEST 10.922 TEST 1 TEST',
    'b2b2b2b2b2b2b2b2… 50.00 MiB 0.96 TEST 19.66 TEST 0 TEST',
  ]) {
    assert.ok(lines.includes(line), line)
  }
})

test('--json prints an object for each entry and the sums last', async (t) => {
  const home = await temporaryHome(t)
  await writeFile(join(home, 'network.toml'), NETWORK)
  await keep(home, 'node', NODE_MONTH)
  const { code, out } = await run('ledger', '--home', home, '--json', '--since', '2026-11-01T00:03')
  assert.equal(code, 0)
  const objects = out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>)
  const entries = objects.slice(0, -1)
  assert.equal(entries.length, 11)
  assert.deepEqual(entries[2], {
    event: 'entry',
    side: 'node',
    time: '2026-11-01T00:05:00.000Z',
    id: 'log:b1:0',
    type: 'claim-paid',
    lines: [
      { commodity: 'wins', account: 'claimed', amount: '-1' },
      { commodity: 'wins', account: 'paid', amount: '1' },
      { commodity: 'money', account: 'claims', amount: '-1000' },
      { commodity: 'money', account: 'fees burned', amount: '50' },
      { commodity: 'money', account: 'redeemer fees', amount: '20' },
      { commodity: 'money', account: 'purse', amount: '930' },
    ],
  })
  const summary = objects.at(-1)
  assert.ok(summary)
  const { event, entries: count, isSound, isLive, balances, period } = summary
  assert.deepEqual([event, count, isSound, isLive], ['summary', 22, true, false])
  const purses = [balances, period].map((sums) => {
    return (sums as Record<string, Record<string, string>>)['money']?.['purse']
  })
  assert.deepEqual(purses, ['1930', '930'])
})

test('says where books do not balance', async (t) => {
  const home = await temporaryHome(t)
  await keep(
    home,
    'node',
    NODE_MONTH.filter(({ type }) => type !== 'claimed'),
  )
  const { out } = await run('ledger', '--home', home, '--side', 'node')
  assert.match(out, /THE BOOKS DO NOT BALANCE/)
  assert.match(out, /money, claims: below zero, an event is missing/)
  const { out: json } = await run('ledger', '--home', home, '--json')
  const summary = JSON.parse(json.trim().split('\n').at(-1) ?? '') as Record<string, unknown>
  assert.equal(summary['isSound'], false)
})

test('without books, with a wrong side or time, it says what is wrong', async (t) => {
  const home = await temporaryHome(t)
  for (const [args, code, want] of [
    [[], 78, /there are no books in this state folder/],
    [['--side', 'both'], 64, /--side must be node or client/],
    [['--csv'], 64, /--csv needs --side/],
    [['--csv', '--chain', '--side', 'node'], 64, /one of them/],
    [['--since', 'yesterday'], 64, /--since must be/],
    [['--network', 'nowhere.toml'], 78, /network file/],
  ] as const) {
    const outcome = await run('ledger', '--home', home, ...args)
    assert.equal(outcome.code, code, args.join(' '))
    assert.match(outcome.err, want)
  }
})

test('a damaged key of the store is an error, never a new key', async (t) => {
  const home = await temporaryHome(t)
  await keep(home, 'node', NODE_MONTH)
  await writeFile(join(home, 'node-store.key'), 'nothing\n')
  const { code, err } = await run('ledger', '--home', home, '--side', 'node')
  assert.equal(code, 74)
  assert.match(err, /the key of the store's records is damaged/)
  assert.equal(await readFile(join(home, 'node-store.key'), 'utf8'), 'nothing\n')
})

test('deposits found on the chain are told once, those given away never, and withdrawals leave nothing behind', async (t) => {
  const home = await temporaryHome(t)
  await writeFile(join(home, 'network.toml'), NETWORK)
  const found = [
    { kind: 'deposit', leafIndex: 3, limit: 10 },
    { kind: 'redeemed', leafIndex: 7, limit: 5 },
    { kind: 'voucher', leafIndex: 9, limit: 5 },
  ] as const
  {
    await using store = await openOwnStore(home, 'client')
    const terms = { unit: 500n, returned: new Set<number>(), joined: new Map<number, bigint>() }
    await recordDeposits(store.ledger, found, { ...terms, nowMs: 1 })
    await recordDeposits(store.ledger, found, { ...terms, nowMs: 2 })
    const slots = [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)]
    await recordWithdrawn(store.ledger, slots, 2500n, 3)
  }
  const { out } = await run('ledger', '--home', home, '--json')
  const summary = JSON.parse(out.trim().split('\n').at(-1) ?? '') as {
    readonly isSound: boolean
    readonly balances: { readonly money: Readonly<Record<string, string>> }
  }
  assert.equal(summary.isSound, true)
  const { purse, deposit, outside } = summary.balances.money
  assert.deepEqual([purse, deposit, outside], ['0', '2500', '-2500'])
})

test('amounts are exact, bytes are rounded down to two decimals', () => {
  assert.equal(decimalText(1n, 18), '0.000000000000000001')
  assert.equal(decimalText(-1_500_000n, 6), '-1.5')
  assert.equal(decimalText(10n ** 30n, 6), '1000000000000000000000000')
  assert.equal(decimalText(5n, 0), '5')
  assert.equal(moneyText(12n, undefined), '12')
  assert.equal(roundedText(124_992_371_071_101_617n, { symbol: 'X', decimals: 18 }), '0.12499 X')
  assert.equal(roundedText(12n, undefined), '12')
  assert.equal(bytesText(1023n), '1023 B')
  assert.equal(bytesText((1n << 30n) + (1n << 29n)), '1.50 GiB')
  assert.equal(bytesText(-(5n << 18n)), '-1.25 MiB')
})

test('--since takes days, times and spans', () => {
  const now = Date.parse('2026-11-20T12:00:00Z')
  assert.equal(parseSince('2026-11-01', now), Date.parse('2026-11-01T00:00:00Z'))
  assert.equal(parseSince('2026-11-01T06:30', now), Date.parse('2026-11-01T06:30:00Z'))
  assert.equal(parseSince('2026-11-01T06:30:00+02:00', now), Date.parse('2026-11-01T04:30:00Z'))
  assert.equal(parseSince('24h', now), now - 86_400_000)
  assert.equal(parseSince('4w', now), now - 28 * 86_400_000)
  for (const text of ['', '2026-13-01', '1', '-1d', '2026-11-01T25:00', '1y', '2026-11-01 06:30']) {
    assert.throws(() => parseSince(text, now), { code: 'CLI_USAGE' }, text)
  }
})
