/** A hop's slot against a simple model of it, over any order of good and bad tickets and restarts (SPEC §15.2). */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createPayeeSlot, type PayeeSlot } from '@byway/protocol/payment'
import { nodeTicketCrypto as crypto } from '@byway/protocol/node-ticket'
import { isWin, revealOf, ticketDigest, unitPrice } from '@byway/protocol/ticket'
import { MAX_COMMITS, PAY, type Reveal, type TicketMessage, VERDICT } from '@byway/protocol/wire'
import fc from 'fast-check'
import { bytes, named, openSlot, POOL } from '../ticket/ticket-world.ts'

const RUNS = process.env['SLOW'] === '1' ? 3000 : 60
const PROVIDER = bytes('22'.repeat(20))
const PRICE = unitPrice(POOL, 4)
const KEY = named('key of the reveals')
const HMAC_KEY = crypto.hmacKey(KEY)
const SLOT = openSlot(1, 9)
const { nullifier } = SLOT.opening
const scope = { pool: POOL, provider: PROVIDER, nullifier }

type Fault = 'none' | 'amount' | 'key' | 'bit' | 'commit'
type Step =
  | { readonly do: 'ticket'; readonly ahead: number; readonly units: number; readonly fault: Fault }
  | { readonly do: 'replay'; readonly back: number }
  | { readonly do: 'commits' }
  | { readonly do: 'restart' }

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant('ticket' as const),
      ahead: fc.integer({ min: -3, max: 70 }),
      units: fc.constantFrom(1, 16, 400, 1030),
      fault: fc.constantFrom<Fault>('none', 'none', 'none', 'amount', 'key', 'bit', 'commit'),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('replay' as const), back: fc.nat(5) }) },
  { weight: 3, arbitrary: fc.constant({ do: 'commits' as const }) },
  { weight: 1, arbitrary: fc.constant({ do: 'restart' as const }) },
)

function open(firstIndex: number, wins: readonly Reveal[]): PayeeSlot {
  const terms = { crypto, pool: POOL, provider: PROVIDER, price: PRICE }
  return createPayeeSlot(terms, { opening: SLOT.opening, key: KEY, firstIndex, wins })
}

function make(index: number, units: number, fault: Fault, serial: number): TicketMessage {
  const amount = PRICE * BigInt(units) + (fault === 'amount' ? 1n : 0n)
  const nonce = named(`nonce ${serial}`).slice(0, 16)
  const reveal = revealOf(crypto, HMAC_KEY, nullifier, index)
  const commit = fault === 'commit' ? named('another') : crypto.sha256(reveal)
  const digest = ticketDigest(crypto, scope, { index, amount, commit, nonce })
  const secret = fault === 'key' ? named('thief') : SLOT.sessionSecret
  const signature = crypto.signDigest(secret, digest)
  if (fault === 'bit') signature[serial % 65]! ^= 1 << (serial % 8)
  return { kind: PAY.TICKET, index, amount, nonce, signature }
}

function doesWin({ index, amount, nonce }: TicketMessage): boolean {
  const reveal = revealOf(crypto, HMAC_KEY, nullifier, index)
  const commit = crypto.sha256(reveal)
  const digest = ticketDigest(crypto, scope, { index, amount, commit, nonce })
  return isWin(crypto, POOL.faceValue, amount, reveal, digest)
}

test('takes exactly the good tickets, each index once over restarts, and at most K wins', () => {
  fc.assert(
    fc.property(fc.array(step, { minLength: 1, maxLength: 60 }), (steps) => {
      let hop = open(0, [])
      let [issued, used] = [0, 0]
      const wins: Reveal[] = []
      const taken: TicketMessage[] = []
      const give = (ticket: TicketMessage, isGood: boolean): void => {
        const isInTime = ticket.index >= used && ticket.index < issued
        const isTaken = isGood && isInTime && wins.length < POOL.winsPerSlot
        const result = hop.onTicket(ticket)
        assert.equal(result.verdict === VERDICT.OK, isTaken)
        if (result.verdict !== VERDICT.OK) return
        assert.equal(BigInt(result.units) * PRICE, ticket.amount)
        assert.equal(result.reveal !== undefined, doesWin(ticket))
        if (result.reveal) wins.push({ index: ticket.index, reveal: result.reveal })
        assert.equal(result.full !== undefined, wins.length === POOL.winsPerSlot)
        assert.ok(!taken.some(({ index }) => index === ticket.index))
        taken.push(ticket)
        used = ticket.index + 1
      }
      for (const [serial, one] of steps.entries()) {
        if (one.do === 'commits') {
          const message = hop.nextCommits()
          const isDue = issued - used < MAX_COMMITS && wins.length < POOL.winsPerSlot
          assert.equal(message !== undefined, isDue)
          if (message) assert.equal(message.firstIndex, issued)
          issued += message?.commits.length ?? 0
        } else if (one.do === 'restart') {
          hop = open(issued, wins)
          used = issued
        } else if (one.do === 'replay') {
          const old = taken.at(-1 - one.back)
          if (old) give(old, true)
        } else {
          const index = Math.max(0, used + one.ahead)
          give(make(index, one.units, one.fault, serial), one.fault === 'none')
        }
        assert.ok(hop.unusedCommits === issued - used)
      }
      assert.ok(wins.length <= POOL.winsPerSlot)
    }),
    { numRuns: RUNS },
  )
})
