/** Vouchers that were given away are their holders': the client of who made them neither pays with them nor speaks of them. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createLocalPurse } from '@byway/purse'
import { openClientMoney } from '../../src/engine/client-payment.ts'
import { engineSetting } from '../../src/engine/engine-options.ts'
import type { CliIo } from '../../src/io.ts'
import { paidNetwork } from '../commands/paid-network.ts'
import { asScript } from '../commands/wallet-person.ts'
import { temporaryHome } from '../spawn-byway.ts'

test('a client pays with its own deposits, and none of its slots is one of a voucher', async (t) => {
  const network = await paidNetwork(t)
  const home = await temporaryHome(t)
  await createLocalPurse(home)
  const env = { BYWAY_HOME: home }
  for (const words of [
    ['deposit', '--slots', '2'],
    ['voucher', 'create', '--slots', '1'],
  ]) {
    const args = ['wallet', ...words, '--local', '--no-wait', '--json', '--network', network.file]
    assert.equal((await asScript(args, env)).code, 0)
  }
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
  const setting = await engineSetting({ network: network.file, drain: 1 }, {}, io)
  await using money = await openClientMoney(setting, network.payment, () => {})
  const slots = await money.payment.authoriser.slots(t.signal)
  assert.deepEqual(
    slots.map(({ isKnownUnshown }) => isKnownUnshown),
    [true, true],
  )
})
