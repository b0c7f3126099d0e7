/** A slot at its client and at its hop, joined in memory (SPEC §15.2). */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  createPayeeSlot,
  createPayerSlot,
  type PayeeSlot,
  type PayeeSlotOptions,
  type PayerSlot,
  type TicketResult,
} from '@byway/protocol/payment'
import { nodeTicketCrypto as crypto } from '@byway/protocol/node-ticket'
import { commitOf, isWin, revealOf, ticketDigest, unitPrice } from '@byway/protocol/ticket'
import {
  type CommitsMessage,
  MAX_COMMITS,
  MAX_TICKET_INDEX,
  PAY,
  type Reveal,
  type TicketMessage,
  VERDICT,
} from '@byway/protocol/wire'
import { seeded } from '../crypto/oracle/seeded.ts'
import { bytes, named, openSlot, POOL } from '../ticket/ticket-world.ts'

const PROVIDER = bytes('22'.repeat(20))
const PRICE_STEP = 4
const PRICE = unitPrice(POOL, PRICE_STEP)
const MOST_UNITS = Number(POOL.faceValue / PRICE)
const SLOT = openSlot(0, 7)
const KEY = named('key of the reveals')
const HMAC_KEY = crypto.hmacKey(KEY)
const { nullifier } = SLOT.opening

function payee(options: Partial<PayeeSlotOptions> = {}): PayeeSlot {
  const terms = { crypto, pool: POOL, provider: PROVIDER, price: PRICE }
  return createPayeeSlot(terms, {
    opening: SLOT.opening,
    key: KEY,
    firstIndex: 0,
    wins: [],
    ...options,
  })
}

function payer(seed = 'client', floor = 0, randomBytes = seeded(seed)): PayerSlot {
  const terms = { crypto, pool: POOL, provider: PROVIDER, priceStep: PRICE_STEP, randomBytes }
  return createPayerSlot(terms, { nullifier, sessionSecret: SLOT.sessionSecret, floor })
}

function commitsOf(hop: PayeeSlot): CommitsMessage {
  const message = hop.nextCommits()
  assert.ok(message)
  return message
}

function signed(client: PayerSlot, units = 1): TicketMessage {
  const ticket = client.sign(units)
  assert.ok(ticket)
  return ticket
}

/** Both ends with the first commits delivered. */
function pair(seed?: string): { client: PayerSlot; hop: PayeeSlot } {
  const [client, hop] = [payer(seed), payee()]
  assert.equal(client.onCommits(commitsOf(hop)), true)
  return { client, hop }
}

/** Pays until the hop says that the slot is full; returns every result by index. */
function payUntilFull(client: PayerSlot, hop: PayeeSlot, units: number): Map<number, TicketResult> {
  const results = new Map<number, TicketResult>()
  while (!hop.isFull) {
    const ticket = signed(client, units)
    results.set(ticket.index, hop.onTicket(ticket))
    const more = hop.nextCommits()
    if (more) assert.equal(client.onCommits(more), true)
  }
  return results
}

describe('a slot between a client and a hop (SPEC §15.2)', () => {
  it('takes tickets in order and gives the next commits before the last are used', () => {
    const { client, hop } = pair()
    assert.equal(hop.nextCommits(), undefined)
    assert.equal(client.commits, MAX_COMMITS)
    const first = signed(client)
    assert.deepEqual(
      { ...hop.onTicket(first) },
      { verdict: VERDICT.OK, units: 1, reveal: undefined, full: undefined },
    )
    assert.equal(hop.unusedCommits, MAX_COMMITS - 1)
    const more = commitsOf(hop)
    assert.equal(more.firstIndex, MAX_COMMITS)
    assert.equal(client.onCommits(more), true)
    assert.equal(client.commits, 2 * MAX_COMMITS - 1)
    assert.equal(hop.nextCommits(), undefined)
  })

  it('takes a nonce that was used before like any other: index and commit make it another draw', () => {
    const sameNonce = (count: number): Uint8Array => new Uint8Array(count).fill(7)
    const [client, hop] = [payer('', 0, sameNonce), payee()]
    assert.equal(client.onCommits(commitsOf(hop)), true)
    const tickets = Array.from({ length: 3 }, () => signed(client))
    assert.equal(new Set(tickets.map(({ nonce }) => nonce.join())).size, 1)
    for (const ticket of tickets) {
      const result = hop.onTicket(ticket)
      assert.deepEqual([result.verdict, 'units' in result && result.units], [VERDICT.OK, 1])
      assert.equal(hop.onTicket(ticket).verdict, VERDICT.BAD_INDEX)
    }
    // Under another index it is not what was signed.
    const moved = { ...tickets[0], index: 3 } as TicketMessage
    assert.equal(hop.onTicket(moved).verdict, VERDICT.BAD_SIGNATURE)
  })

  it('draws with one nonce for all tickets win as often as any', () => {
    const nonce = new Uint8Array(16).fill(7)
    const amount = POOL.faceValue / 4n
    const draws = 4096
    let wins = 0
    for (let index = 0; index < draws; index++) {
      const reveal = revealOf(crypto, HMAC_KEY, nullifier, index)
      const commit = commitOf(crypto, reveal)
      const scope = { pool: POOL, provider: PROVIDER, nullifier }
      const digest = ticketDigest(crypto, scope, { index, amount, commit, nonce })
      if (isWin(crypto, POOL.faceValue, amount, reveal, digest)) wins++
    }
    const deviation = Math.sqrt((draws * 3) / 16)
    assert.ok(Math.abs(wins - draws / 4) <= 3 * deviation, `${wins}`)
  })

  it('ends after K wins, each of which the client can check', () => {
    const { client, hop } = pair()
    const results = payUntilFull(client, hop, 200)
    const wins = [...results].filter(([, result]) => 'reveal' in result && result.reveal)
    assert.equal(wins.length, POOL.winsPerSlot)
    const last = [...results.values()].at(-1)
    assert.ok(last?.verdict === VERDICT.OK && last.full)
    assert.deepEqual(
      last.full.reveals.map(({ index }) => index),
      wins.map(([index]) => index),
    )
    assert.deepEqual(client.onFull(last.full), { isTrue: true, unchecked: 0, late: [] })
    assert.deepEqual(hop.fullMessage(), last.full)
    assert.equal(hop.nextCommits(), undefined)
    assert.deepEqual(hop.onTicket(signed(client)), { verdict: VERDICT.SLOT_USED })
  })

  it('takes a gap, and never an index at or below the last one used', () => {
    const { client, hop } = pair()
    const [a, b, c] = [signed(client), signed(client), signed(client)]
    assert.equal(hop.onTicket(b).verdict, VERDICT.OK)
    assert.equal(hop.onTicket(a).verdict, VERDICT.BAD_INDEX)
    assert.equal(hop.onTicket(b).verdict, VERDICT.BAD_INDEX)
    assert.equal(hop.onTicket(c).verdict, VERDICT.OK)
    assert.equal(hop.unusedCommits, MAX_COMMITS - 3)
  })

  it('goes on after a restart of the hop: old indices are gone, wins are not', () => {
    const { client, hop } = pair()
    let results: TicketResult | undefined
    do {
      results = hop.onTicket(signed(client, MOST_UNITS))
    } while (results.verdict !== VERDICT.OK || !results.reveal)
    const stale = signed(client)
    const reveal = results.reveal
    const wins: Reveal[] = [{ index: stale.index - 1, reveal }]
    const restarted = payee({ firstIndex: MAX_COMMITS, wins })
    assert.equal(restarted.onTicket(stale).verdict, VERDICT.BAD_INDEX)
    const again = payer('client again', stale.index + 1)
    assert.equal(again.onCommits(commitsOf(restarted)), true)
    const ends = payUntilFull(again, restarted, MOST_UNITS)
    assert.equal(restarted.fullMessage()?.reveals.length, POOL.winsPerSlot)
    const full = restarted.fullMessage()
    assert.ok(full && ends.size > 0)
    // The first win was a ticket of an earlier life.
    assert.deepEqual(again.onFull(full), { isTrue: true, unchecked: 1, late: [] })
  })

  it('gives a slot that was full before nothing to pay with', () => {
    const wins = Array.from({ length: POOL.winsPerSlot }, (_, index) => ({ index, reveal: KEY }))
    const full = payee({ firstIndex: 64, wins })
    assert.equal(full.isFull, true)
    assert.equal(full.nextCommits(), undefined)
    assert.equal(full.fullMessage()?.reveals.length, POOL.winsPerSlot)
  })

  it('ends at the last index there is', () => {
    const hop = payee({ firstIndex: MAX_TICKET_INDEX - 1 })
    const commits = commitsOf(hop)
    assert.equal(commits.commits.length, 2)
    const client = payer()
    assert.equal(client.onCommits(commits), true)
    assert.equal(hop.onTicket(signed(client)).verdict, VERDICT.OK)
    assert.equal(hop.nextCommits(), undefined)
  })
})

describe('a hop (SPEC §15.6)', () => {
  const { client, hop } = pair('bad tickets')
  const good = signed(client, 2)
  const forge = (change: Partial<TicketMessage>, by = SLOT.sessionSecret): TicketMessage => {
    const ticket = { ...good, ...change }
    const commit = crypto.sha256(revealOf(crypto, HMAC_KEY, nullifier, ticket.index))
    const scope = { pool: POOL, provider: PROVIDER, nullifier }
    const digest = ticketDigest(crypto, scope, { ...ticket, commit })
    return { ...ticket, signature: crypto.signDigest(by, digest) }
  }
  const otherProvider = { pool: POOL, provider: bytes('23'.repeat(20)), nullifier }
  const commitOfGood = crypto.sha256(revealOf(crypto, HMAC_KEY, nullifier, good.index))
  const forOther = crypto.signDigest(
    SLOT.sessionSecret,
    ticketDigest(crypto, otherProvider, { ...good, commit: commitOfGood }),
  )
  const cases: Record<string, [TicketMessage, number]> = {
    'above V': [forge({ amount: PRICE * BigInt(MOST_UNITS + 1) }), VERDICT.BAD_AMOUNT],
    'of half a unit': [forge({ amount: PRICE / 2n }), VERDICT.BAD_AMOUNT],
    'of nothing': [forge({ amount: 0n }), VERDICT.BAD_AMOUNT],
    'without a commit': [forge({ index: MAX_COMMITS }), VERDICT.BAD_INDEX],
    'of another key': [forge({}, named('thief')), VERDICT.BAD_SIGNATURE],
    'for another provider': [{ ...good, signature: forOther }, VERDICT.BAD_SIGNATURE],
    'with another amount': [{ ...good, amount: PRICE }, VERDICT.BAD_SIGNATURE],
    'with another nonce': [{ ...good, nonce: bytes('00'.repeat(16)) }, VERDICT.BAD_SIGNATURE],
    'for another index': [{ ...good, index: good.index + 1 }, VERDICT.BAD_SIGNATURE],
  }
  for (const [name, [ticket, verdict]] of Object.entries(cases)) {
    it(`refuses a ticket ${name}, and takes the good one after it`, () => {
      assert.deepEqual(hop.onTicket(ticket), { verdict })
      assert.equal(hop.unusedCommits, MAX_COMMITS)
    })
  }

  it('takes the good one after all of them', () => {
    assert.equal(hop.onTicket(good).verdict, VERDICT.OK)
  })

  it('refuses another key after the first good ticket too', () => {
    const next = signed(client)
    const stolen = forge({ index: next.index, nonce: next.nonce, amount: next.amount }, KEY)
    assert.deepEqual(hop.onTicket(stolen), { verdict: VERDICT.BAD_SIGNATURE })
    assert.equal(hop.onTicket(next).verdict, VERDICT.OK)
  })

  it('never gives the commits of one index twice', () => {
    const slot = payee()
    const seen = new Set<string>()
    const other = payer('many')
    for (let batch = 0; batch < 5; batch++) {
      const message = commitsOf(slot)
      for (const commit of message.commits) seen.add(Buffer.from(commit).toString('hex'))
      assert.equal(other.onCommits(message), true)
      for (let i = 0; i < MAX_COMMITS && !slot.isFull; i++) slot.onTicket(signed(other))
    }
    assert.equal(seen.size, 5 * MAX_COMMITS)
  })
})

describe('a client', () => {
  it('signs no index twice, and nothing without a commit', () => {
    const { client } = pair()
    const seen = new Set<number>()
    for (let i = 0; i < MAX_COMMITS; i++) seen.add(signed(client).index)
    assert.equal(seen.size, MAX_COMMITS)
    assert.equal(client.sign(1), undefined)
    assert.equal(client.nextIndex, undefined)
  })

  it('draws a fresh nonce for each ticket', () => {
    const { client } = pair()
    const nonces = Array.from({ length: MAX_COMMITS }, () => signed(client).nonce.join())
    assert.equal(new Set(nonces).size, MAX_COMMITS)
  })

  it('draws the nonce when it signs, after the commit has come: who grinds commits meets another luck (SPEC §13.4)', () => {
    const hop = payee()
    const commits = commitsOf(hop)
    let drawn = 0
    const random = seeded('one life')
    const counted = (count: number): Uint8Array => {
      drawn++
      return random(count)
    }
    const terms = { crypto, pool: POOL, provider: PROVIDER, priceStep: PRICE_STEP }
    const slot = { nullifier, sessionSecret: SLOT.sessionSecret, floor: 0 }
    const one = createPayerSlot({ ...terms, randomBytes: counted }, slot)
    const other = payer('another life')
    one.onCommits(commits)
    other.onCommits(commits)
    assert.equal(drawn, 0, 'nothing that the commits could have been made for')
    const [first, second] = [signed(one), signed(other)]
    assert.equal(drawn, 1)
    assert.notDeepEqual(first.nonce, second.nonce)
  })

  it('gains a hop nothing that gives one commit out twice: each ticket has a nonce of its own', () => {
    const client = payer()
    const { commits, ...rest } = commitsOf(payee())
    const [commit = new Uint8Array(32)] = commits
    assert.equal(client.onCommits({ ...rest, commits: commits.map(() => commit) }), true)
    const nonces = commits.map(() => signed(client).nonce.join())
    assert.equal(new Set(nonces).size, commits.length)
  })

  it('signs nothing below its floor: that may have been signed in an earlier life', () => {
    const client = payer('floor', 10)
    client.onCommits(commitsOf(payee()))
    assert.equal(client.commits, MAX_COMMITS - 10)
    assert.equal(client.nextIndex, 10)
  })

  it('signs no amount that a hop would refuse', () => {
    const { client } = pair()
    for (const units of [0, -1, MOST_UNITS + 1]) assert.equal(client.sign(units), undefined)
    assert.equal(client.nextIndex, 0)
  })

  it('takes commits in order, for its slot, and no more than it can use', () => {
    const hop = payee()
    const first = commitsOf(hop)
    const client = payer()
    assert.equal(client.onCommits({ ...first, nullifier: KEY }), false)
    assert.equal(client.onCommits(first), true)
    assert.equal(client.onCommits(first), false)
    assert.equal(client.onCommits({ ...first, firstIndex: MAX_COMMITS - 1 }), false)
    assert.equal(client.onCommits({ ...first, firstIndex: MAX_COMMITS }), true)
    assert.equal(client.onCommits({ ...first, firstIndex: 2 * MAX_COMMITS }), false)
    assert.equal(client.commits, 2 * MAX_COMMITS)
  })

  it('knows when a hop asks more than its descriptor says', () => {
    const client = payer()
    const shown = {
      kind: PAY.SHOWN,
      verdict: VERDICT.OK,
      nullifier,
      provider: PROVIDER,
      priceStep: PRICE_STEP,
    } as const
    assert.equal(client.isAsSaid(shown), true)
    assert.equal(client.isAsSaid({ ...shown, priceStep: PRICE_STEP + 1 }), false)
    assert.equal(client.isAsSaid({ ...shown, provider: KEY.subarray(0, 20) }), false)
    assert.equal(client.isAsSaid({ ...shown, nullifier: KEY }), false)
  })

  it('gets the units of a refused ticket back, once', () => {
    const { client } = pair()
    const ticket = signed(client, 16)
    assert.equal(client.onRefused(ticket.index)?.units, 16)
    assert.equal(client.onRefused(ticket.index), undefined)
    assert.equal(client.onRefused(12345), undefined)
  })

  it('sees through a hop that ends a slot before its wins', () => {
    const { client, hop } = pair()
    payUntilFull(client, hop, 200)
    const full = hop.fullMessage()
    assert.ok(full)
    const [one, two] = full.reveals
    assert.ok(one && two)
    const lies: readonly (readonly Reveal[])[] = [
      [one],
      [one, { ...two, reveal: KEY }],
      [one, { index: two.index, reveal: one.reveal }],
    ]
    for (const reveals of lies) {
      assert.deepEqual(client.onFull({ ...full, reveals }), { isTrue: false })
    }
    assert.deepEqual(client.onFull({ ...full, nullifier: KEY }), { isTrue: false })
    assert.deepEqual(client.onFull(full), { isTrue: true, unchecked: 0, late: [] })
  })

  it('sees through a hop that makes up a reveal with which the ticket would win', () => {
    const { client, hop } = pair('made up')
    const tickets = [signed(client, 400), signed(client, 400)]
    for (const ticket of tickets) hop.onTicket(ticket)
    const reveals = tickets.map(({ index, amount, nonce }) => {
      const commit = crypto.sha256(revealOf(crypto, HMAC_KEY, nullifier, index))
      const scope = { pool: POOL, provider: PROVIDER, nullifier }
      const digest = ticketDigest(crypto, scope, { index, amount, commit, nonce })
      for (let i = 0; ; i++) {
        const reveal = named(`made up ${i}`)
        if (isWin(crypto, POOL.faceValue, amount, reveal, digest)) return { index, reveal }
      }
    })
    const lie = { kind: PAY.SLOT_FULL, nullifier, reveals } as const
    assert.deepEqual(client.onFull(lie), { isTrue: false })
  })

  it('sees through a hop that shows the true reveal of a ticket that lost', () => {
    const { client, hop } = pair('losers')
    const tickets = Array.from({ length: 4 }, () => signed(client))
    for (const ticket of tickets) hop.onTicket(ticket)
    const reveals = tickets.map(({ index }) => {
      return { index, reveal: revealOf(crypto, HMAC_KEY, nullifier, index) }
    })
    const losers = reveals.filter(({ index, reveal }) => {
      const { amount, nonce } = tickets[index]!
      const commit = crypto.sha256(reveal)
      const scope = { pool: POOL, provider: PROVIDER, nullifier }
      const digest = ticketDigest(crypto, scope, { index, amount, commit, nonce })
      return !isWin(crypto, POOL.faceValue, amount, reveal, digest)
    })
    const two = losers.slice(0, 2)
    assert.equal(two.length, 2)
    const lie = { kind: PAY.SLOT_FULL, nullifier, reveals: two } as const
    assert.deepEqual(client.onFull(lie), { isTrue: false })
  })
})
