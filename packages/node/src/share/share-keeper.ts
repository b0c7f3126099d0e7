/** Keeps a node to what its household allows (DESIGN §8): looks every few seconds at clock and counters, and tells the node to drain, to hibernate and to serve again. */
import type { Serving } from '../serving.ts'
import { addCarried, readCarried, writeCarried, type Carried } from './carried.ts'
import type { LocalClock } from './local-time.ts'
import { DRAIN_AHEAD_MS, planShare, type ShareRules, type ShareState } from './share-plan.ts'

/** What is told to do. */
export interface SharingNode {
  /** Of all circuits since the node began. */
  readonly carriedBytes: number
  readonly serving: Pick<Serving, 'announceDrain' | 'hibernate' | 'resume'>
}

export type ShareKeeperDeps = {
  readonly home: string
  readonly rules: ShareRules
  readonly node: SharingNode
  readonly clock: LocalClock
  /** Wall clock. */
  readonly nowMs: () => number
  /** Told of each change. Must not throw. */
  readonly onChange: (state: ShareState) => void
}

/** Disposing writes the counters down. */
export interface ShareKeeper extends AsyncDisposable {
  readonly state: ShareState
  readonly carried: Carried
  /** Looks once. Never rejects. */
  look(): Promise<void>
}

// Local limits (tunable): docs/LIMITS.md.
/** Counters are written when so much was carried since, or after so long: what a crash may lose of them. */
const WRITE_AFTER_BYTES = 50_000_000
const WRITE_AFTER_MS = 60_000

type Sample = { readonly atMs: number; readonly bytes: number }

/** Reads the counters, and looks for the first time. @throws HOME_FILE_OPEN */
export async function openShareKeeper(deps: ShareKeeperDeps): Promise<ShareKeeper> {
  const keeper = new Keeper(deps, await readCarried(deps.home))
  await keeper.look()
  return keeper
}

class Keeper implements ShareKeeper {
  state: ShareState = { state: 'open' }
  carried: Carried
  readonly #deps: ShareKeeperDeps
  /** Of the last ten minutes, oldest first. */
  readonly #samples: Sample[] = []
  #counted: number
  #written: Carried
  #writtenAtMs = Number.NEGATIVE_INFINITY

  constructor(deps: ShareKeeperDeps, carried: Carried) {
    this.#deps = deps
    this.carried = carried
    this.#written = carried
    this.#counted = deps.node.carriedBytes
  }

  async look(): Promise<void> {
    const { rules, node, clock } = this.#deps
    const nowMs = this.#deps.nowMs()
    const bytes = node.carriedBytes - this.#counted
    this.#counted += bytes
    this.carried = addCarried(this.carried, bytes, { nowMs, billingDay: rules.billingDay, clock })
    this.#samples.push({ atMs: nowMs, bytes })
    while (nowMs - (this.#samples[0]?.atMs ?? nowMs) >= DRAIN_AHEAD_MS) this.#samples.shift()
    const lately = this.#samples.reduce((sum, sample) => sum + sample.bytes, 0)
    const before = this.state
    this.state = planShare(rules, { nowMs, carried: this.carried, lately, before }, clock)
    if (this.state.state !== before.state) this.#change(before, nowMs)
    await this.#write(nowMs)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#write(Number.POSITIVE_INFINITY)
  }

  #change(before: ShareState, nowMs: number): void {
    const { node, onChange } = this.#deps
    const { serving } = node
    const { state } = this
    if (state.state === 'draining') serving.announceDrain(Math.ceil((state.untilMs - nowMs) / 1000))
    else if (state.state === 'hibernating') {
      if (before.state === 'open') serving.announceDrain(0)
      serving.hibernate()
    } else serving.resume()
    onChange(state)
  }

  async #write(nowMs: number): Promise<void> {
    const { carried } = this
    const grown = carried.monthBytes - this.#written.monthBytes
    const isDue = nowMs - this.#writtenAtMs >= WRITE_AFTER_MS
    if (carried.monthStartMs === this.#written.monthStartMs && grown === 0) return
    if (!isDue && Math.abs(grown) < WRITE_AFTER_BYTES) return
    try {
      await writeCarried(this.#deps.home, carried)
      this.#written = carried
      this.#writtenAtMs = nowMs
    } catch {
      // A full disk is told elsewhere; the counters in memory go on.
    }
  }
}
