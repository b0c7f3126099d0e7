/** A class that no exit which fits takes: the program that asked is told so, and how many take it elsewhere. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  createDescriptorSet,
  createPathNodeSet,
  type DescriptorSet,
} from '@byway/protocol/directory'
import { nodeCrypto } from '@byway/protocol/node-crypto'
import { createCircuitSource, type CircuitSourceDeps } from '../../src/engine/circuit-source.ts'
import { NETWORK, NOW_MS, signedNode } from './signed-nodes.ts'

const NEVER = new AbortController().signal
const BROWSE = { browse: 0, collect: undefined }
const BOTH = { browse: 0, collect: 0 }

function sourceOver(set: DescriptorSet) {
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
