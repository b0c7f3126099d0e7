import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createLocalPurse } from '@byway/purse'
import { toHex } from '@byway/protocol/base'
import { openOwnStore } from '../../src/engine/own-store.ts'
import { temporaryHome } from '../spawn-byway.ts'
import { paidNetwork, type PaidTestNetwork } from './paid-network.ts'
import { showSlots, SLOT_VALUE } from './shown-slots.ts'
import { asScript } from './wallet-person.ts'

type Row = Readonly<Record<string, unknown>>

test('a slot that was shown and not won comes back as a fresh deposit, in two steps (SPEC §14.4)', async (t) => {
  const network = await paidNetwork(t)
  const home = await temporaryHome(t)
  const { funds } = await createLocalPurse(home)
  const env = { BYWAY_HOME: home }
  const run = async (...args: readonly string[]): Promise<Row> => {
    const { out, err } = await asScript([...args, '--json', '--network', network.file], env)
    const last = out.trim().split('\n').at(-1)
    return JSON.parse(last === '' || last === undefined ? `{"err":${JSON.stringify(err)}}` : last)
  }
  const code = async (...args: readonly string[]): Promise<unknown> =>
    ((await run(...args))['error'] as Row | undefined)?.['code']
  await run('wallet', 'deposit', '--slots', '3', '--local', '--no-wait')
  await network.run(network.pool.snapshot())
  await showSlots(network, home, ['refused', 'shown'], t.signal)

  const listed = await run('wallet', 'refund', '--list')
  assert.deepEqual(
    (listed['slots'] as readonly Row[])
      .map(({ step, inUse }) => `${String(step)} ${String(inUse)}`)
      .toSorted(),
    ['ask false', 'ask true'],
  )
  assert.equal(listed['value'], String(2n * SLOT_VALUE))

  const begun = await run('wallet', 'refund', '--direct')
  assert.deepEqual([begun['begun'], begun['finished'], begun['inUse']], [1, 0, 1])
  assert.equal(typeof begun['dueAt'], 'string')
  const early = await run('wallet', 'refund', '--direct')
  assert.deepEqual([early['begun'], early['finished']], [0, 0])
  {
    await using client = await openOwnStore(home, 'client')
    assert.equal(await code('wallet', 'refund', '--direct'), 'STORE_LOCKED')
    void client
  }
  await network.advance(601)
  assert.equal((await run('wallet', 'refund', '--direct'))['finished'], 1)
  assert.equal(await code('wallet', 'refund', '--direct'), 'WALLET_NOTHING')

  const { deposits } = (await run('wallet', 'show')) as { readonly deposits: readonly Row[] }
  assert.deepEqual(
    deposits.map(({ number, slots, isPastKnown }) => [number, slots, isPastKnown]),
    [
      [0, 3, true],
      [1, 1, true],
    ],
  )
  const { isSound, balances } = (await run('ledger', '--side', 'client')) as {
    readonly isSound: boolean
    readonly balances: { readonly money: Row; readonly gas: Row }
  }
  // Every transaction of the commands: minting, allowing, depositing, asking and finishing.
  assert.equal(balances.gas['spent'], String(await spentBy(network, funds, t.signal)))
  assert.equal(isSound, true)
  const { slots, deposit, outside } = balances.money
  assert.deepEqual(
    [slots, deposit, outside],
    [SLOT_VALUE, 2n * SLOT_VALUE, -3n * SLOT_VALUE].map(String),
  )
  assert.equal((await run('wallet', 'refund', '--all', '--direct'))['begun'], 1)

  // What the client had told a relayer that is gone is in nobody's records: the slot waits for it, and then goes elsewhere.
  const attempts = async (): Promise<readonly number[]> => {
    await using client = await openOwnStore(home, 'client')
    const orders = await client.returns.all()
    for (const order of orders) await client.returns.put({ ...order, body: new Uint8Array() })
    const words = orders.map(({ nullifier }) => network.chain.view.slot(nullifier, t.signal))
    return (await Promise.all(words)).map(({ lastIndex }) => lastIndex)
  }
  assert.deepEqual(await attempts(), [0])
  const both = async (): Promise<unknown> => {
    const { begun: asked, finished } = await run('wallet', 'refund', '--all', '--direct')
    return [asked, finished]
  }
  await network.advance(601)
  assert.deepEqual(await both(), [0, 0])
  await network.advance(600)
  assert.deepEqual(await both(), [1, 0])
  assert.deepEqual(await attempts(), [1], 'later than the one that nobody remembers')
  await network.advance(600)
  assert.deepEqual(await both(), [1, 0])
  assert.deepEqual(await both(), [0, 1])
  assert.equal(await network.chain.view.tokenBalance(funds, t.signal), 0n)
})

/** What the account paid for gas in all, as the chain has it. */
async function spentBy(
  { chain }: PaidTestNetwork,
  account: Uint8Array,
  signal: AbortSignal,
): Promise<bigint> {
  const { reader } = chain
  const head = await reader.freshHead(signal)
  const from = `0x${toHex(account)}`
  let spent = 0n
  for (let number = 0; number <= head.number; number++) {
    const params = [`0x${number.toString(16)}`, true]
    const parse = (result: unknown): readonly string[] =>
      (result as { transactions: { hash: string; from: string }[] }).transactions
        .filter((each) => each.from === from)
        .map(({ hash }) => hash)
    const found = await reader.quorum.agree(
      { method: 'eth_getBlockByNumber', params, parse },
      signal,
    )
    if (found.type !== 'value') continue
    for (const hash of found.value) {
      const receipt = await reader.receipt(hash as `0x${string}`, signal)
      if (receipt) spent += receipt.gasUsed * receipt.gasPrice
    }
  }
  return spent
}
