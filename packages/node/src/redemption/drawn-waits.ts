/** How long each win waits for company: drawn, or whoever reads the chain would know from a batch when its oldest ticket won, and so when a client was there (SPEC §14.3). */
import type { UnitRandom } from '@byway/protocol/directory'
import type { StoredWinner } from '@byway/store'
import { winnerName } from './leaving.ts'

/** The least part: in less time few wins find company. */
const LEAST_PART = 0.25

/** The part of the longest wait that each open win waits: drawn once in a run, and anew after a restart. */
export class DrawnWaits {
  readonly #random: UnitRandom
  readonly #parts = new Map<string, number>()

  constructor(random: UnitRandom) {
    this.#random = random
  }

  /** From a quarter to all of it; the same whenever it is asked. */
  partOf(winner: StoredWinner): number {
    const name = winnerName(winner)
    const part = this.#parts.get(name) ?? LEAST_PART + (1 - LEAST_PART) * this.#random()
    this.#parts.set(name, part)
    return part
  }

  /** Forgets those of all other wins. */
  keepOnly(open: readonly StoredWinner[]): void {
    const names = new Set(open.map(winnerName))
    for (const name of this.#parts.keys()) if (!names.has(name)) this.#parts.delete(name)
  }
}
