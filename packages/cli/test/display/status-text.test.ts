/** What `byway status` says of the client to people. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { clientText } from '../../src/display/status-text.ts'

test('says when no guard has answered for hours, or nobody knows for how long', () => {
  const textOf = (directoryAgeS: number): string =>
    clientText({ state: 'running', proxy: '127.0.0.1:1080', tunnels: [], directoryAgeS })
  const usual = 'client: running, proxy at 127.0.0.1:1080, 0 tunnels'
  assert.equal(textOf(0), usual)
  assert.equal(textOf(3 * 3600), usual)
  const old = '; no guard has answered for 5 h: check the clock and the network'
  assert.equal(textOf(5.9 * 3600), usual + old)
  assert.match(textOf(-1), /since the clock was put back/)
})
