/**
 * Looks for a node's service proof as a stranger does (SPEC §17.6): takes the directory from a first contact, and asks the node itself, the relays that it is attached to and some
 * others. Whoever is asked sees who asks, and for whose proof.
 * @module
 */
import { equalBytes } from '@byway/protocol/base'
import type { DirectoryEntry, NetworkParameters } from '@byway/protocol/directory'
import { LINK_MESSAGE } from '@byway/protocol/wire'
import { askNode, readDirectory, type DirectoryQuery } from './ask-node.ts'

// Local limits (tunable): docs/LIMITS.md.
/** Besides the node itself and its relays. */
const OTHERS_ASKED = 8

export type ServiceProofQuery = DirectoryQuery & {
  /** A node id, 32 bytes, or a provider, 20 bytes. */
  readonly whose: Uint8Array
  /** 0 for the newest. */
  readonly epoch: number
}

/** A proof as somebody gave it, not judged; `isOwn` when it came from the node itself. */
export type FoundServiceProof = { readonly proof: Uint8Array; readonly isOwn: boolean }

/**
 * Gives what it is shown, the node's own answer first. Ends when nobody is left to ask.
 * @throws ENTRY_UNREACHABLE when no first contact answers, DIRECTORY_INCOMPLETE when stakes are given and they show too little of the active one, or the signal's reason
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
    const proof = await ask(network, entry, { ...query, provider }, signal)
    if (proof) yield { proof, isOwn: entry === own }
  }
}

/**
 * The account of a node, 20 bytes: `whose` itself where it is one; undefined for a node that the directory does not know or that takes no pay.
 * @throws ENTRY_UNREACHABLE when no first contact answers, DIRECTORY_INCOMPLETE when stakes are given and they show too little of the active one, or the signal's reason
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
  entry: DirectoryEntry,
  { provider, epoch }: { readonly provider: Uint8Array; readonly epoch: number },
  signal: AbortSignal,
): Promise<Uint8Array | undefined> {
  const question = { type: LINK_MESSAGE.PROOF_GET, requestId: 1, provider, epoch } as const
  let proof: Uint8Array | undefined
  const isAnswered = await askNode(network, entry, question, signal, (message) => {
    if (message.type !== LINK_MESSAGE.PROOF) return false
    // A view into a cell that is gone once this returns.
    proof = Uint8Array.from(message.proof)
    return true
  })
  return isAnswered && proof && proof.length > 0 ? proof : undefined
}

const PROVIDER_BYTES = 20
