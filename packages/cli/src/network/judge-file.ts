/**
 * Whether a member takes a network file: its bytes, the signature beside it, and what is known of its publisher (SPEC §18.3). Reads and writes nothing.
 * Who is believed: the publisher of the first use, or whom it has handed over to since; at first use the one that the user names, and without one the key that
 * the file names of itself.
 */
import { assert, toHex } from '@byway/protocol/base'
import type { NetworkParameters } from '@byway/protocol/directory'
import { configError } from '../config/config-errors.ts'
import { parseNetworkFile } from '../config/network-file.ts'
import {
  fileHash,
  keyIdText,
  parsePublicKey,
  parseSignature,
  signatureFault,
  type PublicKey,
  type Signature,
} from '../minisign/signature.ts'
import { assertUsable, mayBeUnsigned, requireEdition, type SignedNetwork } from './member-rules.ts'
import { networkError } from './network-errors.ts'
import { MAX_PUBLISHERS, type Believed } from './believed.ts'

export type FileToJudge = {
  readonly network: NetworkParameters
  readonly bytes: Uint8Array
  /** Text of the file beside it; undefined where there is none. */
  readonly signature: string | undefined
  /** Of this network's name in the state folder. */
  readonly believed: Believed | undefined
  /** The key that the user was given by another way. */
  readonly given: string | undefined
  readonly nowMs: number
}

/** A file that a member takes. */
export type Judged = {
  readonly network: NetworkParameters
  /** Undefined for a network on this machine alone, which nobody need sign. */
  readonly signed: SignedFacts | undefined
}

export type SignedFacts = {
  readonly network: SignedNetwork
  readonly publisher: PublicKey
  /** Why its key is believed: it was before, the user names it, or the file alone does. */
  readonly trust: 'known' | 'given' | 'first-use'
  readonly trustedComment: string
  /** What is to be remembered. */
  readonly believed: Believed
  /** False where the same edition was used before. */
  readonly isNews: boolean
}

/** Parses the bytes of a network file. @throws what `parseNetworkFile` throws */
export function parseBytes(bytes: Uint8Array): NetworkParameters {
  return parseNetworkFile(Buffer.from(bytes).toString('utf8'))
}

/**
 * Judges a file.
 * @throws NETWORK_UNSIGNED, NETWORK_SIGNATURE, NETWORK_PUBLISHER, NETWORK_ROLLBACK, NETWORK_EXPIRED, NETWORK_FEW_CONTACTS, CONFIG_VALUE
 */
export function judgeFile(file: FileToJudge): Judged {
  const { network, bytes, signature: text, believed, given } = file
  // Once signed, always signed: else whoever changes the file would say that it is local.
  if (mayBeUnsigned(network) && !believed) return { network, signed: undefined }
  if (text === undefined) throw networkError('NETWORK_UNSIGNED', {})
  const signed = requireEdition(network)
  if (network.local && !signed.edition.isTest) {
    const problem = 'must be true in a local network with contacts outside the loopback'
    throw configError('CONFIG_VALUE', { source: 'network file', key: 'test', problem })
  }
  const signature = parseSignature(text)
  if (typeof signature === 'string') throw networkError('NETWORK_SIGNATURE', { fault: signature })
  const edition = toHex(fileHash(bytes))
  const isNews = believed?.edition !== edition
  const own = signed.edition.publisher
  const by = believedKey({ own, believed, given, isNews }, signature)
  requireSigned(signature, bytes, by)
  // Else members of before and those who begin with this file would believe different keys.
  requireKey(keyOf(own), by)
  if (believed && isNews && signed.edition.sequence <= believed.sequence)
    throw networkError('NETWORK_ROLLBACK', {
      seen: believed.sequence,
      found: signed.edition.sequence,
    })
  assertUsable(signed, file.nowMs)
  const trust = believed ? 'known' : given === undefined ? 'first-use' : 'given'
  const { trustedComment } = signature
  const facts = { network: signed, publisher: by, trust, trustedComment } as const
  const next = believed && !isNews ? believed : believedAfter(signed, believed, edition)
  return { network, signed: { ...facts, believed: next, isNews } }
}

type Claims = Pick<FileToJudge, 'believed' | 'given'> & {
  readonly own: string
  readonly isNews: boolean
}

/** Whose signature counts. @throws NETWORK_PUBLISHER where the user names another than is believed */
function believedKey({ own, believed, given, isNews }: Claims, { keyId }: Signature): PublicKey {
  if (!believed) return keyOf(given ?? own)
  const keys = believed.publishers.map(keyOf)
  const last = keys.at(-1)
  assert(last !== undefined, 'somebody is believed')
  if (given !== undefined && !believed.publishers.includes(given)) requireKey(last, keyOf(given))
  // The edition that hands over is signed by the one before.
  const earlier = isNews ? undefined : keys.findLast((key) => toHex(key.id) === toHex(keyId))
  return earlier ?? last
}

/** @throws NETWORK_PUBLISHER, NETWORK_SIGNATURE */
function requireSigned(signature: Signature, bytes: Uint8Array, key: PublicKey): void {
  const fault = signatureFault(signature, bytes, key)
  if (fault === undefined) return
  if (fault !== 'key') throw networkError('NETWORK_SIGNATURE', { fault })
  throw networkError('NETWORK_PUBLISHER', {
    wanted: keyIdText(key.id),
    found: keyIdText(signature.keyId),
  })
}

/** @throws NETWORK_PUBLISHER */
function requireKey(found: PublicKey, wanted: PublicKey): void {
  if (toHex(found.key) === toHex(wanted.key) && toHex(found.id) === toHex(wanted.id)) return
  throw networkError('NETWORK_PUBLISHER', {
    wanted: keyIdText(wanted.id),
    found: keyIdText(found.id),
  })
}

function believedAfter(
  { name, edition }: SignedNetwork,
  believed: Believed | undefined,
  hash: string,
): Believed {
  const { sequence, publisher, nextPublisher } = edition
  const known = believed?.publishers ?? [publisher]
  const isHandedOver = nextPublisher !== undefined && nextPublisher !== publisher
  const publishers = isHandedOver ? [...known, nextPublisher] : known
  return { network: name, publishers: publishers.slice(-MAX_PUBLISHERS), sequence, edition: hash }
}

/** Texts of keys are checked where they are read. */
function keyOf(text: string): PublicKey {
  const key = parsePublicKey(text)
  assert(key !== undefined, 'the key was checked before')
  return key
}
