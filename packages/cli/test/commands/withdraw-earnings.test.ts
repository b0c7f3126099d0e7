/** What a node has won goes to its payout address, sent by whoever asks, and once. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DEFAULT_PARAMETERS } from '@byway/chain'
import { createLocalPurse, formatAddress } from '@byway/purse'
import { temporaryHome } from '../spawn-byway.ts'
import { showSlots } from './shown-slots.ts'
import { bind, registerProvider } from './bound-slots.ts'
import { paidNetwork } from './paid-network.ts'
import { asScript } from './wallet-person.ts'

type Row = Readonly<Record<string, unknown>>

test('earnings go to the payout address, once, and the funds account pays the gas', async (t) => {
  const network = await paidNetwork(t)
  const { view } = network.chain
  const run = async (home: string, ...args: readonly string[]): Promise<Row> => {
    const script = ['wallet', ...args, '--json', '--network', network.file]
    const { out, err } = await asScript(script, { BYWAY_HOME: home })
    return JSON.parse(out.trim().split('\n').at(-1) || JSON.stringify({ err })) as Row
  }
  const withdraw = (home: string): Promise<Row> => run(home, 'withdraw', '--from', 'earnings')
  const codeOf = ({ error }: Row): unknown => (error as Row | undefined)?.['code']

  const stranger = await temporaryHome(t)
  await createLocalPurse(stranger)
  assert.equal(codeOf(await withdraw(stranger)), 'WALLET_NOTHING', 'no node')

  const client = await temporaryHome(t)
  await createLocalPurse(client)
  await run(client, 'deposit', '--slots', '1', '--local', '--no-wait')
  await network.run(network.pool.snapshot())
  const [won] = await showSlots(network, client, ['refused'], t.signal)
  const home = await temporaryHome(t)
  const provider = await registerProvider(network, home)
  const { payout } = (await view.registration(provider, t.signal)) ?? assert.fail()
  await network.giveCoin(payout)
  assert.equal(codeOf(await withdraw(home)), 'WALLET_NOTHING', 'nothing is won yet')
  await bind(network, client, won ?? assert.fail('a slot'), provider)

  const { winValue, feeBps, holdBps } = DEFAULT_PARAMETERS
  const net = winValue - (winValue * BigInt(feeBps + holdBps)) / 10_000n
  const before = await view.tokenBalance(payout, t.signal)
  const { to, amount, transaction } = await withdraw(home)
  assert.deepEqual([to, amount], [formatAddress(payout), String(net)])
  assert.match(String(transaction), /^0x[0-9a-f]{64}$/)
  assert.equal((await view.tokenBalance(payout, t.signal)) - before, net)
  assert.equal(await view.credit(provider, t.signal), 0n)
  assert.equal(codeOf(await withdraw(home)), 'WALLET_NOTHING', 'paid once')
})
