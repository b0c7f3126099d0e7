/**
 * The books of a client and of its hop over any order of tickets, wins, full slots, refusals and carriers that die (SPEC §15.2): what the client has booked is what the hop has
 * taken and what died on its way, to the unit; tickets behind a slot's last win count for neither.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { toHex } from '@byway/protocol/base'
import { createLedger } from '@byway/protocol/ledger'
import { nodeKeyOf } from '@byway/protocol/directory'
import { nodeTicketCrypto as crypto } from '@byway/protocol/node-ticket'
import { createPayeeSlot } from '@byway/protocol/payment'
import type { PayeeSlot } from '@byway/protocol/payment'
import { unitPrice, UNIT_BYTES } from '@byway/protocol/ticket'
import { PAY, VERDICT } from '@byway/protocol/wire'
import type {
  ClientPayMessage,
  HopPayMessage,
  Opening,
  Reveal,
  TicketMessage,
} from '@byway/protocol/wire'
import fc from 'fast-check'
import type { PaySender } from '../../src/money/carrier.ts'
import { createSlotSession } from '../../src/money/slot-session.ts'
import type { SlotSession } from '../../src/money/slot-session.ts'
import { createMoneyWorld, NEVER } from './money-world.ts'
import type { MoneyWorld } from './money-world.ts'
import { POOL, PROVIDER } from './test-hop.ts'

const RUNS = process.env['SLOW'] === '1' ? 500 : 40
/** A ticket of 64 units wins one time in four. */
const PRICE_STEP = 8
const PRICE = unitPrice(POOL, PRICE_STEP)
const HOP = nodeKeyOf(new Uint8Array(32).fill(9))

type Step =
  | { readonly do: 'pay'; readonly units: number }
  | { readonly do: 'toHop'; readonly count: number }
  | { readonly do: 'toClient'; readonly count: number }
  | { readonly do: 'refuse' | 'die' }

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constant('pay' as const), units: fc.constantFrom(1, 16, 64) }),
  },
  { weight: 2, arbitrary: delivery('toHop') },
  { weight: 2, arbitrary: delivery('toClient') },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('refuse' as const, 'die' as const) }) },
)

function delivery(kind: 'toHop' | 'toClient'): fc.Arbitrary<Step> {
  return fc.integer({ min: 1, max: 6 }).map((count) => ({ do: kind, count }))
}

type Slot = {
  readonly opening: Opening
  readonly wins: Reveal[]
  readonly taken: Map<number, TicketMessage>
  floor: number
}

type SlotTicket = { readonly nullifier: string; readonly ticket: TicketMessage }

/** A hop that remembers slots over carriers, as a node's slot book does. */
class Hop {
  readonly slots = new Map<string, Slot>()
  refuses = 0
  readonly refused = new Map<HopPayMessage, SlotTicket>()
  #slot: Slot | undefined
  #payee: PayeeSlot | undefined

  onMessage(message: ClientPayMessage): readonly HopPayMessage[] {
    if (message.kind === PAY.SHOW) return this.#show(message.opening)
    return message.kind === PAY.TICKET ? this.#take(message) : []
  }

  #show(opening: Opening): readonly HopPayMessage[] {
    const { nullifier } = opening
    const name = toHex(nullifier)
    const slot = this.slots.get(name) ?? { opening, wins: [], taken: new Map(), floor: 0 }
    this.slots.set(name, slot)
    this.#slot = slot
    const terms = { crypto, pool: POOL, provider: PROVIDER, price: PRICE }
    const { wins, floor: firstIndex } = slot
    const payee = createPayeeSlot(terms, { opening, key: nullifier, firstIndex, wins })
    this.#payee = payee
    const full = payee.fullMessage()
    const verdict = full ? VERDICT.SLOT_USED : VERDICT.OK
    const shown = { kind: PAY.SHOWN, verdict, nullifier, provider: PROVIDER } as const
    const answer = { ...shown, priceStep: PRICE_STEP }
    return full ? [full, answer] : [answer, ...this.#commits()]
  }

  #take(ticket: TicketMessage): readonly HopPayMessage[] {
    const [slot, payee] = [this.#slot, this.#payee]
    if (!slot || !payee || payee.isFull) return []
    const { index } = ticket
    if (this.refuses > 0) {
      this.refuses--
      const refusal = { kind: PAY.REFUSED, verdict: VERDICT.TRY_LATER, index } as const
      this.refused.set(refusal, { nullifier: toHex(slot.opening.nullifier), ticket })
      return [refusal]
    }
    const result = payee.onTicket(ticket)
    assert.equal(result.verdict, VERDICT.OK)
    if (result.verdict !== VERDICT.OK) return []
    slot.taken.set(index, ticket)
    if (result.reveal) slot.wins.push({ index, reveal: result.reveal })
    return result.full ? [result.full] : this.#commits()
  }

  #commits(): readonly HopPayMessage[] {
    const message = this.#payee?.nextCommits()
    if (!message || !this.#slot) return []
    this.#slot.floor = message.firstIndex + message.commits.length
    return [message]
  }
}

/** How much a hop may refuse is another test's (`hop-records.test.ts`, `entry-payer.test.ts`): here tickets of any size are refused before any was taken. */
const BELIEVING = { onPaid() {}, mayRefuse: () => true }

/** A client and a hop, with what is between them. */
class World {
  readonly hop = new Hop()
  readonly dead: SlotTicket[] = []
  aheadUnits = 0
  faults = 0
  readonly #money: MoneyWorld
  #session: SlotSession
  #carrier: PaySender & { isClosed: boolean }
  readonly #toHop: ClientPayMessage[] = []
  readonly #toClient: HopPayMessage[] = []
  #shown = ''

  constructor(money: MoneyWorld) {
    this.#money = money
    this.#carrier = this.#newCarrier()
    this.#session = this.#newSession()
    this.#open()
  }

  async run(one: Step): Promise<void> {
    this.#do(one)
    await settled()
  }

  #do(one: Step): void {
    switch (one.do) {
      case 'pay':
        if (this.#session.pay(one.units)) this.aheadUnits += one.units
        return
      case 'toHop':
        return this.#deliverToHop(one.count)
      case 'toClient':
        return this.#deliverToClient(one.count)
      case 'refuse':
        this.hop.refuses = 1
        return
      case 'die':
        return this.#die()
    }
  }

  /** Lets everything arrive. */
  async drain(): Promise<void> {
    while (this.#toHop.length + this.#toClient.length > 0) {
      this.#deliverToHop(1)
      this.#deliverToClient(1)
      await settled()
    }
  }

  #deliverToHop(count: number): void {
    for (const message of this.#toHop.splice(0, count)) {
      if (message.kind === PAY.SHOW) this.#shown = toHex(message.opening.nullifier)
      this.#toClient.push(...this.hop.onMessage(message))
    }
  }

  #deliverToClient(count: number): void {
    for (const message of this.#toClient.splice(0, count)) this.#session.onPay(message)
  }

  #die(): void {
    let nullifier = this.#shown
    for (const message of this.#toHop.splice(0)) {
      if (message.kind === PAY.SHOW) nullifier = toHex(message.opening.nullifier)
      if (message.kind === PAY.TICKET) this.dead.push({ nullifier, ticket: message })
    }
    // Who does not hear of a refusal has paid for all that he knows.
    this.dead.push(...this.#toClient.splice(0).flatMap((said) => this.hop.refused.get(said) ?? []))
    this.#carrier.isClosed = true
    this.#session.onClosed()
    this.#carrier = this.#newCarrier()
    this.#session = this.#newSession()
    this.#open()
  }

  #newCarrier() {
    const carrier = {
      isClosed: false,
      send: (messages: readonly ClientPayMessage[]): void => {
        if (!carrier.isClosed) this.#toHop.push(...messages)
      },
    }
    return carrier
  }

  #newSession(): SlotSession {
    const tariff = { provider: PROVIDER, priceStep: PRICE_STEP, unitPrice: PRICE }
    const session: SlotSession = createSlotSession(
      { ...this.#money.sessionDeps, records: BELIEVING },
      { key: HOP, use: 'link', tariff },
      {
        onReady() {},
        onVoid: (units) => void (this.aheadUnits -= units),
        onSlotOver: (_why, isInUse) => {
          if (isInUse && session === this.#session) this.#open()
        },
        onFault: () => void this.faults++,
      },
    )
    return session
  }

  #open(): void {
    // A carrier that dies meanwhile ends it.
    this.#session.open(this.#carrier, NEVER).catch(() => {})
  }
}

async function settled(): Promise<void> {
  await new Promise(setImmediate)
}

/** What the ledger has after all events, and whether it is sound. */
async function ledgerOf(money: MoneyWorld) {
  await money.spending.flush()
  const ledger = createLedger('client')
  const amount = 10n ** 30n
  ledger.post({ id: 'in', atMs: 0, type: 'purse-received', amount })
  ledger.post({ id: 'deposit', atMs: 0, type: 'deposited', amount })
  for (const event of money.events) assert.equal(ledger.post(event).type, 'posted')
  return ledger
}

test('client and hop agree on every ticket, whatever is under way when a slot fills or a carrier dies', async () => {
  let fullSlots = 0
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 20, maxLength: 150 }), async (steps) => {
      const money = await createMoneyWorld({ slots: 60 })
      const world = new World(money)
      await world.run({ do: 'toHop', count: 1 })
      await world.run({ do: 'toClient', count: 9 })
      for (const one of steps) await world.run(one)
      await world.drain()
      const slots = [...world.hop.slots.values()]
      const full = slots.filter(({ wins }) => wins.length === POOL.winsPerSlot)
      fullSlots += full.length
      const isVoid = ({ nullifier, ticket }: SlotTicket): boolean =>
        full.some(({ opening, wins }) => {
          const last = Math.max(...wins.map(({ index }) => index))
          return toHex(opening.nullifier) === nullifier && ticket.index > last
        })
      const counted = [
        ...slots.flatMap(({ taken }) => [...taken.values()]),
        ...world.dead.filter((one) => !isVoid(one)).map(({ ticket }) => ticket),
      ]
      const worth = counted.reduce((sum, { amount }) => sum + amount, 0n)
      const ledger = await ledgerOf(money)
      const { balances } = ledger
      assert.equal(balances.total('tickets', 'sent'), BigInt(counted.length))
      assert.equal(balances.total('expected', 'spent on tickets'), worth)
      assert.equal(-balances.total('bytes', 'bought'), (worth / PRICE) * BigInt(UNIT_BYTES))
      assert.equal(BigInt(world.aheadUnits), worth / PRICE)
      assert.equal(money.spending.status.session, worth)
      assert.equal(world.faults, 0)
      assert.deepEqual(ledger.overdrafts(), [])
    }),
    { numRuns: RUNS, examples: [[manyPayments()]] },
  )
  assert.ok(fullSlots > 0, 'slots were filled')
})

/** Always with tickets under way, and a carrier that dies now and then. */
function manyPayments(): Step[] {
  return Array.from({ length: 300 }, (_, i): Step => {
    if (i % 60 === 59) return { do: 'die' }
    if (i % 3 === 2) return { do: i % 2 === 0 ? 'toHop' : 'toClient', count: 2 }
    return { do: 'pay', units: 64 }
  })
}
