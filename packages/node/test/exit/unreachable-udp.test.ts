/** What the kernel refuses to connect to (no route, or a broadcast address) must not end the process. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { EMPTY_CONTEXT, parseAddress } from '@byway/protocol/policy'
import { openDatagramPeer } from '../../src/exit/datagram-peer.ts'
import { encodeDnsQuery } from '../../src/exit/dns-message.ts'
import { exchangeUdp } from '../../src/exit/dns-transport.ts'
import type { ExitLimits } from '../../src/exit/exit-limits.ts'
import { createOpenPins } from '../../src/exit/open-pins.ts'

/** connect() to it fails at once on every Linux. */
const BROADCAST = '255.255.255.255'

test('a datagram endpoint without a route is closed, once, and gives its place back', async () => {
  const address = parseAddress(BROADCAST)
  assert.ok(address)
  const released = Promise.withResolvers<void>()
  let releases = 0
  const lease = {
    settle: () => 'ok' as const,
    release() {
      releases++
      released.resolve()
    },
  }
  const limits: Pick<ExitLimits, 'tryOpen'> = { tryOpen: () => lease }
  const peer = openDatagramPeer(
    {
      limits: limits as ExitLimits,
      pins: createOpenPins(),
      context: () => EMPTY_CONTEXT,
      nowMs: () => 0,
    },
    { circuit: 'a', address, port: 443 },
    () => {},
  )
  peer?.send(new Uint8Array(3))
  await released.promise
  peer?.send(new Uint8Array(3))
  peer?.close()
  assert.equal(releases, 1)
})

test('a DNS server without a route is an error of the exchange', async () => {
  const query = encodeDnsQuery(1, 'name.example', 'A')
  const server = { address: BROADCAST, port: 53 }
  // Unlike a timer of our own, this one keeps no process alive.
  const tooLate = AbortSignal.timeout(5000)
  await assert.rejects(exchangeUdp(server, query, tooLate), { syscall: 'connect' })
})
