/** Who uses a slot twice loses its bond, to whoever was paid with it in vain (SPEC §14.4). */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { toHex } from 'viem'
import type { Key } from '../../../../contracts/test/kit/keys.ts'
import type { Slot } from '../../../../contracts/test/kit/slots.ts'
import { readGas } from '../../../../contracts/tools/gas-document.ts'
import { reportCapOf } from '../../src/redemption/conflicts.ts'
import { GWEI, openProvider, settingsOf, startRedeemingWorld, statesOf } from './redeeming-world.ts'

const world = await startRedeemingWorld()
const { scene } = world
const { rpc, profile } = scene.world
after(() => world[Symbol.asyncDispose]())
const REWARD = profile.bond / 10n
const mine = (): Promise<void> => world.mine(1)

async function richProvider(name: string): Promise<Key> {
  const key = await scene.provider(name)
  await rpc.request('anvil_setBalance', key.address, toHex(10n ** 21n))
  return key
}

async function slotOf(payer: string): Promise<Slot> {
  const [slot] = await scene.slots(payer, 1)
  return slot ?? assert.fail()
}

/** The winner's node binds the one slot; the loser's, which holds the other, looks on until its books have a reward, and some blocks more. */
async function race(names: readonly [string, string], slots: readonly [Slot, Slot]) {
  const [first, second] = [await richProvider(names[0]), await richProvider(names[1])]
  await using winning = await openProvider(settingsOf(world, names[0]))
  await winning.store.winners.add(world.winner(slots[0], first, 1))
  await winning.until(async () => statesOf(await winning.winners())['done'] === 1, mine)
  await using losing = await openProvider(settingsOf(world, names[1]))
  await losing.store.winners.add(world.winner(slots[1], second, 1))
  let looks = 0
  const earned = () => eventsIn(losing.store.ledger.read())
  await losing.until(async () => (await earned()).length > 0 && looks++ > 20, mine)
  assert.deepEqual(statesOf(await losing.winners()), { 'lost taken': 1 })
  return { second, events: await earned() }
}

async function eventsIn(read: AsyncIterable<{ readonly event: { readonly type: string } }>) {
  const earned: unknown[] = []
  for await (const { event } of read) if (event.type === 'fee-earned') earned.push(event)
  return earned as readonly { readonly amount: bigint }[]
}

test('a slot shown to two nodes under two openings: its bond is burned once, and the books have the reward', async () => {
  const one = await slotOf('twofold payer')
  const other = scene.client.open(one.leaf, 0, 'twofold second session')
  const { second, events } = await race(['twofold', 'twofold loser'], [one, other])
  const word = await scene.word(one.nullifier)
  assert.deepEqual([word.state, word.isBurned], ['BOUND', true])
  assert.deepEqual(
    events.map(({ amount }) => amount),
    [REWARD],
  )
  assert.equal(await scene.world.balance(second.address), REWARD)
})

test('tickets of one session key for two nodes: the same', async () => {
  const slot = await slotOf('two-timing payer')
  const { second, events } = await race(['two-timed', 'two-timed loser'], [slot, slot])
  assert.equal((await scene.word(slot.nullifier)).isBurned, true)
  assert.deepEqual(
    events.map(({ amount }) => amount),
    [REWARD],
  )
  assert.equal(await scene.world.balance(second.address), REWARD)
})

test('at the start values both kinds of conflict are worth showing, and the contract costs what is reckoned with', () => {
  // A bond of 0.05, a win of 0.1, a coin of 3000, 0.01 gwei (DESIGN §7.2) and the tip.
  const usual = 11_000_000n
  const start = { bond: 50_000n, worth: { winValue: 100_000n, coinPrice: 3000n * 10n ** 6n } }
  const gas = readGas()
  const rows = {
    tickets: ['conflictTickets, bound'],
    openings: ['conflictOpenings, without the proofs', 'judge 2, slot proof'],
  } as const
  const budget = (start.bond + start.worth.winValue) / 10n
  for (const kind of ['tickets', 'openings'] as const) {
    const cap = reportCapOf(kind, start)
    assert.ok(cap >= usual, kind)
    const used = rows[kind].reduce((sum, row) => sum + (gas[row] ?? Number.NaN), 0)
    const costs = (cap * BigInt(used) * start.worth.coinPrice) / 10n ** 18n
    assert.ok(costs <= budget && costs >= (budget * 90n) / 100n, `${kind} ${costs}`)
  }
})

test('nothing is shown for a reward that does not pay its gas, until it does', async () => {
  const one = await slotOf('cheap payer')
  const other = scene.client.open(one.leaf, 0, 'cheap second session')
  const winner = await scene.provider('cheap')
  await scene.bind(winner, [[one, scene.client.winning(one, winner.address, 1)]])
  const loser = await richProvider('cheap loser')
  await using provider = await openProvider(settingsOf(world, 'cheap loser'))
  await provider.store.winners.add(world.winner(other, loser, 1))
  // A tenth of the bond and of the lost win, 0.015, in 400 000 gas: 37 gwei.
  const dear = async (): Promise<void> => {
    await rpc.request('anvil_setNextBlockBaseFeePerGas', toHex(60n * GWEI))
    await mine()
  }
  await dear()
  let looks = 0
  const isLost = async (): Promise<boolean> => (await provider.winners())[0]?.state === 'lost'
  await provider.until(async () => (await isLost()) && looks++ > 20, dear)
  assert.equal((await scene.word(one.nullifier)).isBurned, false)
  await rpc.request('anvil_setNextBlockBaseFeePerGas', toHex(GWEI))
  await provider.until(async () => (await scene.word(one.nullifier)).isBurned, mine)
})
