/** Whom a node asks for what gossip did not bring (SPEC §10.4): its neighbours, and each third time anybody. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  createDescriptorSet,
  createPathNodeSet,
  nodeKeyOf,
  type NodeKey,
} from '@byway/protocol/directory'
import { nodeCrypto } from '@byway/protocol/node-crypto'
import { startSpread } from '../../src/directory/spread.ts'
import { makerOf, RELAY_FACTS } from '../signed-descriptors.ts'

const STRANGERS = 5
const STAKE = 100n
const ASKS = 18
const ASK_EVERY_MS = 20_000

test('asks strangers too, all of them in time', async (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] })
  const set = createDescriptorSet(nodeCrypto)
  const nowMs = Date.now()
  for (let number = 1; number <= STRANGERS; number++) {
    const addresses = [{ family: 4, bytes: Uint8Array.of(127, number, 0, 1), port: 1 }] as const
    const bytes = makerOf(number).make({ ...RELAY_FACTS, addresses, gossipPort: 9 }, nowMs)
    assert.equal(set.offer(bytes, nowMs).result, 'accepted')
  }
  const asked: (NodeKey | undefined)[] = []
  let draws = 0
  const spread = await startSpread({
    networkName: 'strangers',
    isLocal: false,
    identitySeed: new Uint8Array(32).fill(9),
    nodeId: nodeCrypto.ed25519KeyPair(new Uint8Array(32).fill(9)).publicKey,
    listen: undefined,
    set,
    nodes: createPathNodeSet(set, { asnTable: [], exitTargets: [] }),
    stakes: {
      view: {
        activeStake: STAKE,
        activeCount: STRANGERS,
        stakeOf: () => STAKE,
        provenOf: () => [],
        ownerOf: () => undefined,
        sinceBlockOf: () => 0,
        hasNode: () => true,
        records: () => [],
      },
      onChange: () => () => {},
    },
    own: () => undefined,
    ask: (nodeId) => void asked.push(nodeId && nodeKeyOf(nodeId)),
    random: () => (draws++ % STRANGERS) / STRANGERS,
    nowMs: () => nowMs,
  })
  t.after(() => spread[Symbol.asyncDispose]())
  t.mock.timers.tick(ASKS * ASK_EVERY_MS)
  assert.equal(asked.length, ASKS)
  for (const [at, key] of asked.entries())
    assert.equal(key !== undefined, at % 3 === 2, `question ${at + 1}`)
  const strangers = new Set(asked.filter((key) => key !== undefined))
  assert.ok(strangers.size >= 3, `${strangers.size} strangers in ${ASKS / 3} questions`)
})
