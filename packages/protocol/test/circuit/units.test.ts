import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { nodeCrypto } from '@byway/protocol/node-crypto'
import fc from 'fast-check'
import { createAccountant } from '../../src/circuit/accountant.ts'
import { createFifo } from '../../src/circuit/fifo.ts'
import { createOnionKeys } from '../../src/circuit/onion-keys.ts'
import { createOrphans } from '../../src/circuit/orphans.ts'
import { createReceiveHalf } from '../../src/circuit/receive-half.ts'
import { createReplayFilter } from '../../src/circuit/replay-filter.ts'
import { createSendHalf } from '../../src/circuit/send-half.ts'
import { createTunnelReceiver } from '../../src/circuit/tunnel-receiver.ts'
import { createTunnelSender, MAX_KEPT_BYTES } from '../../src/circuit/tunnel-sender.ts'
import { createAckDebt, createSendWindow, MAX_OWED_ACKS } from '../../src/circuit/window.ts'
import { seededBytes } from './seeded.ts'

const KIB = 1024

describe('memory accountant (THREAT-MODEL T14)', () => {
  it('kills the owners of the oldest bytes first, until less than 90 % is held', () => {
    const accountant = createAccountant<string>(1000)
    const open = (owner: string, bytes: number, atMs: number): void =>
      accountant.open(owner, () => atMs).set(bytes)
    open('young', 400, 300)
    open('old', 300, 100)
    open('oldest, elsewhere', 0, 1)
    open('middle', 350, 200)
    assert.equal(accountant.isOver, true)
    assert.deepEqual(accountant.chooseVictims(), ['old'])
  })

  it('judges all queues of an owner together and names each owner once', () => {
    const accountant = createAccountant<string>(100)
    accountant.open('a', () => 9).add(60)
    accountant.open('a', () => 1).add(30)
    const b = accountant.open('b', () => 5)
    b.add(50)
    assert.deepEqual(accountant.chooseVictims(), ['a'])
    b.close()
    b.add(1000)
    assert.equal(accountant.heldBytes, 90)
    assert.deepEqual(accountant.chooseVictims(), [])
    assert.equal(accountant.underPressure, true)
  })
})

describe('replay filter (SPEC §5.2)', () => {
  it('refuses every key that it has seen, for ever, and is full at its capacity', () => {
    const random = seededBytes(1)
    const filter = createReplayFilter(nodeCrypto, random(32), { capacity: 500 })
    const keys = Array.from({ length: 500 }, () => random(32))
    assert.equal(keys.filter((key) => filter.add(key)).length, 500)
    assert.equal(filter.isFull, true)
    assert.ok(keys.every((key) => filter.has(key) && !filter.add(key)))
    assert.equal(filter.has(random(32)), false)
  })
})

describe('onion keys (SPEC §2)', () => {
  const HOUR_MS = 3_600_000
  const randomBytes = seededBytes(3)
  const filter = { capacity: 8 }
  const options = { provider: nodeCrypto, nodeId: randomBytes(32), randomBytes, filter }

  it('are made every 12 h, accepted for 24 h, and remember their ephemerals', () => {
    const keys = createOnionKeys(options, 0)
    const old = keys.current()
    const ephemeral = randomBytes(32)
    old.seen.add(ephemeral)
    assert.equal(keys.rotate(12 * HOUR_MS - 1), false)
    assert.equal(keys.rotate(12 * HOUR_MS), true)
    assert.notDeepEqual(keys.current().id, old.id)
    assert.equal(keys.find(old.id)?.seen.has(ephemeral), true)
    assert.equal(keys.nextRotationAtMs(), 24 * HOUR_MS)
    keys.rotate(24 * HOUR_MS)
    assert.equal(keys.find(old.id), undefined)
  })

  it('go along with an edition that is made anyway, however young', () => {
    const keys = createOnionKeys(options, 0)
    assert.equal(keys.rotate(2 * HOUR_MS), false)
    assert.equal(keys.rotate(2 * HOUR_MS, true), true)
    assert.equal(keys.rotate(14 * HOUR_MS - 1), false)
    assert.equal(keys.rotate(14 * HOUR_MS), true)
  })

  it('retire a key early when its filter is full', () => {
    const keys = createOnionKeys(options, 0)
    const old = keys.current()
    for (let i = 0; i < 8; i++) old.seen.add(randomBytes(32))
    assert.equal(keys.find(old.id), undefined)
    assert.equal(keys.rotate(1), true)
    assert.notDeepEqual(keys.current().id, old.id)
    assert.equal(keys.find(old.id), undefined)
  })
})

describe('send window (SPEC §8.1)', () => {
  it('conserves credit: never negative, never more in flight than sent, all back in the end', () => {
    const event = fc.oneof(fc.constantFrom('ack' as const), fc.integer({ min: 1, max: 16_384 }))
    fc.assert(
      fc.property(fc.array(event, { maxLength: 300 }), (events) => {
        const window = createSendWindow(seededBytes(7))
        const asked: { serial: number; token: Uint8Array }[] = []
        let sent = 0
        let nowMs = 0
        const ack = (): void => {
          const oldest = asked.shift()
          if (oldest) assert.equal(window.onAck(oldest.serial, oldest.token, nowMs), true)
        }
        for (const what of events) {
          nowMs += 3
          if (what === 'ack') ack()
          else if (window.canSend()) {
            if (window.wantsAckRequest(what, false)) asked.push(window.takeAckRequest(nowMs, what))
            window.onSent(what)
            sent += what
          }
          assert.ok(window.inflightBytes >= 0 && window.inflightBytes <= sent)
        }
        while (asked.length > 0) ack()
        if (window.hasUncovered()) {
          asked.push(window.takeAckRequest(nowMs, 0))
          ack()
        }
        assert.equal(window.inflightBytes, 0)
      }),
    )
  })

  it('refuses an echo that is wrong, early, repeated or out of order', () => {
    const window = createSendWindow(seededBytes(8))
    const first = window.takeAckRequest(0, 100)
    window.onSent(100)
    const second = window.takeAckRequest(1, 100)
    window.onSent(100)
    assert.equal(window.onAck(first.serial, second.token, 5), false)
    assert.equal(window.onAck(second.serial, first.token, 5), false)
    assert.equal(window.onAck(second.serial, second.token, 5), false)
    assert.equal(window.onAck(first.serial, first.token, 5), true)
    assert.equal(window.onAck(first.serial, first.token, 5), false)
    assert.equal(window.onAck(second.serial, second.token.subarray(1), 5), false)
    assert.equal(window.inflightBytes, 100)
  })

  it('asks after 64 KiB, or 16 KiB when the queue runs empty', () => {
    const window = createSendWindow(seededBytes(9))
    window.onSent(48 * KIB)
    assert.equal(window.wantsAckRequest(16 * KIB - 1, false), false)
    assert.equal(window.wantsAckRequest(16 * KIB, false), true)
    const idle = createSendWindow(seededBytes(9))
    assert.equal(idle.wantsAckRequest(16 * KIB - 1, true), false)
    assert.equal(idle.wantsAckRequest(16 * KIB, true), true)
  })

  it('owes no more acknowledgements than an honest sender can ask for', () => {
    const debt = createAckDebt()
    for (let i = 0; i < MAX_OWED_ACKS; i++) assert.equal(debt.add(i, new Uint8Array(8)), true)
    assert.equal(debt.add(0, new Uint8Array(8)), false)
  })
})

describe('tunnel sequence (SPEC §9.1)', () => {
  it('keeps 4 MiB at most, entries included', () => {
    const sender = createTunnelSender<string>()
    while (sender.hasRoom()) sender.keep('x', 16_000, 0)
    assert.ok(sender.keptBytes <= MAX_KEPT_BYTES && sender.keptBytes > MAX_KEPT_BYTES - 32 * KIB)
    assert.equal(sender.onAck(sender.nextSequence), true)
    assert.equal(sender.keptBytes, 0)
  })

  it('names each acknowledged message once and in order, whether by TUNNEL_ACK or by a new leg', () => {
    const acked: string[] = []
    const sender = createTunnelSender<string>((message) => acked.push(message))
    for (const message of ['a', 'b', 'c', 'd']) sender.keep(message, 1, 0)
    sender.onAck(1)
    sender.onAck(1)
    sender.rewind(3)
    assert.deepEqual(acked, ['a', 'b', 'c'])
  })

  it('refuses acknowledgements of what was never carried and rewinds only within what is kept', () => {
    const sender = createTunnelSender<string>()
    for (const message of ['a', 'b', 'c', 'd']) sender.keep(message, 1, 0)
    assert.equal(sender.onAck(5), false)
    assert.equal(sender.onAck(1), true)
    assert.equal(sender.rewind(0), false)
    assert.equal(sender.rewind(5), false)
    assert.equal(sender.rewind(2), true)
    assert.equal(sender.onAck(3), false)
    assert.equal(sender.peekResend()?.message, 'c')
    sender.shiftResend()
    assert.equal(sender.onAck(3), true)
    assert.equal(sender.peekResend()?.message, 'd')
    sender.shiftResend()
    assert.equal(sender.peekResend(), undefined)
    assert.equal(sender.resendBytes, 0)
  })

  it('takes each number once and in order', () => {
    const receiver = createTunnelReceiver()
    assert.equal(receiver.accept(1), 'gap')
    assert.equal(receiver.accept(0), 'take')
    assert.equal(receiver.accept(0), 'duplicate')
    assert.equal(receiver.nextExpected, 1)
  })
})

describe('stream windows (SPEC §8.3)', () => {
  it('hand out exactly what was written, in order, never beyond the offset granted', () => {
    const write = fc.integer({ min: 1, max: 5000 })
    const take = fc.integer({ min: 1, max: 16_000 })
    fc.assert(
      fc.property(fc.array(fc.tuple(write, take), { maxLength: 200 }), (steps) => {
        const half = createSendHalf()
        const written: Uint8Array[] = []
        const taken: Uint8Array[] = []
        const random = seededBytes(steps.length)
        for (const [bytes, most] of steps) {
          const chunk = random(bytes)
          half.push(chunk, 0)
          written.push(chunk.slice())
          const view = half.take(most)
          if (view) taken.push(view)
          assert.ok(half.sentOffset <= 256 * KIB && half.queuedBytes >= 0)
        }
        for (let view = half.take(16_000); view; view = half.take(16_000)) taken.push(view)
        const got = Buffer.concat(taken)
        assert.ok(got.equals(Buffer.concat(written).subarray(0, got.length)))
        assert.equal(got.length, half.sentOffset)
      }),
    )
  })

  it('say when an owned chunk has been handed out to its end, and never of others', () => {
    const half = createSendHalf()
    half.push(new Uint8Array(3000), 0, true)
    half.push(new Uint8Array(3000), 0)
    half.push(new Uint8Array(10), 0, true)
    const ends = [2000, 2000, 3000, 10].map((bytes) => [half.take(bytes)?.length, half.endsOwned])
    // A tiny chunk was copied: its memory is not what is handed out.
    assert.deepEqual(ends, [
      [2000, false],
      [1000, true],
      [3000, false],
      [10, false],
    ])
  })

  it('refuse an offset that falls or that no receiver may grant', () => {
    const half = createSendHalf()
    assert.equal(half.grant(256 * KIB - 1), false)
    assert.equal(half.grant(4096 * KIB + 1), false)
    assert.equal(half.grant(4096 * KIB), true)
  })

  it('take exactly to the limit and not one byte more', () => {
    const half = createReceiveHalf(0)
    assert.equal(half.onData(256 * KIB), true)
    assert.equal(half.onData(1), false)
    assert.equal(half.onConsumed(128 * KIB - 1, 1000), false)
    assert.equal(half.onConsumed(1, 1000), true)
    assert.equal(half.grantedOffset, 384 * KIB)
  })

  it('widen to 4 MiB for a fast reader and not for a slow one', () => {
    const fast = createReceiveHalf(0)
    const slow = createReceiveHalf(0)
    for (let i = 1; i < 200; i++) {
      for (const [half, nowMs] of [
        [fast, i],
        [slow, i * 1000],
      ] as const) {
        half.onData(half.grantedOffset - half.receivedOffset)
        half.onConsumed(half.receivedOffset - half.consumedOffset, nowMs)
      }
    }
    assert.equal(fast.grantedOffset - fast.consumedOffset, 4096 * KIB)
    assert.equal(slow.grantedOffset - slow.consumedOffset, 256 * KIB)
  })
})

describe('orphans and queues', () => {
  it('are due in order and bounded', () => {
    const orphans = createOrphans<string>({ max: 2, waitMs: 100 })
    assert.equal(orphans.add('a', 0), undefined)
    assert.equal(orphans.add('b', 10), undefined)
    assert.equal(orphans.add('c', 20), 'a')
    assert.equal(orphans.nextDeadlineAtMs, 110)
    assert.equal(orphans.remove('b'), true)
    assert.deepEqual(orphans.takeExpired(119), [])
    assert.deepEqual(orphans.takeExpired(120), ['c'])
    assert.equal(orphans.nextDeadlineAtMs, Number.POSITIVE_INFINITY)
  })

  it('behave as an array does', () => {
    const operation = fc.oneof(fc.nat(1000), fc.constant('shift' as const))
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 400 }), (operations) => {
        const fifo = createFifo<number>()
        const model: number[] = []
        for (const what of operations) {
          if (what === 'shift') assert.equal(fifo.shift(), model.shift())
          else {
            fifo.push(what)
            model.push(what)
          }
          assert.equal(fifo.length, model.length)
          assert.equal(fifo.peek(), model[0])
          assert.equal(fifo.last(), model.at(-1))
          assert.equal(fifo.at(1), model[1])
        }
      }),
    )
  })
})

describe('what a leg has lost (SPEC §15.4)', () => {
  it('is each message once for each time it went, in its own bytes: a client that joins again and again gets nothing back', () => {
    const sender = createTunnelSender<string>()
    for (const message of ['a', 'b', 'c']) sender.keep(message, 100, 0)
    assert.equal(sender.rewind(1), true)
    assert.equal(sender.lostBytes, 200)
    assert.equal(sender.rewind(1), true)
    assert.equal(sender.lostBytes, 0, 'nothing went between the two')
    sender.shiftResend()
    assert.equal(sender.rewind(1), true)
    assert.equal(sender.lostBytes, 100)
    assert.equal(sender.rewind(3), true)
    assert.equal(sender.lostBytes, 0)
  })
})
