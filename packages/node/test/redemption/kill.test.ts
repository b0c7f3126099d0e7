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
/** One transaction's. */
const BATCH = 16
/** Where a kill falls: at the nth time that wins are handed to the chain, before it or after it. */
type Kill = readonly [moment: SendMoment, call: number]
/** The first two meet fresh batches, the next two such that are found again, the last one the second wins of slots. */
const KILLS: readonly Kill[] = [
  ['before-send', 8],
  ['after-send', 16],
  ['before-send', 4],
  ['after-send', 10],
  ['before-send', 20],
]
const CHILD = fileURLToPath(new URL('redeem-child.ts', import.meta.url))

const world = await startRedeemingWorld()
after(() => world[Symbol.asyncDispose]())

/** Runs the provider until it has come so far, then kills it. */
async function runAndKill(settings: RedeemerSettings, kill: Kill): Promise<void> {
  const text = JSON.stringify(settings, (_name, value: unknown) =>
    typeof value === 'bigint' ? `${value}n` : value,
  )
  const args = ['--conditions=byway:source', CHILD, text, ...kill.map(String)]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  const ended = new Promise<NodeJS.Signals | null>((resolve) =>
    child.once('exit', (_code, signal) => resolve(signal)),
  )
  for await (const _line of createInterface({ input: child.stdout })) child.kill('SIGKILL')
  assert.equal(await ended, 'SIGKILL', 'it was killed at work')
}

/** Stores all of them and sends a few batches; the next one stays as a fault left it: marked, and never sent. */
async function inEveryState(settings: RedeemerSettings): Promise<void> {
  const fault = new Error('a fault before the chain has it')
  let sent = 0
  await using provider = await openProvider(settings, {
    async onSend(moment) {
      const isWins = moment === 'before-send' && statesOf(await provider.winners())['queued']
      if (isWins && ++sent > 4) throw fault
    },
  })
  const key = keyOf(settings.name)
  const slots = await world.scene.slots('killed payer', WINNERS / 2)
  const winners = slots.flatMap((slot) => [4, 7].map((index) => world.winner(slot, key, index)))
  await Promise.all(winners.map((winner) => provider.store.winners.add(winner)))
  const never = provider.until(
    () => false,
    () => world.mine(1),
  )
  await assert.rejects(never, fault)
}

async function stateNow(settings: RedeemerSettings): Promise<Readonly<Record<string, number>>> {
  await using provider = await openProvider(settings)
  const { damagedRows, missingRows } = provider.store.report
  assert.deepEqual([damagedRows, missingRows], [0, 0])
  return statesOf(await provider.winners())
}

/** Not paid yet. */
function openOf({ received = 0, queued = 0, sent = 0 }: Readonly<Record<string, number>>): number {
  return received + queued + sent
}

/** By how many payments, and for how many winners. */
async function payments(provider: RunningProvider): Promise<readonly [number, number]> {
  const paid: string[] = []
  for await (const { event } of provider.store.ledger.read())
    if (event.type === 'claim-paid') paid.push(event.id.split(':').slice(0, 3).join(':'))
  return [paid.length, new Set(paid).size]
}

test(`${WINNERS} winners in every state survive five kills and are paid once each`, async (t) => {
  const { scene } = world
  const key = await scene.provider('killed')
  await scene.world.rpc.request('anvil_setBalance', key.address, toHex(10n ** 21n))
  const settings = settingsOf(world, 'killed', 2)
  await inEveryState(settings)
  assert.deepEqual(await stateNow(settings), {
    received: WINNERS - 5 * BATCH,
    queued: BATCH,
    sent: 4 * BATCH,
  })
  for (const kill of KILLS) {
    await runAndKill(settings, kill)
    const states = await stateNow(settings)
    t.diagnostic(`killed at ${kill.join(' ')}: ${JSON.stringify(states)}`)
    for (const state of ['received', 'queued', 'sent']) assert.ok((states[state] ?? 0) > 0, state)
    assert.equal(openOf(states), WINNERS, 'the kill met all of them')
  }
  await using provider = await openProvider(settings)
  await provider.until(
    async () => statesOf(await provider.winners())['done'] === WINNERS,
    () => world.mine(1),
  )
  const net = (scene.world.profile.winValue * 90n) / 100n
  assert.equal(await scene.credit(keyOf('killed').address), BigInt(WINNERS) * net)
  assert.deepEqual(await payments(provider), [WINNERS, WINNERS])
})
