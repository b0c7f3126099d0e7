import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import type { CellQueue, Link } from '@byway/protocol/link'
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

type TestLink = Link & { ownBytes: number; leftBytes: number }

/** A link that holds so much of its own. */
function linkOf(ownBytes: number): TestLink {
  return Object.assign(createFakeLink({ role: 'client' }), { ownBytes, leftBytes: 0 })
}

function guardOf(
  circuits: readonly TestCircuit[],
  limitBytes: number,
  links: readonly TestLink[] = [],
) {
  return createMemoryGuard(
    { circuits: () => circuits.filter((each) => !each.isClosed), links: () => links },
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

  test('counts what a link holds besides its circuits, and closes the one that stands still longest', () => {
    const stuck = linkOf(500)
    const moving = linkOf(400)
    const late = linkOf(0)
    const guard = guardOf([], 1000, [moving, late, stuck])
    guard.check(0)
    assert.equal(guard.accountant.heldBytes, 900)
    late.ownBytes = 100
    guard.check(250)
    moving.leftBytes = 10_000
    moving.ownBytes = 450
    guard.check(500)
    assert.deepEqual(
      [stuck, moving, late].map(({ isClosed }) => isClosed),
      [true, false, false],
    )
    assert.equal(guard.accountant.heldBytes, 550)
  })

  test('a link whose cells leave is never the oldest, however much it carries', () => {
    const busy = linkOf(850)
    const waiting: Waiting = { bytes: 50, oldestAtMs: 600 }
    const old = circuitOf(waiting)
    const guard = guardOf([old], 1000, [busy])
    for (let atMs = 0; atMs <= 1000; atMs += 250) {
      busy.leftBytes += 1
      if (atMs === 1000) waiting.bytes = 200
      guard.check(atMs)
    }
    assert.deepEqual([old.isClosed, busy.isClosed], [true, false])
  })

  test('a cache is cut before anybody dies', () => {
    const circuit = circuitOf({ bytes: 700, oldestAtMs: 1 })
    const guard = guardOf([circuit], 1000)
    const cuts: number[] = []
    const account = guard.accountant.openCache({
      trimTo: (bytes) => {
        cuts.push(bytes)
        account.set(bytes)
      },
    })
    account.set(400)
    guard.check()
    assert.deepEqual([cuts, circuit.closedFor], [[40], []])
    assert.equal(guard.accountant.heldBytes, 740)
    guard.check()
    assert.equal(cuts.length, 1, 'below the limit nothing is cut')
  })

  test('has a limit of its own that no machine can grow beyond 512 MiB', () => {
    const { accountant } = createMemoryGuard({ circuits: () => [], links: () => [] })
    assert.ok(accountant.limitBytes > 0 && accountant.limitBytes <= 512 * 1024 * 1024)
  })
})
