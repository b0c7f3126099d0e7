/**
 * A deterministic bottleneck in virtual time for congestion tests: cells of several senders pass one FIFO queue of
 * fixed rate; the acknowledgement of a cell comes back after the rest of the round trip. No losses: circuits run over TLS.
 */
import { createSendWindow, type SendWindow } from '../../src/circuit/window.ts'

export type Flow = {
  readonly window: SendWindow
  readonly startAtMs: number
  /** Bytes that left the bottleneck, by whole virtual seconds. */
  readonly perSecond: number[]
  /** Largest wait in the bottleneck's queue, by whole virtual seconds. */
  readonly maxWaitMs: number[]
}

export type LinkOptions = {
  readonly bytesPerMs: number
  readonly rttMs: number
  readonly forMs: number
  readonly startsAtMs: readonly number[]
  readonly cellBytes?: number
}

type Event = { atMs: number; run: () => void }

/** Runs greedy senders over one bottleneck and returns what each got. */
export function simulate(options: LinkOptions): readonly Flow[] {
  const { bytesPerMs, rttMs, forMs, cellBytes = 16_384 } = options
  const events: Event[] = []
  let nowMs = 0
  let freeAtMs = 0
  const later = (atMs: number, run: () => void): void => {
    let at = events.length
    while (at > 0 && (events[at - 1]?.atMs ?? 0) > atMs) at--
    events.splice(at, 0, { atMs, run })
  }
  const pump = (flow: Flow): void => {
    const { window } = flow
    while (window.canSend()) {
      const request = window.wantsAckRequest(cellBytes, false)
        ? window.takeAckRequest(nowMs, cellBytes)
        : undefined
      window.onSent(cellBytes)
      freeAtMs = Math.max(freeAtMs, nowMs) + cellBytes / bytesPerMs
      const leftAtMs = freeAtMs
      const second = Math.floor(leftAtMs / 1000)
      flow.perSecond[second] = (flow.perSecond[second] ?? 0) + cellBytes
      flow.maxWaitMs[second] = Math.max(flow.maxWaitMs[second] ?? 0, leftAtMs - nowMs)
      if (!request) continue
      later(leftAtMs + rttMs, () => {
        if (!window.onAck(request.serial, request.token, nowMs)) throw new Error('wrong ack')
        pump(flow)
      })
    }
  }
  const flows = options.startsAtMs.map((startAtMs) => {
    const window = createSendWindow((count) => new Uint8Array(count))
    const flow: Flow = { window, startAtMs, perSecond: [], maxWaitMs: [] }
    later(startAtMs, () => pump(flow))
    return flow
  })
  for (;;) {
    const event = events.shift()
    if (!event || event.atMs > forMs) return flows
    nowMs = event.atMs
    event.run()
  }
}

/** Mean bytes per millisecond over the seconds `from` to `to`. */
export function meanRate(flow: Flow, from: number, to: number): number {
  let bytes = 0
  for (let second = from; second < to; second++) bytes += flow.perSecond[second] ?? 0
  return bytes / ((to - from) * 1000)
}
