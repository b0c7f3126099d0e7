/**
 * Locks slots that will win soon (DESIGN §7.1): a bulk session is served without limit once its slot is ours. Sent with our own gas only; what is not sent costs the client
 * speed and nobody money, so nothing of it is kept over a restart: the first win locks as always.
 */
import { createHash } from 'node:crypto'
import { OWN_TERMS } from '@byway/chain'
import { toHex } from '@byway/protocol/base'
import { feeCapOf, BATCH_MAX_ENTRIES } from './batching.ts'
import type { RedemptionDeps } from './ports.ts'
import { sendResultOf } from './sender.ts'

// Local limits (tunable): docs/LIMITS.md.
/** Slots that wait to be locked ahead; more are served at the pace of others. */
const MAX_WANTED = 256
/** A session may be over by then. */
const WANTED_MS = 120_000

type AheadDeps = Pick<RedemptionDeps, 'chain' | 'calls' | 'lane' | 'provider' | 'worth' | 'nowMs'>

type Wanted = { readonly nullifier: Uint8Array; readonly sinceMs: number }

export class AheadLocks {
  readonly #deps: AheadDeps
  readonly #wanted = new Map<string, Wanted>()
  /** In a transaction of ours. */
  readonly #pending = new Set<string>()

  constructor(deps: AheadDeps) {
    this.#deps = deps
  }

  want(nullifier: Uint8Array): void {
    if (!this.#deps.lane || this.#wanted.size >= MAX_WANTED) return
    this.#wanted.set(toHex(nullifier), { nullifier, sinceMs: this.#deps.nowMs() })
  }

  /** A lock of this slot is on its way. */
  isPending(name: string): boolean {
    return this.#pending.has(name)
  }

  /** Sends what is wanted. @param isOthers - slots that are locked for their wins */
  async look(isOthers: (name: string) => boolean, signal: AbortSignal): Promise<void> {
    const open: (readonly [string, Uint8Array])[] = []
    for (const [name, { nullifier, sinceMs }] of this.#wanted) {
      const isOver = isOthers(name) || this.#deps.nowMs() - sinceMs > WANTED_MS
      if (isOver) this.#wanted.delete(name)
      else if (open.length < BATCH_MAX_ENTRIES) open.push([name, nullifier])
    }
    const free: (readonly [string, Uint8Array])[] = []
    for (const slot of open) {
      const { state } = await this.#deps.chain.slot(slot[1], signal)
      if (state === 'none') free.push(slot)
      else this.#wanted.delete(slot[0])
    }
    if (free.length > 0) await this.#send(new Map(free), signal)
  }

  async #send(slots: ReadonlyMap<string, Uint8Array>, signal: AbortSignal): Promise<void> {
    const { lane, calls, provider, worth, nowMs } = this.#deps
    if (!lane) return
    const nullifiers = [...slots.values()]
    const call = calls.lock([{ provider, nullifiers, terms: OWN_TERMS }])
    const feeCap = feeCapOf({ kind: 'lock', isUrgent: false }, nullifiers.length, worth)
    const key = `ahead:${hashOf(nullifiers)}:${nowMs()}`
    try {
      const { confirmed } = await lane.send({ ...call, key, feeCap }, signal)
      for (const name of slots.keys()) this.#pending.add(name)
      const end = (): void => {
        for (const name of slots.keys()) this.#pending.delete(name)
      }
      confirmed.then(end, end)
    } catch (error) {
      // A chain that is away for a moment is asked again; gas that is too dear, or missing, is not waited for.
      if (sendResultOf(error) === 'later') return
    }
    for (const name of slots.keys()) this.#wanted.delete(name)
  }
}

function hashOf(nullifiers: readonly Uint8Array[]): string {
  const hash = createHash('sha256')
  for (const nullifier of nullifiers) hash.update(nullifier)
  return toHex(hash.digest().subarray(0, 8))
}
