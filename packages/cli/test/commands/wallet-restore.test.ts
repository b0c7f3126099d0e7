/** What the words bring back of the money: slots of before count as shown, and come back as fresh deposits (DESIGN §7.1). */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createPurse, newWords } from '@byway/purse'
import { temporaryHome } from '../spawn-byway.ts'
import { bind, registerProvider } from './bound-slots.ts'
import { paidNetwork } from './paid-network.ts'
import { showSlots, SLOT_VALUE } from './shown-slots.ts'
import { asScript } from './wallet-person.ts'

type Row = Readonly<Record<string, unknown>>

/** That of purses of a local network: the test's kit opens them with it. */
const PASSPHRASE = 'byway local network'

test('what was deposited before a restore comes back, a slot that a hop has won in as well, and is as good as ever', async (t) => {
  const network = await paidNetwork(t)
  const [old, home] = [await temporaryHome(t), await temporaryHome(t)]
  const words = newWords()
  const { funds } = await createPurse(old, words, { passphrase: PASSPHRASE, cost: 'local' })
  const runIn = async (folder: string, ...args: readonly string[]): Promise<Row> => {
    const all = [...args, '--json', '--network', network.file]
    const { out } = await asScript(all, { BYWAY_HOME: folder })
    return JSON.parse(out.trim().split('\n').at(-1) ?? '') as Row
  }
  const run = (...args: readonly string[]): Promise<Row> => runIn(home, ...args)
  const codeOf = async (...args: readonly string[]): Promise<unknown> =>
    ((await run(...args))['error'] as Row | undefined)?.['code']

  await runIn(old, 'wallet', 'deposit', '--slots', '3', '--local', '--no-wait')
  await network.run(network.pool.snapshot())
  const [won] = await showSlots(network, old, ['shown'], t.signal)
  assert.ok(won)
  await bind(network, old, won, await registerProvider(network, await temporaryHome(t)))
  await network.giveCoin(funds)

  // The machine is gone; the words are not.
  const options = { passphrase: PASSPHRASE, cost: 'local', isRestored: true } as const
  await createPurse(home, words, options)
  assert.equal(await codeOf('wallet', 'withdraw', '--direct'), 'WALLET_NOTHING')
  const { slots, value } = await run('wallet', 'refund', '--list')
  assert.deepEqual(
    (slots as readonly Row[]).map(({ step, inUse }) => [step, inUse]),
    [
      ['ask', false],
      ['ask', false],
    ],
  )
  assert.equal(value, String(2n * SLOT_VALUE))
  assert.equal((await run('wallet', 'refund', '--direct'))['begun'], 2)
  assert.equal((await run('wallet', 'close', '--direct'))['begun'], 1)
  await network.advance(3 * 86_400 + 1)
  assert.equal((await run('wallet', 'refund', '--direct'))['finished'], 2)
  assert.equal((await run('wallet', 'close', '--direct'))['finished'], 1)
  assert.equal(await codeOf('wallet', 'refund', '--direct'), 'WALLET_NOTHING')

  const { deposits } = (await run('wallet', 'show')) as { readonly deposits: readonly Row[] }
  assert.deepEqual(
    deposits.map(({ slots: count, isPastKnown }) => [count, isPastKnown]),
    [
      [3, false],
      [1, true],
      [1, true],
      [0, true],
    ],
  )
  const { isSound, balances } = (await run('ledger', '--side', 'client')) as {
    readonly isSound: boolean
    readonly balances: { readonly money: Row }
  }
  assert.equal(isSound, true)
  const { money } = balances
  const winValue = network.payment.winValue
  assert.deepEqual(
    [money['outside'], money['slots'], money['won by hops'], money['deposit']],
    [-3n * SLOT_VALUE, 0n, winValue, 3n * SLOT_VALUE - winValue].map(String),
  )
  await network.run(network.pool.snapshot())
  assert.equal((await run('wallet', 'withdraw', '--direct'))['begun'], 2)
})
