/** Orders and answers over node links (SPEC §15.7). */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Link } from '@byway/protocol/link'
import {
  CLOSE_REASON,
  LINK_MESSAGE,
  REDEEM_ANSWER,
  type LinkMessage,
  type RedeemAnswer,
} from '@byway/protocol/wire'
import { createFakeLink } from '../fake-link.ts'
import {
  createRedeemLinks,
  type RedeemLinks,
  type RedeemMessage,
} from '../../src/redemption/redeem-links.ts'

const NODE = { role: 'node', nodeId: new Uint8Array(32).fill(1) } as const
const ORDER = new Uint8Array(200).fill(5)

const never = new AbortController().signal

function linksTo(link: Link | undefined, take?: () => Promise<RedeemAnswer>): RedeemLinks {
  return createRedeemLinks({
    hops: { linkTo: async () => link ?? CLOSE_REASON.UNKNOWN_NODE },
    service: take && { take },
    stopped: never,
  })
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

async function relay(sent: readonly LinkMessage[], to: RedeemLinks, over: Link): Promise<void> {
  for (const message of sent.slice(-1)) to.onMessage(over, message as RedeemMessage)
  await turn()
}

test('an order goes over the link and its answer comes back, also from a node that is no redeemer', async () => {
  for (const expected of [REDEEM_ANSWER.TAKEN, REDEEM_ANSWER.NO_REDEEMER]) {
    const [here, there] = [createFakeLink(NODE), createFakeLink(NODE)]
    const asking = linksTo(here)
    const isRedeemer = expected === REDEEM_ANSWER.TAKEN
    const answering = linksTo(undefined, isRedeemer ? async () => REDEEM_ANSWER.TAKEN : undefined)
    const answer = asking.ask(NODE.nodeId, ORDER, never)
    await turn()
    await relay(here.sent, answering, there)
    await relay(there.sent, asking, here)
    assert.equal(await answer, expected)
  }
})

test('a node that cannot be reached, a link that closes and a caller who gives up end the wait', async () => {
  assert.equal(await linksTo(undefined).ask(NODE.nodeId, ORDER, never), undefined)
  const closing = createFakeLink(NODE)
  const links = linksTo(closing)
  const answer = links.ask(NODE.nodeId, ORDER, never)
  await turn()
  links.onLinkClosed(closing)
  assert.equal(await answer, undefined)
  const stop = new AbortController()
  const waiting = linksTo(createFakeLink(NODE)).ask(NODE.nodeId, ORDER, stop.signal)
  await turn()
  stop.abort()
  assert.equal(await waiting, undefined)
})

test('an answer that nobody waits for does nothing; a client that sends an order is cut off', async () => {
  const end = createFakeLink({ role: 'client' })
  const links = linksTo(undefined, async () => REDEEM_ANSWER.TAKEN)
  links.onMessage(end, {
    type: LINK_MESSAGE.REDEEMED,
    requestId: 9,
    answer: REDEEM_ANSWER.TAKEN,
  })
  await turn()
  assert.deepEqual([end.sent, end.isClosed], [[], false])
  links.onMessage(end, { type: LINK_MESSAGE.REDEEM, requestId: 9, order: ORDER })
  await turn()
  assert.deepEqual([end.sent, end.isClosed], [[], true])
})
