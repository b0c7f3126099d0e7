/** A tunnel whose legs die as soon as they are there, as a hostile exit would have it. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import type { CellQueue, Link } from '@byway/protocol/link'
import { nodeCrypto } from '@byway/protocol/node-crypto'
import {
  cellBytesOfClass,
  CLOSE_REASON,
  COMMAND,
  SIZE_CLASS,
  stampKind,
} from '@byway/protocol/wire'
import type { ReadyCircuit } from '../../src/engine/circuit-source.ts'
import { ClientTunnelDriver } from '../../src/engine/client-tunnel-driver.ts'
import type { CircuitSink } from '../../src/engine/client-link.ts'

const TERMS = { trafficClass: 'browse', classStep: 0, priceStep: 0 } as const

/** A circuit to nowhere, and the way to end it. */
function makeCircuit(): { ready: ReadyCircuit; die: () => void } {
  let sink: CircuitSink | undefined
  const queue: CellQueue = {
    circuitId: 1,
    bytes: 0,
    length: 0,
    oldestAtMs: undefined,
    onRoom: undefined,
    wantRoom() {},
  }
  const link: Partial<Link> = { ratePerMs: 0, push() {} }
  const key = nodeCrypto.aeadKey(new Uint8Array(32))
  const secret = new Uint8Array(32)
  const keys = { forward: key, backward: key, bind: secret, tunnelSecret: secret }
  const hop = { suite: 'aes-256-gcm', keys, handshakeHash: secret } as const
  const circuit: Partial<ReadyCircuit['circuit']> = {
    link: link as Link,
    queue,
    hops: [hop],
    entryLayer: false,
    setSink: (given) => (sink = given),
    destroy() {},
  }
  const cell = new Uint8Array(cellBytesOfClass(SIZE_CLASS.SMALL))
  stampKind(cell, COMMAND.DESTROY, SIZE_CLASS.SMALL)
  cell[9] = CLOSE_REASON.PROTOCOL
  return {
    ready: { circuit: circuit as ReadyCircuit['circuit'], path: [] },
    die: () => sink?.onCell(cell, 0),
  }
}

function makeTunnel() {
  const clock = { nowMs: 0 }
  let current = makeCircuit()
  let built = 0
  const driver = new ClientTunnelDriver(current.ready, {
    provider: nodeCrypto,
    terms: TERMS,
    randomBytes: (count) => Uint8Array.from(randomBytes(count)),
    nowMs: () => clock.nowMs,
    onTransfer: () => {},
    onRtt: () => {},
    rejoin: () => {
      built++
      current = makeCircuit()
      return Promise.resolve(current.ready)
    },
    onOver: () => {},
    onPath: () => {},
    onLost: () => {},
    onLeaving: () => {},
    onRefused: () => {},
  })
  const stream = driver.connect('name.example', 443)
  stream.on('error', () => {})
  const die = async (): Promise<void> => {
    current.die()
    await setImmediate()
  }
  return { clock, driver, stream, die, built: () => built }
}

test('gives up after sixteen legs within a minute, and its streams are reset', async () => {
  const { driver, stream, die, built } = makeTunnel()
  for (let i = 0; i < 100 && !driver.isOver; i++) await die()
  assert.equal(built(), 16)
  assert.equal(driver.isOver, true)
  assert.ok(stream.errored)
})

test('goes on for ever when legs die one after another, each after a while', async () => {
  const { clock, driver, die, built } = makeTunnel()
  for (let i = 0; i < 100; i++) {
    clock.nowMs += 4000
    await die()
  }
  assert.equal(built(), 100)
  assert.equal(driver.isOver, false)
  driver.close()
})
