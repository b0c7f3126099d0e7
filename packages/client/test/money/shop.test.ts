import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { bytesOfToken, HOLD_MS } from '@byway/protocol/payment'
import type { TokenStock } from '@byway/protocol/payment'
import { CLOSE_REASON, PAY, TOKEN_KIND } from '@byway/protocol/wire'
import { circuitError } from '../../src/engine/errors.ts'
import { moneyError } from '../../src/money/errors.ts'
import { createShop } from '../../src/money/shop.ts'
import { createHandTimers } from '../engine/hand-timers.ts'
import type { HandTimers } from '../engine/hand-timers.ts'
import { pathNode } from '../path-node.ts'

const TOKEN_BYTES = bytesOfToken(TOKEN_KIND.BANDWIDTH)

describe('the shop', () => {
  it('leaves who waits for tokens alone once it is closed, though there are tokens on the disk', async () => {
    let asked = 0
    const stock = {
      open: () => Promise.resolve(),
      refill: () => Promise.resolve(),
      closeAll: () => Promise.resolve(),
      orders: () => [],
      takeLapsed: () => 0,
      held: () => 5,
      atHand: () => 0,
      spend: () => {
        assert.ok(++asked < 100, 'asked without end')
        return undefined
      },
    } satisfies Partial<TokenStock>
    const hop = { ...pathNode(0), isExit: false }
    const shop = createShop({
      stock: stock as unknown as TokenStock,
      visit: () => Promise.resolve(),
      isLeft: () => false,
      hopsInUse: () => [],
      spending: { onTokens: () => {} },
      nowMs: () => 0,
      onFailed: () => {},
    })
    const paying = (async () => {
      while (!shop.spend(hop, TOKEN_BYTES)) await shop.restocked(hop)
    })()
    paying.catch(() => {})
    await shop.stop()
    for (let turn = 0; turn < 100; turn++) await Promise.resolve()
    assert.ok(asked < 10)
  })

  /** A shop over a stock that a visit fills, unless `fail` says otherwise. */
  function counter(
    fail: (visit: number) => Error | undefined = () => undefined,
    timers: HandTimers = createHandTimers(),
  ) {
    const held = { 1: 0, 2: 0 }
    const seen = { visits: 0, isLeft: false }
    const stock = {
      open: () => Promise.resolve(),
      refill: () => Promise.resolve(),
      orders: () => [],
      atHand: (_node: Uint8Array, kind: 1 | 2) => held[kind],
      takeLapsed: () => 0,
      held: (_node: Uint8Array, kind: 1 | 2) => held[kind],
      spend: (_node: Uint8Array, kind: 1 | 2) => {
        if (held[kind] === 0) return undefined
        held[kind]--
        const empty = new Uint8Array()
        return { kind: PAY.SPEND, tokenKind: kind, keyId: empty, nonce: empty, token: empty }
      },
    } satisfies Partial<TokenStock>
    const shop = createShop({
      stock: stock as unknown as TokenStock,
      visit: async () => {
        const error = fail(++seen.visits)
        if (error) throw error
        Object.assign(held, { 1: 4, 2: 8 })
      },
      isLeft: () => seen.isLeft,
      hopsInUse: () => [],
      spending: { onTokens: () => {} },
      nowMs: timers.nowMs,
      timers,
      onFailed: () => {
        seen.isLeft = true
      },
    })
    const hop = pathNode(0)
    /** What a tunnel does that has none left. */
    const paying = async () => {
      while (!shop.spend(hop, TOKEN_BYTES)) await shop.restocked(hop)
    }
    return { shop, hop, seen, timers, paying }
  }

  it('provides for a relay once: a hop in stock is not visited', async () => {
    const { shop, hop, seen } = counter()
    assert.equal(shop.isStocked(hop.key), false)
    await shop.provided(hop, NEVER)
    assert.equal(shop.isStocked(hop.key), true)
    await shop.provided(hop, NEVER)
    assert.equal(seen.visits, 1)
  })

  it('leaves a hop that sells nothing alone for a while, whoever asks', async () => {
    const { shop, hop, seen } = counter(() =>
      moneyError('PAYMENT_REFUSED', { verdict: 'NOT_PAID' }),
    )
    await shop.provided(hop, NEVER)
    await shop.provided(hop, NEVER)
    assert.equal(seen.visits, 1)
  })

  it('tries once more for admission when a circuit failed on the way, and no more when the exit refuses', async () => {
    const failed = circuitError(CLOSE_REASON.TIMEOUT, 2)
    const once = counter((visit) => (visit === 1 ? failed : undefined))
    const message = await once.shop.admission(once.hop, NEVER)
    assert.equal(message.tokenKind, TOKEN_KIND.ADMISSION)
    const always = counter(() => failed)
    await assert.rejects(always.shop.admission(always.hop, NEVER), { code: 'CIRCUIT_FAILED' })
    assert.equal(always.seen.visits, 2)
    const refusing = counter(() => moneyError('PAYMENT_REFUSED', { verdict: 'NOT_PAID' }))
    await assert.rejects(refusing.shop.admission(refusing.hop, NEVER), { code: 'PAYMENT_REFUSED' })
    assert.equal(refusing.seen.visits, 1)
  })

  for (const [name, error] of [
    ['the way to it breaks', circuitError(CLOSE_REASON.LINK_CLOSED)],
    ['it puts off', moneyError('PAYMENT_REFUSED', { verdict: 'TRY_LATER' })],
  ] as const) {
    it(`buys for who stands still where ${name}, long before a hop gives up who does not pay`, async () => {
      const { shop, seen, timers, paying } = counter((visit) => (visit > 6 ? undefined : error))
      shop.start()
      const paid = paying()
      await timers.pass(HOLD_MS / 2)
      await paid
      assert.equal(seen.visits, 7)
    })
  }

  it('leaves alone a hop that turns slots down, whoever stands still', async () => {
    const refusal = moneyError('PAYMENT_REFUSED', { verdict: 'SLOT_TAKEN' })
    const { shop, seen, timers, paying } = counter((visit) => (visit > 1 ? undefined : refusal))
    shop.start()
    const paid = paying()
    await timers.pass(HOLD_MS)
    assert.equal(seen.visits, 1)
    seen.isLeft = false
    await timers.pass(500)
    await paid
  })
})

const NEVER = new AbortController().signal
