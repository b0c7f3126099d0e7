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
  type RedeemerSettings,
} from './redeeming-world.ts'

const WINNERS = process.env['SLOW'] === '1' ? 500 : 60
/** A slot's two wins need five looks and more. */
const KILL_AFTER_LOOKS = [1, 3, 2, 1, 3]
const CHILD = fileURLToPath(new URL('redeem-child.ts', import.meta.url))

const world = await startRedeemingWorld()
after(() => world[Symbol.asyncDispose]())

/** Runs the provider until it has looked so often, then kills it. */
async function runAndKill(settings: RedeemerSettings, lines: number): Promise<void> {
  const text = JSON.stringify(settings, (_name, value: unknown) =>
    typeof value === 'bigint' ? `${value}n` : value,
  )
  const child = spawn(process.execPath, ['--conditions=byway:source', CHILD, text], {
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

test(`${WINNERS} winners survive five kills and are paid once each`, async () => {
  const { scene } = world
  const key = await scene.provider('killed')
  await scene.world.rpc.request('anvil_setBalance', key.address, toHex(10n ** 21n))
  const slots = await scene.slots('killed payer', WINNERS / 2)
  const settings = settingsOf(world, 'killed', 2)
  for (const [round, looks] of KILL_AFTER_LOOKS.entries()) {
    // Fresh ones join those that the kills before left in every state.
    const fresh = slots.filter((_slot, at) => at % KILL_AFTER_LOOKS.length === round)
    {
      await using provider = await openProvider(settings)
      const winners = fresh.flatMap((slot) => [
        world.winner(slot, key, 4),
        world.winner(slot, key, 7),
      ])
      await Promise.all(winners.map((winner) => provider.store.winners.add(winner)))
    }
    await runAndKill(settings, looks)
  }
  await using provider = await openProvider(settings)
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
