/** A provider is killed again and again while it redeems (SECURITY R23, DESIGN §7.4): every winner is paid, once. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { toHex } from 'viem'
import { keyOf } from '../../../../contracts/test/kit/keys.ts'
import {
  openProvider,
  settingsOf,
  startRedeemingWorld,
  statesOf,
  type RunningProvider,
  type RedeemerSettings,
  type SendMoment,
} from './redeeming-world.ts'

const WINNERS = 500
/** Where each kill falls: after so many looks (a slot's two wins need five and more), or beside a claim that is handed over. */
const KILLS: readonly (number | SendMoment)[] = [1, 'before-send', 3, 'after-send', 2]
const CHILD = fileURLToPath(new URL('redeem-child.ts', import.meta.url))

const world = await startRedeemingWorld()
after(() => world[Symbol.asyncDispose]())

/** Runs the provider until it has come so far, then kills it. */
async function runAndKill(settings: RedeemerSettings, at: number | SendMoment): Promise<void> {
  const lines = typeof at === 'number' ? at : 1
  const text = JSON.stringify(settings, (_name, value: unknown) =>
    typeof value === 'bigint' ? `${value}n` : value,
  )
  const moment = typeof at === 'number' ? [] : [at]
  const child = spawn(process.execPath, ['--conditions=byway:source', CHILD, text, ...moment], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = new Promise<NodeJS.Signals | null>((resolve) =>
    child.once('exit', (_code, signal) => resolve(signal)),
  )
  let seen = 0
  for await (const _line of createInterface({ input: child.stdout })) {
    seen++
    if (seen === lines) child.kill('SIGKILL')
  }
  assert.equal(await ended, 'SIGKILL', 'it was killed at work')
}

test(`${WINNERS} winners in every state survive five kills and are paid once each`, async () => {
  const { scene } = world
  const key = await scene.provider('killed')
  await scene.world.rpc.request('anvil_setBalance', key.address, toHex(10n ** 21n))
  const slots = await scene.slots('killed payer', WINNERS / 2)
  const settings = settingsOf(world, 'killed', 2)
  const survived = new Set<string>()
  const noteStates = async (provider: RunningProvider): Promise<void> => {
    for (const state of Object.keys(statesOf(await provider.winners()))) survived.add(state)
  }
  for (const [round, kill] of KILLS.entries()) {
    // Fresh ones join those that the kills before left in every state.
    const fresh = slots.filter((_slot, at) => at % KILLS.length === round)
    {
      await using provider = await openProvider(settings)
      await noteStates(provider)
      const winners = fresh.flatMap((slot) => [
        world.winner(slot, key, 4),
        world.winner(slot, key, 7),
      ])
      await Promise.all(winners.map((winner) => provider.store.winners.add(winner)))
    }
    await runAndKill(settings, kill)
  }
  await using provider = await openProvider(settings)
  await noteStates(provider)
  assert.deepEqual([...survived].sort(), ['done', 'queued', 'received', 'sent'])
  assert.equal(provider.store.report.damagedRows + provider.store.report.missingRows, 0)
  await provider.until(
    async () => statesOf(await provider.winners())['done'] === WINNERS,
    () => world.mine(1),
  )
  const net = (scene.world.profile.winValue * 90n) / 100n
  assert.equal(await scene.credit(keyOf('killed').address), BigInt(WINNERS) * net)
  const paid = new Set<string>()
  let count = 0
  for await (const { event } of provider.store.ledger.read()) {
    if (event.type !== 'claim-paid') continue
    count++
    paid.add(event.id.split(':').slice(0, 3).join(':'))
  }
  assert.deepEqual([count, paid.size], [WINNERS, WINNERS])
})
