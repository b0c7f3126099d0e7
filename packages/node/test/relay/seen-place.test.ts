import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createPathNodeSet } from '@byway/protocol/directory'
import type { DirectoryEntry, NodeKey } from '@byway/protocol/directory'
import { seenPlaceOf } from '../../src/relay/seen-place.ts'

const NOTHING = { country: '', asn: 0 }
const network = {
  asnTable: [{ prefix: '5.1.0.0/16', asn: 64_501, country: 'DE' }],
  exitTargets: [],
}

function entry(key: string, hasAddress: boolean): DirectoryEntry {
  const addresses = hasAddress ? [{ family: 4, bytes: Uint8Array.of(5, 1, 0, 1), port: 443 }] : []
  const descriptor = { addresses, attachments: [], country: 'JP', asn: 0, roles: 3 }
  return { key, descriptor, bytes: new Uint8Array() } as unknown as DirectoryEntry
}

test('a relay says the country and AS of a node that names no address, by its tables, and nothing else of it (SPEC §5.4)', () => {
  const entries = new Map([entry('aa', false), entry('bb', true)].map((each) => [each.key, each]))
  const set = { get: (key: NodeKey) => entries.get(key), entries: () => entries.values() }
  const nodes = createPathNodeSet(set, network)
  const [attached, open, unknown] = ['aa', 'bb', 'cc'] as unknown as [NodeKey, NodeKey, NodeKey]
  assert.deepEqual(seenPlaceOf(nodes, attached, '5.1.9.9'), { country: 'DE', asn: 64_501 })
  assert.deepEqual(seenPlaceOf(nodes, attached, '::ffff:5.1.9.9'), { country: 'DE', asn: 64_501 })
  assert.deepEqual(seenPlaceOf(nodes, attached, '9.9.9.9'), NOTHING, 'no table knows it')
  assert.deepEqual(seenPlaceOf(nodes, attached, ''), NOTHING, 'the link is gone')
  assert.deepEqual(seenPlaceOf(nodes, open, '5.1.9.9'), NOTHING, 'clients look there themselves')
  assert.deepEqual(seenPlaceOf(nodes, unknown, '5.1.9.9'), NOTHING)
})
