/**
 * Whether a node is reached from outside, asked and answered over node links (SPEC §10.5). Who answers dials the address from which the link comes and no other, so
 * that nobody can be made to knock at a stranger's door.
 * @module
 */
import type { Link } from '@byway/protocol/link'
import { LINK_MESSAGE, REACH_RESULT } from '@byway/protocol/wire'
import type { LinkMessage, ReachResult } from '@byway/protocol/wire'
import { createLinkQuestions } from '../link-questions.ts'

/** Both sides of the question. */
export interface ReachLinks {
  /** Asks the other end to dial us at this port; nothing when it does not answer. Never rejects. */
  ask(link: Link, port: number, signal: AbortSignal): Promise<ReachResult | undefined>
  /** Takes REACH or REACHED; a client that sends either loses its link. */
  onMessage(link: Link, message: ReachMessage): void
  onLinkClosed(link: Link): void
}

export type ReachMessage = Extract<LinkMessage, { readonly type: 13 | 14 }>

export type ReachLinksDeps = {
  /** Dials the node at the other end of the link, at the address from which the link comes, and hangs up. Never rejects. */
  readonly probe: (link: Link, port: number, signal: AbortSignal) => Promise<ReachResult>
  /** Aborts when the node stops. */
  readonly stopped: AbortSignal
  /** Monotonic milliseconds. */
  readonly nowMs: () => number
}

// Local limits (tunable): docs/LIMITS.md.
/** Trials for others under way: each is one handshake. */
const MAX_PROBES = 8
/** Between two trials for one link; a node asks when it starts, and then by the hour. */
const PROBE_INTERVAL_MS = 10_000
/** A dial that is not answered takes ten seconds. */
const ANSWER_TIMEOUT_MS = 15_000
const MAX_OPEN = 4

export function createReachLinks(deps: ReachLinksDeps): ReachLinks {
  const { probe, stopped, nowMs } = deps
  const questions = createLinkQuestions<ReachResult>({
    timeoutMs: ANSWER_TIMEOUT_MS,
    maxOpen: MAX_OPEN,
    stopped,
  })
  const triedAtMs = new WeakMap<Link, number>()
  let probes = 0

  async function tried(link: Link, port: number): Promise<ReachResult> {
    const now = nowMs()
    const isSoon = now - (triedAtMs.get(link) ?? -PROBE_INTERVAL_MS) < PROBE_INTERVAL_MS
    if (isSoon || probes >= MAX_PROBES) return REACH_RESULT.UNTRIED
    triedAtMs.set(link, now)
    probes++
    try {
      return await probe(link, port, stopped)
    } finally {
      probes--
    }
  }

  async function answer(link: Link, requestId: number, port: number): Promise<void> {
    const result = await tried(link, port)
    if (!link.isClosed) link.send({ type: LINK_MESSAGE.REACHED, requestId, result })
  }

  return {
    async ask(link, port, signal) {
      const send = (requestId: number): void => {
        link.send({ type: LINK_MESSAGE.REACH, requestId, port })
      }
      return await questions.ask(link, send, signal)
    },
    onMessage(link, message) {
      if (link.peer.role !== 'node') link.close('protocol')
      else if (message.type === LINK_MESSAGE.REACH)
        void answer(link, message.requestId, message.port)
      else questions.answered(link, message.requestId, message.result)
    },
    onLinkClosed: (link) => questions.onLinkClosed(link),
  }
}
