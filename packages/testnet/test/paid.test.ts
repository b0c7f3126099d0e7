/** A paid network in one process: downloads run as in an unpaid one, every hop is paid, and what the books of client and nodes say agrees. */
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { createLedger, type Ledger, type LedgerSide, type MoneyEvent } from '@byway/protocol/ledger'
import { testnet, type Testnet } from '../src/index.ts'
import { curl } from './support/curl.ts'
import { bodyOf, startOrigin, type Origin } from './support/origin.ts'
import { createPaidWorld, eventsOf, type PaidWorld } from './support/paid-world.ts'

const MIB = 1024 * 1024
const BYTES = 24 * MIB

/** Downloads over so many hops and stops everything, so that the books are complete. */
async function downloadOver(hops: 2 | 3, world: PaidWorld, origin: Origin): Promise<Testnet> {
  await using net = await testnet({
    hops,
    payment: world.payment,
    exitTargets: [{ address: '127.0.0.1', port: origin.port }],
  })
  const url = `${origin.url}/paid/${BYTES}`
  const answer = await curl(`socks5h://127.0.0.1:${net.proxyPort}`, url)
  assert.ok(answer.equals(bodyOf('paid', BYTES)))
  for (const { node } of net.nodes) assert.equal(node.status().money?.refusedTickets, 0)
  return net
}

async function nodeEvents({ nodes }: PaidWorld): Promise<readonly MoneyEvent[]> {
  const all = await Promise.all([...nodes.values()].map(({ store }) => eventsOf(store)))
  return all.flat()
}

function unitsOf(
  events: readonly MoneyEvent[],
  type: 'tickets-received' | 'tickets-sent' | 'tickets-void',
): number {
  return events.reduce((sum, event) => sum + (event.type === type ? event.units : 0), 0)
}

/** Paid bytes that were carried or lapsed in these roles, and what was paid to them. */
function bytesOf(events: readonly MoneyEvent[], roles: readonly string[]): bigint {
  return events.reduce((sum, event) => {
    if (event.type === 'carried' && roles.includes(event.role)) return sum + event.paidBytes
    return event.type === 'paid-lapsed' && roles.includes(event.from) ? sum + event.bytes : sum
  }, 0n)
}

/** Posts everything into fresh books, in which nothing may be missing, wrong or left open without a reason. */
function booksOf(side: LedgerSide, events: readonly MoneyEvent[]): Ledger {
  const ledger = createLedger(side)
  for (const event of events) {
    const posting = ledger.post(event)
    assert.equal(posting.type, 'posted', `${event.type} ${event.id}`)
  }
  for (const { commodity, sum } of ledger.trialBalance()) assert.equal(sum, 0n, commodity)
  assert.deepEqual(ledger.overdrafts(), [])
  return ledger
}

/** To the last unit: what the client's books say of each hop is what that hop's own say. */
async function assertBooksAgree({ nodes, clientEvents }: PaidWorld): Promise<void> {
  // The deposit was made outside of this network.
  const amount = 1_000_000_000n
  const client = booksOf('client', [
    { id: 'outside', atMs: 0, type: 'purse-received', amount },
    { id: 'deposit', atMs: 0, type: 'deposited', amount },
    ...clientEvents,
  ])
  let carried = 0n
  const sums = { tickets: 0n, expected: 0n, sold: 0n, issued: 0n, bulk: 0n }
  for (const { store } of nodes.values()) {
    const { balances } = booksOf('node', await eventsOf(store))
    sums.tickets += balances.total('tickets', 'received')
    sums.expected += balances.total('expected', 'from tickets')
    sums.sold -= balances.total('bytes', 'sold')
    sums.issued -= balances.total('bandwidth tokens', 'issued')
    sums.bulk -= balances.total('bulk tokens', 'issued')
    carried += balances.total('bytes', 'carried for pay')
  }
  assert.deepEqual(sums, {
    tickets: client.balances.total('tickets', 'sent'),
    expected: client.balances.total('expected', 'spent on tickets'),
    sold: -client.balances.total('bytes', 'bought'),
    issued: -client.balances.total('bandwidth tokens', 'bought'),
    bulk: -client.balances.total('bulk tokens', 'bought'),
  })
  // Cells under way when everything stops are counted on one side only.
  const apart = carried - client.balances.total('bytes', 'used')
  assert.ok(apart > -2n * BigInt(MIB) && apart < 2n * BigInt(MIB), `${apart} bytes apart`)
}

suite('a paid network in one process', () => {
  for (const hops of [2, 3] as const) {
    test(`a download over ${hops} hops is paid to each of them, and the books agree`, async () => {
      await using origin = await startOrigin()
      await using world = await createPaidWorld({ priceStep: 8 })
      await downloadOver(hops, world, origin)
      await assertBooksAgree(world)
      const events = await nodeEvents(world)
      assert.equal(
        unitsOf(events, 'tickets-received'),
        // A slot may fill by luck: what was under way then counts on neither side.
        unitsOf(world.clientEvents, 'tickets-sent') - unitsOf(world.clientEvents, 'tickets-void'),
      )
      const linkUnits = events.reduce(
        (sum, event) =>
          sum + (event.type === 'tickets-received' && event.use === 'link' ? event.units : 0),
        0,
      )
      assert.ok(linkUnits * MIB >= BYTES, 'the entry was paid for the download')
      assert.equal(bytesOf(events, ['entry']), BigInt(linkUnits * MIB))
      const tokens = events.reduce(
        (sum, event) =>
          sum + (event.type === 'tokens-redeemed' && event.kind === 'bandwidth' ? event.count : 0),
        0,
      )
      assert.ok(tokens * 4 * MIB >= BYTES * (hops - 1), 'and so was each of the others')
      assert.equal(bytesOf(events, ['relay', 'exit']), BigInt(tokens * 4 * MIB))
    })
  }
})
