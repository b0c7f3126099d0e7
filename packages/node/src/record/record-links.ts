/** The exit record over links (SPEC §10.6): anybody with a link may ask, nodes and clients. @module */
import type { Link } from '@byway/protocol/link'
import {
  EXIT_HEAD_BYTES,
  joinExitHeads,
  LINK_MESSAGE,
  type LinkMessage,
  RECORD_PART,
  type RecordPart,
} from '@byway/protocol/wire'
import { createLinkBudget } from '../link-budget.ts'
import type { ExitRecorder } from './exit-recorder.ts'

export interface RecordLinks {
  /** Takes RECORD_GET; who answers what nobody asked loses its link. */
  onMessage(link: Link, message: RecordMessage): void
}

export type RecordMessage = Extract<LinkMessage, { readonly type: 15 | 16 }>

export type RecordLinksDeps = {
  readonly recorder: Pick<ExitRecorder, 'find' | 'heads'>
  /** Monotonic milliseconds. */
  readonly nowMs: () => number
}

// Local limits (tunable): docs/LIMITS.md.
/** An answer has up to sixty kilobytes of proofs, and as much of heads. */
const GET_INTERVAL_MS = 2000
const GET_BURST = 8
/** A peer that does not read what it asked for gets no more. */
const MAX_WAITING_BYTES = 1024 * 1024
/** They fit a large cell. */
const HEADS_A_MESSAGE: number = Math.floor(16_000 / EXIT_HEAD_BYTES)

export function createRecordLinks({ recorder, nowMs }: RecordLinksDeps): RecordLinks {
  const mayGet = createLinkBudget(nowMs, GET_INTERVAL_MS, GET_BURST)

  async function answer(link: Link, question: RecordGet): Promise<void> {
    const { requestId, name, atS, page } = question
    const send = (part: RecordPart, body: Uint8Array): void => {
      if (!link.isClosed) link.send({ type: LINK_MESSAGE.RECORD, requestId, part, body })
    }
    if (link.waitingBytes <= MAX_WAITING_BYTES && mayGet(link)) {
      const heads = recorder.heads(page)
      for (let at = 0; at < heads.length; at += HEADS_A_MESSAGE)
        send(RECORD_PART.HEADS, joinExitHeads(heads.slice(at, at + HEADS_A_MESSAGE)))
      // What cannot be read now is not shown; others keep the record too.
      for (const proof of await recorder.find(name, atS).catch(() => []))
        send(RECORD_PART.PROOF, proof)
    }
    send(RECORD_PART.END, NOTHING)
  }

  return {
    onMessage(link, message) {
      if (message.type === LINK_MESSAGE.RECORD_GET) void answer(link, message)
      // A node asks nobody.
      else link.close('protocol')
    },
  }
}

type RecordGet = Extract<RecordMessage, { readonly type: 15 }>

const NOTHING = new Uint8Array(0)
