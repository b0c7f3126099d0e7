/**
 * A network that is cut in two, and grows together again (SPEC §10.4):
 *
 *     1 3 5 …  ◄── gossip ──►  1 3 5 …    ╳    2 4 6 …  ◄── gossip ──►  2 4 6 …
 *
 * Both halves publish while they are apart; afterwards all have everybody's newest edition, and nobody ever went back to an older one.
 */
import assert from 'node:assert/strict'
import { suite, test, type TestContext } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { startSpreadingNodes, type SpreadingNode } from './spreading-nodes.ts'

const isSlow = process.env['SLOW'] === '1'
const COUNT = Number(process.env['PARTITION_NODES'] ?? (isSlow ? 40 : 8))
/** Really waited, for what the gossip library remembers; the nodes' own clock is moved by half an hour besides. */
const APART_MS = Number(process.env['PARTITION_MIN'] ?? (isSlow ? 3 : 0)) * 60_000
const HALF_HOUR_MS = 1_800_000
const LIMIT = { timeout: isSlow ? 3_600_000 : 300_000 }

/** Looks until it holds; the test's own time limit ends it. */
async function until(t: TestContext, holds: () => boolean): Promise<void> {
  while (!holds()) {
    t.signal.throwIfAborted()
    await delay(20)
  }
}

suite('a network cut in two', LIMIT, () => {
  test(`grows together again: ${COUNT} nodes have each newest edition, none went back`, async (t) => {
    const world = await startSpreadingNodes(t, COUNT)
    const { nodes } = world
    const newest = new Map(nodes.map(({ key, set }) => [key, set.get(key)?.descriptor.sequence]))
    const hasNewest = (node: SpreadingNode, of: readonly SpreadingNode[]): boolean =>
      of.every(({ key }) => node.set.get(key)?.descriptor.sequence === newest.get(key))
    const haveNewest = (of: readonly SpreadingNode[]) => (): boolean =>
      of.every((node) => hasNewest(node, of))
    const publish = (node: SpreadingNode): void => void newest.set(node.key, node.publish())
    await until(t, haveNewest(nodes))
    await until(t, () => nodes.every(({ spread }) => spread.status.listening > 0))

    const [first] = nodes
    assert.ok(first)
    const toldMs = performance.now()
    publish(first)
    await until(t, haveNewest(nodes))
    t.diagnostic(`an edition was known to all after ${Math.round(performance.now() - toldMs)} ms`)

    const sideOf = ({ number }: Pick<SpreadingNode, 'number'>): number => number % 2
    const halves = [0, 1].map((side) => nodes.filter((node) => sideOf(node) === side))
    world.cut(sideOf)
    // Who has lost all neighbours to the cut finds others first.
    await until(t, () => nodes.every(({ spread }) => spread.status.listening > 0))
    // The first and the last of each half say more than once, as who restarts does.
    for (const half of halves) {
      for (const node of half) publish(node)
      for (const node of [half[0], half.at(-1)]) if (node) publish(node)
    }
    for (const half of halves) await until(t, haveNewest(half))
    for (const half of halves)
      for (const other of halves)
        if (half !== other)
          assert.ok(
            half.every((node) => other.every((far) => !hasNewest(node, [far]))),
            'nothing has crossed the cut',
          )
    await delay(APART_MS)
    world.moveClock(HALF_HOUR_MS)
    for (const half of halves) if (half[0]) publish(half[0])

    const healedMs = performance.now()
    world.heal()
    await until(t, haveNewest(nodes))
    const tookMs = Math.round(performance.now() - healedMs)
    t.diagnostic(
      `${COUNT} nodes had everything ${tookMs} ms after a cut of ${APART_MS / 60_000} min was healed`,
    )
    for (const { accepted, set } of nodes) {
      assert.deepEqual(set.evidence(), [])
      for (const numbers of accepted.values())
        assert.deepEqual(
          numbers,
          numbers.toSorted((a, b) => a - b),
          'an older edition came back',
        )
    }
  })
})
