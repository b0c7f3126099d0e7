/** The chain as a command sees it through the running client: two of its nodes must agree, and what names slots or leaves is asked of the client alone. The client is a socket with answers. */
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import type { SlotState } from '@byway/protocol/payment'
import type { AskedFor } from '@byway/client'
import { toHex } from '@byway/protocol/base'
import {
  CHAIN_QUESTION,
  CHAIN_VERDICT,
  encodeChainHeader,
  type ChainQuestion,
} from '@byway/protocol/wire'
import type { ChainAnswers } from '../../src/control/chain-questions.ts'
import { openControl } from '../../src/control/control-socket.ts'
import type { JsonObject } from '../../src/output.ts'
import { findClientChain, type ClientChain } from '../../src/wallet/client-chain.ts'
import { TEST_PAYMENT } from '../../../protocol/test/directory/payment-parameters.ts'
import { temporaryHome } from '../spawn-byway.ts'

const SEATS = 3

/** A block that a node says is the newest. */
function headOf(number: number): JsonObject {
  const hash = new Uint8Array(32).fill(number)
  const parentHash = new Uint8Array(32)
  const body = encodeChainHeader({ number, hash, parentHash, timeS: 7, baseFee: 1n })
  return { verdict: CHAIN_VERDICT.OK, body: toHex(body) }
}

/** What a contract returns. */
function wordOf(value: number): JsonObject {
  return { verdict: CHAIN_VERDICT.OK, body: value.toString(16).padStart(64, '0') }
}

const NONE = new Uint8Array(0)
const REFUSAL: JsonObject = { verdict: CHAIN_VERDICT.TRY_LATER, body: '' }

type World = {
  readonly home: string
  readonly asked: (readonly [account: AskedFor, seat: number, question: ChainQuestion])[]
  readonly left: AskedFor[]
  about: JsonObject
  answer: (seat: number, question: ChainQuestion) => JsonObject
  readonly waited: () => boolean
  open(): Promise<ClientChain>
}

async function createWorld(t: TestContext, own: Partial<ChainAnswers> = {}): Promise<World> {
  const home = await temporaryHome(t)
  let waits = 0
  const world: World = {
    home,
    asked: [],
    left: [],
    about: {
      chainId: TEST_PAYMENT.chainId,
      pool: toHex(TEST_PAYMENT.pool),
      isDirect: false,
      seats: SEATS,
    },
    answer: () => headOf(9),
    waited: () => waits > 0,
    async open() {
      const found = await findClientChain({
        home,
        payment: TEST_PAYMENT,
        isLocal: true,
        onWait: () => void waits++,
        signal: t.signal,
      })
      assert.equal(found.way, 'client')
      return found.way === 'client' ? found.opened : assert.fail()
    },
  }
  const chain: ChainAnswers = {
    about: () => world.about,
    ask: async (account, seat, question) => {
      world.asked.push([account, seat, question])
      return world.answer(seat, question)
    },
    leave: (account) => ({ left: world.left.push(account) }),
    leaves: async () => ({ leaves: [], next: null }),
    slots: async () => ({ states: [] }),
    ...own,
  }
  const control = await openControl(home, 'client', {
    status: () => ({}),
    stop: () => ({}),
    chain,
  })
  t.after(() => control[Symbol.asyncDispose]())
  return world
}

test('believes what two nodes say, whatever one cannot', async (t) => {
  const world = await createWorld(t)
  world.answer = (seat) => (seat === 1 ? REFUSAL : headOf(9))
  const { chain } = await world.open()
  assert.equal((await chain.view.head(t.signal)).number, 9)
  assert.equal(world.asked.filter(([, seat]) => seat === 1).length, 3)
})

test('asks a node again that could not answer at first', async (t) => {
  const world = await createWorld(t)
  const failed = new Set<number>()
  world.answer = (seat) => {
    if (failed.has(seat)) return headOf(9)
    failed.add(seat)
    return REFUSAL
  }
  const { chain } = await world.open()
  assert.equal((await chain.view.head(t.signal)).number, 9)
})

test('believes nobody where nodes contradict each other, and leaves them', async (t) => {
  const world = await createWorld(t)
  world.answer = (seat, { kind }) =>
    kind === CHAIN_QUESTION.HEAD ? headOf(9) : wordOf(seat === 2 ? 8 : 7)
  const { view } = (await world.open()).chainOf('funds')
  const account = new Uint8Array(20)
  await assert.rejects(view.tokenBalance(account, t.signal), { code: 'CHAIN_DISAGREE' })
  while (world.left.length === 0) await new Promise(setImmediate)
  assert.deepEqual(new Set(world.left), new Set(['funds']))
})

test('asks about each account those who are asked about no other', async (t) => {
  const world = await createWorld(t)
  world.answer = (_, { kind }) => (kind === CHAIN_QUESTION.HEAD ? headOf(9) : wordOf(7))
  const { chain, chainOf } = await world.open()
  const [funds, provider] = [new Uint8Array(20).fill(1), new Uint8Array(20).fill(2)]
  await chainOf('funds').view.tokenBalance(funds, t.signal)
  await chainOf('provider').view.gasBalance(provider, t.signal)
  await chain.view.head(t.signal)
  const namesOf = (account: AskedFor): ReadonlySet<string> =>
    new Set(
      world.asked.flatMap(([asked, , { kind, ...fields }]) => {
        const bytes = 'data' in fields ? fields.data : 'account' in fields ? fields.account : NONE
        const named = [funds, provider].filter((each) => toHex(bytes).includes(toHex(each)))
        return asked === account ? named.map((each) => `${kind} ${each[0]}`) : []
      }),
    )
  assert.deepEqual(namesOf('funds'), new Set([`${CHAIN_QUESTION.CALL} 1`]))
  assert.deepEqual(namesOf('provider'), new Set([`${CHAIN_QUESTION.BALANCE} 2`]))
  assert.deepEqual(namesOf('nobody'), new Set())
  assert.ok(world.asked.some(([account]) => account === 'nobody'))
})

test('asks for slots and leaves no node but the own client', async (t) => {
  const states: SlotState[] = ['none', 'bound']
  const leaves = Array.from({ length: 5 }, (_, at) => [`${at + 7}`, `${at + 70}`, at + 1] as const)
  const names: number[] = []
  const world = await createWorld(t, {
    leaves: async (from) => ({
      leaves: leaves.slice(from, from + 2).map((row) => [...row]),
      next: from + 2 < leaves.length ? from + 2 : null,
    }),
    slots: async (nullifiers) => {
      names.push(nullifiers.length)
      return { states: nullifiers.map((name) => states[name[0] ?? 0] ?? null) }
    },
  })
  const { chain, slotStates } = await world.open()
  const found = await chain.view.leaves(0, t.signal)
  assert.deepEqual(
    found,
    leaves.map(([leaf, idc, limit], index) => ({
      index,
      leaf: BigInt(leaf),
      idc: BigInt(idc),
      limit,
    })),
  )
  assert.deepEqual(
    (await chain.view.leaves(3, t.signal)).map(({ index, limit }) => [index, limit]),
    [
      [3, 4],
      [4, 5],
    ],
  )
  const asked = Array.from({ length: 201 }, (_, at) => new Uint8Array(32).fill(at % 2))
  assert.deepEqual(
    await slotStates(asked, t.signal),
    asked.map(([first = 0]) => states[first]),
  )
  assert.deepEqual(names, [200, 1])
  await assert.rejects(chain.view.slot(new Uint8Array(32), t.signal), {
    code: 'WALLET_CLIENT_RUNS',
  })
  assert.deepEqual(world.asked, [])
})

test('waits for a client that has no circuits yet', async (t) => {
  const world = await createWorld(t)
  const whole = world.about
  world.about = { ...whole, seats: 0 }
  const opening = world.open()
  while (!world.waited()) await new Promise(setImmediate)
  world.about = whole
  assert.equal((await (await opening).chain.view.head(t.signal)).number, 9)
})

for (const [way, change] of [
  ['other-network', { chainId: 1 }],
  ['other-network', { pool: '00'.repeat(20) }],
  ['direct', { isDirect: true }],
] as const) {
  test(`does not go through a client that says ${JSON.stringify(change)}`, async (t) => {
    const world = await createWorld(t)
    world.about = { ...world.about, ...change }
    const { home } = world
    const options = { home, payment: TEST_PAYMENT, isLocal: true, onWait() {}, signal: t.signal }
    assert.deepEqual(await findClientChain(options), { way })
  })
}

test('takes a client that pays nobody for one of another network, and none for none', async (t) => {
  const home = await temporaryHome(t)
  const options = { home, payment: TEST_PAYMENT, isLocal: true, onWait() {}, signal: t.signal }
  assert.deepEqual(await findClientChain(options), { way: 'no-client' })
  await using _control = await openControl(home, 'client', {
    status: () => ({}),
    stop: () => ({}),
  })
  assert.deepEqual(await findClientChain(options), { way: 'other-network' })
})
