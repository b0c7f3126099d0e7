/** Carries orders and answers over node links (SPEC §15.7). @module */
import type { Link } from '@byway/protocol/link'
import {
  LINK_MESSAGE,
  REDEEM_ANSWER,
  type LinkMessage,
  type RedeemAnswer,
} from '@byway/protocol/wire'
import { createLinkQuestions } from '../link-questions.ts'
import type { NextHops } from '../relay/ports.ts'
import type { RedeemerService } from './redeemer-service.ts'

/** Both sides of redeeming on the links of a node. */
export interface RedeemLinks {
  /** Leaves an order with a node; nothing when it cannot be reached or does not answer in time. Never rejects. */
  ask(nodeId: Uint8Array, order: Uint8Array, signal: AbortSignal): Promise<RedeemAnswer | undefined>
  /** Takes REDEEM or REDEEMED. */
  onMessage(link: Link, message: RedeemMessage): void
  onLinkClosed(link: Link): void
}

export type RedeemMessage = Extract<LinkMessage, { readonly type: 9 | 10 }>

export type RedeemLinksDeps = {
  readonly hops: NextHops
  /** Absent where the node is no redeemer. */
  readonly service: Pick<RedeemerService, 'take'> | undefined
  /** Aborts when the node stops. */
  readonly stopped: AbortSignal
}

// Local limits (tunable): docs/LIMITS.md.
/** An answer takes some questions to the chain and one write. */
const ANSWER_TIMEOUT_MS = 15_000
/** Questions that wait for an answer on one link. */
const MAX_WAITING_ORDERS = 32
export function createRedeemLinks({ hops, service, stopped }: RedeemLinksDeps): RedeemLinks {
  const questions = createLinkQuestions<RedeemAnswer>({
    timeoutMs: ANSWER_TIMEOUT_MS,
    maxOpen: MAX_WAITING_ORDERS,
    stopped,
  })

  async function answer(link: Link, requestId: number, order: Uint8Array): Promise<void> {
    const { peer } = link
    if (peer.role !== 'node') return link.close('protocol')
    const given = service
      ? await service.take(peer.nodeId, order, stopped)
      : REDEEM_ANSWER.NO_REDEEMER
    if (!link.isClosed) link.send({ type: LINK_MESSAGE.REDEEMED, requestId, answer: given })
  }

  return {
    async ask(nodeId, order, signal) {
      const link = await hops.linkTo(nodeId, signal)
      if (typeof link === 'number') return undefined
      const send = (requestId: number): void => {
        link.send({ type: LINK_MESSAGE.REDEEM, requestId, order })
      }
      return await questions.ask(link, send, signal)
    },
    onMessage(link, message) {
      if (message.type === LINK_MESSAGE.REDEEMED)
        questions.answered(link, message.requestId, message.answer)
      // The order lies in a cell that is gone once this returns.
      else void answer(link, message.requestId, Uint8Array.from(message.order))
    },
    onLinkClosed: (link) => questions.onLinkClosed(link),
  }
}
