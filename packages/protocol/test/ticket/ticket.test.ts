import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { nodeTicketCrypto as crypto } from '@byway/protocol/node-ticket'
import {
  type CheckedTicket,
  commitOf,
  createPool,
  createTicketChecker,
  isWin,
  type PoolTerms,
  revealOf,
  type TicketCheck,
  ticketDigest,
  type TicketTerms,
  unitPrice,
  unitsOf,
} from '@byway/protocol/ticket'
import { PRICE_STEPS, VERDICT } from '@byway/protocol/wire'
import fc from 'fast-check'
import { bytes, named, openSlot, POOL, TERMS } from './ticket-world.ts'

const PRICE = unitPrice(POOL, 4)
const { opening, sessionSecret } = openSlot(0, 0)
const CHECK: TicketCheck = {
  pool: POOL,
  provider: bytes('22'.repeat(20)),
  nullifier: opening.nullifier,
  price: PRICE,
  sessionKey: opening.sessionKey,
}
const reveal = revealOf(crypto, crypto.hmacKey(named('k')), opening.nullifier, 3)
const ticket: TicketTerms = {
  index: 3,
  amount: 2n * PRICE,
  commit: commitOf(crypto, reveal),
  nonce: bytes('33'.repeat(16)),
}
const sign = (terms: TicketTerms, check: TicketCheck = CHECK): Uint8Array =>
  crypto.signDigest(sessionSecret, ticketDigest(crypto, check, terms))
const signature = sign(ticket)
const checkTicket = (check: TicketCheck, terms: TicketTerms, by: Uint8Array): CheckedTicket =>
  createTicketChecker(crypto, check).check(terms, by)

describe('money (SPEC §13.1)', () => {
  it('names nine prices, the first of them free', () => {
    const prices = PRICE_STEPS.map((_, step) => unitPrice(POOL, step))
    assert.deepEqual(prices, [0n, 24n, 48n, 73n, 97n, 146n, 195n, 292n, 390n])
    assert.equal(unitPrice(POOL, 9), 0n)
  })

  it('knows how many units an amount pays for', () => {
    assert.equal(unitsOf(POOL, 97n, 97n * 16n), 16)
    assert.equal(unitsOf(POOL, 1n, POOL.faceValue), 100_000)
    for (const amount of [0n, -97n, 98n, POOL.faceValue + 1n]) {
      assert.equal(unitsOf(POOL, 97n, amount), undefined)
    }
    assert.equal(unitsOf(POOL, 0n, 1n), undefined)
  })

  it('takes no terms that break its sums', () => {
    const bad: Partial<PoolTerms>[] = [
      { faceValue: 4095n },
      { faceValue: 1n << 96n },
      { winsPerSlot: 0 },
      { winsPerSlot: 33 },
      { bond: 0n },
      { bond: 30_000n },
      { unit: 0n },
      { unit: 30_000n },
      { pool: bytes('11'.repeat(19)) },
    ]
    for (const change of bad) {
      assert.throws(() => createPool(crypto, { ...TERMS, ...change }), { code: 'ASSERTION' })
    }
    assert.equal(POOL.slotValue, 250_000n)
    assert.equal(POOL.unitsPerSlot, 5)
  })
})

describe('a ticket (SPEC §13.4)', () => {
  it('of the session key is good', () => {
    const checked = checkTicket(CHECK, ticket, signature)
    assert.ok(checked.verdict === VERDICT.OK)
    assert.equal(checked.units, 2)
    assert.deepEqual(checked.digest, ticketDigest(crypto, CHECK, ticket))
  })

  const { BAD_AMOUNT, BAD_SIGNATURE } = VERDICT
  const other = openSlot(0, 1)
  const elsewhere = createPool(crypto, { ...TERMS, chainId: 1 })
  const cases: Record<string, [number, Partial<TicketTerms>, Partial<TicketCheck>]> = {
    'for another provider': [BAD_SIGNATURE, {}, { provider: bytes('23'.repeat(20)) }],
    'of another slot': [BAD_SIGNATURE, {}, { nullifier: other.opening.nullifier }],
    'of another session key': [BAD_SIGNATURE, {}, { sessionKey: other.opening.sessionKey }],
    'of another chain': [BAD_SIGNATURE, {}, { pool: elsewhere }],
    'with another index': [BAD_SIGNATURE, { index: 4 }, {}],
    'with another amount': [BAD_SIGNATURE, { amount: PRICE }, {}],
    'for another commit': [BAD_SIGNATURE, { commit: named('x') }, {}],
    'with another nonce': [BAD_SIGNATURE, { nonce: bytes('34'.repeat(16)) }, {}],
    'above V': [BAD_AMOUNT, { amount: PRICE * 1031n }, {}],
    'of no whole unit': [BAD_AMOUNT, { amount: PRICE + 1n }, {}],
    'of nothing': [BAD_AMOUNT, { amount: 0n }, {}],
    'where nothing is to pay': [BAD_AMOUNT, {}, { price: 0n }],
  }
  for (const [name, [verdict, terms, check]] of Object.entries(cases)) {
    it(`${name} is refused`, () => {
      const checked = checkTicket({ ...CHECK, ...check }, { ...ticket, ...terms }, signature)
      assert.deepEqual(checked, { verdict })
    })
  }

  it('is judged by its amount first: a signature costs the hop time', () => {
    const checked = checkTicket(CHECK, { ...ticket, amount: 1n }, new Uint8Array(65))
    assert.deepEqual(checked, { verdict: BAD_AMOUNT })
  })

  it('is judged the same after others of its slot', () => {
    const checker = createTicketChecker(crypto, CHECK)
    const next = { ...ticket, index: 4 }
    const stolen = crypto.signDigest(named('thief'), ticketDigest(crypto, CHECK, next))
    assert.equal(checker.check(ticket, signature).verdict, VERDICT.OK)
    assert.deepEqual(checker.check(next, stolen), { verdict: BAD_SIGNATURE })
    assert.deepEqual(checker.check(next, signature), { verdict: BAD_SIGNATURE })
    const second = checker.check(next, sign(next))
    assert.ok(second.verdict === VERDICT.OK)
    assert.deepEqual(second.digest, ticketDigest(crypto, CHECK, next))
  })

  it('with a bit of its signature changed is refused', () => {
    fc.assert(
      fc.property(fc.nat(65 * 8 - 1), (bit) => {
        const changed = Uint8Array.from(signature)
        changed[bit >> 3]! ^= 1 << (bit & 7)
        const checked = checkTicket(CHECK, ticket, changed)
        assert.deepEqual(checked, { verdict: BAD_SIGNATURE })
      }),
    )
  })
})

describe('the draw (SPEC §13.4)', () => {
  it('wins from the very amount at which draw · V < amount · 2^160', () => {
    const hash = fc.uint8Array({ minLength: 32, maxLength: 32 })
    fc.assert(
      fc.property(hash, hash, fc.bigInt(4096n, (1n << 96n) - 1n), (secret, digest, faceValue) => {
        const whole = Buffer.from(crypto.sha256(secret, digest)).toString('hex')
        const least = ((BigInt(`0x${whole.slice(0, 40)}`) * faceValue) >> 160n) + 1n
        assert.equal(isWin(crypto, faceValue, least, secret, digest), true)
        assert.equal(isWin(crypto, faceValue, least - 1n, secret, digest), false)
      }),
    )
  })

  for (const [units, of, draws] of [
    [1n, 1024n, 1_000_000],
    [1n, 4096n, 100_000],
    [16n, 1024n, 100_000],
    [1n, 2n, 100_000],
  ] as const) {
    it(`of ${units}/${of} of V pays V·p within 3 σ in ${draws} draws of a fixed seed`, () => {
      const amount = (POOL.faceValue * units) / of
      let wins = 0
      const seed = named(`draws ${units} ${of}`)
      const counter = new Uint8Array(4)
      const view = new DataView(counter.buffer)
      for (let i = 0; i < draws; i++) {
        view.setUint32(0, i)
        if (isWin(crypto, POOL.faceValue, amount, seed, counter)) wins++
      }
      const p = Number(amount) / Number(POOL.faceValue)
      const sigma = Math.sqrt(draws * p * (1 - p))
      assert.ok(Math.abs(wins - draws * p) <= 3 * sigma, `${wins} of ${draws}, p ${p}`)
    })
  }

  it('is sure at V and impossible at nothing', () => {
    for (let i = 0; i < 200; i++) {
      const digest = named(`digest ${i}`)
      assert.equal(isWin(crypto, POOL.faceValue, POOL.faceValue, reveal, digest), true)
      assert.equal(isWin(crypto, POOL.faceValue, 0n, reveal, digest), false)
    }
  })

  it('is exact at its edge: the least amount that wins, and one less', () => {
    const faceValue = (1n << 96n) - 1n
    for (let i = 0; i < 50; i++) {
      const digest = named(`edge ${i}`)
      const joined = Uint8Array.of(...reveal, ...digest)
      const hash = Buffer.from(crypto.sha256(joined)).toString('hex')
      const drawn = BigInt(`0x${hash.slice(0, 40)}`)
      const least = (drawn * faceValue) / (1n << 160n) + 1n
      assert.equal(isWin(crypto, faceValue, least, reveal, digest), true)
      assert.equal(isWin(crypto, faceValue, least - 1n, reveal, digest), false)
    }
  })

  it('does not win at equality, as on the chain', () => {
    const drawing = (hash: string): typeof crypto => ({ ...crypto, sha256: () => bytes(hash) })
    const [half, below] = [`80${'00'.repeat(31)}`, `7f${'ff'.repeat(31)}`]
    assert.equal(isWin(drawing(half), 2n, 1n, reveal, reveal), false)
    assert.equal(isWin(drawing(below), 2n, 1n, reveal, reveal), true)
  })

  it('cannot be ground by a provider that tries commits: the nonce comes after', () => {
    // The best of a thousand commits for one nonce wins no more often for the next one.
    const amount = POOL.faceValue / 64n
    let [ground, wins] = [0, 0]
    for (let round = 0; round < 60; round++) {
      const nonceOf = (name: string): Uint8Array => named(`${name} ${round}`).subarray(0, 16)
      const winsWith = (index: number, nonce: Uint8Array): boolean => {
        const secret = revealOf(
          crypto,
          crypto.hmacKey(named(`k${index}`)),
          opening.nullifier,
          round,
        )
        const commit = commitOf(crypto, secret)
        const digest = ticketDigest(crypto, CHECK, { index: round, amount, commit, nonce })
        return isWin(crypto, POOL.faceValue, amount, secret, digest)
      }
      let best = 0
      while (!winsWith(best, nonceOf('guessed')) && best < 1000) best++
      if (winsWith(best, nonceOf('guessed'))) ground++
      if (winsWith(best, nonceOf('fresh'))) wins++
    }
    assert.equal(ground, 60)
    assert.ok(wins <= 5, `${wins} of 60 with p = 1/64`)
  })
})
