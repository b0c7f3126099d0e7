/**
 * From when to when a node was an exit under an address, as the signed descriptors told it that came in, where it was reached (SPEC §10.6). Pure: it says what has begun, goes on and is
 * over; the caller keeps it, and tries addresses.
 * @module
 */
import { toHex } from '@byway/protocol/base'
import type { CryptoProvider } from '@byway/protocol/crypto'
import { type Descriptor, encodeExitEntry } from '@byway/protocol/wire'
import type { DirectoryEntry } from './descriptor-set.ts'
import { exitAddressesOf, exitNameOf } from './exit-name.ts'
import { type NodeKey, nodeKeyOf } from './node-key.ts'

/** A node under an address, without a gap between its editions. */
export type ExitSpan = {
  readonly nodeId: Uint8Array
  /** Of the address, 32 bytes. */
  readonly name: Uint8Array
  /** When it was reached there first by the witness's own link, seconds. */
  readonly fromS: number
  /** 0 while it goes on. */
  readonly untilS: number
  /** The number and hash of the edition that was the newest then. */
  readonly sequence: number
  readonly editionHash: Uint8Array
  /** When the last edition expires. */
  readonly expiresS: number
}

/** What an edition changed. */
export type ExitSpanChange = {
  readonly change: 'begun' | 'goes on' | 'over'
  readonly span: ExitSpan
}

/** The spans that go on, and those that ended since the last page. */
export interface ExitSpans {
  /** Spans that go on. */
  readonly openCount: number
  /**
   * Takes an edition that was accepted, or is still the newest of its node.
   * @param isReached - says whether the node was reached at the address of a name: what nobody tried begins no span
   */
  note(
    entry: Pick<DirectoryEntry, 'descriptor' | 'bytes'>,
    nowS: number,
    isReached: (name: Uint8Array) => boolean,
  ): readonly ExitSpanChange[]
  /** Ends the span of a node that is not reached there any more; undefined where none goes on. */
  lose(nodeId: Uint8Array, name: Uint8Array, nowS: number): ExitSpan | undefined
  /** Ends what has expired; gives what ended. */
  sweep(nowS: number): readonly ExitSpan[]
  /** All that a page which ends then has entries of, in the order of its entries. */
  onPage(endS: number): readonly ExitSpan[]
  /** Forgets what was over by then: it is on a page. */
  turn(endS: number): void
}

// Local limits (tunable): docs/LIMITS.md.
/** Spans of one node that begin at once: both of its addresses, twice. */
const BEGIN_BURST = 4
/** Four more a day: a home whose address changes daily has enough, and one that floods the record does not. */
const BEGIN_INTERVAL_S = 21_600
/** Spans that go on: every exit of a full directory, and each second one twice. */
const MAX_OPEN = 30_000

/** @param stored - what was kept and is not sealed on a page */
export function createExitSpans(
  crypto: Pick<CryptoProvider, 'sha256'>,
  stored: readonly ExitSpan[] = [],
): ExitSpans {
  const open = createOpenSpans()
  let ended = stored.filter(({ untilS }) => untilS !== 0)
  const budgets = new Map<NodeKey, Budget>()

  function end(span: ExitSpan, nowS: number): ExitSpan {
    open.delete(span)
    const over = { ...span, untilS: Math.max(span.fromS, Math.min(nowS, span.expiresS)) }
    ended.push(over)
    return over
  }

  for (const span of stored) if (span.untilS === 0) open.put(span)

  return {
    get openCount() {
      return open.count
    },
    note({ descriptor, bytes }, nowS, isReached) {
      const key = nodeKeyOf(descriptor.nodeId)
      const names = exitAddressesOf(descriptor).map((address) => exitNameOf(crypto, address))
      const before = open.ofNode(key)
      const isNamed = ({ name }: ExitSpan): boolean =>
        names.some((each) => toHex(each) === toHex(name))
      // An edition that came after the last had expired leaves a gap.
      const goesOn = before.filter(
        (span) => isNamed(span) && descriptor.publishedS <= span.expiresS,
      )
      const over = before.filter((span) => !goesOn.includes(span)).map((span) => end(span, nowS))
      const renewed = goesOn.map((span) => ({ ...span, expiresS: descriptor.expiresS }))
      for (const span of renewed) open.put(span)
      const fresh = names.filter((name) => !open.get(key, name) && isReached(name))
      const begun = fresh
        .filter(() => open.count < MAX_OPEN && spend(budgets, key, nowS))
        .map((name) => beginning(crypto, descriptor, bytes, name, nowS))
      for (const span of begun) open.put(span)
      return [
        ...changesTo('over', over),
        ...changesTo('goes on', renewed),
        ...changesTo('begun', begun),
      ]
    },
    lose(nodeId, name, nowS) {
      const span = open.get(nodeKeyOf(nodeId), name)
      return span && end(span, nowS)
    },
    sweep(nowS) {
      const over = open.all().filter(({ expiresS }) => expiresS <= nowS)
      forgetFull(budgets, nowS)
      return over.map((span) => end(span, nowS))
    },
    onPage(endS) {
      return inOrder([...open.all(), ...ended].filter(({ fromS }) => fromS < endS))
    },
    turn(endS) {
      ended = ended.filter(({ untilS }) => untilS > endS)
    },
  }
}

/** The spans that go on, one of a node and name. */
function createOpenSpans() {
  const byNode = new Map<NodeKey, Map<string, ExitSpan>>()
  let count = 0
  return {
    get count(): number {
      return count
    },
    get: (key: NodeKey, name: Uint8Array): ExitSpan | undefined =>
      byNode.get(key)?.get(toHex(name)),
    ofNode: (key: NodeKey): readonly ExitSpan[] => [...(byNode.get(key)?.values() ?? [])],
    all: (): readonly ExitSpan[] => [...byNode.values()].flatMap((spans) => [...spans.values()]),
    put(span: ExitSpan): void {
      const key = nodeKeyOf(span.nodeId)
      const spans = byNode.get(key) ?? new Map<string, ExitSpan>()
      const name = toHex(span.name)
      if (!spans.has(name)) count++
      byNode.set(key, spans.set(name, span))
    },
    delete({ nodeId, name }: ExitSpan): void {
      const key = nodeKeyOf(nodeId)
      const spans = byNode.get(key)
      if (spans?.delete(toHex(name))) count--
      if (spans?.size === 0) byNode.delete(key)
    },
  }
}

function changesTo(
  change: ExitSpanChange['change'],
  spans: readonly ExitSpan[],
): readonly ExitSpanChange[] {
  return spans.map((span) => ({ change, span }))
}

/** The entry of a span on a page that ends then. */
export function exitEntryOf(span: ExitSpan, endS: number): Uint8Array {
  const { nodeId, name, fromS, untilS, sequence, editionHash } = span
  const until = untilS === 0 ? endS : Math.min(untilS, endS)
  return encodeExitEntry({ nodeId, name, fromS, untilS: until, sequence, editionHash })
}

type Budget = { readonly left: number; readonly atS: number }

function beginning(
  crypto: Pick<CryptoProvider, 'sha256'>,
  { nodeId, sequence, expiresS }: Descriptor,
  bytes: Uint8Array,
  name: Uint8Array,
  nowS: number,
): ExitSpan {
  const editionHash = crypto.sha256(bytes)
  return { nodeId, name, fromS: nowS, untilS: 0, sequence, editionHash, expiresS }
}

function spend(budgets: Map<NodeKey, Budget>, key: NodeKey, nowS: number): boolean {
  const left = leftOf(budgets.get(key), nowS) - 1
  if (left < 0) return false
  budgets.set(key, { left, atS: nowS })
  return true
}

function leftOf(budget: Budget | undefined, nowS: number): number {
  if (!budget) return BEGIN_BURST
  const refilled = budget.left + Math.max(0, nowS - budget.atS) / BEGIN_INTERVAL_S
  return Math.min(BEGIN_BURST, refilled)
}

function forgetFull(budgets: Map<NodeKey, Budget>, nowS: number): void {
  for (const [key, budget] of budgets) if (leftOf(budget, nowS) >= BEGIN_BURST) budgets.delete(key)
}

function inOrder(spans: readonly ExitSpan[]): readonly ExitSpan[] {
  return spans.toSorted((a, b) => (orderOf(a) < orderOf(b) ? -1 : 1))
}

/** By address, then node, then time. */
function orderOf({ name, nodeId, fromS }: ExitSpan): string {
  return `${toHex(name)}${toHex(nodeId)}${String(fromS).padStart(16, '0')}`
}
