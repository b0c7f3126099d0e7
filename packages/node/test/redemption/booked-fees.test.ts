/** What a redeemer got of a win stands in the books as the chain paid it, whoever was asked to send it. On the real contracts. */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import type { PaidWin } from '@byway/chain'
import type { StoredWinner } from '@byway/store'
import { toHex } from 'viem'
import type { Key } from '../../../../contracts/test/kit/keys.ts'
import type { Slot } from '../../../../contracts/test/kit/slots.ts'
import { matchPaid } from '../../src/redemption/paid-wins.ts'
import { openRedeemer, type OpenRedeemer, redeemersIn, taker } from './redeemer-kit.ts'
import {
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

const FEE = profile.winValue / 10n
const NET = (profile.winValue * 90n) / 100n
/** A redeemer has been given up by then. */
const PATIENCE_MS = 1_200_000
const mine = (): Promise<void> => world.mine(1)

type Stage = { readonly name: string; readonly key: Key; readonly slot: Slot }

/** A provider with coin, and a slot that it wins on. */
async function stage(name: string): Promise<Stage> {
  const key = await scene.provider(name)
  await rpc.request('anvil_setBalance', key.address, toHex(10n ** 21n))
  const [slot] = await scene.slots(`payer of ${name}`, 1)
  assert.ok(slot)
  return { name, key, slot }
}

const redeemersOf = ({ name }: Stage, { service }: OpenRedeemer) =>
  redeemersIn(world, name, [taker(service)], { fee: FEE, lockFee: FEE / 5n })

async function booksOf({ store }: RunningProvider): Promise<readonly [bigint, bigint]> {
  let [fees, received] = [0n, 0n]
  for await (const { event } of store.ledger.read()) {
    if (event.type !== 'claim-paid') continue
    fees += event.redeemerFee
    received += event.received
  }
  return [fees, received]
}

test('a win that was left with redeemers and sent by ourselves is booked with the fee where theirs was first', async () => {
  const at = await stage('overtaken')
  await using redeemer = await openRedeemer(world, 'overtaking')
  const redeemers = redeemersOf(at, redeemer)
  {
    await using provider = await openProvider(settingsOf(world, at.name), { redeemers })
    await provider.store.winners.add(world.winner(at.slot, at.key, 1))
    assert.equal(await provider.redemption.leave(world.signal), 1)
  }
  const carriers: (string | undefined)[] = []
  await using provider: RunningProvider = await openProvider(settingsOf(world, at.name), {
    redeemers,
    nowMs: () => Date.now() + PATIENCE_MS,
    async onSend(moment) {
      const [winner] = await provider.winners()
      if (moment !== 'before-send' || winner?.state !== 'queued') return
      carriers.push(winner.carrier)
      await redeemer.work()
      await mine()
    },
  })
  await provider.until(async () => statesOf(await provider.winners())['done'] === 1, mine)
  assert.match(carriers[0] ?? '', /^bind:/, 'our own lane was to carry it')
  assert.equal(await scene.credit(at.key.address), NET - FEE)
  assert.deepEqual(await booksOf(provider), [FEE, NET - FEE])
})

test('and without a fee where our own transaction was first', async () => {
  const at = await stage('faster')
  await using redeemer = await openRedeemer(world, 'slower')
  await using provider = await openProvider(settingsOf(world, at.name), {
    redeemers: redeemersOf(at, redeemer),
  })
  await provider.store.winners.add(world.winner(at.slot, at.key, 1))
  const isSent = async (): Promise<boolean> =>
    (await provider.winners()).some(({ state }) => state === 'sent')
  await untilLocked(world, provider, at.slot, mine)
  await rpc.request('evm_setAutomine', false)
  await provider.until(isSent, mine)
  try {
    assert.equal(await provider.redemption.leave(world.signal), 1)
    await redeemer.service.look(world.signal)
    await provider.until(async () => statesOf(await provider.winners())['done'] === 1, mine)
  } finally {
    await rpc.request('evm_setAutomine', true)
  }
  assert.equal(await scene.credit(at.key.address), NET)
  assert.deepEqual(await booksOf(provider), [0n, NET])
  const paid = await provider.chain.view.paidFor(await provider.winners(), world.signal)
  assert.deepEqual(
    paid.map(({ index, paid: amount }) => [index, amount]),
    [[1, NET]],
  )
  const unknown = { nullifier: new Uint8Array(32).fill(1), index: 1 }
  assert.deepEqual(await provider.chain.view.paidFor([unknown], world.signal), [])
})

test('payments are matched by index, and those under other indices in their order', () => {
  const winner = (slot: number, index: number): StoredWinner =>
    ({ nullifier: new Uint8Array(32).fill(slot), index }) as StoredWinner
  const paid = (slot: number, index: number, amount: bigint): PaidWin => {
    const provider = new Uint8Array(20)
    return { nullifier: new Uint8Array(32).fill(slot), index, provider, paid: amount }
  }
  const told = [paid(1, 9, 90n), paid(1, 4, 40n), paid(2, 4, 41n), paid(1, 7, 70n)]
  const winners = [winner(1, 5), winner(1, 7), winner(1, 2), winner(2, 4), winner(3, 1)]
  const paidOf = matchPaid(winners, told)
  assert.deepEqual(winners.map(paidOf), [90n, 70n, 40n, 41n, undefined])
})
