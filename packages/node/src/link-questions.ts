/** Questions to the other end of a link, each with a number by which its answer is known. @module */
import type { Link } from '@byway/protocol/link'

/** Questions of one kind, on all links of a node. */
export interface LinkQuestions<Answer> {
  /** Sends a question and waits; nothing when the link ends, no answer comes in time, or too many are open. Never rejects. */
  ask(
    link: Link,
    send: (requestId: number) => void,
    signal: AbortSignal,
  ): Promise<Answer | undefined>
  /** An answer has come. One that nobody waits for is passed over. */
  answered(link: Link, requestId: number, answer: Answer): void
  onLinkClosed(link: Link): void
}

export type LinkQuestionsOptions = {
  readonly timeoutMs: number
  /** Questions that wait for an answer on one link. */
  readonly maxOpen: number
  /** Aborts when the node stops. */
  readonly stopped: AbortSignal
}

/** A request id has two bytes (SPEC §4.4). */
const MAX_REQUEST_ID = 0xffff

export function createLinkQuestions<Answer>(options: LinkQuestionsOptions): LinkQuestions<Answer> {
  const { timeoutMs, maxOpen, stopped } = options
  const waiting = new Map<Link, Map<number, (answer: Answer | undefined) => void>>()
  let lastRequest = 0

  return {
    async ask(link, send, signal) {
      const open = waiting.get(link) ?? new Map<number, (answer: Answer | undefined) => void>()
      if (link.isClosed || open.size >= maxOpen) return undefined
      waiting.set(link, open)
      const requestId = (lastRequest = (lastRequest + 1) % (MAX_REQUEST_ID + 1))
      const limit = AbortSignal.any([signal, stopped, AbortSignal.timeout(timeoutMs)])
      const { promise, resolve } = Promise.withResolvers<Answer | undefined>()
      open.set(requestId, resolve)
      const onAbort = (): void => resolve(undefined)
      limit.addEventListener('abort', onAbort, { once: true })
      if (limit.aborted) onAbort()
      send(requestId)
      const answer = await promise
      limit.removeEventListener('abort', onAbort)
      open.delete(requestId)
      return answer
    },
    answered(link, requestId, answer) {
      waiting.get(link)?.get(requestId)?.(answer)
    },
    onLinkClosed(link) {
      for (const resolve of waiting.get(link)?.values() ?? []) resolve(undefined)
      waiting.delete(link)
    },
  }
}
