/** What `byway up --budget` and `--max-price` come to: limits of the client's money (DESIGN §7.4). That nothing is paid beyond them is shown where money is spent. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createLocalPurse } from '@byway/purse'
import { openClientMoney } from '../../src/engine/client-payment.ts'
import { engineSetting } from '../../src/engine/engine-options.ts'
import type { CliIo } from '../../src/io.ts'
import { paidNetwork } from '../commands/paid-network.ts'
import { asScript } from '../commands/wallet-person.ts'
import { temporaryHome } from '../spawn-byway.ts'

test('a budget is whole tokens a month, no more exact than the token; none is no limit', async (t) => {
  const { file, payment } = await paidNetwork(t)
  const home = await temporaryHome(t)
  await createLocalPurse(home)
  const env = { BYWAY_HOME: home }
  const io: CliIo = {
    env,
    isInteractive: false,
    signal: t.signal,
    nowMs: () => Date.now(),
    writeOut: () => {},
    writeErr: () => {},
    ask: () => Promise.reject(new Error('nobody is there')),
    askHidden: () => Promise.reject(new Error('nobody is there')),
  }
  for (const [client, limits] of [
    [{ budget: '2.5', maxPrice: 6 }, [2_500_000n, 6]],
    [{}, [undefined, 8]],
  ] as const) {
    const setting = await engineSetting({ network: file, drain: 1 }, { client }, io)
    await using money = await openClientMoney(setting, payment, () => {})
    assert.deepEqual([money.payment.budget, money.payment.maxPriceStep], limits)
  }
  const refusal = async (budget: string): Promise<unknown> => {
    const args = ['up', '--budget', budget, '--json', '--network', file]
    const { out } = await asScript(args, env)
    return (JSON.parse(out) as { readonly error?: { readonly code?: string } }).error?.code
  }
  assert.equal(await refusal('2.1234567'), 'WALLET_AMOUNT')
  assert.equal(await refusal('much'), 'CONFIG_VALUE')
})
