/** Carries orders and answers over node links (SPEC §15.7). @module */
import type { Link } from '@byway/protocol/link'
import {
  LINK_MESSAGE,
  REDEEM_ANSWER,
  type LinkMessage,
  type RedeemAnswer,
} from '@byway/protocol/wire'
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
const MAX_REQUEST_ID = 0xffff

type Waiting = Map<number, (answer: RedeemAnswer | undefined) => void>

export function createRedeemLinks({ hops, service, stopped }: RedeemLinksDeps): RedeemLinks {
  const waiting = new Map<Link, Waiting>()
  let lastRequest = 0

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
      if (typeof link === 'number' || link.isClosed) return undefined
      const open: Waiting = waiting.get(link) ?? new Map()
      if (open.size >= MAX_WAITING_ORDERS) return undefined
      waiting.set(link, open)
      const requestId = (lastRequest = (lastRequest + 1) % (MAX_REQUEST_ID + 1))
      const limit = AbortSignal.any([signal, stopped, AbortSignal.timeout(ANSWER_TIMEOUT_MS)])
      const { promise, resolve } = Promise.withResolvers<RedeemAnswer | undefined>()
      open.set(requestId, resolve)
      const onAbort = (): void => resolve(undefined)
      limit.addEventListener('abort', onAbort, { once: true })
      link.send({ type: LINK_MESSAGE.REDEEM, requestId, order })
      const given = await promise
      limit.removeEventListener('abort', onAbort)
      open.delete(requestId)
      return given
    },
    onMessage(link, message) {
      if (message.type === LINK_MESSAGE.REDEEMED)
        waiting.get(link)?.get(message.requestId)?.(message.answer)
      // The order lies in a cell that is gone once this returns.
      else void answer(link, message.requestId, Uint8Array.from(message.order))
    },
    onLinkClosed(link) {
      for (const resolve of waiting.get(link)?.values() ?? []) resolve(undefined)
      waiting.delete(link)
    },
  }
}
