/** Properties of buying and spending tokens over random runs (SPEC §16). */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { toHex } from '@byway/protocol/base'
import { nodeCrypto } from '@byway/protocol/node-crypto'
import { createTokenIssuer, createTokenRedeemer } from '@byway/protocol/payment'
import { PAY, VERDICT, type BuyMessage, type SpendMessage } from '@byway/protocol/wire'
import { seededBytes } from '../crypto/seeded-bytes.ts'
import { createHopDisk, ISSUE_DELAY_MS, NOON, startHop } from './token-harness.ts'

const runs = process.env['SLOW'] === '1' ? 20_000 : 300

/** Signing is taken out: the elements come back, so that thousands of purchases cost nothing. */
const echo = {
  pending: 0,
  sign: async (_key: unknown, elements: readonly Uint8Array[]) => elements,
  [Symbol.asyncDispose]: async () => {},
}

type Step =
  | { readonly type: 'pay'; readonly slot: number; readonly units: number }
  | {
      readonly type: 'buy'
      readonly slot: number
      readonly count: number
      readonly kind: 1 | 2
      readonly standing: 'mine' | 'open' | 'taken'
    }
  | { readonly type: 'wait'; readonly ms: number }
  | { readonly type: 'restart' }
  | { readonly type: 'disk'; readonly isFull: boolean }

const slot = fc.integer({ min: 0, max: 2 })
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ type: fc.constant('pay' as const), slot, units: fc.integer({ min: 1, max: 64 }) }),
  fc.record({
    type: fc.constant('buy' as const),
    slot,
    count: fc.integer({ min: 1, max: 32 }),
    kind: fc.constantFrom(1 as const, 2 as const),
    standing: fc.constantFrom('mine' as const, 'open' as const, 'taken' as const),
  }),
  fc.record({ type: fc.constant('wait' as const), ms: fc.integer({ min: 1, max: 30_000 }) }),
  fc.record({ type: fc.constant('restart' as const) }),
  fc.record({ type: fc.constant('disk' as const), isFull: fc.boolean() }),
)

test('no slot ever gets more than it paid for, whatever it asks, through restarts and full disks', async () => {
  await using hop = await startHop(createHopDisk())
  const keys = hop.keyring.keysMessage().keys
  const { tokenKeyId } = await import('@byway/protocol/payment')
  const ids = keys.map((key) => tokenKeyId(nodeCrypto, key.tokenKind, key.publicKey))
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
      const disk = createHopDisk()
      const random = seededBytes('elements')
      const start = async (nowMs: number) => {
        const issuer = createTokenIssuer({
          keyring: hop.keyring,
          signer: echo,
          hash: nodeCrypto,
          records: disk.balances,
          issueDelayMs: ISSUE_DELAY_MS,
        })
        await issuer.load(nowMs)
        return issuer
      }
      let nowMs = NOON
      let issuer = await start(nowMs)
      const paid = [0, 0, 0]
      const got = [0, 0, 0]
      const free = [0, 0, 0]
      for (const one of steps) {
        if (one.type === 'wait') nowMs += one.ms
        else if (one.type === 'disk') disk.isFull = one.isFull
        else if (one.type === 'restart') issuer = await start(nowMs)
        else if (one.type === 'pay') {
          assert.ok(issuer.credit(slotOf(one.slot), one.units, nowMs))
          paid[one.slot] = (paid[one.slot] ?? 0) + one.units
        } else {
          const message: BuyMessage = {
            kind: PAY.BUY,
            request: 1,
            tokenKind: one.kind,
            keyId: ids[one.kind - 1] ?? new Uint8Array(8),
            elements: Array.from({ length: one.count }, () => random(256)),
          }
          const before = issuer.balance(slotOf(one.slot))
          const sale = await issuer.buy(message, slotOf(one.slot), one.standing, nowMs)
          const isSold = sale.message.verdict === VERDICT.OK
          assert.equal(sale.message.signatures.length, isSold ? one.count : 0)
          assert.equal(before - issuer.balance(slotOf(one.slot)), isSold ? sale.units : 0)
          if (!isSold) continue
          assert.notEqual(one.standing, 'taken')
          got[one.slot] = (got[one.slot] ?? 0) + (one.kind === 1 ? 4 * one.count : sale.units)
          free[one.slot] = (free[one.slot] ?? 0) + (one.kind === 2 ? one.count - sale.units : 0)
        }
        for (const n of [0, 1, 2]) {
          assert.ok((got[n] ?? 0) <= (paid[n] ?? 0), `slot ${n}`)
          assert.ok((free[n] ?? 0) <= 40, `admissions of slot ${n}`)
        }
      }
    }),
    { numRuns: runs },
  )
})

test('a token is taken once in any order of spends, restarts and failing disks', async () => {
  await using hop = await startHop(createHopDisk())
  const key = hop.keyring.keysMessage().keys[0]
  const { tokenKeyId } = await import('@byway/protocol/payment')
  const keyId = tokenKeyId(nodeCrypto, 1, key?.publicKey ?? new Uint8Array())
  await fc.assert(
    fc.asyncProperty(
      fc.array(
        fc.oneof(
          fc.record({ spend: fc.integer({ min: 0, max: 9 }) }),
          fc.constantFrom({ event: 'restart' }, { event: 'full' }, { event: 'room' }),
        ),
        { maxLength: 80 },
      ),
      async (steps) => {
        const disk = createHopDisk()
        const start = () =>
          createTokenRedeemer({
            scheme: { verify: () => true },
            hash: nodeCrypto,
            keyring: hop.keyring,
            spent: disk.spent,
            random: seededBytes('set'),
          })
        let redeemer = start()
        const taken = new Set<string>()
        for (const one of steps) {
          if ('event' in one) {
            if (one.event === 'restart') redeemer = start()
            else disk.isFull = one.event === 'full'
            continue
          }
          const nonce = new Uint8Array(32).fill(one.spend)
          const message: SpendMessage = {
            kind: PAY.SPEND,
            tokenKind: 1,
            keyId,
            nonce,
            token: new Uint8Array(256),
          }
          const result = redeemer.spend(message, NOON)
          if (result.verdict !== VERDICT.OK) {
            assert.equal(result.verdict, VERDICT.SPENT)
            assert.ok(taken.has(toHex(nonce)))
            continue
          }
          if ((await result.kept) !== 'fresh') continue
          assert.ok(!taken.has(toHex(nonce)))
          taken.add(toHex(nonce))
        }
      },
    ),
    { numRuns: runs },
  )
})

function slotOf(number: number): Uint8Array {
  return new Uint8Array(32).fill(number + 1)
}
