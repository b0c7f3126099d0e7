/** Slots that were never shown, asked back from the own account while the chain forgets what it was told (SPEC §14.4), on real contracts with real proofs. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { createLocalSigner } from '@byway/chain'
import { toHex } from '@byway/protocol/base'
import { createPool } from '@byway/protocol/ticket'
import { nodeTicketCrypto } from '@byway/protocol/node-ticket'
import { createLocalPurse, formatAddress, openPurse } from '@byway/purse'
import { openOwnStore } from '../../src/engine/own-store.ts'
import { temporaryHome } from '../spawn-byway.ts'
import { runWallet, type Row } from './gated-wallet.ts'
import { paidNetwork } from './paid-network.ts'

const STRANGER = new Uint8Array(20).fill(0xee)

test('what the chain forgot is asked for again: in the same bytes, or for the same receiver under another root', async (t) => {
  const { signal } = t
  const network = await paidNetwork(t)
  const { payment, chain } = network
  const home = await temporaryHome(t)
  await createLocalPurse(home)
  await using purse = await openPurse(home, { isLocal: true, rules: payment })
  const { funds } = purse.accounts
  const wallet = async (...args: readonly string[]): Promise<Row> => {
    const { code, err, last } = await runWallet(home, network.file, ...args)
    assert.equal(code, 0, err)
    return last
  }
  const deposit = (): Promise<Row> => wallet('deposit', '--slots', '1', '--local', '--no-wait')
  // By an account of its own: what sends on must not have counted what the chain forgets.
  const publish = async (): Promise<void> => {
    const publisher = new Uint8Array(randomBytes(32))
    await network.giveCoin(createLocalSigner(publisher).address)
    await network.advance(1)
    await network.run(network.pool.snapshot(), publisher)
  }
  const withdraw = (...to: readonly string[]): Promise<Row> => wallet('withdraw', '--direct', ...to)
  const journal = async () => {
    await using store = await openOwnStore(home, 'client')
    return await store.slots.all()
  }
  const heightOf = async (): Promise<number> => (await chain.reader.freshHead(signal)).number
  const forgetTo = async (block: number): Promise<void> => {
    const depth = (await heightOf()) - block
    await chain.reader.quorum.askAll('anvil_reorg', [depth, []], signal)
    await network.giveCoin(funds)
  }

  await deposit()
  const beforeRoot = await heightOf()
  await publish()
  const afterRoot = await heightOf()
  const to = ['--to', formatAddress(STRANGER), '--yes']
  assert.equal((await withdraw(...to))['begun'], 1)
  const [asked] = await journal()
  assert.ok(asked)
  const stateOf = async (): Promise<string> =>
    (await chain.view.slot(asked.nullifier, signal)).state
  assert.equal(await stateOf(), 'withdrawing')

  // The root is still there: nothing is proved anew. Without its receiver's name nobody has confirmed it.
  await forgetTo(afterRoot)
  assert.equal(await stateOf(), 'none')
  const unnamed = await withdraw()
  assert.deepEqual([unnamed['begun'], unnamed['elsewhere']], [0, 1])
  assert.equal((await withdraw(...to))['begun'], 1)
  assert.equal(await stateOf(), 'withdrawing')
  assert.deepEqual((await journal())[0]?.opening, asked.opening)

  // The root has gone as well, and the next holds one leaf more.
  await forgetTo(beforeRoot)
  assert.equal(await chain.view.publishedRoot(asked.opening.root, signal), undefined)
  await deposit()
  await publish()
  const both = await withdraw()
  assert.deepEqual(
    [both['begun'], both['elsewhere']],
    [1, 1],
    'the second slot, to the own account',
  )
  assert.equal((await withdraw(...to))['begun'], 1)
  assert.equal(await stateOf(), 'withdrawing')
  const again = (await journal()).find((one) => toHex(one.nullifier) === toHex(asked.nullifier))
  assert.notDeepEqual(again?.opening.root, asked.opening.root)

  await network.advance(payment.refundDelayS + 1)
  assert.equal((await withdraw())['finished'], 2)
  const { isBurned, state } = await chain.view.slot(asked.nullifier, signal)
  assert.deepEqual([isBurned, state], [false, 'withdrawn'])
  const { slotValue } = createPool(nodeTicketCrypto, { ...payment, faceValue: payment.winValue })
  assert.equal(await chain.view.tokenBalance(STRANGER, signal), slotValue)
  assert.equal(await chain.view.tokenBalance(funds, signal), slotValue)
})
