/**
 * A relay that authenticates and lies (THREAT-MODEL T4, T5): drops, flips, repeats, swaps, injects and delays cells at each place of a path and in each
 * direction. The circuit dies at the next honest hop; the application's stream goes on over another circuit or is reset.
 *
 *   client ── guard ── (hostile | honest) ── exit ── origin        hostile also as the guard
 */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { TestContext } from 'node:test'
import type { Client } from '@byway/client'
import { CLOSE_REASON } from '@byway/protocol/wire'
import { dialAs, makeNet } from './lib/net.ts'
import { createRandom, IS_SLOW, SEED } from './lib/seed.ts'
import { createSpoiler, TAMPERS } from './lib/spoiler.ts'
import type { Direction, Plan } from './lib/spoiler.ts'
import { startOrigin, transfer } from './lib/transfer.ts'
import type { Outcome } from './lib/transfer.ts'
import { until, within } from './lib/until.ts'

const MIB = 1024 * 1024

async function makeWorld(t: TestContext) {
  const origin = await startOrigin(t)
  const net = await makeNet(t, [origin])
  const spoiler = createSpoiler()
  const guard = await net.honest()
  const hostile = await net.probe({ onLink: spoiler.onLink })
  const violations = { count: 0 }
  const exit = await net.probe({ onViolation: () => violations.count++ })
  const other = await net.honest()
  await net.settled()
  return { origin, net, spoiler, guard, hostile, exit, violations, other }
}

type World = Awaited<ReturnType<typeof makeWorld>>

/** Opens streams until one's tunnel runs through the hostile relay in this place. */
async function openThrough(world: World, client: Client, hops: 2 | 3, position: number) {
  const { address, port } = world.origin
  for (let attempt = 0; attempt < 40; attempt++) {
    const before = new Set(client.status().tunnels.map(({ hops: path }) => JSON.stringify(path)))
    const stream = await client.connect({ host: address, port }, dialAs(undefined, { hops }))
    const report = client.status().tunnels.at(-1)
    assert.ok(report, `a tunnel is there beside ${before.size} others`)
    await stream.connected
    if (report.hops[position - 1]?.nodeId === world.hostile.key) return stream
    stream.destroy()
  }
  throw new Error('no tunnel runs through the hostile relay')
}

async function run(
  world: World,
  client: Client,
  place: { readonly hops: 2 | 3; readonly position: number },
  plan: Plan,
): Promise<Outcome> {
  const stream = await openThrough(world, client, place.hops, place.position)
  world.spoiler.destroys.length = 0
  world.spoiler.spoiledAtMs.length = 0
  world.spoiler.plan = plan
  const up = plan.direction === 'forward' ? 3 * MIB : 1000
  const down = plan.direction === 'backward' ? 3 * MIB : 1000
  const outcome = await within('the transfer', 30_000, transfer(stream, up, down))
  await until('the destination to see the end', () => world.origin.visits.at(-1)?.end !== 'open')
  world.spoiler.plan = undefined
  judge(world, outcome, up, down)
  return outcome
}

/** Never altered bytes, never a clean end of less than everything (THREAT-MODEL T20). */
function judge({ origin }: World, outcome: Outcome, up: number, down: number): void {
  assert.equal(outcome.isAltered, false, 'the application read altered bytes')
  if (outcome.end === 'clean') assert.equal(outcome.received, down)
  const visit = origin.visits.at(-1)
  assert.ok(visit)
  assert.equal(visit.body.isAltered, false, 'the destination read altered bytes')
  if (visit.end === 'clean') assert.equal(visit.body.received, up)
}

const PLACES = [
  { hops: 2, position: 1 },
  { hops: 3, position: 1 },
  { hops: 3, position: 2 },
] as const
const DIRECTIONS: readonly Direction[] = ['forward', 'backward']

describe('a relay that authenticates and lies', () => {
  test('spoiled cells kill the circuit at the next honest hop and nothing else (SPEC §6.2)', async (t) => {
    t.diagnostic(`SEED=${SEED}`)
    const random = createRandom(SEED)
    const world = await makeWorld(t)
    const clients = {
      1: await world.net.client([world.hostile, world.guard]),
      2: await world.net.client([world.guard, world.other]),
    }
    for (const place of PLACES)
      for (const direction of DIRECTIONS)
        for (const tamper of TAMPERS)
          for (let round = 0; round < (IS_SLOW ? 10 : 1); round++) {
            const what = `${tamper} ${direction} at ${place.position} of ${place.hops}`
            const plan: Plan = {
              direction,
              tamper,
              afterCells: 5 + random.below(40),
              flipAt: random.below(900),
              spoils: 1,
            }
            await t.test(what, async () => {
              const outcome = await run(world, clients[place.position], place, plan)
              assert.equal(plan.spoils, 0, 'a cell was spoiled')
              assert.equal(outcome.end, 'clean', `survives by joining again, got ${outcome.code}`)
              const [spoiledAtMs = 0] = world.spoiler.spoiledAtMs
              // Forward the neighbour says PROTOCOL by itself; backward only the client can tell, and it says so.
              const seen = world.spoiler.destroys.find((each) => each.direction === direction)
              if (direction === 'forward') assert.equal(seen?.reason, CLOSE_REASON.PROTOCOL)
              // With an honest hop between, the exit gets no spoiled cell to judge.
              const isNextToExit = place.position === place.hops - 1
              const expected = direction === 'forward' && isNextToExit ? 1 : 0
              assert.equal(world.violations.count, expected)
              world.violations.count = 0
              const first = world.spoiler.destroys[0]
              assert.ok(first && first.atMs - spoiledAtMs < 1000, 'found at once')
            })
          }
  })

  test('a relay that only delays costs time and nothing else', async (t) => {
    const world = await makeWorld(t)
    const client = await world.net.client([world.hostile, world.guard])
    for (const direction of DIRECTIONS) {
      const plan: Plan = { direction, tamper: 'delay', afterCells: 1, spoils: 0 }
      const outcome = await run(world, client, { hops: 2, position: 1 }, plan)
      assert.equal(outcome.end, 'clean')
      assert.equal(world.spoiler.destroys.length, 0)
      assert.equal(client.status().tunnels.at(-1)?.rejoins, 0)
    }
  })

  test('a guard that spoils every circuit it carries cannot change a byte', async (t) => {
    const world = await makeWorld(t)
    const client = await world.net.client([world.hostile, world.guard])
    for (const direction of DIRECTIONS) {
      const plan: Plan = { direction, tamper: 'flip', afterCells: 60, spoils: 1000 }
      const outcome = await run(world, client, { hops: 2, position: 1 }, plan)
      t.diagnostic(`${direction}: ${outcome.end} after ${1000 - plan.spoils} circuits`)
      assert.ok(plan.spoils < 998, 'more than one circuit was spoiled')
    }
  })
})
