/**
 * One stream of a tunnel: what may be sent and what may come in which state (SPEC §7.2).
 * Data only: numbering and packing are tunnel-end.ts and packer.ts, ids are stream-table.ts.
 * @module
 */
import type { ResetReason } from '@byway/protocol/wire'
import { createFifo, type Fifo } from './fifo.ts'
import { createReceiveHalf, type ReceiveHalf } from './receive-half.ts'
import { createSendHalf, type SendHalf } from './send-half.ts'

/** What began the stream: BEGIN, RESOLVE or ASSOCIATE. */
export type StreamKind = 'connection' | 'lookup' | 'datagrams'

/** A stream that is not over. `Control` is a sequenced message that goes before the stream's data. */
export type Stream<Control> = {
  readonly id: number
  readonly kind: StreamKind
  readonly send: SendHalf
  readonly receive: ReceiveHalf
  /** BEGIN, CONNECTED, RESOLVE, RESOLVED, ASSOCIATE that wait to be sent. */
  readonly controls: Fifo<Control>
  /** The application has ended its side; DONE goes when the data has. */
  ending: boolean
  doneSent: boolean
  doneReceived: boolean
  /** CONNECTED or RESOLVED has come (client) or been given (exit). */
  answered: boolean
  /** A reset of this side that waits to be sent. */
  resetting: ResetReason | undefined
  /** The application was told to wait and gets `onDrain`. */
  blocked: boolean
  /** Stands in the table's ring of streams with something to send. */
  ready: boolean
  /** A WINDOW waits to be sent. */
  windowDue: boolean
}

/** Creates a stream as it is right after its BEGIN, RESOLVE or ASSOCIATE. */
export function createStream<Control>(
  id: number,
  kind: StreamKind,
  nowMs: number,
): Stream<Control> {
  return {
    id,
    kind,
    send: createSendHalf(),
    receive: createReceiveHalf(nowMs),
    controls: createFifo(),
    ending: false,
    doneSent: false,
    doneReceived: false,
    answered: false,
    resetting: undefined,
    blocked: false,
    ready: false,
    windowDue: false,
  }
}

/** True when the stream has a sequenced message to send now. */
export function hasToSend<Control>(stream: Stream<Control>): boolean {
  if (stream.resetting !== undefined || stream.controls.length > 0) return true
  if (stream.send.sendableBytes > 0) return true
  return stream.ending && !stream.doneSent && stream.send.queuedBytes === 0
}
