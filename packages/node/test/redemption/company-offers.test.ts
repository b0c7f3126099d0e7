/** Nodes with coin leave their binds with redeemers for less than these cost alone, and send themselves what nobody has sent (SPEC §15.7). On the real contracts. */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { REDEEM_ANSWER } from '@byway/protocol/wire'
import { toHex } from 'viem'
import { keyOf } from '../../../../contracts/test/kit/keys.ts'
import { aloneGasOf, bindShareGas } from '../../src/redemption/batching.ts'
import { companyFee } from '../../src/redemption/company-offers.ts'
import { type Ask, openRedeemer, type OpenRedeemer, redeemersIn, taker } from './redeemer-kit.ts'
import {
  GWEI,
  openProvider,
  type RunningProvider,
  settingsOf,
  startRedeemingWorld,
  statesOf,
  untilLocked,
} from './redeeming-world.ts'

const world = await startRedeemingWorld()
const { scene } = world
const { profile, rpc } = scene.world
after(() => world[Symbol.asyncDispose]())

const NET = (profile.winValue * 90n) / 100n
/** A bind alone takes 9 % of a win at a gwei, as at the start values. */
const COIN_PRICE = (profile.winValue * 9n * 10n ** 18n) / (100n * aloneGasOf('bind', 1) * GWEI)
/** The tests' authoriser judges each proof by itself; that of slot proofs judges sixteen for little more than four times the gas of one. */
const gasOf = (binds: bigint): bigint => aloneGasOf('bind', Number(binds))
const openCompany = (name: string): Promise<OpenRedeemer> =>
  openRedeemer(world, name, COIN_PRICE, 0, gasOf)

/** With coin and a win on a slot that it has locked; what it leaves goes to these. */
async function withWin(
  name: string,
  asked: readonly Ask[],
  nowMs: () => number = Date.now,
): Promise<RunningProvider> {
  const key = await scene.provider(name)
  await rpc.request('anvil_setBalance', key.address, toHex(10n ** 21n))
  const [slot] = await scene.slots(`payer of ${name}`, 1)
  assert.ok(slot)
  const fees = { fee: profile.winValue / 10n, lockFee: profile.winValue / 50n }
  const provider = await openProvider(settingsOf(world, name), {
    redeemers: redeemersIn(world, name, asked, fees),
    coinPrice: COIN_PRICE,
    offersBinds: true,
    nowMs,
  })
  await provider.store.winners.add(world.winner(slot, key, 1))
  await untilLocked(world, provider, slot, mine)
  return provider
}

/** A block in which gas costs a gwei. */
async function mine(): Promise<void> {
  await rpc.request('anvil_setNextBlockBaseFeePerGas', toHex(GWEI))
  await world.mine(1)
}

const isDone = async (provider: RunningProvider): Promise<boolean> =>
  statesOf(await provider.winners())['done'] === 1
const sentBy = async (name: string): Promise<number> =>
  Number(await rpc.request('eth_getTransactionCount', keyOf(name).address, 'latest'))

test('binds of three nodes with coin go out in one transaction, for less than each alone, and the redeemer gains', async () => {
  const names = ['ada', 'bea', 'cora']
  await using redeemer = await openCompany('sharing')
  const before = await sentBy('sharing')
  const paid: bigint[] = []
  const providers: RunningProvider[] = []
  await using all = new AsyncDisposableStack()
  for (const name of names) providers.push(all.use(await withWin(name, [taker(redeemer.service)])))
  for (const provider of providers) {
    await mine()
    await provider.redemption.look(world.signal)
    assert.match((await provider.winners())[0]?.carrier ?? '', /^via-\d+-bind:/)
  }
  await mine()
  await redeemer.work()
  await mine()
  await redeemer.work()
  for (const [at, provider] of providers.entries()) {
    await provider.until(() => isDone(provider), mine)
    paid.push(NET - (await scene.credit(keyOf(names[at] ?? '').address)))
    assert.equal(await sentBy(names[at] ?? ''), 1, 'the lock alone')
  }
  assert.equal((await sentBy('sharing')) - before, 1)
  for (const fee of paid) {
    assert.ok(fee < (profile.winValue * 7n) / 100n, `${fee}: alone it costs 9 %`)
    assert.ok(fee > (profile.winValue * 5n) / 100n, `${fee}: a redeemer has to gain`)
  }
  let gained = 0n
  for await (const { event } of redeemer.store.ledger.read())
    if (event.type === 'fee-earned') gained += event.amount
  assert.equal(
    gained,
    paid.reduce((sum, fee) => sum + fee),
  )
  assert.ok(gained > (gasOf(3n) * GWEI * COIN_PRICE) / 10n ** 18n, 'more than the gas costs')
})

test('what finds no company in its time is sent by the node itself, once and without a fee', async () => {
  let lateMs = 0
  await using redeemer = await openCompany('lonely')
  await using provider = await withWin('dana', [taker(redeemer.service)], () => Date.now() + lateMs)
  await mine()
  await provider.redemption.look(world.signal)
  assert.equal(await redeemer.service.look(world.signal), 1, 'it was taken')
  for (let round = 0; round < 6; round++) {
    await redeemer.work()
    await mine()
    await provider.redemption.look(world.signal)
  }
  assert.equal(await sentBy('lonely'), 0, 'alone it does not pay for its gas')
  assert.equal(await sentBy('dana'), 1)
  lateMs = 240_000
  await provider.until(() => isDone(provider), mine)
  assert.equal(await sentBy('dana'), 2)
  assert.equal(await scene.credit(keyOf('dana').address), NET)
})

test('where nobody takes it, it is sent at once, and a few are asked no more than once an hour', async () => {
  let asked = 0
  const refuse: Ask = async () => {
    asked++
    return REDEEM_ANSWER.NO_REDEEMER
  }
  await using provider = await withWin(
    'edda',
    Array.from({ length: 30 }, () => refuse),
  )
  await provider.until(() => isDone(provider), mine)
  assert.equal(asked, 8)
  const [slot] = await scene.slots('second payer of edda', 1)
  assert.ok(slot)
  await provider.store.winners.add(world.winner(slot, keyOf('edda'), 1))
  await provider.until(async () => statesOf(await provider.winners())['done'] === 2, mine)
  assert.equal(asked, 8)
  assert.equal(await scene.credit(keyOf('edda').address), 2n * NET)
})

test('the fee lies half way between a share and a bind alone; nothing is offered that saves little or is forbidden', () => {
  const worth = { winValue: 10n ** 17n, coinPrice: 3000n * 10n ** 18n }
  const centiGwei = GWEI / 100n
  const inPercent = (fee: bigint | undefined): number | undefined =>
    fee === undefined ? undefined : Number((fee * 1000n) / worth.winValue) / 10
  assert.deepEqual(
    [1, 2, 4, 8, 16].map((entries) => inPercent(companyFee(entries, worth, centiGwei))),
    [6, 4.5, 3.7, undefined, undefined],
  )
  // Dearer gas: no more than the contract allows, and nothing once a share costs more than that.
  assert.equal(inPercent(companyFee(1, worth, 3n * centiGwei)), 12)
  assert.equal(companyFee(1, worth, 4n * centiGwei), undefined)
  assert.ok(bindShareGas(16) < aloneGasOf('bind', 16) + 2000n)
})
