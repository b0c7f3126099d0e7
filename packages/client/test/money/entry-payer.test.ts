/** Paying an entry: by the client's own count, ahead and no further, and what an entry that lies gets. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { BywayError, toHex } from '@byway/protocol/base'
import { UNIT_BYTES } from '@byway/protocol/ticket'
import { LINK_MESSAGE, PAY, VERDICT } from '@byway/protocol/wire'
import type { ClientPayMessage, HopPayMessage } from '@byway/protocol/wire'
import { createEntryPayer } from '../../src/money/entry-payer.ts'
import { tariffOf } from '../../src/money/tariff.ts'
import { createFakeLink } from '../engine/fake-link.ts'
import { createMoneyWorld, NEVER } from './money-world.ts'
import type { MoneyWorld } from './money-world.ts'
import { LASTING_POOL, POOL, startTestHop, UNIT_PRICE } from './test-hop.ts'
import type { TestHop } from './test-hop.ts'

const MIB = UNIT_BYTES

async function world(
  options: Parameters<typeof createMoneyWorld>[0] = {},
  priceStep = 4,
  pool: typeof POOL = POOL,
) {
  const money = await createMoneyWorld(options)
  const hop = await startTestHop(1, { nowMs: money.timers.nowMs, priceStep, pool })
  return { money, hop, ...open(money, hop) }
}

function open(money: MoneyWorld, hop: TestHop) {
  const link = createFakeLink()
  const carrier = hop.carrier()
  const faults: string[] = []
  const unpayable: unknown[] = []
  link.send = (message) => {
    if (message.type === LINK_MESSAGE.PAY) carrier.send([message.pay as ClientPayMessage])
  }
  const tariff = tariffOf(POOL, hop.node)
  assert.ok(tariff)
  const payer = createEntryPayer(
    {
      ...money.sessionDeps,
      nowMs: money.timers.nowMs,
      onFault: (key) => void faults.push(key),
      onUnpayable: (error) => void unpayable.push(error),
      onGone() {},
      closing: NEVER,
    },
    { key: hop.node.key, tariff: () => tariff },
    link,
  )
  carrier.listen({ onPay: (pay) => payer.onPay(pay), onClosed: () => payer.onClosed() })
  /** Carries so many bytes in steps, and lets tickets arrive between them. */
  const carry = async (bytes: number, stepBytes = 64 * 1024): Promise<void> => {
    for (let left = bytes; left > 0; left -= stepBytes) {
      payer.onCounted(Math.min(left, stepBytes))
      await settled(money, hop)
    }
  }
  return { payer, link, faults, unpayable, carry }
}

async function settled(money: MoneyWorld, hop: TestHop): Promise<void> {
  do await money.timers.pass(0)
  while (hop.unanswered > 0)
}

const unitsPaid = ({ tickets }: TestHop): number => tickets.length

describe('an entry', () => {
  it('is not paid, nor shown a slot, while a link is only kept warm', async () => {
    const { hop, carry, money } = await world()
    await carry(24 * 1024, 1024)
    assert.equal(hop.shown.length, 0)
    assert.equal(money.spending.status.session, 0n)
  })

  it('is paid one unit at a time, ahead of what is carried, and never by more than the window', async () => {
    const { hop, carry, money } = await world()
    let most = 0
    for (let carried = MIB / 4; carried <= 40 * MIB; carried += MIB / 4) {
      await carry(MIB / 4)
      const aheadBytes = unitsPaid(hop) * MIB - carried
      most = Math.max(most, aheadBytes)
      assert.ok(aheadBytes >= 0, `after ${carried} bytes it has ${unitsPaid(hop)} units`)
    }
    assert.ok(most <= 2 * MIB, `${most} bytes were ahead`)
    assert.ok(hop.tickets.every(({ amount }) => amount === UNIT_PRICE))
    assert.equal(money.spending.status.session, BigInt(unitsPaid(hop)) * UNIT_PRICE)
  })

  it('is paid more units at a time on a fast line, never more than a sixteenth of what it carried', async () => {
    const { hop, carry, money, faults } = await world({}, 4, LASTING_POOL)
    const carried = 1400
    for (let i = 0; i < carried; i++) {
      await carry(MIB, MIB)
      // 80 MiB a second.
      await money.timers.pass(12)
    }
    let units = 0
    for (const { amount } of hop.tickets) {
      const count = Number(amount / UNIT_PRICE)
      assert.ok(count === 1 || count * 16 <= units, `${count} units after ${units}`)
      units += count
    }
    assert.equal(hop.tickets.at(-1)?.amount, 64n * UNIT_PRICE)
    assert.ok(units >= carried && units <= carried + 65, `${units} units were paid`)
    assert.ok(hop.tickets.length < 160, `${hop.tickets.length} tickets`)
    assert.equal(money.spending.status.session, BigInt(units) * UNIT_PRICE)
    assert.deepEqual(faults, [])
  })

  it('that makes its round trip seem long, lets cells go at once and stops, link after link, is paid no more than it served, and then a sixteenth', async () => {
    const { hop, money } = await world({}, 4, LASTING_POOL)
    const [burst, links] = [6, 20]
    for (let number = 0; number < links; number++) {
      const { link, carry, payer } = open(money, hop)
      link.rttMs = 1000
      await carry(128 * 1024)
      for (let i = 0; i < burst * 4; i++) {
        await carry(MIB / 4, MIB / 4)
        // 60 MiB a second.
        await money.timers.pass(4)
      }
      await money.timers.pass(100)
      await carry(1)
      payer.onClosed()
    }
    const servedUnits = links * (burst + 0.125)
    const units = hop.tickets.reduce((sum, { amount }) => sum + Number(amount / UNIT_PRICE), 0)
    const most = servedUnits + burst + servedUnits / 16 + 2 * links
    assert.ok(units > servedUnits && units <= most, `${units} units for ${servedUnits}`)
  })

  it('gets the last units of a budget in smaller tickets', async () => {
    const units = 301
    const { carry, money } = await world({ budget: BigInt(units) * UNIT_PRICE })
    for (let i = 0; i < 320; i++) {
      await carry(MIB, MIB)
      await money.timers.pass(25)
    }
    assert.equal(money.spending.status.session, BigInt(units) * UNIT_PRICE)
    assert.equal(money.spending.status.isBudgetLeft, false)
  })

  it('that stops serving is not paid any more', async () => {
    const { hop, carry, money } = await world()
    await carry(4 * MIB)
    const before = unitsPaid(hop)
    await carry(0)
    await money.timers.pass(600_000)
    assert.equal(unitsPaid(hop), before)
    assert.ok(before * MIB - 4 * MIB <= 2 * MIB)
  })

  it('is shown the next slot when one is full, and the link goes on', async () => {
    // A ticket in 256 wins, and two wins fill a slot.
    const { hop, carry, faults, money } = await world({}, 8)
    const isFull = (): boolean => hop.said.some(({ kind }) => kind === PAY.SLOT_FULL)
    for (let i = 0; i < 10_000 && !isFull(); i++) await carry(MIB, MIB)
    const before = unitsPaid(hop)
    await carry(8 * MIB, MIB)
    assert.ok(unitsPaid(hop) >= before + 8)
    assert.deepEqual(
      money.journal.records.map(({ standing }) => standing),
      ['full', 'shown'],
    )
    assert.deepEqual(faults, [])
  })

  it('is told the next slot of a long stream before the one in use is full: none waits for an opening', async () => {
    // A ticket in 256 wins: 512 units fill a slot on average, and are bulk.
    const { hop, carry, faults, money } = await world({ slots: 60 }, 8)
    money.authoriser.prepared = 4
    const full = (): number => hop.said.filter(({ kind }) => kind === PAY.SLOT_FULL).length
    while (full() < 10) await carry(64 * MIB, MIB)
    const openings = hop.said.flatMap((message) =>
      message.kind === PAY.SHOW || message.kind === PAY.NEXT
        ? [{ kind: message.kind, name: toHex(message.opening.nullifier) }]
        : [],
    )
    const bulkFrom = openings.findIndex(({ kind }) => kind === PAY.NEXT)
    assert.ok(bulkFrom > 0)
    const inBulk = openings.slice(bulkFrom)
    // Each is told, then shown, and the next one told: in turn.
    assert.deepEqual(
      inBulk.map(({ kind }) => kind),
      inBulk.map((_, i) => (i % 2 === 0 ? PAY.NEXT : PAY.SHOW)),
    )
    for (let i = 1; i < inBulk.length; i += 2) assert.equal(inBulk[i]?.name, inBulk[i - 1]?.name)
    assert.ok(inBulk.length >= 6)
    assert.deepEqual(faults, [])
  })

  it('is paid anew what was under way when its slot filled', async () => {
    const { hop, carry, payer, faults } = await world({}, 8)
    const held: HopPayMessage[] = []
    hop.lie = (message) => {
      if (message.kind !== PAY.SLOT_FULL) return message
      held.push(message)
      return undefined
    }
    let carried = 0
    for (; held.length === 0; carried += MIB) await carry(MIB, MIB)
    const before = unitsPaid(hop)
    // It takes none of these: SLOT_FULL is still on its way.
    await carry(3 * MIB, MIB)
    assert.equal(unitsPaid(hop), before)
    const [full] = held
    assert.ok(full)
    payer.onPay(full)
    await carry(MIB, MIB)
    assert.ok(unitsPaid(hop) * MIB >= carried + 4 * MIB, `${unitsPaid(hop)} units were paid`)
    assert.deepEqual(faults, [])
  })

  it('that claims wins which were none is left', async () => {
    const { hop, carry, faults, payer } = await world()
    await carry(4 * MIB)
    const nullifier = hop.shown[0]?.nullifier ?? new Uint8Array(32)
    const reveals = [0, 1].map((index) => ({ index, reveal: new Uint8Array(32) }))
    payer.onPay({ kind: PAY.SLOT_FULL, nullifier, reveals })
    assert.deepEqual(faults, [hop.node.key])
  })

  it('that counts what never passed is left', async () => {
    const { hop, carry, payer, faults, link } = await world()
    await carry(2 * MIB)
    payer.onPay({ kind: PAY.DUE, countedBytes: 40 * MIB, paidBytes: 3 * MIB })
    assert.deepEqual(faults, [hop.node.key])
    assert.equal(link.isClosed, true)
  })

  it('cannot be paid while no slot can be shown: who waits hears why, and it is paid as soon as there is one', async () => {
    const { hop, carry, payer, unpayable, faults, money } = await world()
    const away = new BywayError('CHAIN_UNREACHABLE', 'chain', 'away', {})
    money.authoriser.fails = away
    const failed = assert.rejects(payer.ready(), away)
    await money.timers.pass(10_000)
    await failed
    assert.deepEqual([hop.shown.length, unpayable], [0, [away]])
    money.authoriser.fails = undefined
    await payer.ready()
    await carry(2 * MIB)
    assert.ok(unitsPaid(hop) >= 2)
    assert.deepEqual(faults, [])
  })

  it('that turns down three slots is left, and costs no fourth', async () => {
    const { hop, payer, faults, link, money } = await world()
    hop.verdictOf = () => VERDICT.SLOT_TAKEN
    await payer.ready()
    assert.equal(hop.shown.length, 3)
    assert.deepEqual([faults, link.isClosed], [[hop.node.key], true])
    await money.timers.pass(600_000)
    assert.equal(hop.shown.length, 3)
  })

  it('that does not know the newest root yet is shown the same slot until it does', async () => {
    const { hop, carry, payer, faults, money } = await world()
    hop.verdictOf = () => (hop.shown.length > 5 ? VERDICT.OK : VERDICT.UNKNOWN_ROOT)
    const ready = payer.ready()
    await money.timers.pass(10_000)
    await ready
    await carry(2 * MIB)
    assert.ok(unitsPaid(hop) >= 2)
    assert.equal(new Set(hop.shown.map(({ nullifier }) => toHex(nullifier))).size, 1)
    assert.deepEqual(faults, [])
  })

  it('that is stalled by its neighbours is paid at once', async () => {
    const { hop, carry, payer, money } = await world()
    await carry(40 * 1024)
    assert.equal(unitsPaid(hop), 0)
    payer.onPay({ kind: PAY.DUE, countedBytes: 40 * 1024, paidBytes: 0 })
    await settled(money, hop)
    assert.equal(unitsPaid(hop), 1)
  })

  for (const [name, verdict] of [
    ['TRY_LATER', VERDICT.TRY_LATER],
    ['SLOT_TAKEN', VERDICT.SLOT_TAKEN],
    ['SLOT_USED', VERDICT.SLOT_USED],
    ['EXPIRED', VERDICT.EXPIRED],
  ] as const) {
    it(`that refuses every ticket by ${name} is not paid for ever: it may redeem them all the same`, async () => {
      const { hop, carry, payer, faults, money } = await world()
      let refused = 0
      for (let step = 0; step < 200; step++) {
        await carry(64 * 1024)
        for (const { index } of hop.tickets.slice(refused)) {
          payer.onPay({ kind: PAY.REFUSED, verdict, index })
          await settled(money, hop)
        }
        refused = unitsPaid(hop)
        if (faults.length > 0) break
      }
      assert.deepEqual([...new Set(faults)], [hop.node.key])
      assert.ok(unitsPaid(hop) <= 20, `${unitsPaid(hop)} tickets for nothing`)
    })
  }

  it('that refuses eight tickets by TRY_LATER on each link after link is believed for 128 units over all of them, and a sixteenth of what it took', async () => {
    const { hop, money } = await world()
    let refused = 0
    const faults: string[] = []
    for (let number = 0; number < 40 && faults.length === 0; number++) {
      const opened = open(money, hop)
      for (let here = 0; here < 8 && opened.faults.length === 0; here++) {
        const before = hop.tickets.length
        while (hop.tickets.length === before) await opened.carry(64 * 1024)
        const { index } = hop.tickets.at(-1) ?? assert.fail('a ticket came')
        refused++
        opened.payer.onPay({ kind: PAY.REFUSED, verdict: VERDICT.TRY_LATER, index })
        await settled(money, hop)
      }
      opened.payer.onClosed()
      faults.push(...opened.faults)
    }
    assert.deepEqual(faults, [hop.node.key])
    const taken = hop.tickets.length - refused
    assert.ok(refused > 128 && refused <= 129 + taken / 16, `${refused} refused, ${taken} taken`)
  })

  it('that refuses one ticket by SLOT_USED, for its slot has won on the carrier before, is shown the slot again, loses nobody one, and is not blamed', async () => {
    const { hop, carry, payer, faults, money } = await world()
    await carry(64 * 1024)
    await carry(MIB)
    const [ticket] = hop.tickets
    assert.ok(ticket)
    payer.onPay({ kind: PAY.REFUSED, verdict: VERDICT.SLOT_USED, index: ticket.index })
    await settled(money, hop)
    const before = hop.tickets.length
    await carry(2 * MIB)
    await settled(money, hop)
    assert.deepEqual(faults, [])
    assert.ok(hop.tickets.length > before)
    const [first, again, ...more] = hop.shown.map(({ nullifier }) => nullifier)
    assert.deepEqual([again, more], [first, []])
    assert.deepEqual(
      money.journal.records.map(({ standing }) => standing),
      ['shown'],
    )
  })

  it('is not paid twice for what it says it has not got', async () => {
    const { hop, carry, payer, money } = await world()
    await carry(4 * MIB)
    const before = unitsPaid(hop)
    for (let i = 0; i < 10; i++) {
      payer.onPay({ kind: PAY.DUE, countedBytes: 4 * MIB, paidBytes: 0 })
      await settled(money, hop)
    }
    assert.equal(unitsPaid(hop), before)
  })

  it('gets nothing beyond the budget', async () => {
    const { hop, carry, money, unpayable } = await world({ budget: 3n * UNIT_PRICE })
    await carry(10 * MIB)
    assert.equal(unitsPaid(hop), 3)
    assert.equal(money.spending.status.month, 3n * UNIT_PRICE)
    assert.ok(unpayable.length > 0)
  })

  it('goes on with the same slot on a new link', async () => {
    const first = await world()
    await first.carry(2 * MIB)
    first.payer.onClosed()
    const second = open(first.money, first.hop)
    await second.carry(2 * MIB)
    assert.equal(first.hop.shown.length, 2)
    assert.deepEqual(first.hop.shown[1], first.hop.shown[0])
    const indices = first.hop.tickets.map(({ index }) => index)
    assert.equal(new Set(indices).size, indices.length)
  })
})
