/** What witnesses' exit records say together (SPEC §10.6): yes, no or unknown, and who was the exit from when to when. */
import type { ExitWitness } from '@byway/client'
import { toHex } from '@byway/protocol/base'
import type { ShownExit } from '@byway/protocol/directory'

/** When an exit had the address, as one or more witnesses have it. */
export type AnsweredExit = {
  readonly nodeId: string
  /** The earliest beginning and the latest end that were shown, seconds. */
  readonly fromS: number
  readonly untilS: number
  /** Who shows it, and stands on its own. */
  readonly witnesses: number
  /** How many of those have it on a signed page. */
  readonly signed: number
  /** Where each of them has it. */
  readonly shown: readonly ShownBy[]
}

/** What one witness shows: its name, and the newest of its pages with the exit on it. Its record's file holds the proof. */
export type ShownBy = {
  readonly witness: string
  /** Undefined while it has closed none: then only the exit's own words stand. */
  readonly page:
    | { readonly number: number; readonly closedS: number; readonly root: string }
    | undefined
}

export type RecordAnswer = {
  readonly answer: 'yes' | 'no' | 'unknown'
  readonly exits: readonly AnsweredExit[]
  /** Witnesses whose record covers the time. */
  readonly covering: number
  /** Witnesses that showed a record that contradicts itself; nothing of theirs counts. */
  readonly contradicting: readonly { readonly witness: string; readonly fault: string }[]
}

/** The part of what a witness shows that an answer rests on. */
export type Testimony = Pick<ExitWitness, 'nodeId' | 'isIndependent' | 'chain' | 'proofs'>

/**
 * Puts together what was shown.
 * @param atS - the time in question; undefined for any
 * @param pageS - seconds of a page
 */
export function answerOf(
  witnesses: readonly Testimony[],
  atS: number | undefined,
  pageS: number,
): RecordAnswer {
  const honest = witnesses.filter(({ chain }) => chain.result === 'holds')
  const exits = exitsOf(honest, atS)
  const covering = honest.filter((witness) => covers(witness, atS, pageS)).length
  return {
    answer: exits.length > 0 ? 'yes' : covering > 0 ? 'no' : 'unknown',
    exits,
    covering,
    contradicting: witnesses.flatMap(({ nodeId, chain }) =>
      chain.result === 'broken' ? [{ witness: toHex(nodeId), fault: chain.fault }] : [],
    ),
  }
}

function exitsOf(
  witnesses: readonly Testimony[],
  atS: number | undefined,
): readonly AnsweredExit[] {
  const byNode = new Map<string, AnsweredExit>()
  for (const { nodeId: witness, proofs, isIndependent } of witnesses) {
    if (!isIndependent) continue
    for (const { verdict } of proofs) {
      if (verdict.result !== 'holds') continue
      const { fromS, untilS } = verdict.shown.entry
      if (atS !== undefined && (atS < fromS || atS > untilS)) continue
      const nodeId = toHex(verdict.shown.entry.nodeId)
      byNode.set(nodeId, withProof(byNode.get(nodeId), verdict.shown, toHex(witness)))
    }
  }
  return [...byNode.values()].toSorted((a, b) => b.witnesses - a.witnesses)
}

/** One proof more. A witness counts once, by its newest page. */
function withProof(
  before: AnsweredExit | undefined,
  { entry, head }: ShownExit,
  witness: string,
): AnsweredExit {
  const { fromS, untilS } = entry
  const page = head && { number: head.page, closedS: head.closedS, root: toHex(head.root) }
  const others = before?.shown.filter((each) => each.witness !== witness) ?? []
  const own = before?.shown.find((each) => each.witness === witness)?.page
  const isNewer = own === undefined || (page !== undefined && page.number > own.number)
  const shown = [...others, { witness, page: isNewer ? page : own }]
  return {
    nodeId: toHex(entry.nodeId),
    fromS: Math.min(fromS, before?.fromS ?? fromS),
    untilS: Math.max(untilS, before?.untilS ?? untilS),
    witnesses: shown.length,
    signed: shown.filter((each) => each.page !== undefined).length,
    shown,
  }
}

/** A record says "no" of the time of a page that it has, and of the time since its newest one. */
function covers({ chain }: Testimony, atS: number | undefined, pageS: number): boolean {
  if (chain.result !== 'holds') return false
  const pages = chain.heads.map(({ page }) => page)
  const newest = pages.at(-1)
  if (newest === undefined) return false
  if (atS === undefined) return true
  const page = Math.floor(atS / pageS)
  return pages.includes(page) || page > newest
}
