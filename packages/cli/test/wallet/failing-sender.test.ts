/** A command that waits for its transaction ends when nothing can be found out any more: with an error, not with the program. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { chainError, type Chain } from '@byway/chain'
import { createLocalPurse, openPurse } from '@byway/purse'
import { readPaidNetwork, rulesOf, senderOver } from '../../src/wallet/open-wallet.ts'
import type { CliIo } from '../../src/io.ts'
import { paidNetwork } from '../commands/paid-network.ts'
import { temporaryHome } from '../spawn-byway.ts'

test('an endpoint that turns out to serve another chain ends the wait for a transaction', async (t) => {
  const network = await paidNetwork(t)
  const home = await temporaryHome(t)
  const { funds } = await createLocalPurse(home)
  await network.giveCoin(funds)
  const ask = async (method: string, ...params: readonly unknown[]): Promise<unknown> => {
    const [answer] = await network.chain.reader.quorum.askAll(method, params, t.signal)
    return answer?.type === 'result' ? answer.result : assert.fail(`${method} was refused`)
  }
  const io: CliIo = {
    env: { BYWAY_HOME: home },
    isInteractive: false,
    signal: t.signal,
    nowMs: () => Date.now(),
    writeOut: () => {},
    writeErr: () => {},
    ask: () => Promise.reject(new Error('nobody is there')),
    askHidden: () => Promise.reject(new Error('nobody is there')),
  }
  const known = await readPaidNetwork({ network: network.file }, io)
  let isOther = false
  const { reader, view } = network.chain
  const chain: Chain = {
    view,
    reader: {
      ...reader,
      async freshHead(signal) {
        if (isOther) throw chainError('CHAIN_WRONG_CHAIN', { expected: 31_337, found: 1 })
        return await reader.freshHead(signal)
      },
    },
  }
  await using purse = await openPurse(home, { isLocal: true, rules: rulesOf(network.payment) })
  const paid = {
    ...known,
    chain,
    chainOf: () => chain,
    slotStates: () => Promise.resolve([]),
    isThrough: false,
  }
  await ask('evm_setAutomine', false)
  {
    await using sender = await senderOver(paid, 'funds', purse.transactionSigner('funds'), t.signal)
    const sent = sender.send('approve', network.token.approve(network.payment.pool, 1n))
    sent.catch(() => {})
    while ((await ask('eth_getBlockTransactionCountByNumber', 'pending')) !== '0x1')
      await delay(20, undefined, { signal: t.signal })
    isOther = true
    await assert.rejects(sent, { code: 'CHAIN_WRONG_CHAIN' })
  }
})
