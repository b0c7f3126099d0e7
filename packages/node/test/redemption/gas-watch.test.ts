/** Coin that runs short is told once, before it is gone, and again when there is some. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { chainError } from '@byway/chain'
import { createGasWatch, type GasState } from '../../src/redemption/gas-watch.ts'

const GWEI = 10n ** 9n
const WIN_WEI = 365_000n * GWEI

function worldOf() {
  const chain = { coin: 0n, baseFee: GWEI, isAway: false, asked: 0 }
  const told: GasState[] = []
  let nowMs = 0
  const watch = createGasWatch({
    chain: {
      async gasBalance() {
        chain.asked++
        if (chain.isAway)
          throw chainError('CHAIN_UNREACHABLE', {
            method: 'eth_getBalance',
            answers: 0,
            needed: 2,
            fault: 'timeout',
          })
        return chain.coin
      },
    },
    baseFee: async () => chain.baseFee,
    account: new Uint8Array(20),
    onChange: (state) => void told.push(state),
    nowMs: () => nowMs,
  })
  const look = async (laterMs: number): Promise<void> => {
    nowMs += laterMs
    await watch.look(AbortSignal.timeout(10_000))
  }
  return { chain, told, look, watch }
}

test('says how many wins the coin pays for, when that becomes few or many', async () => {
  const { chain, told, look, watch } = worldOf()
  for (const wins of [100n, 20n, 19n, 7n, 0n, 0n, 30n]) {
    chain.coin = wins * WIN_WEI
    await look(60_000)
  }
  assert.deepEqual(told, [
    { level: 'enough', wins: 100 },
    { level: 'low', wins: 19 },
    { level: 'none', wins: 0 },
    { level: 'enough', wins: 30 },
  ])
  chain.baseFee = 10n * GWEI
  await look(60_000)
  assert.deepEqual(watch.state, { level: 'low', wins: 3 }, 'gas that is dear makes coin short')
})

test('asks the chain once a minute, and is not misled by one that is away', async () => {
  const { chain, told, look, watch } = worldOf()
  chain.coin = 100n * WIN_WEI
  for (let second = 0; second < 120; second++) await look(1000)
  assert.ok(chain.asked <= 3)
  chain.isAway = true
  await look(60_000)
  assert.deepEqual(watch.state, { level: 'enough', wins: 100 })
  assert.equal(told.length, 1)
})
