/**
 * A relay that authenticates and lies (THREAT-MODEL T4, T5): drops, flips, repeats, swaps, injects and delays cells at each place of a path and in each
 * direction. The circuit dies at the next honest hop; the application's stream goes on over another circuit or is reset.
 *
 *   client ── guard ── (hostile | honest) ── exit ── origin        hostile also as the guard
 */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { CLOSE_REASON } from '@byway/protocol/wire'
import { createRandom, IS_SLOW, SEED } from './lib/seed.ts'
import { makeWorld, run } from './lib/spoiled-net.ts'
import { TAMPERS } from './lib/spoiler.ts'
import type { Direction, Plan } from './lib/spoiler.ts'

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
    for (let round = 0; round < (IS_SLOW ? 10 : 1); round++) {
      // An address may open ninety circuits in a burst: each round has nodes of its own.
      const world = await makeWorld(t)
      const clients = {
        1: await world.net.client([world.hostile, world.guard]),
        2: await world.net.client([world.guard, world.other]),
      }
      for (const place of PLACES)
        for (const direction of DIRECTIONS)
          for (const tamper of TAMPERS) {
            const what = `${tamper} ${direction} at ${place.position} of ${place.hops}`
            const plan: Plan = {
              direction,
              tamper,
              afterCells: 5 + random.below(40),
              flipAt: random.below(900),
              spoils: 1,
            }
            await t.test(what, async (sub) => {
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
              assert.ok(first, 'nobody destroyed the circuit')
              sub.diagnostic(`found after ${(first.atMs - spoiledAtMs).toFixed(0)} ms`)
            })
          }
      for (const each of Object.values(clients)) await each[Symbol.asyncDispose]()
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
