import assert from 'node:assert/strict'
import { test } from 'node:test'
import { nodeCrypto } from '@byway/protocol/node-crypto'
import { createFreeBucket } from '@byway/protocol/payment'
import { CLOSE_REASON } from '@byway/protocol/wire'
import { createCellToll } from '../../src/money/held-cells.ts'
import { createMeterWatch } from '../../src/money/meter-watch.ts'
import type { TollUser } from '../../src/money/held-cells.ts'
import { createRelayCircuit } from '../../src/relay/relay-circuit.ts'
import type { RelayCircuit, RelayCircuitDeps } from '../../src/relay/relay-circuit.ts'
import { createTestClock } from '../money/test-clock.ts'

const CREATED_BYTES = 4096
const COUNTED_BYTES = 100 * 1024

test('a circuit that closes gives back what was counted and waits, and not the CREATED before it (SPEC §15.3)', () => {
  const watch = createMeterWatch(createTestClock())
  const free = createFreeBucket({ capacityBytes: 1024 * 1024, bytesPerS: 0 }, 0)
  for (const waiting of [[], [new Uint8Array(1024), new Uint8Array(16_384)]]) {
    const toll = createCellToll({ watch, free, onDue() {} })
    toll.count(COUNTED_BYTES)
    const queue = { bytes: CREATED_BYTES }
    const link = {
      push: (_queue: unknown, cell: Uint8Array) => void (queue.bytes += cell.length),
      closeQueue() {},
    }
    const previous = { link, queue, circuitId: 1 } as unknown as RelayCircuit['previous']
    const deps = { provider: nodeCrypto, nowMs: () => 0, linkToll: toll, onClosed() {} }
    const circuit = createRelayCircuit(previous, deps as unknown as RelayCircuitDeps)
    for (const cell of waiting) {
      toll.count(cell.length)
      const user = circuit as unknown as TollUser
      user.release(cell, false)
    }
    circuit.close(CLOSE_REASON.FINISHED)
    assert.equal(toll.countedBytes, COUNTED_BYTES)
  }
})
