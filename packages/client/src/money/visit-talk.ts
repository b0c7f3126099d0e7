/**
 * What is said on the circuit of a visit besides tickets (SPEC §16): asks for keys and for tokens, and waits for the answers, none of them for ever.
 * @module
 */
import { CLOSE_REASON, PAY } from '@byway/protocol/wire'
import type { BuyMessage, KeysMessage, PayMessage, SoldMessage } from '@byway/protocol/wire'
import type { PathNode } from '@byway/protocol/directory'
import type { PurchaseResult, TokenOrder, TokenStock } from '@byway/protocol/payment'
import type { Timers } from '../proxy/timers.ts'
import { circuitError } from '../engine/errors.ts'
import type { ControlCarrier } from './control-circuit.ts'
import { moneyError } from './errors.ts'
import { answerWithin } from './within.ts'

// Local limits (tunable): docs/LIMITS.md.
/** A hop that takes longer to answer is left: a round trip and a batch of signatures behind others'. */
const ANSWER_MS = 20_000
/** A circuit that is left waits no longer for the hop to have taken the last tickets and sold what it was asked for. */
const LEAVE_MS = 3000

export type VisitTalkDeps = {
  readonly stock: Pick<TokenStock, 'needsKeys' | 'acceptKeys' | 'finishPurchase'>
  readonly timers?: Timers | undefined
  /** Wall clock. */
  readonly nowMs: () => number
}

/** One circuit's talk. */
export class VisitTalk {
  readonly #deps: VisitTalkDeps
  readonly #hop: PathNode
  readonly #carrier: ControlCarrier
  readonly #gone = new AbortController()
  #keys: PromiseWithResolvers<void> | undefined
  #sold: PromiseWithResolvers<SoldMessage> | undefined
  /** Tickets went out, and the hop has said nothing since that it says in turn. */
  #unanswered = false

  constructor(deps: VisitTalkDeps, hop: PathNode, carrier: ControlCarrier) {
    this.#deps = deps
    this.#hop = hop
    this.#carrier = carrier
  }

  /** Aborts when the circuit is of no more use. */
  get gone(): AbortSignal {
    return this.#gone.signal
  }

  /** Tickets went out: a circuit that is destroyed drops what it still carries. */
  onTickets(): void {
    this.#unanswered = true
  }

  onPay(pay: PayMessage): void {
    if (pay.kind === PAY.SOLD) {
      this.#unanswered = false
      this.#sold?.resolve(pay)
    } else if (pay.kind === PAY.KEYS) this.#onKeys(pay)
    else if (pay.kind !== PAY.DUE) this.#carrier.close()
  }

  onClosed(isLinkLost: boolean): void {
    if (isLinkLost) this.#gone.abort(circuitError(CLOSE_REASON.LINK_CLOSED))
    else this.giveUp('CLOSED')
  }

  giveUp(verdict: string): void {
    this.#gone.abort(refusal(verdict))
  }

  /** Looks at the hop's keys where the stock has none. @throws PAYMENT_REFUSED or the signal's reason */
  async getKeys(orders: readonly TokenOrder[], signal: AbortSignal): Promise<void> {
    const nowMs = this.#deps.nowMs()
    const isKnown = orders.every(({ node, kind }) => !this.#deps.stock.needsKeys(node, kind, nowMs))
    if (isKnown) return
    this.#keys = Promise.withResolvers()
    this.#carrier.send([{ kind: PAY.KEYS_GET }])
    await this.within(this.#keys.promise, signal)
  }

  /** Asks for tokens. @throws the signal's reason, or that the hop did not answer */
  async ask(message: BuyMessage, signal: AbortSignal): Promise<PurchaseResult> {
    signal.throwIfAborted()
    this.#sold = Promise.withResolvers()
    this.#carrier.send([message])
    const sold = await this.#answered(this.#sold.promise, signal)
    const { nodeId } = this.#hop.entry.descriptor
    return await this.#deps.stock.finishPurchase(nodeId, sold, this.#deps.nowMs())
  }

  /** Waits for what the hop says. */
  within<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
    return answerWithin(promise, ANSWER_MS, signal, this.#deps.timers)
  }

  /** Closes, once the hop has taken the last tickets: those that are lost under way count here and were never seen there. */
  async close(): Promise<void> {
    if (this.#unanswered && !this.#carrier.isClosed) {
      const answered = (this.#keys = Promise.withResolvers())
      this.#carrier.send([{ kind: PAY.KEYS_GET }])
      await this.#briefly(answered.promise).catch(() => {})
    }
    this.#carrier.close()
  }

  /** When the client stops, what was asked for is still taken in: the hop's books have it. */
  async #answered(sold: Promise<SoldMessage>, signal: AbortSignal): Promise<SoldMessage> {
    try {
      return await this.within(sold, signal)
    } catch (error) {
      if (!signal.aborted) throw error
      return await this.#briefly(sold)
    }
  }

  #briefly<T>(promise: Promise<T>): Promise<T> {
    return answerWithin(promise, LEAVE_MS, this.#gone.signal, this.#deps.timers)
  }

  #onKeys(keys: KeysMessage): void {
    const { nodeId, tokenKeysHash } = this.#hop.entry.descriptor
    const hash = tokenKeysHash ?? new Uint8Array(32)
    const verdict = this.#deps.stock.acceptKeys(nodeId, keys, hash, this.#deps.nowMs())
    if (verdict === 'ok') this.#keys?.resolve()
    else this.#keys?.reject(refusal(`KEYS_${verdict}`))
  }
}

/** Why a hop does not sell. @param verdict - what it said, or how it went */
export function refusal(verdict: string): Error {
  return moneyError('PAYMENT_REFUSED', { verdict })
}
