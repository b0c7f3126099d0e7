/** A node's records put back to an older copy (THREAT-MODEL T27): the chain is asked about every slot, so that what was paid since is not sent again, and what is won later is paid. */
import assert from 'node:assert/strict'
import { cp, rm } from 'node:fs/promises'
import { after, test } from 'node:test'
import { toHex } from 'viem'
import { openProvider, settingsOf, startRedeemingWorld, statesOf } from './redeeming-world.ts'

const world = await startRedeemingWorld()
const { scene } = world
const { profile, rpc } = scene.world
after(() => world[Symbol.asyncDispose]())
const NET = (profile.winValue * 90n) / 100n
const mine = (): Promise<void> => world.mine(1)

test('nothing is paid twice or sent twice from an older copy, and what the copy does not know stays paid', async () => {
  const key = await scene.provider('put back')
  await rpc.request('anvil_setBalance', key.address, toHex(10n ** 21n))
  const [first, second, unknown] = await scene.slots('put back payer', 3)
  if (!first || !second || !unknown) assert.fail()
  const settings = settingsOf(world, 'put back')
  const copy = `${settings.folder}-copy`
  const nonce = () => rpc.request('eth_getTransactionCount', key.address, 'latest')
  {
    await using provider = await openProvider(settings)
    await provider.store.winners.add(world.winner(first, key, 1))
    await provider.store.winners.add(world.winner(second, key, 4))
  }
  await cp(settings.folder, copy, { recursive: true })
  {
    await using provider = await openProvider(settings)
    await provider.store.winners.add(world.winner(unknown, key, 2))
    await provider.until(async () => statesOf(await provider.winners())['done'] === 3, mine)
  }
  assert.equal(await scene.credit(key.address), 3n * NET)
  const sent = await nonce()
  await rm(settings.folder, { recursive: true })
  await cp(copy, settings.folder, { recursive: true })

  await using provider = await openProvider(settings)
  await provider.until(async () => statesOf(await provider.winners())['done'] === 2, mine)
  assert.equal(await nonce(), sent, 'no transaction is made for what is paid')
  assert.equal(await scene.credit(key.address), 3n * NET)
  let booked = 0
  for await (const { event } of provider.store.ledger.read())
    booked += Number(event.type === 'claim-paid')
  assert.equal(booked, 2, 'the copy’s books have its own wins, once')

  // The account's nonces and the slots' indices go on from what the chain has.
  await provider.store.winners.add(world.winner(first, key, 7))
  await provider.until(async () => statesOf(await provider.winners())['done'] === 3, mine)
  assert.equal(await scene.credit(key.address), 4n * NET)
  assert.deepEqual(provider.alerts, [])
})

test('a win under commits that were given a second time, below one that was paid, brings nothing more and is booked as that one', async () => {
  const key = await scene.provider('given again')
  await rpc.request('anvil_setBalance', key.address, toHex(10n ** 21n))
  const [slot] = await scene.slots('given again payer', 1)
  if (!slot) assert.fail()
  const settings = settingsOf(world, 'given again')
  const copy = `${settings.folder}-copy`
  await (await openProvider(settings))[Symbol.asyncDispose]()
  await cp(settings.folder, copy, { recursive: true })
  {
    await using provider = await openProvider(settings)
    await provider.store.winners.add(world.winner(slot, key, 9))
    await provider.until(async () => statesOf(await provider.winners())['done'] === 1, mine)
  }
  await rm(settings.folder, { recursive: true })
  await cp(copy, settings.folder, { recursive: true })
  await using provider = await openProvider(settings)
  await provider.store.winners.add(world.winner(slot, key, 5))
  await provider.until(
    async () => statesOf(await provider.winners())['received'] === undefined,
    mine,
  )
  assert.deepEqual(statesOf(await provider.winners()), { done: 1 })
  let received = 0n
  for await (const { event } of provider.store.ledger.read())
    if (event.type === 'claim-paid') received += event.received
  // The books have as many wins as the chain paid, under another index.
  assert.equal(received, NET)
  assert.equal(await scene.credit(key.address), NET)
  assert.equal((await scene.word(slot.nullifier)).lastIndex, 9)
})
