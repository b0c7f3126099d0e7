/** A class that no exit which fits takes, or a price that none does: the program that asked is told so. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  createDescriptorSet,
  createPathNodeSet,
  type DescriptorSet,
  type NodeKey,
} from '@byway/protocol/directory'
import { nodeCrypto } from '@byway/protocol/node-crypto'
import { createCircuitSource, type CircuitSourceDeps } from '../../src/engine/circuit-source.ts'
import { NETWORK, NOW_MS, signedNode } from './signed-nodes.ts'

const NEVER = new AbortController().signal
const BROWSE = { browse: 0, collect: undefined }
const BOTH = { browse: 0, collect: 0 }

function sourceOver(set: DescriptorSet, change: Partial<CircuitSourceDeps> = {}) {
  const nodes = createPathNodeSet(set, NETWORK)
  const unused = new Proxy(
    {},
    {
      get() {
        throw new Error('no circuit is built where no path is')
      },
    },
  )
  const deps: Partial<CircuitSourceDeps> = {
    directory: {
      set,
      nodes,
      facts: { nodes: 0, directoryAgeS: 0 },
      isComplete: true,
      requireComplete() {},
      start: async () => {},
      refreshIfOld: () => Promise.resolve(false),
      stop() {},
    },
    guards: { entries: () => [], primary: () => [] } as never,
    links: { get: () => undefined } as never,
    weights: { weightOf: () => 1 },
    random: () => 0,
    nowMs: () => NOW_MS,
    ownNodes: () => new Set(),
    reach: {
      isSuspect: () => false,
      absent: { isAbsent: () => false, isAbsentFor: () => false },
    } as never,
    build: unused as never,
    ...change,
  }
  return createCircuitSource(deps as CircuitSourceDeps)
}

for (const [name, takers] of [
  ['none in the network', 0],
  ['three, in another country', 3],
] as const) {
  test(`no exit that fits takes the class: ${name}`, async () => {
    const set = createDescriptorSet(nodeCrypto)
    for (let number = 1; number <= 5; number++) {
      const place = { country: number <= takers ? 'SE' : 'DE' }
      const classPrices = number <= takers ? BOTH : BROWSE
      assert.equal(
        set.offer(signedNode(number, 3600, undefined, { ...place, classPrices }), NOW_MS).result,
        'accepted',
      )
    }
    const need = { port: 443, country: 'DE', trafficClass: 'collect' } as const
    await assert.rejects(sourceOver(set).build(need, NEVER), {
      code: 'EXIT_CLASS',
      context: { trafficClass: 'collect', exits: takers },
    })
    // Where the country is what is missing, it is said so.
    await assert.rejects(sourceOver(set).build({ ...need, country: 'NO' }, NEVER), {
      code: 'NO_PATH',
      context: { rule: 'EXIT_COUNTRY' },
    })
  })
}

for (const [name, dear, expected] of [
  ['all of them', [1, 2, 3, 4, 5], { code: 'EXIT_PRICE', context: { exits: 2 } }],
  ['those in the country', [1, 2], { code: 'EXIT_PRICE', context: { exits: 2 } }],
  ['one of two in the country', [1], { code: 'NO_PATH', context: { rule: 'EXIT_WEIGHT' } }],
] as const) {
  test(`exits that ask for more than is paid: ${name}`, async () => {
    const set = createDescriptorSet(nodeCrypto)
    for (let number = 1; number <= 5; number++) {
      const place = { country: number <= 2 ? 'DE' : 'SE' }
      const offered = set.offer(signedNode(number, 3600, undefined, place), NOW_MS)
      assert.equal(offered.result, 'accepted')
    }
    const keys = [...set.entries()].map(({ key }) => key)
    const tooDear = dear.map((number) => keys[number - 1])
    const guards = { entries: () => keys.slice(4), primary: () => keys.slice(4) } as never
    const isTooDear = (key: NodeKey): boolean => tooDear.includes(key)
    const source = sourceOver(set, { guards, preferenceOf: () => 0, isTooDear })
    await assert.rejects(source.build({ port: 443, country: 'DE' }, NEVER), expected)
  })
}
