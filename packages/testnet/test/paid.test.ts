/** A paid network in one process: downloads run as in an unpaid one, every hop is paid, and what the books of client and nodes say agrees. */
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import type { MoneyEvent } from '@byway/protocol/ledger'
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

function unitsOf(events: readonly MoneyEvent[], type: 'tickets-received' | 'tickets-sent'): number {
  return events.reduce((sum, event) => sum + (event.type === type ? event.units : 0), 0)
}

/** Paid bytes that were carried or lapsed in these roles, and what was paid to them. */
function bytesOf(events: readonly MoneyEvent[], roles: readonly string[]): bigint {
  return events.reduce((sum, event) => {
    if (event.type === 'carried' && roles.includes(event.role)) return sum + event.paidBytes
    return event.type === 'paid-lapsed' && roles.includes(event.from) ? sum + event.bytes : sum
  }, 0n)
}

suite('a paid network in one process', () => {
  for (const hops of [2, 3] as const) {
    test(`a download over ${hops} hops is paid to each of them, and the books agree`, async () => {
      await using origin = await startOrigin()
      await using world = await createPaidWorld()
      await downloadOver(hops, world, origin)
      const events = await nodeEvents(world)
      assert.equal(unitsOf(events, 'tickets-received'), unitsOf(world.clientEvents, 'tickets-sent'))
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
