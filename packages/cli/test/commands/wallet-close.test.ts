import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createLocalPurse } from '@byway/purse'
import { temporaryHome } from '../spawn-byway.ts'
import { bind, registerProvider } from './bound-slots.ts'
import { paidNetwork } from './paid-network.ts'
import { showSlots, SLOT_VALUE } from './shown-slots.ts'
import { asScript } from './wallet-person.ts'

type Row = Readonly<Record<string, unknown>>

const WIN = 100_000n
/** Of a slot of two wins of which one was paid: a win and the bond. */
const REST = SLOT_VALUE - WIN

test('the rest of a slot of which a hop has won a part comes back as a fresh deposit (SPEC §14.4)', async (t) => {
  const network = await paidNetwork(t)
  const home = await temporaryHome(t)
  await createLocalPurse(home)
  const run = async (...args: readonly string[]): Promise<Row> => {
    const env = { BYWAY_HOME: home }
    const { out, err } = await asScript([...args, '--json', '--network', network.file], env)
    const last = out.trim().split('\n').at(-1)
    return JSON.parse(last === '' || last === undefined ? `{"err":${JSON.stringify(err)}}` : last)
  }
  const code = async (...args: readonly string[]): Promise<unknown> =>
    ((await run(...args))['error'] as Row | undefined)?.['code']
  await run('wallet', 'deposit', '--slots', '3', '--local', '--no-wait')
  await network.run(network.pool.snapshot())
  const openings = await showSlots(network, home, ['refused', 'shown', 'refused'], t.signal)
  const provider = await registerProvider(network, await temporaryHome(t))
  for (const opening of openings.slice(0, 2)) await bind(network, home, opening, provider)

  const listed = await run('wallet', 'close', '--list')
  const rows = (listed['slots'] as readonly Row[]).map(({ step, inUse, rest }) => [
    step,
    inUse,
    rest,
  ])
  assert.deepEqual(
    rows.toSorted((a, b) => Number(a[1]) - Number(b[1])),
    [
      ['ask', false, String(REST)],
      ['ask', true, String(REST)],
    ],
  )
  assert.equal(listed['value'], String(2n * REST))

  const begun = await run('wallet', 'close', '--direct')
  assert.deepEqual([begun['begun'], begun['finished'], begun['inUse']], [1, 0, 1])
  assert.deepEqual((await run('wallet', 'close', '--direct'))['begun'], 0, 'once is enough')
  await network.advance(network.payment.closeDelayS + 1)
  assert.equal((await run('wallet', 'close', '--direct'))['finished'], 1)
  assert.equal(await code('wallet', 'close', '--direct'), 'WALLET_NOTHING')
  const states = await Promise.all(
    openings.map(
      async ({ nullifier }) => (await network.chain.view.slot(nullifier, t.signal)).state,
    ),
  )
  assert.deepEqual(states, ['closed', 'bound', 'none'])

  const ledger = (await run('ledger', '--side', 'client')) as {
    readonly isSound: boolean
    readonly balances: { readonly money: Row }
  }
  assert.equal(ledger.isSound, true)
  const { deposit, 'won by hops': won } = ledger.balances.money
  // Three slots were shown; the rest of one is in the deposit again.
  assert.deepEqual([deposit, won], [String(REST), String(2n * WIN)])

  const queued = await run('wallet', 'close', '--all')
  assert.deepEqual([queued['queued'], queued['isRunning']], [1, false])
  assert.deepEqual((await run('wallet', 'close', '--all'))['queued'], 0, 'it is in the queue')
})
