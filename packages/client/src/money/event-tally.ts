/**
 * The ledger's small events of a client, added up: one a minute for each kind and hop, never one per ticket (see `ledger/events.ts`).
 * @module
 */
import type { ClientMoneyEvent } from '@byway/protocol/ledger'

/** The events that come often. Their numbers are sums, their words say what is summed. */
export type SmallEvent = WithoutHead<
  Extract<
    ClientMoneyEvent,
    {
      type:
        | 'tickets-sent'
        | 'tickets-void'
        | 'used'
        | 'tokens-bought'
        | 'tokens-spent'
        | 'tokens-lost'
        | 'paid-lost'
    }
  >
>
type WithoutHead<E> = E extends ClientMoneyEvent ? Omit<E, 'id' | 'atMs'> : never

/** Sums by kind and hop. */
export interface EventTally {
  add(event: SmallEvent): void
  /** Returns the sums so far and begins anew. */
  take(): readonly SmallEvent[]
}

/** Creates empty sums. */
export function createEventTally(): EventTally {
  const sums = new Map<string, SmallEvent>()
  return {
    add(event) {
      const words = Object.values(event).filter((value) => typeof value === 'string')
      const key = words.join(' ')
      const old = sums.get(key)
      sums.set(key, old ? addUp(old, event) : event)
    },
    take() {
      const taken = [...sums.values()]
      sums.clear()
      return taken
    },
  }
}

/** Adds the numbers of two events whose words are the same. */
function addUp(a: SmallEvent, b: SmallEvent): SmallEvent {
  const others = new Map<string, unknown>(Object.entries(b))
  const fields = Object.entries(a).map(([name, value]) => [name, plus(value, others.get(name))])
  return Object.fromEntries(fields) as SmallEvent
}

function plus(a: unknown, b: unknown): unknown {
  if (typeof a === 'bigint' && typeof b === 'bigint') return a + b
  return typeof a === 'number' && typeof b === 'number' ? a + b : a
}
