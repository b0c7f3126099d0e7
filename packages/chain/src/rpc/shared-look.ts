/** One look for all who want to look at the same time: it goes on while one of them waits. */

/** Looks, or waits for the look that is under way. @throws what the look throws, or the signal's reason */
export type SharedLook<Value> = (signal: AbortSignal) => Promise<Value>

type UnderWay<Value> = {
  readonly result: Promise<Value>
  readonly stop: AbortController
  waiting: number
}

/** Shares a look. */
export function shareLook<Value>(look: (signal: AbortSignal) => Promise<Value>): SharedLook<Value> {
  let underWay: UnderWay<Value> | undefined
  const begin = (): UnderWay<Value> => {
    const stop = new AbortController()
    const begun = { result: look(stop.signal), stop, waiting: 0 }
    const end = (): void => {
      if (underWay === begun) underWay = undefined
    }
    // Whoever waits hears of a failure; nobody may be waiting any more.
    begun.result.then(end, end)
    return begun
  }
  return async (signal) => {
    signal.throwIfAborted()
    const joined = (underWay ??= begin())
    const aborted = Promise.withResolvers<never>()
    const onAbort = (): void => aborted.reject(signal.reason)
    signal.addEventListener('abort', onAbort, { once: true })
    joined.waiting++
    try {
      return await Promise.race([joined.result, aborted.promise])
    } finally {
      signal.removeEventListener('abort', onAbort)
      joined.waiting--
      if (joined.waiting === 0) leave(joined)
    }
  }

  function leave(left: UnderWay<Value>): void {
    // Nobody waits for what it may still say: the next one looks anew.
    if (underWay === left) underWay = undefined
    left.stop.abort()
  }
}
