/** What counts against the neighbour that sent it (SPEC §10.4): what no honest node passes on, and nothing else. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createDescriptorSet } from '@byway/protocol/directory'
import { nodeCrypto } from '@byway/protocol/node-crypto'
import { judgeEdition } from '../../src/directory/spread.ts'
import { NOW_MS, signedDescriptor } from '../signed-descriptors.ts'

const WEEK_MS = 7 * 86_400_000

test('forged and malformed descriptors count against who sent them', () => {
  const set = createDescriptorSet(nodeCrypto)
  const forged = signedDescriptor(1).slice()
  forged[forged.length - 1] = (forged.at(-1) ?? 0) ^ 1
  assert.equal(judgeEdition(set, forged, NOW_MS), 'reject')
  assert.equal(judgeEdition(set, signedDescriptor(1).subarray(1), NOW_MS), 'reject')
  assert.equal(judgeEdition(set, new Uint8Array(0), NOW_MS), 'reject')
})

test('new ones are passed on; known, old and unstaked ones cost nobody anything', () => {
  const set = createDescriptorSet(nodeCrypto)
  assert.equal(judgeEdition(set, signedDescriptor(1), NOW_MS), 'accept')
  assert.equal(judgeEdition(set, signedDescriptor(1), NOW_MS), 'ignore')
  assert.equal(judgeEdition(set, signedDescriptor(2), NOW_MS + WEEK_MS), 'ignore')
  const closed = createDescriptorSet(nodeCrypto, { admits: () => false })
  assert.equal(judgeEdition(closed, signedDescriptor(3), NOW_MS), 'ignore')
})
