import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ReachStatus } from '@byway/node'
import { REACH_RESULT } from '@byway/protocol/wire'
import { placeText, reachText } from '../../src/display/reach-text.ts'

const { REACHED, REFUSED, SILENT, STRANGER, UNTRIED } = REACH_RESULT

const ROWS: readonly (readonly [ReachStatus, RegExp])[] = [
  [{ state: 'public', trials: [REACHED, SILENT, REACHED] }, /^2 of 3 nodes that tried reached it$/],
  [
    { state: 'public', trials: [REACHED], mappedBy: 'nat-pmp' },
    /^1 of 1 .* a port that your router opened \(NAT-PMP\)$/,
  ],
  [{ state: 'claimed', trials: [] }, /nobody has tried/],
  [{ state: 'attached', trials: [] }, /your router opened no port.* forward TCP port 9443 /],
  [{ state: 'attached', trials: [], mappedBy: 'upnp' }, /nobody could try it yet$/],
  [{ state: 'attached', trials: [SILENT, SILENT], mappedBy: 'upnp' }, /\(CGNAT\)$/],
  [
    { state: 'unreachable', trials: [SILENT, SILENT, REFUSED] },
    /nothing answers there\. .*firewall/,
  ],
  [{ state: 'unreachable', trials: [REFUSED, REFUSED, UNTRIED] }, /connection is refused/],
  [{ state: 'unreachable', trials: [STRANGER, STRANGER, SILENT] }, /something else answers/],
]

for (const [status, words] of ROWS) {
  test(`says of a node that is ${status.state} [${status.trials.join(', ')}]: ${words.source}`, () => {
    assert.match(reachText(status, 9443), words)
  })
}

test('says no more of a node that never listened', () => {
  assert.equal(reachText({ state: 'attached', trials: [] }, undefined), 'reached through relays')
})

test('writes addresses as users would', () => {
  assert.equal(placeText({ host: '203.0.113.7', port: 9443 }), '203.0.113.7:9443')
  assert.equal(placeText({ host: '2001:db8::7', port: 9443 }), '[2001:db8::7]:9443')
})
