import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { IpBytes } from '@byway/protocol/wire'
import { createSeenAddresses } from '../src/seen-addresses.ts'
import { createFakeLink, nodeIdOf } from './fake-link.ts'

const HOME: IpBytes = { family: 4, bytes: Uint8Array.of(203, 0, 113, 5) }
const OTHER: IpBytes = { family: 4, bytes: Uint8Array.of(198, 51, 100, 7) }
const neighbour = (number: number) => createFakeLink({ role: 'node', nodeId: nodeIdOf(number) })

test('believes an address that two neighbours see', () => {
  const seen = createSeenAddresses()
  seen.note(neighbour(1), HOME)
  seen.note(neighbour(2), HOME)
  seen.note(neighbour(3), OTHER)
  assert.deepEqual(seen.agreed(), ['203.0.113.5'])
})

test('believes no neighbour alone, nor one with two links (SPEC §4.4)', () => {
  const seen = createSeenAddresses()
  seen.note(neighbour(1), HOME)
  seen.note(neighbour(1), HOME)
  assert.deepEqual(seen.agreed(), [])
})

test('hears nothing from clients', () => {
  const seen = createSeenAddresses()
  for (let i = 0; i < 3; i++) seen.note(createFakeLink({ role: 'client' }), HOME)
  assert.deepEqual(seen.agreed(), [])
})

test('forgets what a link said when it closes, and what it said before when it says another', () => {
  const seen = createSeenAddresses()
  const links = [neighbour(1), neighbour(2), neighbour(3)] as const
  for (const link of links) seen.note(link, HOME)
  seen.forget(links[0])
  assert.deepEqual(seen.agreed(), ['203.0.113.5'])
  seen.note(links[1], OTHER)
  assert.deepEqual(seen.agreed(), [])
})
