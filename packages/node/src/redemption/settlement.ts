/**
 * Writes down what the chain says of winners once it is deep enough, and takes it back when a reorganisation undid it. The state and its ledger events are one write: after any
 * crash each win was counted once.
 */
import { isBywayError, toHex } from '@byway/protocol/base'
import type { NodeMoneyEvent } from '@byway/protocol/ledger'
import type { LossReason, StoredWinner, WinnerState, WinnerStep } from '@byway/store'
import { fatesOf, type Fate, type SlotCase } from './fate.ts'
import { promisedFeeOf } from './carrier.ts'
import { type PaidOf, readPaid } from './paid-wins.ts'
import type { RedemptionDeps } from './ports.ts'

/** Of a win, burned by the contract (SPEC §14.3), in hundredths. */
const BURNED_PERCENT = 5n

// Local limit (tunable): docs/LIMITS.md.
/** So long a win waits for the chain to say what was paid for it: endpoints may have forgotten events that are old. */
const PAID_PATIENCE_BLOCKS = 256

/** A settled winner, for alerts. */
export type Settled = {
  readonly winner: StoredWinner
  readonly to: WinnerState
  readonly reason: LossReason | undefined
}

/** What has held for long enough, and since which block. */
type Deep = {
  readonly winner: StoredWinner
  readonly to: WinnerState
  readonly fate: Fate
  readonly name: string
  readonly first: number
}

export class Settlement {
  readonly #deps: RedemptionDeps
  /** Since which block the chain says what is not yet written down. */
  #since = new Map<string, number>()

  constructor(deps: RedemptionDeps) {
    this.#deps = deps
  }

  /** Settles what has held for long enough. Where the chain does not say now what it paid, that waits. */
  async settle(
    cases: readonly SlotCase[],
    block: number,
    signal: AbortSignal,
  ): Promise<readonly Settled[]> {
    const read = new Set(cases.map(({ nullifier }) => toHex(nullifier)))
    // Of slots that were not read this time nothing has changed.
    const since = new Map([...this.#since].filter(([name]) => !read.has(slotNameOf(name))))
    const deep: Deep[] = []
    for (const slot of cases) {
      for (const { winner, fate } of fatesOf(slot, this.#deps.winsPerSlot)) {
        const to = targetOf(winner, fate)
        if (to === undefined) continue
        const name = `${nameOf(winner)}:${fate}`
        const first = Math.min(this.#since.get(name) ?? block, block)
        if (block - first + 1 < this.#deps.confirmations) since.set(name, first)
        else deep.push({ winner, to, fate, name, first })
      }
    }
    this.#since = since
    const paidOf = await this.#paidOf(deep, signal)
    const settled: Settled[] = []
    for (const { winner, to, fate, name, first } of deep) {
      const isTold = paidOf || block - first >= this.#deps.confirmations + PAID_PATIENCE_BLOCKS
      if (to === 'done' && !isTold) since.set(name, first)
      else settled.push(await this.#write(winner, to, fate, { block, paid: paidOf?.(winner) }))
    }
    return settled
  }

  /** Ends a winner that the contract will never take. */
  async refuse(winner: StoredWinner): Promise<void> {
    await this.#move(winner, 'lost', 'refused', undefined, [this.#lost(winner, 'refused')])
  }

  /** Undefined while the chain cannot be asked. */
  async #paidOf(deep: readonly Deep[], signal: AbortSignal): Promise<PaidOf | undefined> {
    const { chain, provider } = this.#deps
    const winners = deep.filter(({ to }) => to === 'done').map(({ winner }) => winner)
    try {
      return await readPaid(chain, provider, winners, signal)
    } catch (error) {
      signal.throwIfAborted()
      if (!isBywayError(error) || error.kind !== 'chain') throw error
      return undefined
    }
  }

  async #write(
    winner: StoredWinner,
    to: WinnerState,
    fate: Fate,
    { block, paid }: { readonly block: number; readonly paid: bigint | undefined },
  ): Promise<Settled> {
    const reason = fate === 'open' || fate === 'paid' ? undefined : fate
    const undo = this.#undo(winner, block)
    if (to === 'done') {
      const id = `paid:${nameOf(winner)}:${block}`
      await this.#move(winner, to, undefined, id, [...undo, ...this.#paid(winner, id, paid)])
    } else {
      const lost = reason === undefined ? [] : [this.#lost(winner, `${reason}:${block}`)]
      await this.#move(winner, to, reason, undefined, [...undo, ...lost])
    }
    return { winner, to, reason }
  }

  async #move(
    winner: StoredWinner,
    to: WinnerState,
    reason: LossReason | undefined,
    carrier: string | undefined,
    events: readonly NodeMoneyEvent[],
  ): Promise<void> {
    const step: WinnerStep = {
      id: winner,
      from: [winner.state],
      to,
      atMs: this.#deps.nowMs(),
      ...(reason === undefined ? {} : { reason }),
      ...(carrier === undefined ? {} : { carrier }),
    }
    await this.#deps.store.atomically(({ winners, ledger }) => {
      void winners.move(step)
      for (const event of events) void ledger.record(event)
    })
  }

  /** `received`, as the chain says it; where it no longer does, what was promised to whom we left the win with. */
  #paid(winner: StoredWinner, id: string, paid: bigint | undefined): readonly NodeMoneyEvent[] {
    const { worth, heldPerWin: heldBack } = this.#deps
    const { winValue } = worth
    const burned = (winValue * BURNED_PERCENT) / 100n
    const net = winValue - burned - heldBack
    const isSound = paid !== undefined && paid <= net
    const received = isSound ? paid : net - promisedFeeOf(winner.carrier)
    const redeemerFee = net - received
    const head = { atMs: this.#deps.nowMs(), wins: 1, amount: winValue }
    return [
      { ...head, id: claimId(id), type: 'claimed' },
      { ...head, id, type: 'claim-paid', burned, redeemerFee, heldBack, received },
    ]
  }

  #lost(winner: StoredWinner, why: string): NodeMoneyEvent {
    const id = `lost:${nameOf(winner)}:${why}`
    const head = { atMs: this.#deps.nowMs(), wins: 1, amount: this.#deps.worth.winValue }
    return { ...head, id, type: 'claim-lost', afterClaim: false }
  }

  /** Takes back what was told of a settled winner. */
  #undo(winner: StoredWinner, block: number): readonly NodeMoneyEvent[] {
    const atMs = this.#deps.nowMs()
    const { carrier, state } = winner
    const told = state === 'done' && carrier !== undefined ? [carrier, claimId(carrier)] : []
    return told.map((of, at) => {
      return { id: `undo:${nameOf(winner)}:${block}:${at}`, atMs, type: 'reversed', of }
    })
  }
}

/** What to write; nothing when it is written already. */
function targetOf({ state, reason }: StoredWinner, fate: Fate): WinnerState | undefined {
  const isSettled = state === 'done' || state === 'lost' || state === 'lapsed'
  if (reason === 'refused') return undefined
  if (fate === 'open') return isSettled ? 'received' : undefined
  const to = fate === 'paid' ? 'done' : fate === 'ended' ? 'lapsed' : 'lost'
  return to === state ? undefined : to
}

function claimId(paidId: string): string {
  return paidId.replace(/^paid:/, 'claim:')
}

/** Names a winner in the ledger: the chain shows slot and index once it is claimed. */
function nameOf({ nullifier, index }: StoredWinner): string {
  return `${toHex(nullifier)}:${index}`
}

/** The slot of a name in `#since`. */
function slotNameOf(name: string): string {
  return name.slice(0, name.indexOf(':'))
}
