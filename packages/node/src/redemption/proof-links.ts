/**
 * Service proofs over links (SPEC §17.6): anybody with a link may ask for one, and a node leaves its own with neighbours, where it is found while its home sleeps.
 * @module
 */
import type { Link } from '@byway/protocol/link'
import { LINK_MESSAGE, type LinkMessage } from '@byway/protocol/wire'
import { createLinkBudget } from '../link-budget.ts'

/** Proofs that a node shows: its own, and others' that it has judged. */
export interface ProofShelf {
  /** The proof of a provider's epoch, the newest for 0; undefined when there is none. @throws what reading the disk throws */
  find(provider: Uint8Array, epoch: number): Promise<Uint8Array | undefined>
  /** Judges another's proof against the chain, and keeps it when it holds. @throws what the disk or the verifier throws */
  take(proof: Uint8Array, signal: AbortSignal): Promise<void>
}

/** Both sides of showing proofs on the links of a node. */
export interface ProofLinks {
  /** Takes PROOF_GET or PROOF. */
  onMessage(link: Link, message: ProofMessage): void
  /** Leaves the own proof with neighbours; those that come later ask. */
  leave(proof: Uint8Array): void
}

export type ProofMessage = Extract<LinkMessage, { readonly type: 11 | 12 }>

export type ProofLinksDeps = {
  readonly shelf: ProofShelf
  /** Links to other nodes. */
  readonly neighbours: () => Iterable<Link>
  /** Monotonic milliseconds. */
  readonly nowMs: () => number
  /** Aborts when the node stops. */
  readonly stopped: AbortSignal
}

// Local limits (tunable): docs/LIMITS.md.
/** An answer has five kilobytes; who looks at many providers waits a little. */
const GET_INTERVAL_MS = 1000
const GET_BURST = 16
/** A neighbour has one proof an epoch to leave, and may restart. */
const LEAVE_INTERVAL_MS = 60_000
const LEAVE_BURST = 2
/** Judging takes thirteen proofs of its own process: so many wait at once. */
const MAX_JUDGED_AT_ONCE = 4
/** So many neighbours get the own proof. */
const LEFT_WITH = 8

/** Names a proof that nobody asked for. */
const UNASKED = 0

export function createProofLinks({
  shelf,
  neighbours,
  nowMs,
  stopped,
}: ProofLinksDeps): ProofLinks {
  const mayGet = createLinkBudget(nowMs, GET_INTERVAL_MS, GET_BURST)
  const mayLeave = createLinkBudget(nowMs, LEAVE_INTERVAL_MS, LEAVE_BURST)
  let judged = 0

  async function answer(link: Link, { requestId, provider, epoch }: ProofGet): Promise<void> {
    const found = mayGet(link) ? await shelf.find(provider, epoch).catch(() => undefined) : NONE
    const proof = found ?? NONE
    if (!link.isClosed) link.send({ type: LINK_MESSAGE.PROOF, requestId, proof })
  }

  async function take(proof: Uint8Array): Promise<void> {
    if (judged >= MAX_JUDGED_AT_ONCE) return
    judged++
    // What cannot be judged now is not kept: who wants it asks its maker.
    await shelf.take(proof, stopped).catch(() => {})
    judged--
  }

  return {
    onMessage(link, message) {
      if (message.type === LINK_MESSAGE.PROOF_GET) return void answer(link, message)
      // SPEC §17.6: a node asks nobody, and clients leave nothing.
      const isLeft = link.peer.role === 'node' && message.requestId === UNASKED
      if (!isLeft) return link.close('protocol')
      // The proof lies in a cell that is gone once this returns.
      if (mayLeave(link)) void take(Uint8Array.from(message.proof))
    },
    leave(proof) {
      const links = [...neighbours()].slice(0, LEFT_WITH)
      for (const link of links) link.send({ type: LINK_MESSAGE.PROOF, requestId: UNASKED, proof })
    },
  }
}

type ProofGet = Extract<ProofMessage, { readonly type: 11 }>

const NONE = new Uint8Array(0)
