/**
 * Counters for limits: a token bucket, a sliding window of events and a sliding window of distinct things.
 * Time comes in with every call; a clock that steps back counts as standing still. Memory is bounded by the limit itself.
 */

/** Lets through `ratePerSecond` on average and `burst` at once. */
export type TokenBucket = {
  /** Takes one token and returns 0; without one, returns in how many milliseconds there will be one. */
  tryTake(nowMs: number): number
}

/** Creates a full bucket. */
export function createTokenBucket(ratePerSecond: number, burst: number): TokenBucket {
  let tokens = burst
  let filledAtMs = Number.NEGATIVE_INFINITY
  return {
    tryTake(nowMs) {
      const elapsedMs =
        filledAtMs === Number.NEGATIVE_INFINITY ? 0 : Math.max(0, nowMs - filledAtMs)
      tokens = Math.min(burst, tokens + (elapsedMs * ratePerSecond) / 1000)
      filledAtMs = Math.max(filledAtMs, nowMs)
      if (tokens < 1) return Math.ceil(((1 - tokens) * 1000) / ratePerSecond)
      tokens -= 1
      return 0
    },
  }
}

/** At most `max` events in any span of `windowMs`. Asking and counting are apart, so that several limits can be asked first. */
export type SlidingWindow = {
  /** 0 when one more event fits now, else in how many milliseconds it will. */
  waitMs(nowMs: number): number
  add(nowMs: number): void
}

/** Creates an empty window. */
export function createSlidingWindow(max: number, windowMs: number): SlidingWindow {
  const times: number[] = []
  return {
    waitMs(nowMs) {
      const oldest = times.at(-max)
      return oldest === undefined ? 0 : Math.max(0, oldest + windowMs - nowMs)
    },
    add(nowMs) {
      times.push(Math.max(nowMs, times.at(-1) ?? nowMs))
      if (times.length > max) times.shift()
    },
  }
}

/** At most `max` distinct keys in any span of `windowMs`. */
export type DistinctWindow = {
  /** 0 when this key fits now, else in how many milliseconds a new one will. */
  waitMs(key: string, nowMs: number): number
  add(key: string, nowMs: number): void
}

/** Creates an empty window. */
export function createDistinctWindow(max: number, windowMs: number): DistinctWindow {
  // Insertion order is order of last use: a key is moved to the end when it is used again.
  const lastUsedAtMs = new Map<string, number>()
  function prune(nowMs: number): void {
    for (const [key, usedAtMs] of lastUsedAtMs) {
      if (usedAtMs + windowMs > nowMs) return
      lastUsedAtMs.delete(key)
    }
  }
  return {
    waitMs(key, nowMs) {
      prune(nowMs)
      if (lastUsedAtMs.size < max || lastUsedAtMs.has(key)) return 0
      const [oldest = nowMs] = lastUsedAtMs.values()
      return Math.max(1, oldest + windowMs - nowMs)
    },
    add(key, nowMs) {
      lastUsedAtMs.delete(key)
      lastUsedAtMs.set(key, nowMs)
    },
  }
}
