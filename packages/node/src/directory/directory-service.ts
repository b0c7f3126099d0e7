/**
 * Exchange of descriptors over links (SPEC §10.2): answers who asks with the whole set or with what is new since, and in a network without a registry passes editions
 * on to every neighbour. Where there is a registry gossip does that instead.
 * @module
 */
import { createDirectoryQuestions, packDirectory, unpackDirectory } from '@byway/net'
import type { DirectoryQuestions } from '@byway/net'
import { offerUntilForged } from '@byway/protocol/directory'
import type { DescriptorSet, DirectoryEntry } from '@byway/protocol/directory'
import type { Link } from '@byway/protocol/link'
import {
  bodyBytesOfClass,
  DIRECTORY_PART_HEADER_BYTES,
  LINK_MESSAGE,
  MESSAGE_HEADER_BYTES,
  SIZE_CLASS,
} from '@byway/protocol/wire'
import type { LinkMessage } from '@byway/protocol/wire'
import { createAsked } from './asked.ts'

// Local limits (tunable): docs/LIMITS.md.
/** A client asks a guard each ten minutes, and when it misses a node once in five seconds at most; a whole set of 10 000 nodes is 2.7 MB (docs/SCALE.md). */
const GET_INTERVAL_MS = 5000
const GET_BURST = 4
/** A peer that does not read what it asked for gets no further set. */
const MAX_WAITING_BYTES = 4 * 1024 * 1024
/** A packed set is kept this long; what came since is packed for each who asks. */
const SNAPSHOT_MS = 60_000
const BLOCK_BYTES =
  bodyBytesOfClass(SIZE_CLASS.LARGE) - MESSAGE_HEADER_BYTES - DIRECTORY_PART_HEADER_BYTES

export type DirectoryDeps = {
  readonly set: DescriptorSet
  /** Links to other nodes, to pass editions on; none where gossip does that. */
  readonly nodeLinks: () => Iterable<Link>
  /** The own signed descriptor, once there is one. */
  readonly own: () => Uint8Array | undefined
  /** True where editions are passed on over links: in a network without a registry. */
  readonly isFlooding: boolean
  /** Wall clock. */
  readonly nowMs: () => number
}

type DirectoryPart = Extract<LinkMessage, { readonly type: typeof LINK_MESSAGE.DIRECTORY_PART }>

/** The directory role of a node. */
export interface DirectoryService {
  /** Tells a new neighbour about ourselves, and asks it for its set when we dialled it. */
  onNodeLink(link: Link, isDialled: boolean): void
  onMessage(link: Link, message: LinkMessage): void
  onLinkClosed(link: Link): void
  /** Asks a neighbour for what it has taken in since it was asked last. */
  ask(link: Link): void
  /** Sends the own edition to every neighbour. */
  publish(): void
}

/** Creates the service; it forwards what `deps.set` accepts from now on. */
export function createDirectoryService(deps: DirectoryDeps): DirectoryService {
  const mayGet = createGetBudget(deps.nowMs)
  const questions = new WeakMap<Link, DirectoryQuestions>()
  /** The link from which an edition is being taken in: it need not hear it again. */
  let source: Link | undefined
  const packed = createPacker(deps)
  const asked = createAsked(deps.nowMs)

  function send(link: Link, entry: Pick<DirectoryEntry, 'bytes'>): void {
    link.send({ type: LINK_MESSAGE.DIRECTORY_PUBLISH, descriptor: entry.bytes })
  }

  function answer(link: Link, requestId: number, sinceS: number): void {
    if (link.waitingBytes > MAX_WAITING_BYTES || !mayGet(link)) return
    const type = LINK_MESSAGE.DIRECTORY_PART
    const asOfS = Math.floor(deps.nowMs() / 1000)
    for (const block of packed(sinceS)) link.send({ type, requestId, last: false, asOfS, block })
    link.send({ type, requestId, last: true, asOfS, block: NO_BLOCK })
  }

  /** False when one was forged. */
  function offer(descriptors: readonly Uint8Array[], from: Link | undefined): boolean {
    const outer = source
    source = from
    const isHonest = offerUntilForged(deps.set, descriptors, deps.nowMs())
    source = outer
    return isHonest
  }

  /** SPEC §10.2: ends the link at a part that was not asked for, and at a descriptor that is forged. */
  function takePart(link: Link, part: DirectoryPart): void {
    const isAsked = questions.get(link)?.take(part) ?? false
    if (!isAsked || !offer(unpackDirectory(part.block) ?? [], link)) link.close('protocol')
    else if (part.last) asked.answered(link, part.asOfS)
  }

  deps.set.onAccepted((entry) => {
    if (!deps.isFlooding) return
    for (const link of deps.nodeLinks()) if (link !== source) send(link, entry)
  })

  function ask(link: Link): void {
    const open = questions.get(link) ?? createDirectoryQuestions()
    questions.set(link, open)
    const requestId = open.open()
    // It has not answered for long: others are asked meanwhile.
    if (requestId === undefined) return
    link.send({ type: LINK_MESSAGE.DIRECTORY_GET, requestId, sinceS: asked.since(link) })
  }

  return {
    ask,
    onNodeLink(link, isDialled) {
      const own = deps.own()
      if (own && deps.isFlooding) send(link, { bytes: own })
      if (isDialled) ask(link)
    },
    onMessage(link, message) {
      if (message.type === LINK_MESSAGE.DIRECTORY_GET)
        answer(link, message.requestId, message.sinceS)
      else if (message.type === LINK_MESSAGE.DIRECTORY_PART) takePart(link, message)
      // SPEC §4.4: DIRECTORY_PUBLISH comes from nodes only, on node links.
      else if (link.peer.role === 'client') return
      else if (message.type === LINK_MESSAGE.DIRECTORY_PUBLISH && deps.isFlooding)
        if (!offer([message.descriptor], link)) link.close('protocol')
    },
    onLinkClosed(link) {
      questions.delete(link)
    },
    publish() {
      const own = deps.own()
      // Also while a neighbour's edition is being taken in, which may be why ours has changed.
      if (own) offer([own], undefined)
    },
  }
}

/** Counts the questions of each link; false for one too many. */
function createGetBudget(nowMs: () => number): (link: Link) => boolean {
  const budgets = new WeakMap<Link, { gets: number; atMs: number }>()
  return (link) => {
    const now = nowMs()
    const budget = budgets.get(link) ?? { gets: GET_BURST, atMs: now }
    const gets = Math.min(GET_BURST, budget.gets + Math.max(0, now - budget.atMs) / GET_INTERVAL_MS)
    // What a refused question had saved up stays: who asks too often gets an answer in the end.
    budgets.set(link, { gets: gets >= 1 ? gets - 1 : gets, atMs: now })
    return gets >= 1
  }
}

/** The set as it was packed, and when. */
type Snapshot = { readonly asOfS: number; readonly blocks: readonly Uint8Array[] }

const NO_BLOCK = new Uint8Array(0)

/** The set in blocks: what was accepted since a time, or all for 0. */
function createPacker(deps: DirectoryDeps): (sinceS: number) => readonly Uint8Array[] {
  let snapshot: Snapshot | undefined
  function packedSince(sinceS: number): readonly Uint8Array[] {
    const fresh = deps.set.acceptedSince(sinceS * 1000).map(({ bytes }) => bytes)
    return [...packDirectory(fresh, BLOCK_BYTES)]
  }

  /** Packing ten thousand takes half a second: a set serves all who ask within a minute, each with what came since. */
  function wholeSet(): readonly Uint8Array[] {
    const nowS = Math.floor(deps.nowMs() / 1000)
    const ageMs = (nowS - (snapshot?.asOfS ?? 0)) * 1000
    if (!snapshot || ageMs < 0 || ageMs >= SNAPSHOT_MS) {
      snapshot = { asOfS: nowS, blocks: packedSince(0) }
      return snapshot.blocks
    }
    return [...snapshot.blocks, ...packedSince(snapshot.asOfS)]
  }
  return (sinceS) => (sinceS === 0 ? wholeSet() : packedSince(sinceS))
}
