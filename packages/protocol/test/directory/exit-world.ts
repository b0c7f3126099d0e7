/** Signed editions of exits and a witness that keeps their record. */
import { SIGNATURE_TAG, signTagged, type SigningKeyPair } from '@byway/protocol/crypto'
import {
  createExitSpans,
  exitEntryOf,
  makeExitPage,
  nodeKeyOf,
  type DirectoryEntry,
  type ExitPage,
} from '@byway/protocol/directory'
import {
  type Descriptor,
  encodeDescriptor,
  encodeExitProof,
  encodeUnsignedDescriptor,
  type IpBytes,
} from '@byway/protocol/wire'
import { nodeCrypto } from '../../src/crypto/node-provider.ts'
import { ipv4, makeDescriptor } from './registry.ts'

export const DAY_S = 86_400
/** The beginning of a page. */
export const DAWN_S: number = 20_833 * DAY_S

export const identity = (number: number): SigningKeyPair =>
  nodeCrypto.ed25519KeyPair(new Uint8Array(32).fill(number))

export function addressOf(text: string): IpBytes {
  const { family, bytes } = ipv4(text)
  return { family, bytes }
}

/** An edition of an exit with this number, which holds for two days. */
export function edition(
  number: number,
  publishedS: number,
  change: Partial<Descriptor> = {},
): DirectoryEntry {
  const { privateKey, publicKey } = identity(number)
  const descriptor = makeDescriptor(number, {
    nodeId: publicKey,
    sequence: publishedS,
    publishedS,
    expiresS: publishedS + 2 * DAY_S,
    ...change,
  })
  const unsigned = encodeUnsignedDescriptor(descriptor)
  const signature = signTagged(nodeCrypto, privateKey, SIGNATURE_TAG.descriptor, unsigned)
  const bytes = encodeDescriptor(descriptor, signature)
  return { key: nodeKeyOf(publicKey), descriptor, bytes }
}

export const WITNESS: SigningKeyPair = identity(200)

/** A page of these exits on the first day, and the proof of each. */
export function pageOf(entries: readonly DirectoryEntry[]): {
  readonly page: ExitPage
  readonly proofs: readonly Uint8Array[]
} {
  const spans = createExitSpans(nodeCrypto)
  for (const entry of entries) spans.note(entry, DAWN_S + 60, () => true)
  const endS = DAWN_S + DAY_S
  const listed = spans.onPage(endS)
  const page = makeExitPage(nodeCrypto, WITNESS, {
    page: 20_833,
    closedS: endS + 5,
    entries: listed.map((span) => exitEntryOf(span, endS)),
    previous: undefined,
  })
  const proofs = listed.map((span, place) =>
    encodeExitProof({
      entry: exitEntryOf(span, endS),
      first: editionOf(entries, span.nodeId),
      last: new Uint8Array(0),
      page: { head: page.head, place, path: page.tree.path(place) },
    }),
  )
  return { page, proofs }
}

function editionOf(entries: readonly DirectoryEntry[], nodeId: Uint8Array): Uint8Array {
  return entries.find(({ key }) => key === nodeKeyOf(nodeId))?.bytes ?? new Uint8Array(0)
}
