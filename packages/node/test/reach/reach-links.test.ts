/** Asking others to dial us, and dialling for them (SPEC §10.5). */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Link } from '@byway/protocol/link'
import { LINK_MESSAGE, REACH_RESULT, type ReachResult } from '@byway/protocol/wire'
import {
  createReachLinks,
  type ReachLinks,
  type ReachMessage,
} from '../../src/reach/reach-links.ts'
import { resultOf } from '../../src/reach/trial.ts'
import { nodeError } from '../../src/errors.ts'
import { netError } from '../../../net/src/errors.ts'
import { createFakeLink, type FakeLink } from '../fake-link.ts'

const NODE = { role: 'node', nodeId: new Uint8Array(32).fill(1) } as const
const never = new AbortController().signal
const clock = { nowMs: 0 }

function reachLinks(probe?: (port: number) => Promise<ReachResult>): ReachLinks {
  return createReachLinks({
    probe: async (_link, port) => (await probe?.(port)) ?? REACH_RESULT.UNTRIED,
    stopped: never,
    nowMs: () => clock.nowMs,
  })
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

async function pass(from: FakeLink, to: ReachLinks, over: Link): Promise<void> {
  for (const message of from.sent.splice(0)) to.onMessage(over, message as ReachMessage)
  await turn()
}

test('the other end tries the port that is asked for, and its answer comes back', async () => {
  const [here, there] = [createFakeLink(NODE), createFakeLink(NODE)]
  const ports: number[] = []
  const asking = reachLinks()
  const answering = reachLinks(async (port) => {
    ports.push(port)
    return REACH_RESULT.REFUSED
  })
  const answer = asking.ask(here, 9443, never)
  await pass(here, answering, there)
  await pass(there, asking, here)
  assert.equal(await answer, REACH_RESULT.REFUSED)
  assert.deepEqual(ports, [9443])
})

test('a neighbour that asks again at once, or beside eight others, gets no trial', async () => {
  const { promise, resolve } = Promise.withResolvers<ReachResult>()
  let probes = 0
  const answering = reachLinks(async () => {
    probes++
    return await promise
  })
  const ask = (link: FakeLink, requestId: number): void =>
    answering.onMessage(link, { type: LINK_MESSAGE.REACH, requestId, port: 1 })
  const links = Array.from({ length: 9 }, () => createFakeLink(NODE))
  for (const link of links) ask(link, 1)
  await turn()
  assert.equal(probes, 8)
  const untried = { type: LINK_MESSAGE.REACHED, requestId: 1, result: REACH_RESULT.UNTRIED }
  assert.deepEqual(links.at(-1)?.sent, [untried])
  resolve(REACH_RESULT.REACHED)
  await turn()
  const [first] = links
  assert.ok(first)
  ask(first, 2)
  await turn()
  assert.deepEqual(first.sent.at(-1), { ...untried, requestId: 2 })
  clock.nowMs += 10_000
  ask(first, 3)
  await turn()
  assert.equal(probes, 9)
})

test('a client that asks loses its link; a link that closes and an answer that never comes end the wait', async () => {
  const client = createFakeLink({ role: 'client' })
  reachLinks().onMessage(client, { type: LINK_MESSAGE.REACH, requestId: 1, port: 1 })
  assert.equal(client.isClosed, true)
  const asking = reachLinks()
  const closing = createFakeLink(NODE)
  const answer = asking.ask(closing, 1, never)
  asking.onLinkClosed(closing)
  assert.equal(await answer, undefined)
  assert.equal(await asking.ask(createFakeLink(NODE), 1, AbortSignal.abort()), undefined)
})

for (const [error, result] of [
  [netError('NET_CONNECT', { step: 'connect', errno: 'ECONNREFUSED' }), REACH_RESULT.REFUSED],
  [netError('NET_CONNECT', { step: 'connect', errno: 'EHOSTUNREACH' }), REACH_RESULT.SILENT],
  [netError('NET_TIMEOUT', { step: 'connect', timeoutMs: 10_000 }), REACH_RESULT.SILENT],
  [netError('NET_TIMEOUT', { step: 'greeting', timeoutMs: 10_000 }), REACH_RESULT.STRANGER],
  [netError('NET_CONNECT', { step: 'connect', errno: 'closed' }), REACH_RESULT.STRANGER],
  [netError('NET_REFUSED', { status: 404 }), REACH_RESULT.STRANGER],
  [netError('NET_PROOF', { fault: 'node-id' }), REACH_RESULT.STRANGER],
  [nodeError('NODE_UNREACHABLE', {}), REACH_RESULT.UNTRIED],
  [new Error('stopped'), REACH_RESULT.UNTRIED],
] as const) {
  test(`a dial that ended with ${error.message} is told as ${result} (SPEC §10.5)`, () => {
    assert.equal(resultOf(error), result)
  })
}
