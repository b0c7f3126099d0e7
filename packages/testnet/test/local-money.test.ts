import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { openChain } from '@byway/chain'
import { nodePoseidon } from '@byway/protocol/node-ticket'
import { findDeposits, openPurse } from '@byway/purse'
import { startLocalMoney } from '../src/money/local-money.ts'

async function folderOf(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'byway-test-'))
  t.after(() => rm(folder, { recursive: true }))
  return folder
}

test('nodes have a stake and gas, the client a deposit under a published root, and the chain ends with it', async (t) => {
  const [node, client] = [await folderOf(t), await folderOf(t)]
  const money = await startLocalMoney(t.signal)
  const { payment } = money
  const { view } = openChain({ payment, isLocal: true, onAlert: () => {} })
  const nodeId = new Uint8Array(32).fill(5)
  try {
    await money.preparePurse(node, true)
    await Promise.all([money.registerNode(node, nodeId, 1), money.fundClient(client)])
    await using provider = await openPurse(node, { isLocal: true })
    const { accounts } = provider
    const registration = await view.registration(accounts.provider, t.signal)
    assert.deepEqual([registration?.nodeId, registration?.isActive], [nodeId, true])
    assert.deepEqual(registration?.payout, accounts.owner)
    assert.ok((await view.gasBalance(accounts.provider, t.signal)) > 0n)
    await using payer = await openPurse(client, { isLocal: true })
    const found = await findDeposits(payer, await view.leaves(0, t.signal), nodePoseidon)
    const [deposit] = found.deposits
    // Two wins of two bonds each and a bond, of five units each.
    assert.deepEqual([found.deposits.length, (deposit?.limit ?? 0) % 25], [1, 0])
    assert.ok(await view.newestRoot(t.signal))
  } finally {
    await money[Symbol.asyncDispose]()
  }
  await assert.rejects(view.credit(payment.pool, t.signal), { code: 'CHAIN_UNREACHABLE' })
})
