/**
 * The verified descriptors that this program knows, one edition per node (SPEC §10.1, §10.2). The higher sequence number
 * wins; two editions under one number are kept as evidence. Cheap checks come before the signature, and everything is
 * bounded. Does not fetch, forward or choose: it tells listeners what is new.
 * @module
 */
import { equalBytes } from '@byway/protocol/base'
import type { CryptoProvider } from '@byway/protocol/crypto'
import { type Descriptor, unsignedPartOf } from '@byway/protocol/wire'
import { type NodeKey, nodeKeyOf } from './node-key.ts'
import type { StakeClaim } from './stake-table.ts'
import {
  type DescriptorFault,
  isSignedBy,
  judgeDates,
  readDescriptor,
} from './verify-descriptor.ts'

/** A descriptor in use. `bytes` is the signed edition as it arrived, a copy. */
export type DirectoryEntry = {
  readonly key: NodeKey
  readonly descriptor: Descriptor
  readonly bytes: Uint8Array
}

/** Two editions that one identity key signed under one sequence number. */
export type Evidence = {
  readonly key: NodeKey
  readonly first: Uint8Array
  readonly second: Uint8Array
}

export type OfferResult =
  | { readonly result: 'accepted'; readonly entry: DirectoryEntry }
  /** These contents are in use already. */
  | { readonly result: 'known'; readonly entry: DirectoryEntry }
  | {
      readonly result: 'refused'
      readonly reason:
        | DescriptorFault
        /** No active stake stands behind it, now. */
        | 'STAKE'
        | 'OLDER'
        | 'EQUIVOCATION'
        | 'RATE'
        | 'FULL'
    }

export type DescriptorSetOptions = {
  /** Says whether a descriptor counts in this network (SPEC §10.1). @default each does, where there is no registry */
  readonly admits?: ((claim: StakeClaim) => boolean) | undefined
  /** Told of each new proof against a node. */
  readonly onEvidence?: ((evidence: Evidence) => void) | undefined
  /** Nodes. @default 20 000: ten times the relays of the largest network of this kind */
  readonly maxDescriptors?: number | undefined
  /** Bytes of all editions together. @default 16 MiB */
  readonly maxBytes?: number | undefined
}

export interface DescriptorSet {
  /** Nodes known. */
  readonly size: number
  /** Judges bytes from anywhere and takes them in if they are new and right. Never throws on them. */
  offer(bytes: Uint8Array, nowMs: number): OfferResult
  get(key: NodeKey): DirectoryEntry | undefined
  /** Iterates over all entries, or those with every role bit given. */
  entries(roles?: number): IterableIterator<DirectoryEntry>
  /** What was accepted at that time or after it, as {@link offer}'s clock had it, oldest first. */
  acceptedSince(sinceMs: number): readonly DirectoryEntry[]
  /** Forgets what has expired, and what is no longer admitted; returns how many. */
  prune(nowMs: number): number
  /** Calls back for each accepted edition, to pass it on; returns how to stop that. */
  onAccepted(listener: (entry: DirectoryEntry) => void): () => void
  /** Proofs of nodes that signed two editions under one number; at most one per node and {@link MAX_EVIDENCE}. */
  evidence(): readonly Evidence[]
}

/** Creates an empty set. */
export function createDescriptorSet(
  crypto: CryptoProvider,
  options: DescriptorSetOptions = {},
): DescriptorSet {
  const { maxDescriptors = 20_000, maxBytes = 16 * 1024 * 1024, admits = () => true } = options
  const known = new Map<NodeKey, Known>()
  const proofs = new Map<NodeKey, Evidence>()
  const listeners = new Set<(entry: DirectoryEntry) => void>()
  let totalBytes = 0

  function offer(bytes: Uint8Array, nowMs: number): OfferResult {
    const signed = readDescriptor(bytes)
    if (!signed) return refused('MALFORMED')
    const { descriptor, signature } = signed
    const fault = judgeDates(descriptor, nowMs)
    if (fault) return refused(fault)
    const key = nodeKeyOf(descriptor.nodeId)
    const old = known.get(key)
    if (old && descriptor.sequence < old.entry.descriptor.sequence) return refused('OLDER')
    if (!admits(descriptor)) return refused('STAKE')
    const isSameNumber = old?.entry.descriptor.sequence === descriptor.sequence
    if (old && isSameNumber && isSameContent(old.entry.bytes, bytes)) {
      return { result: 'known', entry: old.entry }
    }
    // What would be kept as no proof is worth no check of its signature.
    const isProofKept = !proofs.has(key) && proofs.size < MAX_EVIDENCE
    if (old && isSameNumber && !isProofKept) return refused('EQUIVOCATION')
    const rate = spend(old?.rate, nowMs)
    if (!rate) return refused('RATE')
    const grownBytes = totalBytes + bytes.length - (old?.entry.bytes.length ?? 0)
    if ((!old && known.size >= maxDescriptors) || grownBytes > maxBytes) return refused('FULL')
    if (!isSignedBy(crypto, descriptor, bytes, signature)) return refused('SIGNATURE')
    if (old && isSameNumber) {
      // SPEC §10.1: two different ones under one number are kept as evidence and the first stays in use.
      keepEvidence(proofs, { key, first: old.entry.bytes, second: bytes.slice() }, options)
      return refused('EQUIVOCATION')
    }
    const entry: DirectoryEntry = { key, descriptor, bytes: bytes.slice() }
    // At the end, so that what is new comes last.
    known.delete(key)
    known.set(key, { entry, rate, acceptedMs: nowMs })
    totalBytes = grownBytes
    for (const listener of listeners) listener(entry)
    return { result: 'accepted', entry }
  }

  function prune(nowMs: number): number {
    let count = 0
    for (const [key, { entry }] of known) {
      const isExpired = judgeDates(entry.descriptor, nowMs) === 'EXPIRED'
      if (!isExpired && admits(entry.descriptor)) continue
      known.delete(key)
      totalBytes -= entry.bytes.length
      count++
    }
    return count
  }

  return {
    get size() {
      return known.size
    },
    offer,
    get: (key) => known.get(key)?.entry,
    entries: (roles = 0) => withRoles(known.values(), roles),
    acceptedSince: (sinceMs) => freshOf(known.values(), sinceMs),
    prune,
    onAccepted(listener) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    evidence: () => [...proofs.values()],
  }
}

type Rate = { readonly editions: number; readonly atMs: number }
type Known = { readonly entry: DirectoryEntry; readonly rate: Rate; readonly acceptedMs: number }

function keepEvidence(
  proofs: Map<NodeKey, Evidence>,
  evidence: Evidence,
  { onEvidence }: DescriptorSetOptions,
): void {
  proofs.set(evidence.key, evidence)
  onEvidence?.(evidence)
}

function freshOf(known: Iterable<Known>, sinceMs: number): readonly DirectoryEntry[] {
  return Array.from(known).flatMap(({ entry, acceptedMs }) => (acceptedMs >= sinceMs ? entry : []))
}

function* withRoles(known: Iterable<Known>, roles: number): Generator<DirectoryEntry, undefined> {
  for (const { entry } of known) if ((entry.descriptor.roles & roles) === roles) yield entry
}

function refused(reason: Extract<OfferResult, { result: 'refused' }>['reason']): OfferResult {
  return { result: 'refused', reason }
}

/** A signature may be made anew over the same contents; that is no second edition. */
function isSameContent(a: Uint8Array, b: Uint8Array): boolean {
  return equalBytes(unsignedPartOf(a), unsignedPartOf(b))
}

/** Takes one edition out of a node's bucket; undefined when it is empty. */
function spend(rate: Rate | undefined, nowMs: number): Rate | undefined {
  if (!rate) return { editions: EDITION_BURST - 1, atMs: nowMs }
  const refilled = rate.editions + Math.max(0, nowMs - rate.atMs) / EDITION_INTERVAL_MS
  const editions = Math.min(EDITION_BURST, refilled) - 1
  return editions < 0 ? undefined : { editions, atMs: nowMs }
}

// Local limits (tunable).

/** Evidence is for a contract that slashes: a few suffice, and each node counts once. */
export const MAX_EVIDENCE = 64
/** A node publishes twice a day; restarts, new addresses and early key changes come on top. */
const EDITION_BURST = 6
/** One more edition in two hours: a node that comes and goes three times a day has enough (THREAT-MODEL T12). */
const EDITION_INTERVAL_MS = 7_200_000
