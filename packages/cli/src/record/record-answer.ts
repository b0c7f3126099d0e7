/** What witnesses' exit records say together (SPEC §10.6): yes, no or unknown, and who was the exit from when to when. */
import type { ExitWitness } from '@byway/client'
import { toHex } from '@byway/protocol/base'

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
  for (const { proofs, isIndependent } of witnesses) {
    const counted = new Set<string>()
    for (const { verdict } of proofs) {
      if (verdict.result !== 'holds' || !isIndependent) continue
      const { entry, head } = verdict.shown
      const { fromS, untilS } = entry
      if (atS !== undefined && (atS < fromS || atS > untilS)) continue
      const nodeId = toHex(entry.nodeId)
      const isNew = !counted.has(nodeId)
      counted.add(nodeId)
      const before = byNode.get(nodeId)
      byNode.set(nodeId, {
        nodeId,
        fromS: Math.min(fromS, before?.fromS ?? fromS),
        untilS: Math.max(untilS, before?.untilS ?? untilS),
        witnesses: (before?.witnesses ?? 0) + (isNew ? 1 : 0),
        signed: (before?.signed ?? 0) + (isNew && head ? 1 : 0),
      })
    }
  }
  return [...byNode.values()].toSorted((a, b) => b.witnesses - a.witnesses)
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
