/**
 * Eighteen of a client's twenty neighbours are one party's, and hide half of the network: those of its nodes that are not theirs.
 *
 *   client ── up to three of twenty neighbours (18 serve half of the set, 2 all of it)      the registry says how much is missing
 */
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { createStakeTable } from '@byway/protocol/directory'
import { nodeCrypto } from '@byway/protocol/node-crypto'
import { decodeDescriptor } from '@byway/protocol/wire'
import { createCircuitSource, type CircuitSourceDeps } from '../../src/engine/circuit-source.ts'
import { createClientLink, type ClientLink } from '../../src/engine/client-link.ts'
import { createDirectoryKeeper } from '../../src/engine/directory-keeper.ts'
import { seededRandom } from './drawn-nodes.ts'
import { createFakeLink } from './fake-link.ts'
import { NETWORK, NOW_MS, signedNode } from './signed-nodes.ts'

const NODES = 20
const NEIGHBOURS = 20
const HOSTILE = 18
const RUNS = 100
const NEVER = new AbortController().signal

const descriptors = Array.from({ length: NODES }, (_, i) => signedNode(i + 1, 47 * 3600, i + 1))
const theirs = descriptors.slice(0, NODES / 2)

function registry() {
  const view = createStakeTable(1n)
  for (const bytes of descriptors) {
    const { nodeId, provider = new Uint8Array(20) } = decodeDescriptor(bytes).descriptor
    view.apply(provider, { type: 'registered', nodeId, owner: provider, stake: 10n }, 1)
  }
  return { view, ageMs: 0, onChange: () => () => {} }
}

function neighbour(served: readonly Uint8Array[]): ClientLink {
  return {
    ...createClientLink(createFakeLink(), new Uint8Array(32)),
    fetchDirectory(_sinceS, onPart) {
      onPart(served)
      return Promise.resolve(NOW_MS / 1000)
    },
  }
}

/** A client that asks neighbours by chance, and counts what it would choose from and build. */
async function clientOf(random: () => number) {
  const neighbours = Array.from({ length: NEIGHBOURS }, (_, i) => ({
    link: neighbour(i < HOSTILE ? theirs : descriptors),
    isHonest: i >= HOSTILE,
  }))
  let hasMetHonest = false
  const keeper = createDirectoryKeeper({
    provider: nodeCrypto,
    network: NETWORK,
    cachePath: undefined,
    stakes: registry(),
    linkToAsk(asked) {
      const left = neighbours.filter(({ link }) => !asked.includes(link))
      const one = left[Math.floor(random() * left.length)]
      if (!one) return Promise.reject(new Error('no neighbour is left'))
      hasMetHonest ||= one.isHonest
      return Promise.resolve(one.link)
    },
    nowMs: () => NOW_MS,
    onFetched() {},
  })
  await keeper.start(NEVER)
  keeper.stop()
  let attempts = 0
  const touched = (): never => {
    attempts++
    throw new Error('it went on to choose a path')
  }
  const trap = new Proxy({}, { get: touched })
  const deps = {
    random: touched,
    nowMs: () => NOW_MS,
    guards: trap,
    links: trap,
    build: trap,
    reach: trap,
  }
  const source = createCircuitSource({
    ...deps,
    directory: keeper,
    weights: { weightOf: touched },
  } as unknown as CircuitSourceDeps)
  const fault: unknown = await source.build({}, NEVER).catch((error: unknown) => error)
  return { keeper, hasMetHonest, attempts, fault }
}

suite('eighteen hostile of twenty neighbours (SPEC §10.2)', () => {
  test('hide half of the network: the client says so and builds nothing, until it meets one that does not', async (t) => {
    const seed = 20_261_121
    const random = seededRandom(seed)
    t.diagnostic(`seed ${seed}`)
    let refused = 0
    for (let run = 0; run < RUNS; run++) {
      const { keeper, hasMetHonest, attempts, fault } = await clientOf(random)
      assert.equal(keeper.set.size, hasMetHonest ? NODES : NODES / 2)
      if (hasMetHonest) {
        keeper.requireComplete()
        assert.equal(attempts, 1, 'it builds')
        continue
      }
      refused++
      assert.equal(attempts, 0)
      const { code, context } = fault as { code: string; context: unknown }
      assert.equal(code, 'DIRECTORY_INCOMPLETE')
      assert.deepEqual(context, { descriptors: NODES / 2, stakePercent: 50 })
    }
    // Three of twenty are asked: 18/20 · 17/19 · 16/18 = 72 % meet no honest one.
    assert.ok(refused > RUNS / 2 && refused < RUNS, `${refused} of ${RUNS} were refused`)
  })
})
