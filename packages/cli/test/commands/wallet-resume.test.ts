import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { createPurse, newWords } from '@byway/purse'
import { startByway } from '../running-byway.ts'
import { temporaryHome } from '../spawn-byway.ts'
import { paidNetwork } from './paid-network.ts'

const PASSPHRASE = 'a passphrase for tests'
const SLOT_VALUE = 250_000n

test('a deposit that was killed on its way is finished by the next command, once (DESIGN §7.4)', async (t) => {
  const network = await paidNetwork(t)
  const ask = async (method: string, ...params: readonly unknown[]): Promise<unknown> => {
    const [answer] = await network.chain.reader.quorum.askAll(method, params, t.signal)
    return answer?.type === 'result' ? answer.result : assert.fail(`${method} was refused`)
  }
  const home = await temporaryHome(t)
  const pass = join(await temporaryHome(t), 'pass')
  await writeFile(pass, PASSPHRASE, { mode: 0o600 })
  const { funds } = await createPurse(home, newWords(), { passphrase: PASSPHRASE, cost: 'local' })
  await network.giveCoin(funds)
  await network.run(network.token.mint(funds, 4n * SLOT_VALUE))
  const env = { BYWAY_HOME: home, BYWAY_PASSPHRASE_FILE: pass }
  const deposit = (slots: number) =>
    startByway(
      [
        'wallet',
        'deposit',
        '--slots',
        String(slots),
        '--no-wait',
        '--json',
        '--network',
        network.file,
      ],
      env,
    )
  const waiting = async (): Promise<number> =>
    Number(((await ask('txpool_status')) as { pending: string }).pending ?? '0x0')
  const untilWaiting = async (): Promise<void> => {
    while ((await waiting()) === 0) await delay(20, undefined, { signal: t.signal })
  }

  await ask('evm_setAutomine', false)
  const killed = deposit(4)
  // The approval first; the deposit once it is mined.
  await untilWaiting()
  await ask('evm_mine')
  await untilWaiting()
  await killed.kill()
  // Nobody else has it: what is on the disk is all there is.
  await ask('anvil_dropAllTransactions')
  await ask('evm_setAutomine', true)

  const next = deposit(1)
  assert.equal((await next.event('resumed'))['slots'], 4)
  const done = await next.event('deposited')
  assert.deepEqual([done['slots'], done['amount']], [4, String(4n * SLOT_VALUE)])
  assert.equal(await next.ended, 0, next.lastWords())
  const leaves = await network.chain.view.leaves(0, t.signal)
  assert.deepEqual(
    leaves.map(({ limit }) => limit),
    [100],
  )
  assert.equal(await network.chain.view.tokenBalance(funds, t.signal), 0n)
})
