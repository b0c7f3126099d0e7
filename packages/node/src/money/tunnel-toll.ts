/**
 * Payment for one tunnel at its exit (SPEC §15.4): the count and the tokens belong to the tunnel, whatever leg it rides on. Says when to stop and when to
 * go on; what waits then is the driver's.
 * @module
 */
import { CLOSE_REASON, MAX_CELL_BYTES, PAY, TOKEN_KIND } from '@byway/protocol/wire'
import type { CloseReason, HopPayMessage, PayMessage, SpendMessage } from '@byway/protocol/wire'
import { MAX_HELD_BYTES } from './held-cells.ts'
import type { TokenIntake } from './token-intake.ts'
import { createToll } from './toll.ts'
import type { Toll } from './toll.ts'
import type { TollWatch } from './toll-watch.ts'

/** What a paid tunnel needs of its driver. */
export type PaidTunnelHost = {
  readonly send: (pay: HopPayMessage) => void
  /** Stop serving, or go on. */
  readonly setHeld: (isHeld: boolean) => void
  readonly end: (reason: CloseReason) => void
}

/** Payment for one tunnel. */
export interface PaidTunnel {
  /** An admission token was spent in it: streams may begin. */
  readonly isAdmitted: boolean
  /** Bytes that came although nothing may pass: what the driver keeps for later. */
  readonly overrunBytes: number
  readonly countedBytes: number
  readonly paidBytes: number
  /** Counts a cell of the tunnel, whichever way it goes. */
  count(bytes: number): void
  /** An earlier leg has lost what was counted. */
  refund(bytes: number): void
  /** Takes a payment message of the client; false when it breaks a rule. */
  onPay(pay: PayMessage): boolean
  /** The tunnel is over. */
  close(): void
}

export type TunnelTollDeps = {
  readonly watch: TollWatch
  readonly tokens: TokenIntake
  readonly windowBytes: number
  /** The tunnel is over with these final counts. */
  readonly onClosed: (toll: Toll) => void
}

/** Creates the account of a fresh tunnel. */
export function createTunnelToll(deps: TunnelTollDeps, host: PaidTunnelHost): PaidTunnel {
  return new TunnelToll(deps, host)
}

class TunnelToll implements PaidTunnel {
  isAdmitted = false
  readonly #deps: TunnelTollDeps
  readonly #host: PaidTunnelHost
  readonly #toll: Toll
  #isClosed = false

  constructor(deps: TunnelTollDeps, host: PaidTunnelHost) {
    this.#deps = deps
    this.#host = host
    this.#toll = createToll(deps, {
      onStalled: () => this.#onStalled(),
      onCredit: () => this.#goOn(),
      onUnpaid: () => host.end(CLOSE_REASON.UNPAID),
    })
  }

  get countedBytes(): number {
    return this.#toll.countedBytes
  }

  get paidBytes(): number {
    return this.#toll.paidBytes
  }

  get overrunBytes(): number {
    return Math.max(0, -this.#toll.leftBytes)
  }

  count(bytes: number): void {
    const toll = this.#toll
    toll.count(bytes)
    // The next cell may be a large one: it must find room, or the tunnel would go beyond what was paid.
    if (toll.leftBytes >= MAX_CELL_BYTES) return
    if (!toll.isStalled) toll.stall()
    else if (this.overrunBytes > MAX_HELD_BYTES) this.#host.end(CLOSE_REASON.UNPAID)
  }

  refund(bytes: number): void {
    this.#toll.refund(bytes)
    this.#goOn()
  }

  onPay(pay: PayMessage): boolean {
    const { tokens } = this.#deps
    if (pay.kind === PAY.SPEND) return this.#onSpend(pay)
    if (pay.kind !== PAY.KEYS_GET) return false
    this.#host.send(tokens.keysMessage())
    return true
  }

  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#toll.close()
    this.#deps.onClosed(this.#toll)
  }

  /** A BEGIN may follow in the same cell: the token counts before the disk has it, and the tunnel ends if it was not fresh. */
  #onSpend(spend: SpendMessage): boolean {
    const { tokens } = this.#deps
    const spent = tokens.take(spend, 'exit')
    if (spent.type === 'refused') this.#host.send(spent.answer)
    if (spent.type !== 'taken') return spent.type !== 'bad'
    if (spend.tokenKind === TOKEN_KIND.ADMISSION) this.isAdmitted = true
    else this.#toll.credit(tokens.tokenBytes)
    void this.#endUnless(spent.kept)
    return true
  }

  async #endUnless(kept: Promise<boolean>): Promise<void> {
    const isKept = await kept
    if (!isKept && !this.#isClosed) this.#host.end(CLOSE_REASON.UNPAID)
  }

  #onStalled(): void {
    const { countedBytes, coveredBytes } = this.#toll
    this.#host.send({ kind: PAY.DUE, countedBytes, paidBytes: coveredBytes })
    this.#host.setHeld(true)
  }

  #goOn(): void {
    if (!this.#toll.isStalled || this.#toll.leftBytes < MAX_CELL_BYTES) return
    this.#toll.resume()
    this.#host.setHeld(false)
  }
}
