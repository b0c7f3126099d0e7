/** A clock that the test moves, and letting promises settle. */
import type { Timers } from '../../src/proxy/timers.ts'

export type HandTimers = Timers & {
  readonly nowMs: () => number
  /** Delays that wait now, in milliseconds from now, shortest first. */
  readonly waiting: () => readonly number[]
  /** Moves the clock; each timer runs at its time, and what it sets off settles before the next. */
  readonly pass: (ms: number) => Promise<void>
  /** Moves the clock as a machine's sleep does: no timer runs meanwhile, and each has as long to wait as before. */
  readonly sleep: (ms: number) => void
}

export function createHandTimers(startMs = 0): HandTimers {
  let nowMs = startMs
  const timers = new Set<{ atMs: number; readonly run: () => void }>()
  const next = () => [...timers].toSorted((a, b) => a.atMs - b.atMs)[0]
  return {
    nowMs: () => nowMs,
    waiting: () => Array.from(timers, ({ atMs }) => atMs - nowMs).toSorted((a, b) => a - b),
    after(delayMs, run) {
      const timer = { atMs: nowMs + delayMs, run }
      timers.add(timer)
      return () => void timers.delete(timer)
    },
    pass: async (ms) => {
      await settle()
      const endMs = nowMs + ms
      for (let due = next(); due && due.atMs <= endMs; due = next()) {
        timers.delete(due)
        nowMs = due.atMs
        due.run()
        await settle()
      }
      nowMs = endMs
    },
    sleep(ms) {
      nowMs += ms
      for (const timer of timers) timer.atMs += ms
    },
  }
}

/** Lets everything happen that needs no more than a few turns of the event loop. */
export async function settle(turns = 5): Promise<void> {
  for (let turn = 0; turn < turns; turn++) await new Promise(setImmediate)
}

/** Ends a wait that would never end. */
const HANG_MS = 60_000

/** Waits until something holds that needs no timer. */
export async function until(holds: () => boolean): Promise<void> {
  const endMs = performance.now() + HANG_MS
  while (!holds()) {
    if (performance.now() > endMs) throw new Error('it never came to hold')
    await new Promise(setImmediate)
  }
}
