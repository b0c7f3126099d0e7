/**
 * Payment for one tunnel at its exit (SPEC §15.4): the count and the tokens belong to the tunnel, whatever leg it rides on. Says when to stop and when to
 * go on; what waits then is the driver's.
 * @module
 */
import { createMeter } from '@byway/protocol/payment'
import type { ClassWeight, FreeBytes, Meter } from '@byway/protocol/payment'
import { CLOSE_REASON, PAY, TOKEN_KIND } from '@byway/protocol/wire'
import type { CloseReason, HopPayMessage, PayMessage, SpendMessage } from '@byway/protocol/wire'
import { MAX_HELD_BYTES } from './held-cells.ts'
import type { TakenToken, TokenIntake } from './token-intake.ts'
import type { MeterWatch } from './meter-watch.ts'

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
  /** Weighed by the tunnel's class. */
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
  readonly watch: MeterWatch
  readonly tokens: TokenIntake
  readonly free: FreeBytes
  /** What its bytes count. @default as many as they are */
  readonly weight?: ClassWeight | undefined
  /** A token counts: it is in `paidBytes` as soon as this returns. */
  readonly onTaken: (token: TakenToken) => void
  /** The tunnel is over with these final counts. */
  readonly onClosed: (counts: Pick<Meter, 'countedBytes' | 'paidBytes'>) => void
}

/** Creates the account of a fresh tunnel. */
export function createTunnelToll(deps: TunnelTollDeps, host: PaidTunnelHost): PaidTunnel {
  return new TunnelToll(deps, host)
}

class TunnelToll implements PaidTunnel {
  isAdmitted = false
  readonly #deps: TunnelTollDeps
  readonly #host: PaidTunnelHost
  readonly #meter: Meter
  #isHeld = false
  #isClosed = false

  constructor(deps: TunnelTollDeps, host: PaidTunnelHost) {
    this.#deps = deps
    this.#host = host
    this.#meter = createMeter(deps.free, deps.weight)
  }

  get countedBytes(): number {
    return this.#meter.countedBytes
  }

  get paidBytes(): number {
    return this.#meter.paidBytes
  }

  get overrunBytes(): number {
    return this.#meter.overrunBytes
  }

  count(bytes: number): void {
    if (this.#meter.count(bytes, this.#nowMs)) return
    if (!this.#isHeld) this.#hold()
    else if (this.overrunBytes > MAX_HELD_BYTES) this.#host.end(CLOSE_REASON.UNPAID)
  }

  refund(bytes: number): void {
    if (this.#meter.refund(bytes, this.#nowMs)) this.#goOn()
  }

  /** For the watch. */
  onTick(nowMs: number): void {
    if (nowMs < this.#meter.wakeAtMs) return
    const state = this.#meter.tick(nowMs)
    if (state === 'serve') this.#goOn()
    else if (state === 'destroy') this.#host.end(CLOSE_REASON.UNPAID)
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
    this.#deps.watch.remove(this)
    this.#deps.onClosed(this)
  }

  /** A BEGIN may follow in the same cell: the token counts before the disk has it, and the tunnel ends if it was not fresh. */
  #onSpend(spend: SpendMessage): boolean {
    const { tokens } = this.#deps
    const spent = tokens.take(spend, 'exit')
    if (spent.type === 'refused') this.#host.send(spent.answer)
    if (spent.type !== 'taken') return spent.type !== 'bad'
    this.#deps.onTaken(spent)
    if (spend.tokenKind === TOKEN_KIND.ADMISSION) this.isAdmitted = true
    else if (this.#meter.pay(spent.bytes, this.#nowMs)) this.#goOn()
    void this.#endUnless(spent.kept)
    return true
  }

  async #endUnless(kept: Promise<boolean>): Promise<void> {
    const isKept = await kept
    if (!isKept && !this.#isClosed) this.#host.end(CLOSE_REASON.UNPAID)
  }

  get #nowMs(): number {
    return this.#deps.watch.nowMs()
  }

  #hold(): void {
    this.#isHeld = true
    this.#deps.watch.add(this)
    const due = this.#meter.takeDue()
    if (due) this.#host.send({ kind: PAY.DUE, ...due })
    this.#host.setHeld(true)
  }

  #goOn(): void {
    if (!this.#isHeld) return
    this.#isHeld = false
    this.#deps.watch.remove(this)
    this.#host.setHeld(false)
  }
}
