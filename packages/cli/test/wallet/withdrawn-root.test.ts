/**
 * A withdrawal that a relayer has under a root which a reorganisation takes (SPEC §15.8), on real contracts with real proofs: it is proved again under the root that came instead, for the
 * same receivers, and paid without its bond being touched.
 */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { createLocalSigner } from '@byway/chain'
import { toHex } from '@byway/protocol/base'
import { RETURN_KIND, type WithdrawRequest } from '@byway/protocol/wire'
import { createLocalPurse } from '@byway/purse'
import { seededRandom } from '../../../protocol/test/circuit/seeded.ts'
import { paidNetwork } from '../commands/paid-network.ts'
import { asScript } from '../commands/wallet-person.ts'
import { temporaryHome } from '../spawn-byway.ts'
import { beginLife, openRelay, poolOf, type TestRelay } from './joining-world.ts'

const RECEIVER = new Uint8Array(20).fill(0xee)

test('a withdrawal outlives the root that it was proved under', async (t) => {
  const { signal } = t
  const network = await paidNetwork(t)
  const { payment, pool: calls, chain } = network
  const home = await temporaryHome(t)
  await createLocalPurse(home)
  const deposit = async (): Promise<void> => {
    const args = ['wallet', 'deposit', '--slots', '1', '--local', '--no-wait']
    const { code, err } = await asScript([...args, '--json', '--network', network.file], {
      BYWAY_HOME: home,
    })
    assert.equal(code, 0, err)
  }
  await deposit()
  const { number: kept } = await chain.reader.freshHead(signal)
  await network.advance(1)
  // By an account of its own: what sends on must not have counted what the chain forgets.
  const publisher = new Uint8Array(randomBytes(32))
  await network.giveCoin(createLocalSigner(publisher).address)
  await network.run(calls.snapshot(), publisher)
  const first = await chain.view.newestRoot(signal)
  assert.ok(first)

  await using relay = await openRelay(network, await temporaryHome(t), signal)
  let isAsleep = true
  const sleeper: TestRelay = {
    ...relay,
    work: () => (isAsleep ? Promise.resolve() : relay.work()),
  }
  const failures: unknown[] = []
  const client = await beginLife({
    network,
    home,
    signal,
    relays: () => [sleeper],
    random: seededRandom(3),
    onFailed: (error) => failures.push(error),
  })
  const [slot] = await client.authoriser.slots(signal)
  assert.ok(slot)
  const { nullifier } = slot
  await client.queue.add([{ kind: 'withdraw', nullifier, to: RECEIVER }])
  await client.until(() => relay.told.length > 0)
  await client.until(() => relay.asked.open === 0)
  assert.equal(client.queue.counts.asked, 1, 'the relayer has taken it')

  // The block with the root is gone, and so is the root; the next one holds one leaf more.
  const { number: top } = await chain.reader.freshHead(signal)
  await chain.reader.quorum.askAll('anvil_reorg', [top - kept, []], signal)
  assert.equal(await chain.view.publishedRoot(first.root, signal), undefined)
  // And with it what this chain gave the relayer for gas.
  await network.giveCoin(relay.node.entry.descriptor.provider ?? assert.fail('it is paid'))
  await deposit()
  await network.advance(1)
  await network.run(calls.snapshot())
  const second = await chain.view.newestRoot(signal)
  assert.ok(second)
  assert.notEqual(toHex(second.root), toHex(first.root))

  isAsleep = false
  const stateOf = async (): Promise<string> => (await chain.view.slot(nullifier, signal)).state
  await client.until(async () => (await stateOf()) === 'withdrawing')
  await network.advance(payment.refundDelayS + 1)
  await client.until(async () => (await stateOf()) === 'withdrawn')
  await client.die()
  assert.deepEqual(failures, [])
  const told = relay.told.filter(
    (request): request is WithdrawRequest => request.kind === RETURN_KIND.WITHDRAW,
  )
  assert.equal(told.length, relay.told.length)
  const [before, after] = [told[0], told.at(-1)]
  assert.deepEqual([before?.root, after?.root], [first.root, second.root])
  const receivers = told.map(({ to, feeTo }) => `${toHex(to)} ${toHex(feeTo)}`)
  assert.equal(new Set(receivers).size, 1, 'two proofs for others would be a conflict')
  assert.equal((await chain.view.slot(nullifier, signal)).isBurned, false)
  const { slotValue } = poolOf(payment)
  assert.equal(await chain.view.tokenBalance(RECEIVER, signal), slotValue - payment.unit)
})
