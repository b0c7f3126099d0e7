import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { nodeKeyOf } from '@byway/protocol/directory'
import type { Link } from '@byway/protocol/link'
import { createGuardLinks } from '../../src/engine/guard-links.ts'
import type { GuardTarget } from '../../src/engine/guard-links.ts'
import { createFakeLink } from './fake-link.ts'
import { settle } from './hand-timers.ts'

const NEVER = new AbortController().signal

function targetOf(number: number): GuardTarget {
  const nodeId = new Uint8Array(32).fill(number)
  return { key: nodeKeyOf(nodeId), nodeId, addresses: [] }
}

type Dial = {
  readonly signal: AbortSignal
  readonly succeed: (link: Link) => void
  readonly fail: (error: Error) => void
}

function world() {
  const dials: Dial[] = []
  const outcomes: boolean[] = []
  const clock = { nowMs: 0 }
  const links = createGuardLinks({
    dial: (_target, signal) => {
      const { promise, resolve, reject } = Promise.withResolvers<Link>()
      dials.push({ signal, succeed: resolve, fail: reject })
      return promise
    },
    onOutcome: (_key, isUp) => void outcomes.push(isUp),
    nowMs: () => clock.nowMs,
  })
  return { links, dials, outcomes, clock }
}

async function fail(dial: Dial | undefined, waiting: Promise<unknown>): Promise<void> {
  dial?.fail(new Error('refused'))
  await assert.rejects(waiting, { message: 'refused' })
}

suite('links to guards', () => {
  test('callers that want one guard share one dial and one link', async () => {
    const { links, dials, outcomes } = world()
    const both = [links.connect(targetOf(1), NEVER), links.connect(targetOf(1), NEVER)]
    dials[0]?.succeed(createFakeLink())
    const [one, two] = await Promise.all(both)
    assert.equal(one, two)
    assert.equal(await links.connect(targetOf(1), NEVER), one)
    assert.equal(links.get(targetOf(1).key), one)
    assert.deepEqual(links.live, [one])
    assert.equal(dials.length, 1)
    assert.deepEqual(outcomes, [true], 'told once per attempt')
  })

  test('a caller that gives up does not end the dial for the others', async () => {
    const { links, dials } = world()
    const leaver = new AbortController()
    const left = links.connect(targetOf(1), leaver.signal)
    const stays = links.connect(targetOf(1), NEVER)
    leaver.abort(new Error('gone'))
    await assert.rejects(left, { message: 'gone' })
    assert.equal(dials[0]?.signal.aborted, false)
    dials[0]?.succeed(createFakeLink())
    assert.equal((await stays).isClosed, false)
  })

  test('a caller that has given up before dials nobody', async () => {
    const { links, dials } = world()
    await assert.rejects(links.connect(targetOf(1), AbortSignal.abort()))
    assert.equal(dials.length, 0)
  })

  test('a link that closes is forgotten, and dialled anew on request', async () => {
    const { links, dials } = world()
    const waiting = links.connect(targetOf(1), NEVER)
    const link = createFakeLink()
    dials[0]?.succeed(link)
    await waiting
    link.close('remote')
    assert.equal(links.get(targetOf(1).key), undefined)
    assert.deepEqual(links.live, [])
    await settle()
    const again = links.connect(targetOf(1), NEVER)
    dials[1]?.succeed(createFakeLink())
    assert.equal((await again).isClosed, false)
  })

  test('a dial that fails is told to all who wait, and does not poison the next', async () => {
    const { links, dials, outcomes } = world()
    const both = [links.connect(targetOf(1), NEVER), links.connect(targetOf(1), NEVER)]
    dials[0]?.fail(new Error('refused'))
    for (const waiting of both) await assert.rejects(waiting, { message: 'refused' })
    assert.deepEqual(outcomes, [false])
    const again = links.connect(targetOf(1), NEVER)
    dials[1]?.succeed(createFakeLink())
    await again
    assert.deepEqual(outcomes, [false, true])
  })
})

suite('rest after failure', () => {
  test('doubles from 250 ms to 30 s, each guard by itself', async () => {
    const { links, dials, clock } = world()
    const { key } = targetOf(1)
    for (const restMs of [250, 500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]) {
      const waiting = links.connect(targetOf(1), NEVER)
      await fail(dials.at(-1), waiting)
      clock.nowMs += restMs - 1
      assert.equal(links.isResting(key), true)
      clock.nowMs += 1
      assert.equal(links.isResting(key), false)
    }
    assert.equal(links.isResting(targetOf(2).key), false)
  })

  test('begins anew after a success', async () => {
    const { links, dials, clock } = world()
    for (let i = 0; i < 4; i++) {
      const waiting = links.connect(targetOf(1), NEVER)
      await fail(dials.at(-1), waiting)
    }
    const link = createFakeLink()
    const waiting = links.connect(targetOf(1), NEVER)
    dials.at(-1)?.succeed(link)
    await waiting
    assert.equal(links.isResting(targetOf(1).key), false)
    link.close('io')
    await settle()
    const last = links.connect(targetOf(1), NEVER)
    await fail(dials.at(-1), last)
    clock.nowMs += 250
    assert.equal(links.isResting(targetOf(1).key), false)
  })
})

suite('closing all', () => {
  test('closes every link and calls off what is being dialled, which is no fault of the guard', async () => {
    const { links, dials, outcomes } = world()
    const first = links.connect(targetOf(1), NEVER)
    const link = createFakeLink()
    dials[0]?.succeed(link)
    await first
    const second = links.connect(targetOf(2), NEVER)
    links.closeAll()
    assert.equal(link.isClosed, true)
    assert.equal(dials[1]?.signal.aborted, true)
    dials[1]?.fail(new Error('aborted'))
    await assert.rejects(second, { code: 'CLIENT_CLOSED' })
    assert.deepEqual(outcomes, [true])
    assert.equal(links.isResting(targetOf(2).key), false)
  })

  test('closes a link that comes in spite of that', async () => {
    const { links, dials } = world()
    const waiting = links.connect(targetOf(1), NEVER)
    links.closeAll()
    const late = createFakeLink()
    dials[0]?.succeed(late)
    await assert.rejects(waiting, { code: 'CLIENT_CLOSED' })
    assert.equal(late.isClosed, true)
    assert.deepEqual(links.live, [])
  })

  test('dials nobody afterwards', async () => {
    const { links, dials } = world()
    links.closeAll()
    await assert.rejects(links.connect(targetOf(1), NEVER), { code: 'CLIENT_CLOSED' })
    assert.equal(dials.length, 0)
  })
})
