/**
 * The questions about the directory that are open on one link, and how much of their answers has come (SPEC §10.2). Judging a part costs a thousand times what sending
 * it does, so nobody may send one that was not asked for. What the parts hold is not looked at.
 * @module
 */

// Local limits (tunable): docs/LIMITS.md.
/** Parts of one answer. A full set is 16 MiB, in batches of at least 18 KB of which each may have to be halved: 1864; what came while the set was packed is the rest. */
export const MAX_DIRECTORY_PARTS = 2048
/** Questions that stand unanswered: who asks too often gets no answer, and may be asked again. */
const MAX_OPEN = 16

export interface DirectoryQuestions {
  /** Opens a question and returns its request id; undefined while too many stand unanswered. */
  open(): number | undefined
  /** Counts a part of an answer; false for one that was not asked for, or is one too many. The last part ends the question. */
  take(part: { readonly requestId: number; readonly last: boolean }): boolean
}

/** No question is open. */
export function createDirectoryQuestions(): DirectoryQuestions {
  /** Parts by request id, oldest question first. */
  const open = new Map<number, number>()
  let lastId = 0
  return {
    open() {
      if (open.size >= MAX_OPEN) return undefined
      lastId = (lastId + 1) & 0xffff
      open.set(lastId, 0)
      return lastId
    },
    take({ requestId, last }) {
      const parts = open.get(requestId)
      if (parts === undefined) return false
      // Answers come in the order of the questions: what was asked before gets none any more.
      for (const earlier of open.keys()) {
        if (earlier === requestId) break
        open.delete(earlier)
      }
      open.set(requestId, parts + 1)
      if (last) open.delete(requestId)
      return parts < MAX_DIRECTORY_PARTS
    },
  }
}
