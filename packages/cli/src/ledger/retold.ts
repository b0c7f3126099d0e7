/**
 * What the chain takes back and gives again: a ledger has each name once, so that what comes again after it was reversed is told under another. How often something was reversed stands in the
 * ledger itself, so that after a restart it is told under the same names.
 */
import type { MoneyEvent } from '@byway/protocol/ledger'

/** One side's ledger, as followers of the chain need it. */
export type RetoldEvents = {
  read(after?: number): AsyncIterable<{ readonly event: MoneyEvent }>
  record(event: MoneyEvent): Promise<unknown>
}

/** The only one that reverses what it tells. */
export interface Retold {
  /** Tells it, unless the ledger has it and did not take it back. Rejects as the ledger does. */
  record(event: MoneyEvent): Promise<void>
  /** Takes back what was told under this name. Rejects as the ledger does. */
  undo(id: string, atMs: number): Promise<void>
}

/** Creates it over a ledger that is read once. */
export function createRetold(ledger: RetoldEvents): Retold {
  let counts: Promise<Map<string, number>> | undefined
  const undone = (): Promise<Map<string, number>> => (counts ??= countReversed(ledger))
  return {
    async record(event) {
      const times = (await undone()).get(event.id) ?? 0
      await ledger.record({ ...event, id: nameOf(event.id, times) })
    },
    async undo(id, atMs) {
      const all = await undone()
      const times = all.get(id) ?? 0
      const of = nameOf(id, times)
      await ledger.record({ id: `undo:${of}`, atMs, type: 'reversed', of })
      all.set(id, times + 1)
    },
  }
}

const AGAIN = /:again\d+$/

function nameOf(id: string, times: number): string {
  return times === 0 ? id : `${id}:again${times}`
}

async function countReversed(ledger: Pick<RetoldEvents, 'read'>): Promise<Map<string, number>> {
  const counts = new Map<string, number>()
  for await (const { event } of ledger.read()) {
    if (event.type !== 'reversed') continue
    const id = event.of.replace(AGAIN, '')
    counts.set(id, (counts.get(id) ?? 0) + 1)
  }
  return counts
}
