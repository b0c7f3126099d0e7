/** Questions about the chain on one control circuit (SPEC §15.9): some at once, answers put together from their parts. @module */
import { concatBytes } from '@byway/protocol/base'
import { CHAIN_VERDICT, CLOSE_REASON, MAX_CHAIN_ANSWER_BYTES, PAY } from '@byway/protocol/wire'
import type { ChainQuestion, ChainVerdict, PayMessage, ToldMessage } from '@byway/protocol/wire'
import type { ControlCarrier } from '../money/control-circuit.ts'
import { untilAborted } from './abort.ts'
import { circuitError } from './errors.ts'

/** What a node says. */
export type ToldChain = { readonly verdict: ChainVerdict; readonly body: Uint8Array }

/** One circuit to one node. */
export interface ChainCircuit {
  /** True while another question, and the largest answer to it, fit what such a circuit may carry. */
  readonly hasRoom: boolean
  /** @throws CIRCUIT_FAILED when it ends before the answer, or the signal's reason */
  ask(question: ChainQuestion, signal: AbortSignal): Promise<ToldChain>
  /** Takes no more questions, and ends when those that are open are answered. */
  finish(): void
  /** Ends it at once. */
  close(): void
}

// Protocol constants (change needs a spec change): SPEC §15.5, §15.9.
const CIRCUIT_BYTES = 256 * 1024
const MAX_OPEN = 4
/** An answer of the largest size in cells, its question, and what is sent around them. */
const ROOM_BYTES = 56 * 1024
const MAX_REQUEST = 0xffff

/** Takes a fresh carrier over. @param onClosed - told once when it has ended, for whatever reason */
export function createChainCircuit(carrier: ControlCarrier, onClosed: () => void): ChainCircuit {
  return new Circuit(carrier, onClosed)
}

type Open = {
  readonly answer: PromiseWithResolvers<ToldChain>
  readonly parts: Uint8Array[]
}

class Circuit implements ChainCircuit {
  readonly #carrier: ControlCarrier
  readonly #open = new Map<number, Open>()
  #request = 0
  #isFinishing = false

  constructor(carrier: ControlCarrier, onClosed: () => void) {
    this.#carrier = carrier
    carrier.listen({
      onPay: (pay) => this.#onPay(pay),
      onClosed: () => {
        for (const { answer } of this.#open.values()) {
          answer.reject(circuitError(CLOSE_REASON.FINISHED))
        }
        this.#open.clear()
        onClosed()
      },
    })
  }

  get hasRoom(): boolean {
    const { isClosed, carriedBytes } = this.#carrier
    const open = this.#open.size
    const isFree = !isClosed && !this.#isFinishing && open < MAX_OPEN
    return isFree && carriedBytes + (open + 1) * ROOM_BYTES <= CIRCUIT_BYTES
  }

  async ask(question: ChainQuestion, signal: AbortSignal): Promise<ToldChain> {
    if (this.#carrier.isClosed) throw circuitError(CLOSE_REASON.FINISHED)
    this.#request = (this.#request + 1) % MAX_REQUEST
    const request = this.#request
    const answer = Promise.withResolvers<ToldChain>()
    // Whoever asked may have gone.
    answer.promise.catch(() => {})
    this.#open.set(request, { answer, parts: [] })
    this.#carrier.send([{ kind: PAY.CHAIN, request, question }])
    return await untilAborted(answer.promise, signal)
  }

  finish(): void {
    this.#isFinishing = true
    if (this.#open.size === 0) this.close()
  }

  close(): void {
    this.#carrier.close()
  }

  #onPay(pay: PayMessage): void {
    const open = pay.kind === PAY.TOLD ? this.#open.get(pay.request) : undefined
    if (pay.kind !== PAY.TOLD || !open || !isWithin(open, pay)) {
      this.close()
      return
    }
    open.parts.push(pay.part)
    if (!pay.isLast) return
    this.#open.delete(pay.request)
    open.answer.resolve({ verdict: pay.verdict, body: concatBytes(...open.parts) })
    if (this.#isFinishing && this.#open.size === 0) this.close()
  }
}

/** SPEC §15.9: no more than an answer may have, and never a part of nothing. */
function isWithin({ parts }: Open, { part, isLast, verdict }: ToldMessage): boolean {
  const bytes = parts.reduce((sum, { length }) => sum + length, part.length)
  const isEmptyPart = !isLast && part.length === 0
  const isRefusal = verdict !== CHAIN_VERDICT.OK && verdict !== CHAIN_VERDICT.REVERTED
  return bytes <= MAX_CHAIN_ANSWER_BYTES && !isEmptyPart && !(isRefusal && parts.length > 0)
}
