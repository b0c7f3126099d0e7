/** Buying tokens of a hop: what is said, what it costs, and what a hop that lies, stalls or cheats can get away with. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { toHex } from '@byway/protocol/base'
import { createLedger } from '@byway/protocol/ledger'
import { bytesOfToken } from '@byway/protocol/payment'
import { UNIT_BYTES, unitPrice } from '@byway/protocol/ticket'
import { PAY, TOKEN_KIND, VERDICT } from '@byway/protocol/wire'
import type { HopPayMessage } from '@byway/protocol/wire'
import { createMoneyWorld } from './money-world.ts'
import { bothOrders, held, nodeIdOf, order, paid, shop } from './shopping.ts'
import { LASTING_POOL, POOL, startTestHop, UNIT_PRICE } from './test-hop.ts'
import type { TestHop } from './test-hop.ts'

describe('a visit to a hop', () => {
  it('that is called off takes in what it has asked for, and asks for nothing more', async () => {
    const world = await createMoneyWorld()
    await using hop = await startTestHop(1, { nowMs: world.timers.nowMs })
    const stop = new AbortController()
    hop.lie = (message) => {
      if (message.kind === PAY.SOLD) stop.abort()
      return message
    }
    await assert.rejects(shop(world, hop).go(undefined, stop.signal), { name: 'AbortError' })
    assert.deepEqual(held(world, hop), [4, 0])
    assert.equal(hop.said.filter(({ kind }) => kind === PAY.BUY).length, 1)
  })

  it('shows a slot, pays one ticket for four tokens, gets admission for nothing', async () => {
    const world = await createMoneyWorld()
    await using hop = await startTestHop(1, { nowMs: world.timers.nowMs })
    await shop(world, hop).go()
    assert.deepEqual(held(world, hop), [4, 8])
    assert.equal(hop.tickets.length, 1)
    assert.equal(paid(hop), 16n * UNIT_PRICE)
    assert.equal(world.spending.status.session, paid(hop))
    assert.equal(world.journal.records.length, 1)
  })

  it('signs one unit where nothing is to be paid: the hop sells to whom it knows for the owner', async () => {
    const world = await createMoneyWorld()
    await using hop = await startTestHop(1, { nowMs: world.timers.nowMs })
    const counter = shop(world, hop)
    await counter.go()
    await counter.go([order(hop, TOKEN_KIND.ADMISSION, 8)])
    assert.deepEqual(held(world, hop), [4, 16])
    assert.equal(paid(hop), 17n * UNIT_PRICE)
    assert.equal(counter.accounts.get(hop.node.key)?.units, 1)
    await counter.go([order(hop, TOKEN_KIND.BANDWIDTH, 4)])
    assert.equal(paid(hop), 32n * UNIT_PRICE, 'what was paid ahead is used')
  })

  it('buys tokens that the hop takes, each once', async () => {
    const world = await createMoneyWorld()
    await using hop = await startTestHop(1, { nowMs: world.timers.nowMs })
    await shop(world, hop).go()
    const message = world.stock.spend(nodeIdOf(hop), TOKEN_KIND.BANDWIDTH, world.timers.nowMs())
    assert.ok(message)
    assert.equal(await hop.takes(message), true)
    assert.equal(await hop.takes(message), false)
  })

  it('shows the same slot at the next visit and asks for keys no more', async () => {
    const world = await createMoneyWorld()
    await using hop = await startTestHop(1, { nowMs: world.timers.nowMs })
    const shopping = shop(world, hop)
    await shopping.go()
    hop.said.length = 0
    await shopping.go([order(hop, TOKEN_KIND.BANDWIDTH, 32)])
    assert.deepEqual(hop.shown[1], hop.shown[0])
    assert.ok(hop.said.every(({ kind }) => kind !== PAY.KEYS_GET))
    assert.deepEqual(held(world, hop), [36, 8])
  })

  it('waits out the issue delay of a slot that the hop does not hold', async () => {
    const world = await createMoneyWorld()
    await using hop = await startTestHop(1, { nowMs: world.timers.nowMs, issueDelayMs: 15_000 })
    hop.standing = 'open'
    const startMs = world.timers.nowMs()
    await shop(world, hop, 15_000).go()
    assert.deepEqual(held(world, hop), [4, 8])
    const waitedMs = world.timers.nowMs() - startMs
    assert.ok(waitedMs >= 15_000 && waitedMs < 18_000, `waited ${waitedMs} ms`)
    // Each purchase takes a cell of up to 16 KiB, and the circuit carries 256 KiB in all.
    assert.ok(hop.said.filter(({ kind }) => kind === PAY.BUY).length <= 4)
  })

  it('buys on while the stock wants more, and pays for each batch when it is its turn', async () => {
    const world = await createMoneyWorld()
    await using hop = await startTestHop(1, {
      nowMs: world.timers.nowMs,
      issueDelayMs: 15_000,
      pool: LASTING_POOL,
    })
    const counter = shop(world, hop, 15_000)
    const bandwidth = order(hop, TOKEN_KIND.BANDWIDTH, 32)
    await counter.go()
    await counter.go([bandwidth])
    // What it wants by the use of tokens, token-stock.test.ts says: here time passes as the hop signs.
    let wanted = 2
    Object.defineProperty(world.stock, 'moreOf', {
      value: () => (wanted-- > 0 ? bandwidth : undefined),
    })
    hop.said.length = 0
    await counter.go([bandwidth])
    let owed = 0
    for (const message of hop.said) {
      if (message.kind === PAY.TICKET) owed += Number(message.amount / UNIT_PRICE)
      if (message.kind === PAY.SOLD) owed -= 4 * message.signatures.length
      assert.ok(owed <= 128, 'one batch at risk')
    }
    assert.equal(owed, 0)
    assert.equal(hop.said.filter(({ kind }) => kind === PAY.SOLD).length, 3)
    assert.equal(hop.shown.length, 3, 'on the circuit of the visit')
    hop.said.length = 0
    await counter.go([bandwidth])
    assert.equal(hop.said.filter(({ kind }) => kind === PAY.SOLD).length, 1, 'they last')
  })

  for (const { name, before, orderOf } of [
    {
      name: 'a slot that the hop holds',
      before: 'mine' as const,
      orderOf: (hop: TestHop) => order(hop, TOKEN_KIND.BANDWIDTH, 8),
    },
    {
      name: 'what was paid long ago',
      before: 'open' as const,
      orderOf: (hop: TestHop) => order(hop, TOKEN_KIND.ADMISSION, 8),
    },
  ]) {
    it(`asks soon again, ever more seldom, when a hop cannot sell for a moment to ${name}`, async () => {
      const world = await createMoneyWorld()
      await using hop = await startTestHop(1, { nowMs: world.timers.nowMs, issueDelayMs: 15_000 })
      hop.standing = before
      const shopping = shop(world, hop, 15_000)
      await shopping.go()
      await world.timers.pass(15_000)
      hop.standing = 'unknown'
      const askedAtMs: number[] = []
      hop.lie = (message) => {
        if (message.kind === PAY.SOLD) askedAtMs.push(world.timers.nowMs())
        if (askedAtMs.length === 4) hop.standing = before
        return message
      }
      await shopping.go([orderOf(hop)])
      const gapsMs = askedAtMs.map((atMs, at) => atMs - (askedAtMs[at - 1] ?? atMs)).slice(1)
      assert.equal(gapsMs.length, 4)
      for (const [at, gapMs] of gapsMs.entries()) {
        const mostMs = 1000 * 2 ** Math.min(at, 3)
        // The clock moves by quarters of a second, and may before the client has heard.
        assert.ok(gapMs >= mostMs / 2 && gapMs <= mostMs + 1000, `${gapMs} ms`)
      }
    })
  }

  it('does not leave before the hop has taken the last tickets', async () => {
    const world = await createMoneyWorld()
    await using hop = await startTestHop(1, { nowMs: world.timers.nowMs, issueDelayMs: 15_000 })
    hop.standing = 'open'
    const shopping = shop(world, hop, 15_000)
    const stop = new AbortController()
    const visit = shopping.go(bothOrders(hop), stop.signal)
    const stopped = assert.rejects(visit)
    while (world.spending.status.session === 0n) await new Promise((go) => setImmediate(go))
    hop.said.length = 0
    stop.abort()
    await stopped
    await shopping.left
    assert.equal(paid(hop), world.spending.status.session, 'nothing was lost on the way')
    assert.equal(hop.said.at(-1)?.kind, PAY.SOLD, 'it has answered what came after them')
    assert.equal(shopping.carrier?.isClosed, true)
  })

  for (const standing of ['mine', 'open'] as const) {
    it(`knows from the time that a sale takes that its slot is ${standing} at the hop`, async () => {
      const world = await createMoneyWorld()
      await using hop = await startTestHop(1, { nowMs: world.timers.nowMs, issueDelayMs: 15_000 })
      hop.standing = standing
      const shopping = shop(world, hop, 15_000)
      await world.stock.open(nodeIdOf(hop), [TOKEN_KIND.BANDWIDTH, TOKEN_KIND.ADMISSION], 0)
      // It was told otherwise before.
      world.stock.setLocked(nodeIdOf(hop), standing === 'open')
      await shopping.go()
      assert.equal(world.stock.isLocked(nodeIdOf(hop)), standing === 'mine')
      await shopping.go([order(hop, TOKEN_KIND.BANDWIDTH, 32)])
      assert.equal(world.stock.isLocked(nodeIdOf(hop)), standing === 'mine')
    })
  }

  it('leaves a hop that asks for more than its descriptor says, before it has paid', async () => {
    const world = await createMoneyWorld()
    await using hop = await startTestHop(1, { nowMs: world.timers.nowMs })
    hop.lie = (message) => (message.kind === PAY.SHOWN ? { ...message, priceStep: 8 } : message)
    const shopping = shop(world, hop)
    await assert.rejects(shopping.go(), { code: 'PAYMENT_REFUSED' })
    assert.deepEqual(shopping.faults, [hop.node.key])
    assert.equal(world.spending.status.session, 0n)
  })

  it('leaves a hop whose keys are not those of its descriptor, before it has paid', async () => {
    const world = await createMoneyWorld()
    await using hop = await startTestHop(1, { nowMs: world.timers.nowMs })
    await using other = await startTestHop(2, { nowMs: world.timers.nowMs })
    const keys: HopPayMessage[] = []
    other.lie = (message) => (keys.push(message), message)
    const theirs = other.carrier()
    theirs.listen({ onPay() {}, onClosed() {} })
    theirs.send([{ kind: PAY.KEYS_GET }])
    while (keys.length === 0) await world.timers.pass(1)
    hop.lie = (message) => (message.kind === PAY.KEYS ? keys[0] : message)
    await assert.rejects(shop(world, hop).go(), { code: 'PAYMENT_REFUSED' })
    assert.equal(world.spending.status.session, 0n)
  })

  it('does not hold it against the hop when the link to the entry is lost', async () => {
    const world = await createMoneyWorld()
    await using hop = await startTestHop(1, { nowMs: world.timers.nowMs })
    const shopping = shop(world, hop)
    hop.lie = (message) => {
      if (message.kind === PAY.KEYS) shopping.carrier?.loseLink()
      return message
    }
    await assert.rejects(shopping.go(), { code: 'CIRCUIT_FAILED' })
    hop.lie = (message) => {
      if (message.kind === PAY.KEYS) shopping.carrier?.close()
      return message
    }
    await assert.rejects(shopping.go(), { code: 'PAYMENT_REFUSED' })
  })

  it('loses one ticket to a hop that takes it and sells nothing', async () => {
    const world = await createMoneyWorld()
    await using hop = await startTestHop(1, { nowMs: world.timers.nowMs })
    hop.lie = (message) => (message.kind === PAY.SOLD ? undefined : message)
    await assert.rejects(shop(world, hop).go(), { code: 'PAYMENT_REFUSED' })
    assert.equal(world.spending.status.session, 16n * UNIT_PRICE)
  })

  it('pays a hop that now and then says it was not paid once more, and leaves it the second time', async () => {
    const world = await createMoneyWorld()
    await using hop = await startTestHop(1, { nowMs: world.timers.nowMs, pool: LASTING_POOL })
    const counter = shop(world, hop)
    let isLying = false
    hop.lie = (message) => {
      if (message.kind !== PAY.SOLD || !isLying) return message
      isLying = false
      return { ...message, verdict: VERDICT.NOT_PAID, signatures: [] }
    }
    await counter.go()
    isLying = true
    await counter.go([order(hop, TOKEN_KIND.BANDWIDTH, 8)])
    assert.deepEqual(counter.faults, [])
    const before = paid(hop)
    isLying = true
    await assert.rejects(counter.go([order(hop, TOKEN_KIND.BANDWIDTH, 8)]), {
      code: 'PAYMENT_REFUSED',
    })
    assert.deepEqual(counter.faults, [hop.node.key])
    assert.ok(paid(hop) - before <= 33n * UNIT_PRICE, 'one purchase')
  })

  it('loses one ticket to a hop that says it was not paid', async () => {
    const world = await createMoneyWorld()
    await using hop = await startTestHop(1, { nowMs: world.timers.nowMs })
    hop.lie = (message) =>
      message.kind === PAY.SOLD
        ? { ...message, verdict: VERDICT.NOT_PAID, signatures: [] }
        : message
    const shopping = shop(world, hop)
    await assert.rejects(shopping.go(), { code: 'PAYMENT_REFUSED' })
    // Once more, in case that it has lost its books, and never again.
    assert.ok(world.spending.status.session <= 32n * UNIT_PRICE)
    assert.deepEqual(shopping.faults, [hop.node.key])
  })

  it('leaves a hop whose signatures do not hold', async () => {
    const world = await createMoneyWorld()
    await using hop = await startTestHop(1, { nowMs: world.timers.nowMs })
    hop.lie = (message) => {
      if (message.kind !== PAY.SOLD || message.signatures.length === 0) return message
      return {
        ...message,
        signatures: message.signatures.map((one) => one.map((byte) => byte ^ 1)),
      }
    }
    const shopping = shop(world, hop)
    await assert.rejects(shopping.go(), { code: 'PAYMENT_REFUSED' })
    assert.deepEqual(shopping.faults, [hop.node.key])
    assert.deepEqual(held(world, hop), [0, 0])
    assert.equal(world.spending.status.session, 16n * UNIT_PRICE)
  })

  it('takes the next slot when the hop has seen the first elsewhere, and gives up after three', async () => {
    const world = await createMoneyWorld()
    await using hop = await startTestHop(1, { nowMs: world.timers.nowMs })
    hop.verdictOf = () => (hop.shown.length > 1 ? VERDICT.OK : VERDICT.SLOT_TAKEN)
    const shopping = shop(world, hop)
    await shopping.go()
    assert.deepEqual(held(world, hop), [4, 8])
    assert.deepEqual(
      world.journal.records.map(({ standing }) => standing),
      ['refused', 'shown'],
    )
    assert.deepEqual([...shopping.circuits.values()], [1, 2], 'two on one circuit are linked')
    await using liar = await startTestHop(2, { nowMs: world.timers.nowMs })
    liar.verdictOf = () => VERDICT.SLOT_TAKEN
    await assert.rejects(shop(world, liar).go(), { code: 'PAYMENT_REFUSED' })
    assert.equal(liar.shown.length, 3)
  })

  it('shows the slot again under a newer root', async () => {
    const world = await createMoneyWorld()
    await using hop = await startTestHop(1, { nowMs: world.timers.nowMs })
    hop.verdictOf = () => (hop.shown.length > 1 ? VERDICT.OK : VERDICT.UNKNOWN_ROOT)
    await shop(world, hop).go()
    const [first, second] = hop.shown
    assert.deepEqual(second?.nullifier, first?.nullifier)
    assert.deepEqual(second?.sessionKey, first?.sessionKey)
    assert.notDeepEqual(second?.root, first?.root)
  })

  it('waits for a hop that takes the carrier before for alive', async () => {
    const world = await createMoneyWorld()
    await using hop = await startTestHop(1, { nowMs: world.timers.nowMs })
    hop.verdictOf = () => (hop.shown.length > 2 ? VERDICT.OK : VERDICT.SLOT_USED)
    await shop(world, hop).go()
    assert.deepEqual(held(world, hop), [4, 8])
    assert.equal(world.journal.records.length, 1)
  })

  it("goes on with the next slot when one fills, by whole batches and numbers of its own, gets all that was ordered, and the books are the hop's", async () => {
    const world = await createMoneyWorld({ slots: 40 })
    // A ticket of 16 units wins one time in 16, and two wins fill a slot.
    await using hop = await startTestHop(1, { nowMs: world.timers.nowMs, priceStep: 8 })
    const shopping = shop(world, hop)
    const areFull = (): number =>
      world.journal.records.filter(({ standing }) => standing === 'full').length
    let bought = 0
    while (areFull() < 2) {
      await shopping.go([order(hop, TOKEN_KIND.BANDWIDTH, 32)])
      const [got = 0] = held(world, hop)
      assert.ok(got >= 32, `${got} came`)
      bought += got
      // Used up, so that there is room for the next.
      await world.stock.forgetAll()
    }
    assert.deepEqual(shopping.faults, [])
    for (const { count, request } of firstPurchases(hop)) {
      assert.ok(count === 4 || count === 32, `${count} were asked for at first`)
      assert.equal(request, 1)
    }
    const circuits = [...shopping.circuits.values()]
    assert.equal(new Set(circuits).size, circuits.length, 'a fresh circuit for each slot')
    await world.spending.flush()
    const ledger = createLedger('client')
    for (const event of world.events) assert.equal(ledger.post(event).type, 'posted')
    const { balances } = ledger
    assert.equal(balances.total('tickets', 'sent'), BigInt(hop.tickets.length))
    assert.equal(balances.total('expected', 'spent on tickets'), paid(hop))
    const paidBytes = (paid(hop) / unitPrice(POOL, 8)) * BigInt(UNIT_BYTES)
    assert.equal(-balances.total('bytes', 'bought'), paidBytes)
    // Less than a token's worth of a full slot may find no use.
    const lostBytes = balances.total('bytes', 'lost')
    assert.ok(
      lostBytes < BigInt(areFull() * bytesOfToken(TOKEN_KIND.BANDWIDTH)),
      `${lostBytes} bytes were lost`,
    )
    assert.equal(paidBytes, BigInt(bought * bytesOfToken(TOKEN_KIND.BANDWIDTH)) + lostBytes)
  })

  it('spends nothing beyond the budget', async () => {
    const world = await createMoneyWorld({ budget: 16n * UNIT_PRICE })
    await using hop = await startTestHop(1, { nowMs: world.timers.nowMs })
    await shop(world, hop).go()
    const more = shop(world, hop).go([order(hop, TOKEN_KIND.BANDWIDTH, 32)])
    await assert.rejects(more, { code: 'BUDGET_SPENT' })
    assert.equal(paid(hop), 16n * UNIT_PRICE)
  })
})

/** Of each slot: what it was asked to buy first. */
function firstPurchases({ said }: TestHop): readonly { count: number; request: number }[] {
  const first = new Map<string, { count: number; request: number }>()
  let slot = ''
  for (const message of said) {
    if (message.kind === PAY.SHOW) slot = toHex(message.opening.nullifier)
    if (message.kind !== PAY.BUY || first.has(slot)) continue
    first.set(slot, { count: message.elements.length, request: message.request })
  }
  return [...first.values()]
}
