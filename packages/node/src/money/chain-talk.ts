/** Questions about the chain on one control circuit (SPEC §15.9): some at once, each answered in parts. What is said is the answerer's. @module */
import type { ChainAnswerer } from '@byway/chain'
import { CHAIN_VERDICT, MAX_CHAIN_PART_BYTES, PAY } from '@byway/protocol/wire'
import type { ChainMessage, ChainVerdict, ToldMessage } from '@byway/protocol/wire'

// Protocol constant (change needs a spec change): SPEC §15.9.
/** Questions of one circuit that are not answered yet. */
const MAX_OPEN = 4

// Local limit (tunable): docs/LIMITS.md.
/** The node's own endpoints have 5 s for a question, of which some take two. */
const ANSWER_TIMEOUT_MS = 15_000

export type ChainTalkDeps = {
  /** Absent where the node answers none. */
  readonly answerer: ChainAnswerer | undefined
  /** False when the link has asked too much. */
  readonly mayAsk: () => boolean
  readonly send: (told: ToldMessage) => void
  /** A question was answered. */
  readonly onTold: () => void
}

/** The questions of one circuit. */
export interface ChainTalk {
  /** False for one that may not be asked: a protocol error. */
  onQuestion(message: ChainMessage): boolean
  /** Forgets what is open. */
  close(): void
}

/** Creates it, with nothing asked. */
export function createChainTalk({ answerer, mayAsk, send, onTold }: ChainTalkDeps): ChainTalk {
  const stop = new AbortController()
  let open = 0
  const tell = (request: number, verdict: ChainVerdict, body: Uint8Array): void => {
    onTold()
    let at = 0
    do {
      const part = body.subarray(at, at + MAX_CHAIN_PART_BYTES)
      at += part.length
      send({ kind: PAY.TOLD, request, verdict, isLast: at === body.length, part })
    } while (at < body.length)
  }
  const answer = async (
    from: ChainAnswerer,
    { request, question }: ChainMessage,
  ): Promise<void> => {
    open++
    const limit = AbortSignal.any([stop.signal, AbortSignal.timeout(ANSWER_TIMEOUT_MS)])
    const { verdict, body } = await from.answer(question, limit)
    open--
    tell(request, verdict, body)
  }
  return {
    onQuestion(message) {
      if (open >= MAX_OPEN) return false
      if (!answerer) tell(message.request, CHAIN_VERDICT.NOT_ALLOWED, NOTHING)
      else if (!mayAsk()) tell(message.request, CHAIN_VERDICT.TRY_LATER, NOTHING)
      else void answer(answerer, message)
      return true
    },
    close: () => stop.abort(),
  }
}

const NOTHING = new Uint8Array(0)
