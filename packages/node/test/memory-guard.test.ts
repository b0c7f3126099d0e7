import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import type { CellQueue } from '@byway/protocol/link'
import { CLOSE_REASON } from '@byway/protocol/wire'
import type { CloseReason } from '@byway/protocol/wire'
import { createMemoryGuard } from '../src/memory-guard.ts'
import type { RelayCircuit } from '../src/relay/relay-circuit.ts'
import { createFakeLink } from './fake-link.ts'

type Waiting = { bytes: number; oldestAtMs: number | undefined }
type TestCircuit = RelayCircuit & { readonly closedFor: CloseReason[] }

function queueOf(waiting: Waiting): CellQueue {
  return {
    circuitId: 1,
    length: 1,
    onRoom: undefined,
    wantRoom() {},
    get bytes() {
      return waiting.bytes
    },
    get oldestAtMs() {
      return waiting.oldestAtMs
    },
  }
}

/** A circuit with these bytes towards the client, and beyond. */
function circuitOf(back: Waiting, forth?: Waiting): TestCircuit {
  const link = createFakeLink({ role: 'client' })
  const closedFor: CloseReason[] = []
  return {
    closedFor,
    get isClosed() {
      return closedFor.length > 0
    },
    forwardBytes: 0,
    backwardBytes: 0,
    unpaidBytes: 0,
    unpaidSinceMs: Number.POSITIVE_INFINITY,
    previous: { link, circuitId: 1, queue: queueOf(back) },
    next: forth && { link, circuitId: 2, queue: queueOf(forth) },
    attachNext() {},
    open: () => undefined,
    onForward() {},
    onBackward() {},
    announceDrain: () => {},
    close: (reason) => void closedFor.push(reason),
  }
}

function guardOf(circuits: readonly TestCircuit[], limitBytes: number) {
  return createMemoryGuard(
    { circuits: () => circuits.filter((each) => !each.isClosed) },
    limitBytes,
  )
}

suite('memory of all queues together (THREAT-MODEL T14)', () => {
  test('ends whoever has the oldest waiting byte first, and no more than must go', () => {
    const old = circuitOf({ bytes: 300, oldestAtMs: 10 })
    const young = circuitOf({ bytes: 800, oldestAtMs: 30 })
    const middle = circuitOf({ bytes: 100, oldestAtMs: 20 })
    guardOf([young, middle, old], 1000).check()
    assert.deepEqual(old.closedFor, [CLOSE_REASON.RESOURCE_LIMIT])
    assert.deepEqual(young.closedFor, [])
    assert.deepEqual(middle.closedFor, [CLOSE_REASON.RESOURCE_LIMIT], '900 is not below 90 %')
  })

  test('ends nobody at the limit', () => {
    const circuits = [
      circuitOf({ bytes: 600, oldestAtMs: 1 }),
      circuitOf({ bytes: 400, oldestAtMs: 2 }),
    ]
    guardOf(circuits, 1000).check()
    assert.ok(circuits.every(({ closedFor }) => closedFor.length === 0))
  })

  test('counts both directions of a circuit, and judges by the older one', () => {
    const both = circuitOf({ bytes: 500, oldestAtMs: 50 }, { bytes: 300, oldestAtMs: 5 })
    const other = circuitOf({ bytes: 300, oldestAtMs: 10 })
    const guard = guardOf([other, both], 1000)
    guard.check()
    assert.equal(both.closedFor.length, 1)
    assert.equal(other.closedFor.length, 0)
  })

  test('kills big and small alike: an empty circuit never', () => {
    const empty = circuitOf({ bytes: 0, oldestAtMs: undefined })
    const full = circuitOf({ bytes: 2000, oldestAtMs: 99 })
    guardOf([empty, full], 1000).check()
    assert.deepEqual(empty.closedFor, [])
    assert.equal(full.closedFor.length, 1)
  })

  test('takes other owners of the same accountant into account', () => {
    const circuit = circuitOf({ bytes: 900, oldestAtMs: 20 })
    const guard = guardOf([circuit], 1000)
    let givenUp = 0
    guard.accountant.open({ giveUp: () => void givenUp++ }, () => 10).set(500)
    guard.check()
    assert.equal(givenUp, 1)
    assert.equal(circuit.closedFor.length, 1, '900 is not below 90 %')
  })

  test('forgets a killed circuit at once: the next to ask kills nobody for it', () => {
    const old = circuitOf({ bytes: 800, oldestAtMs: 1 })
    const young = circuitOf({ bytes: 400, oldestAtMs: 2 })
    const guard = guardOf([old, young], 1000)
    guard.check()
    assert.equal(guard.accountant.heldBytes, 400)
    assert.deepEqual(guard.accountant.chooseVictims(), [])
  })

  test('follows queues that grow and drain, and forgets circuits that ended by themselves', () => {
    const waiting: Waiting = { bytes: 800, oldestAtMs: 1 }
    const circuit = circuitOf(waiting)
    const guard = guardOf([circuit], 1000)
    guard.check()
    assert.equal(guard.accountant.underPressure, true)
    waiting.bytes = 0
    guard.check()
    assert.equal(guard.accountant.heldBytes, 0)
    waiting.bytes = 900
    guard.check()
    circuit.close(CLOSE_REASON.FINISHED)
    guard.check()
    assert.equal(guard.accountant.heldBytes, 0)
    assert.equal(guard.accountant.underPressure, false)
  })

  test('has a limit of its own that no machine can grow beyond 512 MiB', () => {
    const { accountant } = createMemoryGuard({ circuits: () => [] })
    assert.ok(accountant.limitBytes > 0 && accountant.limitBytes <= 512 * 1024 * 1024)
  })
})
