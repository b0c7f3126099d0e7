/**
 * One page of an exit record (SPEC §10.6): the entries of a day under one signed head, which names the head before. Making one, and judging heads.
 * @module
 */
import { concatBytes, equalBytes, isAllZero, isBywayError } from '@byway/protocol/base'
import {
  type CryptoProvider,
  SIGNATURE_TAG,
  type SigningKeyPair,
  signTagged,
  verifyTagged,
} from '@byway/protocol/crypto'
import {
  decodeExitHead,
  encodeUnsignedExitHead,
  type ExitHead,
  unsignedHeadOf,
} from '@byway/protocol/wire'
import { createMerkleTree, type MerkleTree } from './merkle-tree.ts'

/** A page as its witness made it. */
export type ExitPage = {
  readonly head: Uint8Array
  readonly tree: MerkleTree
}

export type ExitPageInput = {
  readonly page: number
  readonly closedS: number
  /** In order. */
  readonly entries: readonly Uint8Array[]
  /** The head of the page before; undefined where the record begins. */
  readonly previous: Uint8Array | undefined
}

/** Makes and signs a page. */
export function makeExitPage(
  crypto: CryptoProvider,
  identity: SigningKeyPair,
  { page, closedS, entries, previous }: ExitPageInput,
): ExitPage {
  const tree = createMerkleTree(crypto, entries)
  const unsigned = encodeUnsignedExitHead({
    witness: identity.publicKey,
    page,
    closedS,
    entries: entries.length,
    root: tree.root,
    previous: previous ? crypto.sha256(previous) : NO_HEAD,
  })
  const signature = signTagged(crypto, identity.privateKey, SIGNATURE_TAG.exitPage, unsigned)
  return { head: concatBytes(unsigned, signature), tree }
}

/** Reads a head and checks who signed it; undefined when it is none, or nobody's. */
export function readExitHead(crypto: CryptoProvider, bytes: Uint8Array): ExitHead | undefined {
  try {
    const { head, signature } = decodeExitHead(bytes)
    const unsigned = unsignedHeadOf(bytes)
    const isSigned = verifyTagged(crypto, head.witness, signature, SIGNATURE_TAG.exitPage, unsigned)
    return isSigned ? head : undefined
  } catch (error) {
    if (isBywayError(error) && error.kind === 'peer') return undefined
    throw error
  }
}

/** What is wrong with a run of heads. `forged`: not signed by this witness; `cut`: one does not follow the one before; `forked`: it is not the record that was shown before. */
export type ExitChainFault = 'forged' | 'cut' | 'forked'

export type ExitChain =
  | { readonly result: 'holds'; readonly heads: readonly ExitHead[] }
  | {
      readonly result: 'broken'
      readonly fault: ExitChainFault
      /** For `forked`: the two heads that cannot both be of one record. */
      readonly heads: readonly Uint8Array[]
    }

/**
 * Judges heads of one witness, oldest first: each is signed by it and names the one before.
 * @param known - a head that it showed earlier; the run must hold it, or come after it without a gap
 */
export function judgeExitChain(
  crypto: CryptoProvider,
  witness: Uint8Array,
  heads: readonly Uint8Array[],
  known?: Uint8Array,
): ExitChain {
  const read: ExitHead[] = []
  for (const [at, bytes] of heads.entries()) {
    const head = readExitHead(crypto, bytes)
    if (!head || !equalBytes(head.witness, witness)) return broken('forged', bytes)
    const before = heads[at - 1]
    if (before && !follows(crypto, head, before, read[at - 1])) return broken('cut', before, bytes)
    read.push(head)
  }
  const fork = known && forkOf(crypto, heads, read, known)
  return fork ? broken('forked', ...fork) : { result: 'holds', heads: read }
}

/** Two signed heads of one page that differ: proof against their witness. */
export function isExitFork(crypto: CryptoProvider, a: Uint8Array, b: Uint8Array): boolean {
  const [first, second] = [readExitHead(crypto, a), readExitHead(crypto, b)]
  return (
    first !== undefined &&
    second !== undefined &&
    equalBytes(first.witness, second.witness) &&
    first.page === second.page &&
    !equalBytes(unsignedHeadOf(a), unsignedHeadOf(b))
  )
}

function follows(
  crypto: CryptoProvider,
  head: ExitHead,
  before: Uint8Array,
  read: ExitHead | undefined,
): boolean {
  return head.page > (read?.page ?? -1) && equalBytes(head.previous, crypto.sha256(before))
}

/** The head that should be `known`, or follow it, and does not. */
function forkOf(
  crypto: CryptoProvider,
  heads: readonly Uint8Array[],
  read: readonly ExitHead[],
  known: Uint8Array,
): readonly Uint8Array[] | undefined {
  const { page } = decodeExitHead(known).head
  const at = read.findIndex((head) => head.page >= page)
  const [found, head] = [heads[at], read[at]]
  // Nothing as new as what was shown before: the newest pages are gone.
  if (!found || !head) return [known]
  if (head.page === page) return equalBytes(found, known) ? undefined : [known, found]
  const isNext = equalBytes(head.previous, crypto.sha256(known))
  // A record that begins anew was lost, and says so.
  return isNext || isAllZero(head.previous) ? undefined : [known, found]
}

function broken(fault: ExitChainFault, ...heads: readonly Uint8Array[]): ExitChain {
  return { result: 'broken', fault, heads }
}

const NO_HEAD = new Uint8Array(32)
