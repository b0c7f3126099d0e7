/** Judges what proves that a node was an exit under an address (SPEC §10.6): by itself, without a network. @module */
import { equalBytes, isBywayError } from '@byway/protocol/base'
import type { CryptoProvider } from '@byway/protocol/crypto'
import {
  decodeExitEntry,
  decodeExitProof,
  type Descriptor,
  type ExitEntry,
  type ExitHead,
  type ExitPlace,
  type IpBytes,
} from '@byway/protocol/wire'
import { exitAddressesOf, exitNameOf } from './exit-name.ts'
import { readExitHead } from './exit-page.ts'
import { merkleRootOf } from './merkle-tree.ts'
import { CLOCK_TOLERANCE_S, isSignedBy, readDescriptor } from './verify-descriptor.ts'

/** What a proof shows. */
export type ShownExit = {
  readonly entry: ExitEntry
  /** The node's own signed words at the beginning and at the end. */
  readonly first: Descriptor
  readonly last: Descriptor
  /** The signed page; undefined while the witness has not closed one, so that only the node's own words stand. */
  readonly head: ExitHead | undefined
}

/** Which part of a proof does not hold. */
export type ExitProofFault = 'form' | 'name' | 'edition' | 'head' | 'place' | 'time'

export type ExitProofVerdict =
  | { readonly result: 'holds'; readonly shown: ShownExit }
  | { readonly result: 'false'; readonly fault: ExitProofFault }

/** Judges a proof for an address. Never throws on its bytes. */
export function judgeExitProof(
  crypto: CryptoProvider,
  bytes: Uint8Array,
  address: IpBytes,
): ExitProofVerdict {
  const read = readProof(bytes)
  if (!read) return isFalse('form')
  const { proof, entry } = read
  if (!equalBytes(entry.name, exitNameOf(crypto, address))) return isFalse('name')
  const first = readEdition(crypto, proof.first, entry, address)
  const last = proof.last.length === 0 ? first : readEdition(crypto, proof.last, entry, address)
  const isFirst = equalBytes(crypto.sha256(proof.first), entry.editionHash)
  if (!first || !last || !isFirst || last.sequence < first.sequence) return isFalse('edition')
  const head = proof.page && readExitHead(crypto, proof.page.head)
  if (proof.page && !head) return isFalse('head')
  if (proof.page && head && !isOnPage(crypto, proof.entry, proof.page, head))
    return isFalse('place')
  if (!isPossible(entry, first, last, head)) return isFalse('time')
  return { result: 'holds', shown: { entry, first, last, head } }
}

function readProof(bytes: Uint8Array) {
  try {
    const proof = decodeExitProof(bytes)
    return { proof, entry: decodeExitEntry(proof.entry) }
  } catch (error) {
    if (isBywayError(error) && error.kind === 'peer') return undefined
    throw error
  }
}

/** The node's signed descriptor, when it says that it is an exit under the address. */
function readEdition(
  crypto: CryptoProvider,
  bytes: Uint8Array,
  { nodeId }: ExitEntry,
  { family, bytes: ip }: IpBytes,
): Descriptor | undefined {
  const signed = readDescriptor(bytes)
  if (!signed || !equalBytes(signed.descriptor.nodeId, nodeId)) return undefined
  if (!isSignedBy(crypto, signed.descriptor, bytes, signed.signature)) return undefined
  const isNamed = exitAddressesOf(signed.descriptor).some(
    (each) => each.family === family && equalBytes(each.bytes, ip),
  )
  return isNamed ? signed.descriptor : undefined
}

function isOnPage(
  crypto: CryptoProvider,
  entry: Uint8Array,
  { place, path }: ExitPlace,
  { entries, root }: ExitHead,
): boolean {
  const found = merkleRootOf(crypto, entry, place, entries, path)
  return found !== undefined && equalBytes(found, root)
}

/** No entry begins before its first edition, goes beyond its last one, or ends after the page was closed. */
function isPossible(
  { fromS, untilS, sequence }: ExitEntry,
  first: Descriptor,
  last: Descriptor,
  head: ExitHead | undefined,
): boolean {
  return (
    sequence === first.sequence &&
    fromS + CLOCK_TOLERANCE_S >= first.publishedS &&
    fromS <= first.expiresS &&
    untilS <= last.expiresS &&
    (!head || untilS <= head.closedS)
  )
}

function isFalse(fault: ExitProofFault): ExitProofVerdict {
  return { result: 'false', fault }
}
