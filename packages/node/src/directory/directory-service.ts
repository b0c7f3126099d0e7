/**
 * Exchange of descriptors between neighbours (SPEC §10.2): answers clients with the whole set, publishes the own edition, passes on what is new.
 * A plain flood over the links that stand; gossip with peer scoring takes its place later.
 * @module
 */
import { directoryParts } from '@byway/protocol/directory'
import type { DescriptorSet, DirectoryEntry } from '@byway/protocol/directory'
import type { Link } from '@byway/protocol/link'
import {
  bodyBytesOfClass,
  LINK_MESSAGE,
  MESSAGE_HEADER_BYTES,
  SIZE_CLASS,
} from '@byway/protocol/wire'
import type { LinkMessage } from '@byway/protocol/wire'

// Local limits (tunable): docs/LIMITS.md.
/** A client asks every few hours; a whole set is up to 30 MB. */
const GET_INTERVAL_MS = 5000
const GET_BURST = 4
/** A peer that does not read what it asked for gets no further set. */
const MAX_WAITING_BYTES = 4 * 1024 * 1024
const PART_BYTES = bodyBytesOfClass(SIZE_CLASS.LARGE) - MESSAGE_HEADER_BYTES

export type DirectoryDeps = {
  readonly set: DescriptorSet
  /** Links to other nodes, to pass editions on. */
  readonly nodeLinks: () => Iterable<Link>
  /** The own signed descriptor, once there is one. */
  readonly own: () => Uint8Array | undefined
  /** Wall clock. */
  readonly nowMs: () => number
}

/** The directory role of a node. */
export interface DirectoryService {
  /** Tells a new neighbour about ourselves, and asks it for its set when we dialled it. */
  onNodeLink(link: Link, isDialled: boolean): void
  onMessage(link: Link, message: LinkMessage): void
  onLinkClosed(link: Link): void
  /** Sends the own edition to every neighbour. */
  publish(): void
}

/** Creates the service; it forwards what `deps.set` accepts from now on. */
export function createDirectoryService(deps: DirectoryDeps): DirectoryService {
  const budgets = new WeakMap<Link, { gets: number; atMs: number }>()
  /** The link from which an edition is being taken in: it need not hear it again. */
  let source: Link | undefined

  function send(link: Link, entry: Pick<DirectoryEntry, 'bytes'>): void {
    link.send({ type: LINK_MESSAGE.DIRECTORY_PUBLISH, descriptor: entry.bytes })
  }

  function mayGet(link: Link): boolean {
    const now = deps.nowMs()
    const budget = budgets.get(link) ?? { gets: GET_BURST, atMs: now }
    const gets = Math.min(GET_BURST, budget.gets + Math.max(0, now - budget.atMs) / GET_INTERVAL_MS)
    // What a refused question had saved up stays: who asks too often gets an answer in the end.
    budgets.set(link, { gets: gets >= 1 ? gets - 1 : gets, atMs: now })
    return gets >= 1
  }

  function answer(link: Link, requestId: number): void {
    if (link.waitingBytes > MAX_WAITING_BYTES || !mayGet(link)) return
    const descriptors = Array.from(deps.set.entries(), (entry) => entry.bytes)
    for (const part of directoryParts(requestId, descriptors, PART_BYTES)) link.send(part)
  }

  function offer(bytes: Uint8Array, from: Link | undefined): void {
    const outer = source
    source = from
    deps.set.offer(bytes, deps.nowMs())
    source = outer
  }

  deps.set.onAccepted((entry) => {
    for (const link of deps.nodeLinks()) if (link !== source) send(link, entry)
  })

  return {
    onNodeLink(link, isDialled) {
      const own = deps.own()
      if (own) send(link, { bytes: own })
      if (isDialled) link.send({ type: LINK_MESSAGE.DIRECTORY_GET, requestId: 1 })
    },
    onMessage(link, message) {
      if (message.type === LINK_MESSAGE.DIRECTORY_GET) answer(link, message.requestId)
      // SPEC §4.4: DIRECTORY_PUBLISH comes from nodes only, on node links.
      else if (link.peer.role === 'client') return
      else if (message.type === LINK_MESSAGE.DIRECTORY_PUBLISH) offer(message.descriptor, link)
      else if (message.type === LINK_MESSAGE.DIRECTORY_PART)
        for (const bytes of message.descriptors) offer(bytes, link)
    },
    onLinkClosed(link) {
      budgets.delete(link)
    },
    publish() {
      const own = deps.own()
      // Also while a neighbour's edition is being taken in, which may be why ours has changed.
      if (own) offer(own, undefined)
    },
  }
}
