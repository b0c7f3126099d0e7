/** Who is asked about the chain (SPEC §15.9): nodes that may not share a circuit, kept while they answer, left when they fail. The nodes are in memory. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { NodeKey, PathNode } from '@byway/protocol/directory'
import {
  CHAIN_QUESTION,
  CHAIN_VERDICT,
  MAX_CHAIN_ANSWER_BYTES,
  PAY,
  type ChainMessage,
} from '@byway/protocol/wire'
import { createChainSeats, type ClientChainSeat } from '../../src/engine/chain-seats.ts'
import type { ControlCarrier } from '../../src/money/control-circuit.ts'
import { pathNode } from '../path-node.ts'
import { answerOf, carrierTo, family, nodesOf, type Manner } from './answering-nodes.ts'
import { createHandTimers, type HandTimers } from './hand-timers.ts'

const HEAD = { kind: CHAIN_QUESTION.HEAD } as const

type World = {
  readonly seats: readonly ClientChainSeat[]
  readonly timers: HandTimers
  /** By number of the node. */
  readonly manners: Map<number, Manner>
  /** Numbers of the nodes that circuits were opened to, in order. */
  readonly opened: number[]
  /** Of which nobody has closed so many. */
  standing: number
  readonly wrong: NodeKey[]
  /** Which node answers a seat. */
  ask(seat: number): Promise<number | undefined>
}

function createWorld(nodes: readonly PathNode[], idleMs?: number): World {
  const timers = createHandTimers()
  const closing = new AbortController()
  const opened: number[] = []
  const wrong: NodeKey[] = []
  const manners = new Map<number, Manner>()
  const open = async ({ entry }: PathNode): Promise<ControlCarrier> => {
    const number = entry.descriptor.nodeId[0] ?? 0
    opened.push(number)
    world.standing++
    return carrierTo(
      (message) => (manners.get(number) ?? answerOf(number, 8))(message),
      () => void world.standing--,
    )
  }
  const seats = createChainSeats({
    nodes: () => nodes,
    weightOf: () => 1,
    random: () => 0,
    open,
    onWrong: (key) => void wrong.push(key),
    nowMs: timers.nowMs,
    closing: closing.signal,
    idleMs,
    timers,
  })
  const world: World = {
    seats,
    timers,
    manners,
    opened,
    standing: 0,
    wrong,
    async ask(at) {
      const { body } = (await seats[at]?.ask(HEAD, AbortSignal.timeout(60_000))) ?? {}
      return body?.[0]
    },
  }
  return world
}

test('seats have nodes that may not share a circuit, and keep them', async () => {
  const twins = [2, 3].map((number) => ({ ...pathNode(number), ...family(9) }))
  const world = createWorld([...nodesOf(1), ...twins, ...nodesOf(4)])
  const answers = [await world.ask(0), await world.ask(1), await world.ask(2)]
  assert.deepEqual(answers, [1, 2, 4])
  assert.deepEqual([await world.ask(2), await world.ask(0), await world.ask(1)], [4, 1, 2])
  assert.deepEqual(world.opened, [1, 2, 4])
})

test('a seat without a node says so, and finds one when there is one', async () => {
  const nodes = [...nodesOf(1)]
  const world = createWorld(nodes)
  assert.equal(await world.ask(0), 1)
  await assert.rejects(world.ask(1), { code: 'NO_PATH' })
  nodes.push(...nodesOf(2))
  assert.equal(await world.ask(1), 2)
})

test('a circuit that has carried what is free is followed by another to the same node', async () => {
  const world = createWorld(nodesOf(1))
  world.manners.set(1, answerOf(1, MAX_CHAIN_ANSWER_BYTES))
  for (let i = 0; i < 20; i++) assert.equal(await world.ask(0), 1)
  assert.ok(world.opened.length >= 5, `${world.opened.length} circuits`)
  assert.equal(world.standing, 1)
})

test('what is asked at the same time is answered, whatever fits one circuit', async () => {
  const world = createWorld(nodesOf(1))
  const answers = await Promise.all(Array.from({ length: 9 }, () => world.ask(0)))
  assert.deepEqual(new Set(answers), new Set([1]))
})

test('a circuit that ends is no fault of its node once; twice it is', async () => {
  const world = createWorld(nodesOf(1, 2))
  let ends = 1
  world.manners.set(1, (message) => (ends-- > 0 ? 'close' : answerOf(1, 8)(message)))
  assert.equal(await world.ask(0), 1)
  ends = 2
  await assert.rejects(world.ask(0), { code: 'CIRCUIT_FAILED' })
  assert.equal(await world.ask(0), 2)
  assert.deepEqual(world.wrong, [])
})

test('a node that lets a question wait is left, and asked again when no other is there', async () => {
  const world = createWorld(nodesOf(1, 2))
  world.manners.set(1, () => 'hang')
  const asked = world.ask(0)
  await world.timers.pass(19_000)
  assert.deepEqual(world.opened, [1])
  await Promise.all([assert.rejects(asked, { code: 'CIRCUIT_FAILED' }), world.timers.pass(2000)])
  assert.equal(await world.ask(0), 2)
  world.manners.set(2, () => 'close')
  await assert.rejects(world.ask(0))
  world.manners.delete(1)
  assert.equal(await world.ask(0), 1)
})

test('a node that was wrong is never asked again', async () => {
  const world = createWorld(nodesOf(1, 2))
  assert.equal(await world.ask(0), 1)
  world.seats[0]?.replace(true)
  assert.equal(world.standing, 0)
  assert.deepEqual(
    world.wrong,
    nodesOf(1).map(({ key }) => key),
  )
  assert.equal(await world.ask(0), 2)
  world.seats[0]?.replace(true)
  await assert.rejects(world.ask(0), { code: 'NO_PATH' })
})

test('a node that refuses three times in a row is left', async () => {
  const world = createWorld(nodesOf(1, 2))
  const refuse: Manner = ({ request }) => [
    {
      kind: PAY.TOLD,
      request,
      verdict: CHAIN_VERDICT.CHAIN_AWAY,
      isLast: true,
      part: new Uint8Array(0),
    },
  ]
  world.manners.set(1, refuse)
  await world.ask(0)
  await world.ask(0)
  world.manners.delete(1)
  assert.equal(await world.ask(0), 1)
  world.manners.set(1, refuse)
  for (let i = 0; i < 3; i++) assert.equal(await world.ask(0), undefined)
  assert.equal(await world.ask(0), 2)
})

const NONSENSE: readonly (readonly [string, Manner])[] = [
  ['what was not asked', ({ request }) => answerOf(1, 8)({ ...ask(), request: request + 1 })],
  ['more than an answer has', (message) => answerOf(1, MAX_CHAIN_ANSWER_BYTES + 1)(message)],
  [
    'parts of nothing',
    ({ request }) => [
      {
        kind: PAY.TOLD,
        request,
        verdict: CHAIN_VERDICT.OK,
        isLast: false,
        part: new Uint8Array(0),
      },
    ],
  ],
]
function ask(): ChainMessage {
  return { kind: PAY.CHAIN, request: 0, question: HEAD }
}
for (const [what, manner] of NONSENSE) {
  test(`a node that says ${what} is left`, async () => {
    const world = createWorld(nodesOf(1, 2))
    world.manners.set(1, manner)
    await assert.rejects(world.ask(0), { code: 'CIRCUIT_FAILED' })
    assert.equal(await world.ask(0), 2)
    assert.equal(world.standing, 1)
  })
}

test('a circuit that nobody asks over ends where that is wanted, and its node keeps the seat', async () => {
  const world = createWorld(nodesOf(1, 2), 30_000)
  assert.equal(await world.ask(0), 1)
  await world.timers.pass(20_000)
  assert.equal(await world.ask(0), 1)
  await world.timers.pass(29_000)
  assert.deepEqual([world.opened, world.standing], [[1], 1])
  await world.timers.pass(2000)
  assert.equal(world.standing, 0)
  assert.equal(await world.ask(0), 1)
  assert.deepEqual(world.opened, [1, 1])
})
