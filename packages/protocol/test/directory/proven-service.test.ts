import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import fc from 'fast-check'
import { PROVEN_WINDOW_EPOCHS, provenService, type ProvenEpoch } from '@byway/protocol/directory'

const WIN = 100_000n
const NOW = 20
/** Burned for a hundred wins at 5 %. */
const HUNDRED_WINS = 5n * WIN

const epochs = (...fees: readonly bigint[]): readonly ProvenEpoch[] =>
  fees.map((each, i) => ({ epoch: NOW - fees.length - i, fees: each }))

suite('weight of proven service (SPEC §10.3)', () => {
  test('the fees of a hundred wins add half, and nothing adds more than a whole', () => {
    const half = HUNDRED_WINS / 2n
    assert.deepEqual(provenService(epochs(half, half), NOW, WIN), {
      epochs: 2,
      fees: HUNDRED_WINS,
      factor: 1.5,
    })
    assert.equal(provenService([], NOW, WIN).factor, 1)
    const endless = Array.from({ length: 30 }, (_, i) => ({ epoch: NOW - i, fees: 10n ** 30n }))
    assert.ok(provenService(endless, NOW, WIN).factor < 2)
  })

  test('one burst adds a third at most, whatever was burned', () => {
    assert.equal(provenService(epochs(10n ** 30n), NOW, WIN).factor, 4 / 3)
  })

  test('what was proven eight epochs ago, or is said of a time to come, counts for nothing', () => {
    const old = { epoch: NOW - PROVEN_WINDOW_EPOCHS, fees: HUNDRED_WINS }
    const future = { epoch: NOW + 1, fees: HUNDRED_WINS }
    assert.deepEqual(provenService([old, future], NOW, WIN), { epochs: 0, fees: 0n, factor: 1 })
    assert.equal(provenService([{ ...old, epoch: old.epoch + 1 }], NOW, WIN).epochs, 1)
  })

  test('a wins value of nothing is worth nothing', () => {
    assert.equal(provenService(epochs(1n), NOW, 0n).factor, 1)
  })
})

const burned = fc.array(
  fc.array(fc.bigInt(0n, 40n * WIN), { maxLength: PROVEN_WINDOW_EPOCHS - 1 }),
  { maxLength: 12 },
)

test('each part of weight costs burned fees, however they are spread over nodes and epochs', () => {
  fc.assert(
    fc.property(burned, (nodes) => {
      const gained = nodes.reduce(
        (sum, fees) => sum + provenService(epochs(...fees), NOW, WIN).factor - 1,
        0,
      )
      const paid = nodes.flat().reduce((sum, fees) => sum + fees, 0n)
      // Five wins' values for a node's whole weight: whoever pays himself gets the wins back, and never this part.
      assert.ok(gained <= Number(paid) / Number(5n * WIN) + 1e-9, `${gained} for ${paid}`)
    }),
    { numRuns: 500 },
  )
})

test('more fees never weigh less', () => {
  fc.assert(
    fc.property(fc.bigInt(0n, 9n * WIN), fc.bigInt(0n, 9n * WIN), (some, more) => {
      const before = provenService(epochs(some), NOW, WIN).factor
      assert.ok(provenService(epochs(some + more), NOW, WIN).factor >= before)
      assert.ok(provenService(epochs(some, more), NOW, WIN).factor >= before)
    }),
  )
})
