/**
 * Asks several nodes what their exit records say of an address (SPEC §10.6), as a stranger does. What they show is judged here; whoever is asked sees who asks, and for which
 * address.
 * @module
 */
import {
  createPathNodeSet,
  exitNameOf,
  judgeExitChain,
  judgeExitProof,
  mayShareCircuit,
  ownersIn,
  readExitHead,
  type ExitChain,
  type ExitProofVerdict,
  type OriginBooks,
  type PathNode,
} from '@byway/protocol/directory'
import { equalBytes } from '@byway/protocol/base'
import type { IpBytes } from '@byway/protocol/wire'
import { decodeExitHead, LINK_MESSAGE, RECORD_PART, splitExitHeads } from '@byway/protocol/wire'
import { nodeCrypto } from '@byway/protocol/node-crypto'
import { askNode, readDirectory, type DirectoryQuery } from './ask-node.ts'
import { standsAlone } from './exit-witness.ts'

// Local limits (tunable): docs/LIMITS.md.
/** Nodes asked, each from another home than the others. */
const ASKED = 5
/** Of one node's answer: its newest proofs, and a page a day of 400 days, in large cells. */
const MAX_PROOFS = 16
const MAX_HEADS = 1000

export type ExitRecordQuery = DirectoryQuery & {
  readonly address: IpBytes
  /** Seconds; undefined for the newest that there is. */
  readonly atS: number | undefined
  /** Seconds of a page. */
  readonly pageS: number
  /** The newest head that a witness showed earlier, if it is known. */
  readonly knownHead: (witness: Uint8Array) => Uint8Array | undefined
  /** What is known of addresses besides the network's table: who stands apart from whom goes by it. */
  readonly places?: OriginBooks | undefined
  /** In [0, 1). */
  readonly random: () => number
}

/** What one node shows. */
export type ExitWitness = {
  /** Its node id. */
  readonly nodeId: Uint8Array
  /** True when it stands on its own: no prefix, AS, family or staker in common with the exits that it shows. */
  readonly isIndependent: boolean
  /** Signed heads as they came, oldest first, and what they are worth. */
  readonly heads: readonly Uint8Array[]
  readonly chain: ExitChain
  readonly proofs: readonly {
    readonly bytes: Uint8Array
    readonly verdict: ExitProofVerdict
  }[]
}

/** Gives what each node shows that answers, until enough have. @throws ENTRY_UNREACHABLE when no first contact answers, DIRECTORY_INCOMPLETE when stakes are given and they show too little of the active one, or the signal's reason */
export async function* findExitRecord(query: ExitRecordQuery): AsyncGenerator<ExitWitness> {
  const { network, places, stakes, random, nowMs } = query
  const ownerOf = ownersIn(stakes)
  const set = await readDirectory(query)
  const nodes = createPathNodeSet(set, network, places, { ownerOf })
  const left = nodes
    .list(nowMs())
    .filter(({ isPublic }) => isPublic)
    .map((node) => ({ node, place: random() }))
    .toSorted((a, b) => a.place - b.place)
  const heard: PathNode[] = []
  for (const { node } of left) {
    if (heard.length >= ASKED) return
    if (!heard.every((other) => mayShareCircuit(node, other))) continue
    const answer = await ask(query, node)
    if (!answer) continue
    heard.push(node)
    const shown = answer.proofs.flatMap(({ verdict }) =>
      verdict.result === 'holds' ? [verdict.shown] : [],
    )
    yield {
      ...answer,
      isIndependent: standsAlone(node, shown, { origins: nodes.origins, ownerOf }),
    }
  }
}

async function ask(
  { network, address, atS, pageS, knownHead, signal }: ExitRecordQuery,
  { entry }: PathNode,
): Promise<Omit<ExitWitness, 'isIndependent'> | undefined> {
  const { nodeId } = entry.descriptor
  const known = knownHead(nodeId)
  const heads: Uint8Array[] = []
  const proofs: Uint8Array[] = []
  const question = {
    type: LINK_MESSAGE.RECORD_GET,
    requestId: 1,
    name: exitNameOf(nodeCrypto, address),
    atS: atS ?? 0,
    page: firstPage(atS === undefined ? undefined : Math.floor(atS / pageS), known),
  } as const
  const isAnswered = await askNode(network, entry, question, signal, (message) => {
    if (message.type !== LINK_MESSAGE.RECORD) return false
    const { part, body } = message
    if (part === RECORD_PART.PROOF && proofs.length < MAX_PROOFS) proofs.push(body.slice())
    if (part === RECORD_PART.HEADS && heads.length < MAX_HEADS) heads.push(...splitExitHeads(body))
    return part === RECORD_PART.END
  })
  if (!isAnswered) return undefined
  const judged = proofs.map((bytes) => ({
    bytes,
    verdict: judgeExitProof(nodeCrypto, bytes, address),
  }))
  const chain = judgeExitChain(nodeCrypto, nodeId, heads, known)
  const isWhole = chain.result === 'broken' || judged.every(({ verdict }) => isOf(verdict, heads))
  return { nodeId, heads, chain: isWhole ? chain : FORKED, proofs: judged }
}

/** True for a proof without a page, or on one of the heads or before them. */
function isOf(verdict: ExitProofVerdict, heads: readonly Uint8Array[]): boolean {
  const head = verdict.result === 'holds' ? verdict.shown.head : undefined
  if (!head) return true
  const chain = heads.map((each) => decodeExitHead(each).head)
  const same = chain.find(({ page }) => page === head.page)
  if (!same) return head.page < (chain[0]?.page ?? 0)
  return equalBytes(same.root, head.root) && equalBytes(same.witness, head.witness)
}

const FORKED: ExitChain = { result: 'broken', fault: 'forked', heads: [] }

/** From the earlier of the page in question and the one that was shown last, so that it is seen whether the one follows from the other. */
function firstPage(page: number | undefined, known: Uint8Array | undefined): number {
  const last = known && readExitHead(nodeCrypto, known)?.page
  return Math.max(0, Math.min(page ?? last ?? 0, last ?? page ?? 0))
}
