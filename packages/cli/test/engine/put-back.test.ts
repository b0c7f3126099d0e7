/**
 * A client's records are put back to an older copy, on real contracts with real proofs: what the chain shows of a slot that they do not know gives them away (DESIGN §7.1). Stores, purse and
 * money are the program's; only hops are missing.
 */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { cp, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { createProofAuthoriser, type MoneyNotice } from '@byway/client'
import { toHex } from '@byway/protocol/base'
import { nodeBlindTokens } from '@byway/protocol/node-blind'
import { nodeCrypto } from '@byway/protocol/node-crypto'
import type { MoneyEvent } from '@byway/protocol/ledger'
import { createLeafTree, nodePoseidon, nodeTicketCrypto } from '@byway/protocol/node-ticket'
import {
  createLocalPurse,
  findDeposits,
  openPurse,
  readPurseFile,
  reserveDeposits,
} from '@byway/purse'
import { TOKEN_KIND } from '@byway/protocol/wire'
import type { Store } from '@byway/store'
import { createJoinProver, createSlotProver, createZkEngine } from '@byway/zk'
import { createMoney } from '../../../client/src/money/money.ts'
import type { Money } from '../../../client/src/money/money-types.ts'
import { createHandTimers } from '../../../client/test/engine/hand-timers.ts'
import { seededRandom } from '../../../protocol/test/circuit/seeded.ts'
import { forgetSlots, openOwnStore } from '../../src/engine/own-store.ts'
import { createSlotFacts } from '../../src/ledger/slot-facts.ts'
import { bind, registerProvider } from '../commands/bound-slots.ts'
import { paidNetwork, type PaidTestNetwork } from '../commands/paid-network.ts'
import { showSlots } from '../commands/shown-slots.ts'
import { asScript } from '../commands/wallet-person.ts'
import { temporaryHome } from '../spawn-byway.ts'
import { poolOf } from '../wallet/joining-world.ts'

const SLOTS = 5
const SEED = 41
const NODE = new Uint8Array(32).fill(5)
const UNKNOWN_HOP = '00'.repeat(32)

type Look = (money: Money, store: Store) => Promise<void>

/** The client starts, looks at the chain, and stops. */
async function startOnce(
  { payment, chain: { view } }: PaidTestNetwork,
  home: string,
  signal: AbortSignal,
  look: Look,
): Promise<readonly MoneyNotice[]> {
  await using purse = await openPurse(home, { isLocal: true, rules: payment })
  await using store = await openOwnStore(home, 'client')
  using engine = createZkEngine({ provers: 1 })
  const closing = new AbortController()
  const facts = createSlotFacts({ chain: view, fromBlock: payment.deployBlock })
  const following = facts.follow(closing.signal)
  const found = async () => await findDeposits(purse, await view.leaves(0, signal), nodePoseidon)
  const random = seededRandom(SEED)
  const notices: MoneyNotice[] = []
  const timers = createHandTimers(Date.now())
  const money = createMoney({
    parameters: payment,
    provider: nodeCrypto,
    ticketCrypto: nodeTicketCrypto,
    blindTokens: nodeBlindTokens,
    randomBytes,
    random,
    nowMs: timers.nowMs,
    monotonicMs: timers.nowMs,
    timers,
    source: { open: () => Promise.reject(new Error('there is nobody')) } as never,
    nodeOf: () => undefined,
    isGuard: () => false,
    nodes: () => [],
    paths: () => [],
    onStopped: () => {},
    onHopFailed: () => {},
    onNotice: (notice) => void notices.push(notice),
    authoriser: createProofAuthoriser({
      crypto: nodeTicketCrypto,
      createTree: createLeafTree,
      pool: poolOf(payment),
      chain: view,
      async deposits(within) {
        await facts.untilCurrent(within)
        const { deposits } = await found()
        return deposits.map(({ owner, kind, ...one }) => {
          return { ...one, secret: owner.secret, isOwnersAlone: kind === 'deposit' }
        })
      },
      sessionSecret: purse.sessionSecret(),
      prover: { ...createSlotProver(engine), ...createJoinProver(engine) },
      random,
      nowMs: () => performance.now(),
    }),
    journal: store.slots,
    tokens: store.tokens,
    book: { load: () => Promise.resolve(0n), add: () => Promise.resolve() },
    record: (event) => store.ledger.record(event),
    forgetPast: () => forgetSlots(home),
    returns: {
      records: store.returns,
      facts,
      fee: payment.unit,
      meanDelayMs: 3_600_000,
      patienceMs: 3_600_000,
      batchWaitMs: 60_000,
      longestDelayMs: 3_600_000,
      ownerSecret: async (number) => (await purse.depositOwner(number)).secret,
      isPublished: async (root, within) => (await view.publishedRoot(root, within)) !== undefined,
      reserveOwners: async (count) =>
        await reserveDeposits(home, { next: (await found()).nextDeposit, count }),
      random,
      nowMs: timers.nowMs,
    },
  })
  try {
    await money.start(signal)
    await look(money, store)
  } finally {
    await money.signOff()
    await money.stop()
    closing.abort()
    await following
  }
  return notices.filter(({ type }) => type === 'recordsLost')
}

async function openHome(t: TestContext, network: PaidTestNetwork): Promise<string> {
  const home = await temporaryHome(t)
  await createLocalPurse(home)
  await deposit(network, home)
  return home
}

async function deposit(network: PaidTestNetwork, home: string): Promise<void> {
  const words = ['wallet', 'deposit', '--slots', String(SLOTS), '--local', '--no-wait', '--json']
  const { code } = await asScript([...words, '--network', network.file], { BYWAY_HOME: home })
  assert.equal(code, 0)
  await network.run(network.pool.snapshot())
}

/** As before tickets are signed. */
async function raiseFloor(home: string, nullifier: Uint8Array): Promise<void> {
  await using store = await openOwnStore(home, 'client')
  await store.slots.raiseFloor(nullifier, 16)
}

/** All files of the client's records; none of them is open. */
async function copyRecords(from: string, to: string): Promise<void> {
  for (const file of await readdir(to)) {
    if (file.startsWith('client.db')) await rm(join(to, file))
  }
  for (const file of await readdir(from)) {
    if (file.startsWith('client.db')) await cp(join(from, file), join(to, file))
  }
}

const token = (number: number) => ({
  node: NODE,
  kind: TOKEN_KIND.BANDWIDTH,
  keyId: new Uint8Array(8).fill(1),
  nonce: new Uint8Array(32).fill(number),
  token: new Uint8Array(256).fill(number),
  notAfterMs: Date.now() + 86_400_000,
})

test('an older copy of the records is noticed by what the chain has of slots: nothing is shown twice, and it is said what was lost', async (t) => {
  t.diagnostic(`seed ${SEED}`)
  const { signal } = t
  const network = await paidNetwork(t)
  const home = await openHome(t, network)
  const copy = await temporaryHome(t)
  const depositsFrom = async () => (await readPurseFile(home)).past.depositsFrom
  const start = (look: Look) => startOnce(network, home, signal, look)
  await showSlots(network, home, ['shown'], signal)
  const before = await start(async (money, store) => {
    assert.equal(money.status.slots.unshown, SLOTS - 1)
    await store.tokens.add([token(1), token(2)])
  })
  await copyRecords(home, copy)

  // It goes on: another slot is shown, a win binds it, and a token is spent.
  const [, later] = await showSlots(network, home, ['shown', 'shown'], signal)
  assert.ok(later)
  await raiseFloor(home, later.nullifier)
  const provider = await registerProvider(network, await temporaryHome(t))
  await bind(network, home, later, provider)
  const whole = await start(async ({ status: { slots } }, store) => {
    await store.tokens.take(NODE, TOKEN_KIND.BANDWIDTH, 1)
    assert.equal(slots.unknown, 0)
  })
  const asEver = await start(async ({ status: { slots } }) => {
    assert.deepEqual([slots.inUse, slots.unshown, slots.unknown], [2, SLOTS - 2, 0])
  })
  assert.deepEqual(
    [before, whole, asEver],
    [[], [], []],
    'whole records are not taken for older ones',
  )
  assert.equal(await depositsFrom(), 0)

  await copyRecords(copy, home)
  const noticed = await start(async (money, store) => {
    const { slots } = money.status
    assert.deepEqual([slots.unshown, slots.unknown, slots.inUse], [0, SLOTS - 1, 0])
    assert.throws(() => money.requireSlots(), { code: 'DEPOSIT_SPENT' })
    assert.deepEqual(await store.tokens.list(NODE, TOKEN_KIND.BANDWIDTH), [])
    // What was in use comes back; what has no record waits for a person.
    assert.equal(money.status.returns.waiting, 1)
    const events: MoneyEvent[] = []
    for await (const { event } of store.ledger.read(0)) events.push(event)
    const lost = events.find((event) => event.type === 'tokens-lost')
    assert.deepEqual(lost && 'hop' in lost && [lost.hop, lost.count], [toHex(NODE), 2])
    const unknown = events.find(({ id }) => id === `slot:${toHex(later.nullifier)}`)
    assert.equal(unknown && 'hop' in unknown && unknown.hop, UNKNOWN_HOP)
  })
  assert.deepEqual(noticed, [{ type: 'recordsLost' }])
  // One deposit is there; the slot that comes back has the number after those that somebody may have set aside.
  assert.equal(await depositsFrom(), 33, 'the next start knows it too')

  // Told once; and what is deposited after that is as good as ever.
  await deposit(network, home)
  const again = await start(async ({ status: { slots } }) => {
    assert.deepEqual([slots.unshown, slots.unknown, slots.inUse], [SLOTS, SLOTS - 1, 0])
  })
  assert.deepEqual(again, [])

  // Who says so has them back, the one with a win too, and the books know of each.
  const back = await start(async (money, store) => {
    const waiting = money.status.returns.waiting
    assert.equal(await money.giveBack(false), SLOTS - 1)
    assert.equal(await money.giveBack(false), 0)
    assert.equal(money.status.returns.waiting, waiting + SLOTS - 1)
    await money.flushBooks()
    const shown = new Set<string>()
    for await (const { event } of store.ledger.read(0))
      if (event.type === 'slot-shown' && event.hop === UNKNOWN_HOP) shown.add(event.id)
    assert.equal(shown.size, SLOTS - 1)
    assert.ok(shown.has(`slot:${toHex(later.nullifier)}`))
  })
  assert.deepEqual(back, [])
})
