/**
 * Keeps the exit record of a node (SPEC §10.6): from when to when which nodes were exits under which addresses, on a signed page a day. Answers with proofs; how they travel is
 * record-links.ts.
 * @module
 */
import type { Logger } from '@byway/protocol/base'
import type { SigningKeyPair } from '@byway/protocol/crypto'
import {
  createExitSpans,
  exitEntryOf,
  nodeKeyOf,
  makeExitPage,
  readExitHead,
  type DescriptorSet,
  type DirectoryEntry,
  type ExitSpan,
  type ExitSpanChange,
  type NodeKey,
  type UnitRandom,
} from '@byway/protocol/directory'
import { nodeCrypto } from '@byway/protocol/node-crypto'
import { decodeDescriptor, encodeExitProof } from '@byway/protocol/wire'
import type { ExitPlace } from '@byway/protocol/wire'
import type { ExitRecords, KeptExit } from '@byway/store'
import { createClosedPage, restoreClosedPage, type ClosedPage } from './closed-page.ts'
import {
  createExitTrials,
  type ExitTarget,
  type ExitTrials,
  type ExitTrialsDeps,
} from './exit-trials.ts'
import { openPageMark, type PageMark } from './page-mark.ts'
import { createSpanWriter } from './span-writer.ts'

// Local limits (tunable): docs/LIMITS.md.
/** Pages and spans are kept so long: longer than an inquiry takes to arrive. */
const KEEP_S = 400 * 86_400
/** Heads, whatever their time: a page a day makes 400. */
const MAX_PAGES = 1000
/** Spans, 1.5 KB each: 150 MB at most, all of which a start reads. The oldest go first. */
const MAX_SPANS = 100_000
/** Looked through for one question that names no time. One that names a time needs none: of a node there is one span of a name at a time. */
const MAX_LOOKED_AT = 4096
/** Of one node, for a question that names no time: its first and its newest. */
const SHOWN_OF_NODE = 2
/** Shown for one question: of the nodes that were there the oldest, so that none that comes after buries them. */
const MAX_SHOWN = 16
/** Spans forgotten at one page: what came on top since the last. */
const MAX_FORGOTTEN = 20_000

/** Where the record is kept. */
export type ExitStore = {
  readonly exits: ExitRecords
  /** What opening found. */
  readonly report: { readonly keptRows: number }
}

export type ExitRecorderDeps = {
  readonly store: ExitStore
  readonly identity: SigningKeyPair
  /** The state folder. */
  readonly home: string
  readonly set: Pick<DescriptorSet, 'onAccepted'>
  readonly knock: ExitTrialsDeps['knock']
  readonly random: UnitRandom
  /** Seconds of a page. */
  readonly pageS: number
  /** Wall clock. */
  readonly nowMs: () => number
  readonly log: Pick<Logger, 'warn'>
}

export interface ExitRecorder extends AsyncDisposable {
  /** Proofs (SPEC §10.6) of who was an exit under a name then, the oldest first; at any time for 0. @throws what the store throws */
  find(name: Uint8Array, atS: number): Promise<readonly Uint8Array[]>
  /** Heads from a page on, oldest first; the newest alone for 0. */
  heads(fromPage: number): readonly Uint8Array[]
  /** Tries the addresses that are due, ends what has expired, and closes the page that is over. Never rejects: what cannot be written is told. */
  look(): Promise<void>
}

/** Reads what was kept, and records from now on. @throws NODE_IDENTITY_DAMAGED, and what the store throws */
export async function openExitRecorder(deps: ExitRecorderDeps): Promise<ExitRecorder> {
  const { exits } = deps.store
  const mark = await openPageMark(deps.home)
  const heads = [...(await exits.heads())]
  const unsealed = await spansOf(exits.unsealed())
  const recorder = new Recorder(deps, mark, heads, unsealed)
  await recorder.restore(unsealed)
  return recorder
}

class Recorder implements ExitRecorder {
  readonly #deps: ExitRecorderDeps
  readonly #mark: PageMark
  readonly #heads: { readonly page: number; readonly bytes: Uint8Array }[]
  readonly #spans: ReturnType<typeof createExitSpans>
  readonly #trials: ExitTrials
  readonly #stopListening: () => void
  #newest: ClosedPage | undefined
  #count: number
  #looking: Promise<void> = Promise.resolve()
  readonly #writer = createSpanWriter(() => this.#failed())

  constructor(
    deps: ExitRecorderDeps,
    mark: PageMark,
    heads: readonly Uint8Array[],
    unsealed: readonly ExitSpan[],
  ) {
    this.#deps = deps
    this.#mark = mark
    this.#heads = heads.flatMap((bytes) => {
      const head = readExitHead(nodeCrypto, bytes)
      return head ? [{ page: head.page, bytes }] : []
    })
    this.#count = deps.store.report.keptRows - heads.length
    this.#spans = createExitSpans(nodeCrypto, unsealed)
    this.#trials = createExitTrials({
      ...deps,
      onReached: ({ entry }) => this.#take(entry),
      onLost: (target) => this.#lose(target),
    })
    this.#stopListening = deps.set.onAccepted((entry) => this.#note(entry))
  }

  /** Entries that go on stand on the newest page. */
  async restore(unsealed: readonly ExitSpan[]): Promise<void> {
    const newest = this.#heads.at(-1)
    if (!newest) return
    const { pageS, store, log } = this.#deps
    const sealed = await spansOf(store.exits.ofPage(newest.page))
    const page = createExitSpans(nodeCrypto, [...unsealed, ...sealed])
    const spans = page.onPage((newest.page + 1) * pageS)
    this.#newest = restoreClosedPage(newest.bytes, pageS, spans)
    if (!this.#newest) log.warn('the newest page of the exit record is not whole', {})
  }

  heads(fromPage: number): readonly Uint8Array[] {
    const bytes = this.#heads.filter(({ page }) => page >= fromPage).map((head) => head.bytes)
    return fromPage === 0 ? bytes.slice(-1) : bytes
  }

  async find(name: Uint8Array, atS: number): Promise<readonly Uint8Array[]> {
    const found = atS === 0 ? await this.#ofAnyTime(name) : await this.#ofTime(name, atS)
    return found.map((span) => this.#proofOf(span, atS))
  }

  async #ofTime(name: Uint8Array, atS: number): Promise<readonly KeptExit[]> {
    // One that goes on may have expired: twice as many leave room for such.
    const kept = await this.#deps.store.exits.ofNameAt(name, atS, 2 * MAX_SHOWN)
    const nowS = this.#nowS()
    return kept
      .filter(({ untilS, expiresS }) => atS <= (untilS || Math.min(nowS, expiresS)))
      .slice(0, MAX_SHOWN)
  }

  async #ofAnyTime(name: Uint8Array): Promise<readonly KeptExit[]> {
    const byNode = new Map<NodeKey, readonly KeptExit[]>()
    let count = 0
    for await (const span of this.#deps.store.exits.ofName(name)) {
      const key = nodeKeyOf(span.nodeId)
      const [first] = byNode.get(key) ?? []
      if (first) byNode.set(key, [first, span])
      else if (byNode.size < MAX_SHOWN / SHOWN_OF_NODE) byNode.set(key, [span])
      if (++count >= MAX_LOOKED_AT) break
    }
    return [...byNode.values()].flat()
  }

  async look(): Promise<void> {
    const trials = this.#trials.run(this.#nowS())
    this.#looking = this.#looking.then(() => this.#turn()).catch(() => this.#failed())
    await Promise.all([this.#looking, trials])
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopListening()
    await this.#looking
    await this.#writer.idle()
  }

  #nowS(): number {
    return Math.floor(this.#deps.nowMs() / 1000)
  }

  #failed(): void {
    this.#deps.log.warn('the exit record could not be written', {})
  }

  #note(entry: DirectoryEntry): void {
    this.#trials.name(entry, this.#nowS())
    this.#take(entry)
  }

  #take(entry: DirectoryEntry): void {
    const isReached = (name: Uint8Array): boolean => this.#trials.isReached(entry.key, name)
    for (const change of this.#spans.note(entry, this.#nowS(), isReached))
      this.#writer.add(() => this.#write(change, entry.bytes))
  }

  #lose({ entry, name }: ExitTarget): void {
    const over = this.#spans.lose(entry.descriptor.nodeId, name, this.#nowS())
    if (over) this.#writer.add(() => this.#deps.store.exits.end(over))
  }

  async #write({ change, span }: ExitSpanChange, bytes: Uint8Array): Promise<void> {
    const { exits } = this.#deps.store
    if (change === 'goes on') return await exits.goOn({ ...span, last: bytes })
    // The edition that ended it does not name the address.
    if (change === 'over') return await exits.end(span)
    this.#count++
    await exits.put({ ...span, first: bytes, last: bytes, sealed: undefined })
  }

  /** SPEC §10.6: one page at most, of the time that was over last. */
  async #turn(): Promise<void> {
    const { store, pageS } = this.#deps
    const nowS = this.#nowS()
    for (const span of this.#spans.sweep(nowS)) this.#writer.add(() => store.exits.end(span))
    await this.#writer.idle()
    const page = Math.floor(nowS / pageS) - 1
    if (page <= Math.max(this.#mark.page, this.#heads.at(-1)?.page ?? -1)) return
    const endS = (page + 1) * pageS
    const spans = this.#spans.onPage(endS)
    if (spans.length === 0) return
    await this.#mark.set(page)
    await this.#close(page, endS, spans)
    await this.#forget(page)
  }

  async #close(page: number, endS: number, spans: readonly ExitSpan[]): Promise<void> {
    const { store, identity } = this.#deps
    const entries = spans.map((span) => exitEntryOf(span, endS))
    const previous = this.#heads.at(-1)?.bytes
    const closedS = this.#nowS()
    const made = makeExitPage(nodeCrypto, identity, { page, closedS, entries, previous })
    const seals = spans.flatMap((span, place) => {
      const isOver = span.untilS !== 0 && span.untilS <= endS
      return isOver ? [{ ...span, place, path: made.tree.path(place) }] : []
    })
    await store.exits.close(page, made.head, seals)
    this.#heads.push({ page, bytes: made.head })
    this.#spans.turn(endS)
    this.#newest = createClosedPage(page, endS, spans, made.tree)
  }

  async #forget(page: number): Promise<void> {
    const { store, pageS } = this.#deps
    const oldest = this.#heads.at(-MAX_PAGES)?.page ?? 0
    const before = Math.max(oldest, page - Math.floor(KEEP_S / pageS))
    const firstKept = this.#heads.findIndex((head) => head.page >= before)
    if (firstKept > 0) {
      this.#heads.splice(0, firstKept)
      this.#count -= await store.exits.forgetBefore(before)
    }
    if (this.#count <= MAX_SPANS) return
    const pages = this.#heads.map((head) => head.page)
    const tooMany = Math.min(this.#count - MAX_SPANS, MAX_FORGOTTEN)
    this.#count -= await store.exits.forgetOldest(pages, tooMany)
  }

  #proofOf(span: KeptExit, atS: number): Uint8Array {
    const placed = this.#placeOf(span, atS)
    const nowS = this.#nowS()
    const endS = placed?.endS ?? Math.min(nowS, span.expiresS)
    const { first, last } = span
    const isOne = Buffer.compare(first, last) === 0
    return encodeExitProof({
      entry: exitEntryOf(exitSpanOf(span), endS),
      first,
      last: isOne ? NOTHING : last,
      page: placed?.place,
    })
  }

  /** On the page of its end, or on the newest one; nowhere when the time in question comes after that. */
  #placeOf(
    span: KeptExit,
    atS: number,
  ): { readonly endS: number; readonly place: ExitPlace } | undefined {
    const { sealed } = span
    const page = sealed?.page ?? this.#newest?.page
    const endS = page === undefined ? 0 : (page + 1) * this.#deps.pageS
    const found = sealed ?? (atS <= endS ? this.#newest?.placeOf(span) : undefined)
    const head = this.#heads.find((each) => each.page === page)?.bytes
    if (!found || !head) return undefined
    return { endS, place: { head, place: found.place, path: found.path } }
  }
}

const NOTHING = new Uint8Array(0)

async function spansOf(kept: AsyncIterable<KeptExit>): Promise<readonly ExitSpan[]> {
  const spans: ExitSpan[] = []
  for await (const each of kept) spans.push(exitSpanOf(each))
  return spans
}

/** What was written was taken from a descriptor. */
function exitSpanOf({ nodeId, name, fromS, untilS, expiresS, first }: KeptExit): ExitSpan {
  const { sequence } = decodeDescriptor(first).descriptor
  const editionHash = nodeCrypto.sha256(first)
  return { nodeId, name, fromS, untilS, expiresS, sequence, editionHash }
}
