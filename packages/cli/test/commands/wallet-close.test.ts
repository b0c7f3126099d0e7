import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { OWN_TERMS } from '@byway/chain'
import { sessionKeyOf } from '@byway/client'
import { toHex } from '@byway/protocol/base'
import { nodeTicketCrypto } from '@byway/protocol/node-ticket'
import { commitOf, createPool, ticketDigest } from '@byway/protocol/ticket'
import type { Opening } from '@byway/protocol/wire'
import { createLocalPurse, openPurse } from '@byway/purse'
import { temporaryHome } from '../spawn-byway.ts'
import { paidNetwork, type PaidTestNetwork } from './paid-network.ts'
import { showSlots, SLOT_VALUE } from './shown-slots.ts'
import { asScript } from './wallet-person.ts'

type Row = Readonly<Record<string, unknown>>

const WIN = 100_000n
/** Of a slot of two wins of which one was paid: a win and the bond. */
const REST = SLOT_VALUE - WIN

test('the rest of a slot of which a hop has won a part comes back as a fresh deposit (SPEC §14.4)', async (t) => {
  const network = await paidNetwork(t)
  const home = await temporaryHome(t)
  await createLocalPurse(home)
  const run = async (...args: readonly string[]): Promise<Row> => {
    const env = { BYWAY_HOME: home }
    const { out, err } = await asScript([...args, '--json', '--network', network.file], env)
    const last = out.trim().split('\n').at(-1)
    return JSON.parse(last === '' || last === undefined ? `{"err":${JSON.stringify(err)}}` : last)
  }
  const code = async (...args: readonly string[]): Promise<unknown> =>
    ((await run(...args))['error'] as Row | undefined)?.['code']
  await run('wallet', 'deposit', '--slots', '3', '--local', '--no-wait')
  await network.run(network.pool.snapshot())
  const openings = await showSlots(network, home, ['refused', 'shown', 'refused'], t.signal)
  const provider = await registerProvider(network, await temporaryHome(t))
  for (const opening of openings.slice(0, 2)) await bind(network, home, opening, provider)

  const listed = await run('wallet', 'close', '--list')
  const rows = (listed['slots'] as readonly Row[]).map(({ step, inUse, rest }) => [
    step,
    inUse,
    rest,
  ])
  assert.deepEqual(
    rows.toSorted((a, b) => Number(a[1]) - Number(b[1])),
    [
      ['ask', false, String(REST)],
      ['ask', true, String(REST)],
    ],
  )
  assert.equal(listed['value'], String(2n * REST))

  const begun = await run('wallet', 'close', '--direct')
  assert.deepEqual([begun['begun'], begun['finished'], begun['inUse']], [1, 0, 1])
  assert.deepEqual((await run('wallet', 'close', '--direct'))['begun'], 0, 'once is enough')
  await network.advance(network.payment.closeDelayS + 1)
  assert.equal((await run('wallet', 'close', '--direct'))['finished'], 1)
  assert.equal(await code('wallet', 'close', '--direct'), 'WALLET_NOTHING')
  const states = await Promise.all(
    openings.map(
      async ({ nullifier }) => (await network.chain.view.slot(nullifier, t.signal)).state,
    ),
  )
  assert.deepEqual(states, ['closed', 'bound', 'none'])

  const ledger = (await run('ledger', '--side', 'client')) as {
    readonly isSound: boolean
    readonly balances: { readonly money: Row }
  }
  assert.equal(ledger.isSound, true)
  const { deposit, 'won by hops': won } = ledger.balances.money
  // Three slots were shown; the rest of one is in the deposit again.
  assert.deepEqual([deposit, won], [String(REST), String(2n * WIN)])

  const queued = await run('wallet', 'close', '--all')
  assert.deepEqual([queued['queued'], queued['isRunning']], [1, false])
  assert.deepEqual((await run('wallet', 'close', '--all'))['queued'], 0, 'it is in the queue')
})

/** Puts a provider under stake; gives its address. */
async function registerProvider(network: PaidTestNetwork, home: string): Promise<Uint8Array> {
  const { token, registry, payment } = network
  const owner = Buffer.from('f39fd6e51aad88f6f4ce6ab8827279cfffb92266', 'hex')
  const { provider, funds } = await createLocalPurse(home)
  await using purse = await openPurse(home, { isLocal: true, rules: payment })
  const nodeId = new Uint8Array(32).fill(5)
  const signature = await purse.signRegistration({ owner, nodeId, payout: funds })
  const stake = 1_000_000_000n
  await network.run(token.mint(owner, stake))
  await network.run(token.approve(payment.registry, stake))
  await network.run(registry.register({ provider, nodeId, payout: funds, stake, signature }))
  return provider
}

/** Binds a slot with a ticket over V, which always wins. */
async function bind(
  network: PaidTestNetwork,
  home: string,
  opening: Opening,
  provider: Uint8Array,
): Promise<void> {
  const crypto = nodeTicketCrypto
  const { pool: calls, payment } = network
  await using purse = await openPurse(home, { isLocal: true, rules: payment })
  const { nullifier } = opening
  const pool = createPool(crypto, { ...payment, faceValue: payment.winValue })
  const [reveal, nonce] = [new Uint8Array(randomBytes(32)), new Uint8Array(randomBytes(16))]
  const head = { index: 3, amount: payment.winValue, nonce }
  const commit = commitOf(crypto, reveal)
  const digest = ticketDigest(crypto, { pool, provider, nullifier }, { ...head, commit })
  const key = sessionKeyOf(crypto, purse.sessionSecret(), nullifier)
  const ticket = { ...head, reveal, signature: crypto.signDigest(key, digest) }
  await network.run(calls.bind([{ provider, binds: [{ opening, ticket }], terms: OWN_TERMS }]))
  assert.equal(toHex(crypto.addressOfSecret(key)), toHex(opening.sessionKey))
}
