/** Which of address and relays a node names, by what others find (SPEC §10.5). */
import assert from 'node:assert/strict'
import { suite, test, type TestContext } from 'node:test'
import { REACH_RESULT, type ReachResult } from '@byway/protocol/wire'
import type { Attachments } from '../../src/attachments.ts'
import type { PortMapping } from '../../src/reach/port-map.ts'
import { createPlace, judgeTrials, type Place } from '../../src/reach/place.ts'

const { REACHED, REFUSED, SILENT, STRANGER, UNTRIED } = REACH_RESULT
const CLAIMED = { host: '203.0.113.7', port: 9443 }
const MAPPED: PortMapping = {
  host: '198.51.100.9',
  port: 31_000,
  protocol: 'upnp',
  lifetimeS: 7200,
}
const FIRST_TRIAL_MS = 5000
const RETRIAL_MS = 600_000
const TRIAL_MS = 3_600_000

type WorldOptions = {
  readonly claimed?: typeof CLAIMED
  readonly mapping?: PortMapping
  readonly hasRouter?: boolean
}

/** A node with three neighbours, whose answers the test sets; its timers are the test's. */
function world(t: TestContext, { claimed, mapping, hasRouter = false }: WorldOptions) {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const state = {
    answers: [REACHED, REACHED, REACHED] as readonly ReachResult[],
    mapping,
    asked: [] as number[],
    seenAs: [CLAIMED.host, MAPPED.host, '198.51.100.10'],
    editions: [] as string[],
    attached: 0,
    detached: 0,
  }
  const attach = (): Attachments => ({
    candidates: [],
    liveCount: 1,
    maintain: () => void state.attached++,
    stop: () => void state.detached++,
  })
  const place: Place = createPlace({
    claimed,
    listenPort: 9443,
    portMap: hasRouter ? { open: async () => state.mapping } : undefined,
    witnesses: {
      enough: 2,
      askAll: async ({ host, port }) => {
        if (!state.seenAs.includes(host)) return []
        state.asked.push(port)
        return state.answers
      },
    },
    attach,
    onChange: () => void state.editions.push(place.address?.host ?? 'relays'),
    onStatus: () => undefined,
    firstTrialMs: FIRST_TRIAL_MS,
  })
  t.after(() => place.stop())
  const pass = async (ms: number): Promise<void> => {
    t.mock.timers.tick(ms)
    for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve))
  }
  return { place, state, pass }
}

suite('the place of a node (SPEC §10.5)', () => {
  test('a claimed address is named from the start, tried later, and public once others reached it', async (t) => {
    const { place, state, pass } = world(t, { claimed: CLAIMED })
    await place.start()
    assert.deepEqual([place.address, place.status.state], [CLAIMED, 'claimed'])
    await pass(FIRST_TRIAL_MS - 1)
    assert.deepEqual(state.asked, [])
    await pass(1)
    assert.deepEqual(state.asked, [9443])
    assert.deepEqual([place.address, place.status.state], [CLAIMED, 'public'])
    assert.deepEqual(state.editions, [], 'nothing that its descriptor says has changed')
    await pass(TRIAL_MS)
    assert.equal(state.asked.length, 2, 'and it is tried again by the hour')
  })

  test('relays stand in for one that others do not reach, until they do', async (t) => {
    const { place, state, pass } = world(t, { claimed: CLAIMED })
    state.answers = [SILENT, REFUSED]
    await place.start()
    await pass(FIRST_TRIAL_MS)
    assert.deepEqual([place.address, place.status.state], [undefined, 'unreachable'])
    assert.deepEqual(place.status.trials, [SILENT, REFUSED])
    assert.equal(state.attached, 1)
    state.answers = [REACHED, REACHED, SILENT]
    await pass(RETRIAL_MS)
    assert.deepEqual([place.address, place.status.state], [CLAIMED, 'public'])
    assert.deepEqual([state.detached, place.attachments], [1, undefined])
    assert.deepEqual(state.editions, [CLAIMED.host])
  })

  test('an address from which it does not dial is not tried, and stays claimed', async (t) => {
    const { place, state, pass } = world(t, { claimed: CLAIMED })
    state.seenAs = ['127.0.0.1']
    state.answers = [REFUSED, REFUSED, REFUSED]
    await place.start()
    await pass(FIRST_TRIAL_MS)
    assert.deepEqual(state.asked, [])
    assert.deepEqual([place.address, place.status.state], [CLAIMED, 'claimed'])
  })

  test('one that reached it outweighs all that say they did not, and one silent word says nothing', async (t) => {
    const { place, state, pass } = world(t, { claimed: CLAIMED })
    await place.start()
    state.answers = [SILENT, UNTRIED]
    await pass(FIRST_TRIAL_MS)
    assert.equal(place.status.state, 'claimed')
    state.answers = [SILENT, SILENT, REACHED, SILENT, STRANGER]
    await pass(TRIAL_MS)
    assert.equal(place.status.state, 'public')
    assert.equal(state.attached, 0)
  })

  test('a port that the router opened is named once others reached it', async (t) => {
    const { place, state } = world(t, { hasRouter: true, mapping: MAPPED })
    await place.start()
    assert.deepEqual(state.asked, [31_000])
    assert.deepEqual(place.address, { host: MAPPED.host, port: MAPPED.port })
    assert.deepEqual([place.isMapped, place.status.mappedBy], [true, 'upnp'])
    assert.deepEqual([state.attached, state.editions], [0, [MAPPED.host]])
  })

  test('a port that others reached stays named while nobody can try it', async (t) => {
    const { place, state, pass } = world(t, { hasRouter: true, mapping: MAPPED })
    await place.start()
    state.seenAs = []
    await pass(TRIAL_MS)
    assert.deepEqual([place.status.state, place.address?.host], ['public', MAPPED.host])
    assert.deepEqual([state.attached, state.editions], [0, [MAPPED.host]])
  })

  test('a node that is stopped while its router is asked attaches to nobody', async (t) => {
    const { place, state } = world(t, { hasRouter: true })
    const starting = place.start()
    place.stop()
    await starting
    assert.equal(state.attached, 0)
  })

  test('a router that forgets sooner than it was asked to is asked again at half of that time', async (t) => {
    const { place, state, pass } = world(t, { hasRouter: true, mapping: MAPPED })
    state.mapping = { ...MAPPED, lifetimeS: 600, protocol: 'pcp' }
    await place.start()
    state.mapping = { ...MAPPED, lifetimeS: 1, host: '198.51.100.10' }
    await pass(299_000)
    assert.equal(state.editions.length, 1)
    await pass(1000)
    assert.deepEqual(state.editions, [MAPPED.host, '198.51.100.10'])
    state.mapping = MAPPED
    await pass(29_000)
    assert.equal(state.editions.length, 2, 'but not in a circle')
    await pass(1000)
    assert.equal(state.editions.length, 3)
  })

  test('a new address of the router makes a new edition', async (t) => {
    const { place, state, pass } = world(t, { hasRouter: true, mapping: MAPPED })
    await place.start()
    state.mapping = { ...MAPPED, host: '198.51.100.10' }
    await pass(TRIAL_MS)
    assert.deepEqual(state.editions, [MAPPED.host, '198.51.100.10'])
    await pass(TRIAL_MS)
    assert.equal(state.editions.length, 2)
  })

  test('a router that opens nothing, or a port that nobody reaches, leaves it to relays; both are tried again', async (t) => {
    const { place, state, pass } = world(t, { hasRouter: true })
    await place.start()
    assert.deepEqual(
      [place.address, place.status.state, state.attached],
      [undefined, 'attached', 1],
    )
    assert.deepEqual(state.asked, [], 'there was nothing to try')
    state.mapping = MAPPED
    state.answers = [SILENT, SILENT, SILENT]
    await pass(RETRIAL_MS)
    assert.deepEqual([place.address, place.status.state], [undefined, 'attached'])
    state.answers = [REACHED, REACHED, REACHED]
    await pass(RETRIAL_MS)
    assert.deepEqual([place.status.state, state.detached], ['public', 1])
  })

  test('a node without a port attaches and asks nobody', async (t) => {
    const { place, state, pass } = world(t, {})
    await place.start()
    assert.equal(state.attached, 1)
    await pass(TRIAL_MS)
    assert.deepEqual(state.asked, [])
  })
})

for (const [trials, enough, verdict] of [
  [[], 2, undefined],
  [[UNTRIED, UNTRIED], 2, undefined],
  [[REACHED], 2, true],
  [[SILENT], 2, undefined],
  [[SILENT], 1, false],
  [[SILENT, UNTRIED], 2, undefined],
  [[SILENT, UNTRIED], 1, false],
  [[REACHED, SILENT], 2, true],
  [[SILENT, SILENT, SILENT, SILENT, REACHED], 2, true],
  [[STRANGER, REFUSED], 2, false],
] as const) {
  test(`trials that ended [${trials.join(', ')}] say ${String(verdict)} where ${enough} are enough`, () => {
    assert.equal(judgeTrials(trials, enough), verdict)
  })
}
