/** The chain goes away, gas becomes dear, a nonce goes missing (SECURITY R17, R19): nothing is lost, nothing is paid twice. */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { chainError } from '@byway/chain'
import { toHex } from 'viem'
import { keyOf } from '../../../../contracts/test/kit/keys.ts'
import { startHostileProxy } from '../../../chain/test/support/hostile-proxy.ts'
import {
  GWEI,
  openProvider,
  settingsOf,
  startRedeemingWorld,
  statesOf,
  untilLocked,
} from './redeeming-world.ts'

const HOUR_MS = 3_600_000

const world = await startRedeemingWorld()
const { scene } = world
const { rpc } = scene.world
after(() => world[Symbol.asyncDispose]())
const NET = (scene.world.profile.winValue * 90n) / 100n
/** Beyond what a patient bind may cost, 35 gwei, within what an urgent one may, 145. */
const DEAR = 60n * GWEI
const mine = (): Promise<void> => world.mine(1)

async function richProvider(name: string) {
  const key = await scene.provider(name)
  await rpc.request('anvil_setBalance', key.address, toHex(10n ** 21n))
  return key
}

test('the chain is away for an hour: wins wait on the disk, and are paid once it is back', async (t) => {
  const key = await richProvider('away')
  const slots = await scene.slots('away payer', 4)
  const proxy = await startHostileProxy(t, rpc.url)
  let nowMs = Date.now()
  const settings = { ...settingsOf(world, 'away'), url: proxy.url }
  await using provider = await openProvider(settings, { nowMs: () => nowMs })
  const add = async (at: number): Promise<void> => {
    const slot = slots[at] ?? assert.fail()
    await provider.store.winners.add(world.winner(slot, key, 1, nowMs))
  }
  await add(0)
  // It goes away between a lock that was sent and the rest.
  await provider.redemption.look(world.signal)
  proxy.manner = { type: 'hang-up' }
  for (const at of [1, 2, 3]) {
    await add(at)
    nowMs += HOUR_MS / 3
    const status = await provider.redemption.look(world.signal)
    assert.deepEqual(status, { open: at + 1, deadlineS: undefined, isChainAway: true })
  }
  assert.deepEqual(provider.alerts, [{ type: 'chain-unreachable' }])
  await rpc.pass(HOUR_MS / 1000)
  proxy.manner = { type: 'honest' }
  await provider.until(async () => statesOf(await provider.winners())['done'] === 4, mine)
  assert.equal(await scene.credit(key.address), 4n * NET)
})

test('gas becomes ten times too dear: a later win waits until it is cheap again', async () => {
  const key = await richProvider('dear')
  const [slot] = await scene.slots('dear payer', 1)
  if (!slot) assert.fail()
  const setBaseFee = (wei: bigint): Promise<unknown> =>
    rpc.request('anvil_setNextBlockBaseFeePerGas', toHex(wei))
  await using provider = await openProvider(settingsOf(world, 'dear'))
  await provider.store.winners.add(world.winner(slot, key, 1))
  await provider.until(async () => statesOf(await provider.winners())['done'] === 1, mine)
  await provider.store.winners.add(world.winner(slot, key, 2))
  // A claim may cost 3 % of a win in 50 300 gas; the price of the coin makes that 59 gwei.
  await setBaseFee(650n * GWEI)
  await mine()
  await provider.redemption.look(world.signal)
  assert.deepEqual(statesOf(await provider.winners()), { done: 1, received: 1 })
  assert.deepEqual(provider.alerts, [{ type: 'gas-dear', winners: 1 }])
  await setBaseFee(GWEI)
  await mine()
  await provider.until(async () => statesOf(await provider.winners())['done'] === 2, mine)
  assert.equal(await scene.credit(key.address), 2n * NET)
})

test('at the start values a win alone is bound while its lock is young', async () => {
  const key = await richProvider('usual')
  const [slot] = await scene.slots('usual payer', 1)
  if (!slot) assert.fail()
  // A win of 0.1, a coin of 3000, 0.01 gwei.
  const usual = async (): Promise<void> => {
    await rpc.request('anvil_setNextBlockBaseFeePerGas', toHex(GWEI / 100n))
    await mine()
  }
  await usual()
  const coinPrice = 3000n * 10n ** 18n
  await using provider = await openProvider(settingsOf(world, 'usual'), { coinPrice })
  await provider.store.winners.add(world.winner(slot, key, 1))
  await provider.until(async () => statesOf(await provider.winners())['done'] === 1, usual)
  assert.deepEqual(provider.alerts, [])
})

test('gas becomes sixty times as dear after a bind was sent: when its lock runs out it costs more, and is paid', async (t) => {
  t.after(() => rpc.request('evm_setAutomine', true))
  const key = await richProvider('overtaken')
  const [slot] = await scene.slots('overtaken payer', 1)
  if (!slot) assert.fail()
  const setBaseFee = (wei: bigint): Promise<unknown> =>
    rpc.request('anvil_setNextBlockBaseFeePerGas', toHex(wei))
  const mineAt = async (wei: bigint): Promise<void> => (await setBaseFee(wei), mine())
  const settings = settingsOf(world, 'overtaken')
  await mineAt(GWEI)
  {
    await using provider = await openProvider(settings)
    await provider.store.winners.add(world.winner(slot, key, 1))
    await untilLocked(world, provider, slot, () => mineAt(GWEI))
    await rpc.request('evm_setAutomine', false)
    await provider.redemption.look(world.signal)
    assert.deepEqual(statesOf(await provider.winners()), { sent: 1 })
  }
  await mineAt(DEAR)
  await rpc.pass((scene.world.profile.lockDuration * 3) / 4)
  // It goes on after a restart, and with each dear block.
  await using provider = await openProvider(settings)
  await provider.until(
    async () => statesOf(await provider.winners())['done'] === 1,
    () => mineAt(DEAR),
  )
  await setBaseFee(GWEI)
  assert.equal(await scene.credit(key.address), NET)
})

test('a win whose lock runs out is told, and that it is over once it was bound', async () => {
  const key = await richProvider('late')
  const [slot] = await scene.slots('late payer', 1)
  if (!slot) assert.fail()
  const policy = { bindWaitMs: 1e9 }
  await using provider = await openProvider(settingsOf(world, 'late'), { policy })
  await provider.store.winners.add(world.winner(slot, key, 1))
  await untilLocked(world, provider, slot, mine)
  await provider.redemption.look(world.signal)
  assert.deepEqual(provider.alerts, [])
  const { lockDuration } = scene.world.profile
  const deadlineS = (await scene.word(slot.nullifier)).time + lockDuration
  await rpc.pass((lockDuration * 3) / 4)
  await provider.until(async () => statesOf(await provider.winners())['done'] === 1, mine)
  assert.deepEqual(provider.alerts, [{ type: 'win-at-risk', winners: 1, deadlineS }])
  assert.deepEqual(provider.over, ['win-at-risk'])
})

test('a stake that holds no lock is told, and the win is bound without one', async () => {
  const key = await richProvider('unbonding')
  const owner = keyOf('unbonding owner').address
  await rpc.send(owner, scene.world.inRegistry('unbond', key.address))
  const [slot] = await scene.slots('unbonding payer', 1)
  if (!slot) assert.fail()
  await using provider = await openProvider(settingsOf(world, 'unbonding'))
  await provider.store.winners.add(world.winner(slot, key, 1))
  await provider.until(async () => statesOf(await provider.winners())['done'] === 1, mine)
  assert.deepEqual(provider.alerts, [{ type: 'stake-low' }])
})

test('a chain that is away in the moment in which a lock has landed makes nobody forget it: the stake held none, and the win is bound without', async () => {
  const key = await richProvider('leaving')
  const owner = keyOf('leaving owner').address
  await rpc.send(owner, scene.world.inRegistry('unbond', key.address))
  const [slot] = await scene.slots('leaving payer', 1)
  if (!slot) assert.fail()
  let failures = 0
  await using provider = await openProvider(settingsOf(world, 'leaving'), {
    viewOver: (view) => ({
      ...view,
      async eventsOf(transaction, signal) {
        if (failures++ > 0) return await view.eventsOf(transaction, signal)
        const fault = 'timeout'
        throw chainError('CHAIN_UNREACHABLE', { method: 'eth_call', answers: 0, needed: 1, fault })
      },
    }),
  })
  await provider.store.winners.add(world.winner(slot, key, 1))
  await provider.until(async () => statesOf(await provider.winners())['done'] === 1, mine)
  assert.deepEqual(
    provider.alerts.map(({ type }) => type),
    ['chain-unreachable', 'stake-low'],
  )
  assert.equal(await scene.credit(key.address), NET)
})

test('a transaction that never reached the chain leaves no gap that stops the rest', async () => {
  const key = await richProvider('gap')
  const [first, second] = await scene.slots('gap payer', 2)
  if (!first || !second) assert.fail()
  const settings = settingsOf(world, 'gap')
  {
    await using provider = await openProvider(settings)
    await provider.store.winners.add(world.winner(first, key, 1))
    await rpc.request('evm_setAutomine', false)
    await provider.redemption.look(world.signal)
    const [lock] = await provider.store.transactions.pending(provider.lane.account)
    assert.ok(lock)
    await rpc.request('anvil_dropTransaction', lock.forms[0]?.hash)
    await rpc.request('evm_setAutomine', true)
  }
  await using provider = await openProvider(settings)
  await provider.store.winners.add(world.winner(second, key, 1))
  await provider.until(async () => statesOf(await provider.winners())['done'] === 2, mine)
  assert.equal(await scene.credit(key.address), 2n * NET)
})

test('a signer that signs nothing for a while ends nothing: the win waits, and is paid once it signs again', async () => {
  const key = await richProvider('unsigned')
  const [slot] = await scene.slots('unsigned payer', 1)
  if (!slot) assert.fail()
  let isUnsigned = true
  await using provider = await openProvider(settingsOf(world, 'unsigned'), {
    isUnsigned: () => isUnsigned,
  })
  await provider.store.winners.add(world.winner(slot, key, 1))
  for (let looks = 0; looks < 3; looks++) await provider.redemption.look(world.signal)
  assert.deepEqual(statesOf(await provider.winners()), { received: 1 })
  assert.deepEqual(provider.alerts, [{ type: 'unsigned', winners: 1 }])
  isUnsigned = false
  await provider.until(async () => statesOf(await provider.winners())['done'] === 1, mine)
  assert.equal(await scene.credit(key.address), NET)
  assert.deepEqual(provider.over, ['unsigned'])
})

test('the clock jumps by years between looks, forth and back: every win is paid, once', async () => {
  const key = await richProvider('jumping')
  const slots = await scene.slots('jumping payer', 3)
  const YEAR_MS = 365 * 24 * HOUR_MS
  const jumps = [0, 10 * YEAR_MS, -40 * YEAR_MS, 3 * HOUR_MS, -HOUR_MS, YEAR_MS, 0]
  let looks = 0
  const nowMs = (): number => Date.now() + (jumps[looks % jumps.length] ?? 0)
  const settings = settingsOf(world, 'jumping')
  const options = { nowMs, policy: { bindWaitMs: 2 * HOUR_MS, claimWaitMs: 2 * HOUR_MS } }
  const step = async (): Promise<void> => {
    looks++
    await mine()
  }
  for (let run = 0; run < 2; run++) {
    await using provider = await openProvider(settings, options)
    for (const slot of slots)
      await provider.store.winners.add(world.winner(slot, key, run + 1, nowMs()))
    const paid = 3 * (run + 1)
    await provider.until(async () => statesOf(await provider.winners())['done'] === paid, step)
  }
  assert.equal(await scene.credit(key.address), 6n * NET)
})
