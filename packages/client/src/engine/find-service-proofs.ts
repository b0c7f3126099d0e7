/**
 * Looks for a node's service proof as a stranger does (SPEC §17.6): takes the directory from a first contact, and asks the node itself, the relays that it is attached to and some
 * others. Whoever is asked sees who asks, and for whose proof.
 * @module
 */
import { createDescriptorSet } from '@byway/protocol/directory'
import type { DescriptorSet, DirectoryEntry, NetworkParameters } from '@byway/protocol/directory'
import { equalBytes } from '@byway/protocol/base'
import { nodeCrypto } from '@byway/protocol/node-crypto'
import { LINK_MESSAGE } from '@byway/protocol/wire'
import { targetOfEntry } from './circuit-source.ts'
import { createClientLink } from './client-link.ts'
import { dialTarget, targetOfBootstrap } from './dial-target.ts'
import { clientError } from './errors.ts'
import type { GuardTarget } from './guard-links.ts'

// Local limits (tunable): docs/LIMITS.md.
/** A dial, a greeting and an answer, of a home that is busy with all else. */
const ASK_TIMEOUT_MS = 30_000
/** A whole directory on a slow line. */
const DIRECTORY_TIMEOUT_MS = 60_000
/** Besides the node itself and its relays. */
const OTHERS_ASKED = 8

export type ServiceProofQuery = {
  readonly network: NetworkParameters
  /** A node id, 32 bytes, or a provider, 20 bytes. */
  readonly whose: Uint8Array
  /** 0 for the newest. */
  readonly epoch: number
  /** In [0, 1). */
  readonly random: () => number
  /** Wall clock. */
  readonly nowMs: () => number
  readonly signal: AbortSignal
}

/** A proof as somebody gave it, not judged; `isOwn` when it came from the node itself. */
export type FoundServiceProof = { readonly proof: Uint8Array; readonly isOwn: boolean }

/**
 * Gives what it is shown, the node's own answer first. Ends when nobody is left to ask.
 * @throws ENTRY_UNREACHABLE when no first contact answers, or the signal's reason
 */
export async function* findServiceProofs(
  query: ServiceProofQuery,
): AsyncGenerator<FoundServiceProof> {
  const { network, whose, random, signal } = query
  const set = await readDirectory(query)
  const entries = [...set.entries()]
  const own = entryOf(entries, whose)
  const provider = whose.length === PROVIDER_BYTES ? whose : own?.descriptor.provider
  // Nobody knows a name that is neither in the directory nor an account.
  if (!provider) return
  for (const entry of askedOf(own, entries, random)) {
    const proof = await ask(network, targetOfEntry(entry), { ...query, provider }, signal)
    if (proof) yield { proof, isOwn: entry === own }
  }
}

/**
 * The account of a node, 20 bytes: `whose` itself where it is one; undefined for a node that the directory does not know or that takes no pay.
 * @throws ENTRY_UNREACHABLE when no first contact answers, or the signal's reason
 */
export async function findProviderOf(
  query: DirectoryQuery & Pick<ServiceProofQuery, 'whose'>,
): Promise<Uint8Array | undefined> {
  const { whose } = query
  if (whose.length === PROVIDER_BYTES) return whose
  return entryOf([...(await readDirectory(query)).entries()], whose)?.descriptor.provider
}

function entryOf(
  entries: readonly DirectoryEntry[],
  whose: Uint8Array,
): DirectoryEntry | undefined {
  return entries.find(({ descriptor: { nodeId, provider } }) =>
    [nodeId, provider].some((each) => each && equalBytes(each, whose)),
  )
}

type DirectoryQuery = Pick<ServiceProofQuery, 'network' | 'nowMs' | 'signal'>

async function readDirectory({ network, nowMs, signal }: DirectoryQuery): Promise<DescriptorSet> {
  const set = createDescriptorSet(nodeCrypto)
  for (const contact of network.bootstrap) {
    const limit = AbortSignal.any([signal, AbortSignal.timeout(DIRECTORY_TIMEOUT_MS)])
    try {
      const target = targetOfBootstrap(contact)
      const link = createClientLink(await dialTarget(network, target, limit), target.nodeId)
      try {
        const take = (some: readonly Uint8Array[]): void => {
          for (const bytes of some) set.offer(bytes, nowMs())
        }
        await link.fetchDirectory(0, take, limit)
        return set
      } finally {
        link.link.close('local')
      }
    } catch {
      signal.throwIfAborted()
    }
  }
  throw clientError('ENTRY_UNREACHABLE', { guards: network.bootstrap.length })
}

/** The node, those through which it is reached, and some with which it may have left its proof. */
function askedOf(
  own: DirectoryEntry | undefined,
  entries: readonly DirectoryEntry[],
  random: () => number,
): readonly DirectoryEntry[] {
  const attachments = own?.descriptor.attachments ?? []
  const relays = entries.filter(({ descriptor: { nodeId } }) =>
    attachments.some((each) => equalBytes(each, nodeId)),
  )
  const others = entries
    .filter((entry) => entry !== own && !relays.includes(entry))
    .map((entry) => ({ entry, place: random() }))
    .toSorted((a, b) => a.place - b.place)
    .slice(0, OTHERS_ASKED)
    .map(({ entry }) => entry)
  return [...(own ? [own] : []), ...relays, ...others].filter(
    ({ descriptor }) => descriptor.addresses.length > 0,
  )
}

/** Undefined when it has none, or does not answer. */
async function ask(
  network: NetworkParameters,
  target: GuardTarget,
  { provider, epoch }: { readonly provider: Uint8Array; readonly epoch: number },
  signal: AbortSignal,
): Promise<Uint8Array | undefined> {
  const limit = AbortSignal.any([signal, AbortSignal.timeout(ASK_TIMEOUT_MS)])
  try {
    const link = await dialTarget(network, target, limit)
    const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>()
    const onAbort = (): void => reject(limit.reason as Error)
    limit.addEventListener('abort', onAbort, { once: true })
    link.handler = {
      onCell() {},
      onMessage(message) {
        // A view into a cell that is gone once this returns.
        if (message.type === LINK_MESSAGE.PROOF) resolve(Uint8Array.from(message.proof))
      },
      onClose: () => resolve(new Uint8Array(0)),
    }
    try {
      link.send({ type: LINK_MESSAGE.PROOF_GET, requestId: 1, provider, epoch })
      const proof = await promise
      return proof.length > 0 ? proof : undefined
    } finally {
      limit.removeEventListener('abort', onAbort)
      link.close('local')
    }
  } catch {
    signal.throwIfAborted()
    return undefined
  }
}

const PROVIDER_BYTES = 20
