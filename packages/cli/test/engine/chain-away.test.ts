/** A node that is killed and starts again while its chain is away: it serves what it served, and what it wins meanwhile is paid once (DESIGN §7.1, SPEC §15.8). */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { sessionKeyOf } from '@byway/client'
import { dialLink } from '@byway/net'
import { equalBytes, fromHex } from '@byway/protocol/base'
import { nodeCrypto } from '@byway/protocol/node-crypto'
import { nodeTicketCrypto } from '@byway/protocol/node-ticket'
import type { SlotWord } from '@byway/protocol/payment'
import { createPool, ticketDigest, unitPrice } from '@byway/protocol/ticket'
import {
  PAY,
  VERDICT,
  type CommitsMessage,
  type Opening,
  type TicketMessage,
} from '@byway/protocol/wire'
import { createLocalPurse, openPurse } from '@byway/purse'
import { clientOf, type TestClient } from '../../../node/test/money/live-node.ts'
import { commitFor } from '../../../node/test/money/paying-client.ts'
import { formatNetworkFile } from '../../src/config/network-file.ts'
import { openOwnStore } from '../../src/engine/own-store.ts'
import { registerProvider } from '../commands/bound-slots.ts'
import { paidNetwork, type PaidTestNetwork } from '../commands/paid-network.ts'
import { showSlots } from '../commands/shown-slots.ts'
import { asScript } from '../commands/wallet-person.ts'
import { startByway, type RunningByway } from '../running-byway.ts'
import { temporaryHome } from '../spawn-byway.ts'
import { openGate } from './chain-gate.ts'

const PRICE_STEP = 8
/** Where a lock and a bind are worth their gas, wei. */
const BASE_FEE = 10_000_000
const LOOK_MS = 50

test('a node that starts again while the chain is away serves on, and what it wins is paid once', async (t) => {
  const network = await paidNetwork(t)
  const { payment } = network
  const gate = await openGate(t, payment.rpcUrls[0] ?? '')
  const file = await fileBehind(t, network, gate.url)
  const home = await temporaryHome(t)
  const provider = await registerProvider(network, home)
  await network.giveCoin(provider)
  const { opening, ticket, price } = await payerOf(t, network, provider)
  const most = payment.winValue - (payment.winValue % price)
  const args = ['node', '--listen', '127.0.0.1:0', '--price', `${PRICE_STEP}`, '--json']
  const start = (): RunningByway => {
    const node = startByway([...args, '--network', file], { BYWAY_HOME: home })
    t.after(() => node.kill())
    return node
  }

  const first = start()
  const before = await connectTo(first)
  const commits = await show(before, opening)
  assert.equal(commits.firstIndex, 0)
  before.send(ticket(commits, 0, price))
  assert.equal((await before.next(PAY.COMMITS)).firstIndex, 64, 'the ticket was taken')

  await gate.shut()
  await first.kill()
  const second = start()
  const after = await connectTo(second)
  const fresh = await show(after, opening)
  assert.equal(fresh.firstIndex, 128, 'no index that may have been used')
  // Each is of nearly V, so nearly each wins.
  for (let at = 0; at < 20; at++) after.send(ticket(fresh, fresh.firstIndex + at, most))
  assert.equal((await after.next(PAY.SLOT_FULL)).reveals.length, payment.winsPerSlot)

  await network.chain.reader.quorum.askAll('anvil_setNextBlockBaseFeePerGas', [BASE_FEE], t.signal)
  await gate.open()
  const word = (): Promise<SlotWord> => network.chain.view.slot(opening.nullifier, t.signal)
  await until(t, async () => (await word()).state === 'locked')
  await network.advance((payment.lockS * 7) / 8)
  await until(t, async () => (await word()).state === 'bound')
  assert.equal((await word()).wins, 1)
  // The other is a later win of a slot that is ours for good: it waits for company.
  assert.equal(await second.stop(), 0, second.lastWords())
  await using store = await openOwnStore(home, 'node')
  const wins = await store.winners.ofSlot(opening.nullifier)
  assert.equal(wins.length, payment.winsPerSlot)
  const credit = await network.chain.view.credit(provider, t.signal)
  const held = await network.chain.view.held(provider, t.signal)
  const paid = credit + held.due + held.open
  assert.ok(paid > 0n && paid <= payment.winValue, `${paid}`)
})

/** The network as one knows it who asks the chain through a gate. */
async function fileBehind(
  t: TestContext,
  { payment }: PaidTestNetwork,
  url: string,
): Promise<string> {
  const file = join(await temporaryHome(t), 'network.toml')
  const network = {
    name: 'test',
    local: true,
    reachablePrefixes: ['127.0.0.0/8'],
    asnTable: [],
    bootstrap: [],
    exitTargets: [],
    payment: { ...payment, rpcUrls: [url] },
  }
  await writeFile(file, formatNetworkFile(network))
  return file
}

/** A person with one slot, and the tickets that it signs. */
async function payerOf(t: TestContext, network: PaidTestNetwork, provider: Uint8Array) {
  const crypto = nodeTicketCrypto
  const { payment } = network
  const home = await temporaryHome(t)
  await createLocalPurse(home)
  const deposit = ['wallet', 'deposit', '--slots', '1', '--local', '--no-wait', '--json']
  await asScript([...deposit, '--network', network.file], { BYWAY_HOME: home })
  await network.run(network.pool.snapshot())
  const [opening] = await showSlots(network, home, ['shown'], t.signal)
  assert.ok(opening)
  const { nullifier } = opening
  await using purse = await openPurse(home, { isLocal: true, rules: payment })
  const key = sessionKeyOf(crypto, purse.sessionSecret(), nullifier)
  const pool = createPool(crypto, { ...payment, faceValue: payment.winValue })
  const ticket = (commits: CommitsMessage, index: number, amount: bigint): TicketMessage => {
    const nonce = new Uint8Array(randomBytes(16))
    const head = { index, amount, commit: commitFor([commits], index), nonce }
    const digest = ticketDigest(crypto, { pool, provider, nullifier }, head)
    const signature = crypto.signDigest(key, digest)
    return { kind: PAY.TICKET, index, amount, nonce, signature }
  }
  return { opening, ticket, price: unitPrice(pool, PRICE_STEP) }
}

async function connectTo(node: RunningByway): Promise<TestClient> {
  const ready = await node.event('ready')
  const [host, port] = String(ready['listen']).split(':')
  const nodeId = fromHex(String(ready['id']))
  assert.ok(host !== undefined && nodeId)
  return clientOf(await dialLink({ crypto: nodeCrypto }, { host, port: Number(port), nodeId }))
}

/** Shows a slot, and gives the first commits for it. */
async function show(client: TestClient, opening: Opening): Promise<CommitsMessage> {
  client.send({ kind: PAY.SHOW, opening })
  assert.equal((await client.next(PAY.SHOWN)).verdict, VERDICT.OK)
  const commits = await client.next(PAY.COMMITS)
  assert.ok(equalBytes(commits.nullifier, opening.nullifier))
  return commits
}

async function until(t: TestContext, holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await delay(LOOK_MS, undefined, { signal: t.signal })
}
