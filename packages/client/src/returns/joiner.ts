/** Has what makes no slot joined as soon as enough of it is there (SPEC §14.6): each joining goes into the queue of returns, at a time of its own. @module */
import { toHex } from '@byway/protocol/base'
import type { Pool } from '@byway/protocol/ticket'
import type { SlotAuthoriser, LeafRest } from '../money/ports.ts'
import { chooseJoining } from './choose-joining.ts'
import type { SlotFacts } from './ports.ts'
import { isFree } from './return-fact.ts'
import type { ReturnQueue } from './return-queue.ts'

/** What leaves hold beyond whole slots. Values in the token's smallest parts. */
export type RestStatus = {
  /** Rests that wait for others to be joined with. */
  readonly waiting: { readonly rests: number; readonly value: bigint }
  /** That are being joined. */
  readonly joining: { readonly rests: number; readonly value: bigint }
  /** When a relayer is asked next, wall clock, milliseconds; undefined with nothing to ask for. */
  readonly nextAtMs: number | undefined
}

export type JoinerDeps = {
  readonly authoriser: Pick<SlotAuthoriser, 'leafRests'>
  readonly queue: Pick<ReturnQueue, 'add' | 'joinings'>
  readonly facts: SlotFacts
  readonly pool: Pick<Pool, 'unit' | 'unitsPerSlot'>
  /** Uniform in [0, 1). */
  readonly random: () => number
}

export interface Joiner {
  readonly status: RestStatus
  /** Looks for rests and queues what is to be joined. @throws what the chain and the disk throw, or the signal's reason */
  look(signal: AbortSignal): Promise<void>
}

/** Creates one that has not looked yet. */
export function createJoiner({ authoriser, queue, facts, pool, random }: JoinerDeps): Joiner {
  let seen: readonly LeafRest[] = []
  const asked = (): ReadonlySet<string> =>
    new Set(queue.joinings.flatMap(({ rests }) => rests.map(toHex)))
  /** Not joined, nor on their way into money; none while the chain has not been read. */
  const left = (): readonly LeafRest[] =>
    seen.filter(({ rest }) => isFree(facts.of(rest)?.state ?? 'refunded'))
  const sumOf = (rests: readonly LeafRest[]) => {
    const units = rests.reduce((sum, rest) => sum + rest.units, 0)
    return { rests: rests.length, value: BigInt(units) * pool.unit }
  }
  return {
    get status() {
      const names = asked()
      const isAsked = ({ rest }: LeafRest): boolean => names.has(toHex(rest))
      const all = left()
      const due = queue.joinings.filter(({ state }) => state === 'waiting')
      return {
        waiting: sumOf(all.filter((leaf) => !isAsked(leaf))),
        joining: sumOf(all.filter(isAsked)),
        nextAtMs: due.length === 0 ? undefined : Math.min(...due.map(({ dueMs }) => dueMs)),
      }
    },
    async look(signal) {
      seen = await authoriser.leafRests(signal)
      for (;;) {
        const names = asked()
        const free = left().filter(({ rest }) => !names.has(toHex(rest)))
        const rests = chooseJoining(free, pool.unitsPerSlot, random)?.map(({ rest }) => rest)
        const [nullifier] = rests ?? []
        if (!rests || !nullifier) return
        // No more room in the queue: the rest waits for the next look.
        if ((await queue.add([{ kind: 'join', nullifier, rests }])) === 0) return
      }
    },
  }
}
