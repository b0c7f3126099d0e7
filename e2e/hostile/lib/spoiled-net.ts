/**
 * A network with one relay in the test's hands, and transfers that run through it.
 *
 *   client ── guard ── (hostile | other) ── exit ── origin        hostile also as the guard
 */
import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import type { Client } from '@byway/client'
import { dialAs, makeNet } from './net.ts'
import type { HonestNode, HostileNet } from './net.ts'
import type { ProbeNode } from './probe-node.ts'
import { createSpoiler } from './spoiler.ts'
import type { Plan, Spoiler } from './spoiler.ts'
import { startOrigin, transfer } from './transfer.ts'
import type { Origin, Outcome } from './transfer.ts'
import { until, within } from './until.ts'

const MIB = 1024 * 1024

export type World = {
  readonly origin: Origin
  readonly net: HostileNet
  readonly spoiler: Spoiler
  readonly guard: HonestNode
  readonly hostile: ProbeNode
  /** How often the exit refused what a circuit brought. */
  readonly violations: { count: number }
  readonly other: HonestNode
}

/** Starts it: three relays, one of them hostile, and an exit that is watched. */
export async function makeWorld(t: TestContext): Promise<World> {
  const origin = await startOrigin(t)
  const net = await makeNet(t, [origin])
  const spoiler = createSpoiler()
  const guard = await net.honest()
  const hostile = await net.probe({ onLink: spoiler.onLink })
  const violations = { count: 0 }
  await net.probe({ onViolation: () => violations.count++ })
  const other = await net.honest()
  await net.settled()
  return { origin, net, spoiler, guard, hostile, violations, other }
}

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

/** Runs one transfer through the hostile relay in this place, and checks that no byte was changed. */
export async function run(
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
  const outcome = await within('the transfer', transfer(stream, up, down))
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
