/** Asks nodes a question as a stranger does: takes the directory from a first contact, dials a node for one answer. Whoever is asked sees who asks. @module */
import {
  createDescriptorSet,
  createPathNodeSet,
  offerUntilForged,
  ownersIn,
} from '@byway/protocol/directory'
import type {
  BootstrapNode,
  DescriptorSet,
  DirectoryEntry,
  NetworkParameters,
  StakeClaim,
  StakeSource,
} from '@byway/protocol/directory'
import { nodeCrypto } from '@byway/protocol/node-crypto'
import type { LinkMessage } from '@byway/protocol/wire'
import { targetOfEntry } from './circuit-source.ts'
import { createClientLink } from './client-link.ts'
import { dialTarget, targetOfBootstrap } from './dial-target.ts'
import { heldPercent, LEAST_STAKE_PERCENT } from './directory-keeper.ts'
import { clientError } from './errors.ts'
import { apartFirst } from './first-contacts.ts'
import { shuffled } from './shuffled.ts'

// Local limits (tunable): docs/LIMITS.md.
/** A dial, a greeting and an answer, of a home that is busy with all else. */
const ASK_TIMEOUT_MS = 30_000
/** A whole directory on a slow line. */
const DIRECTORY_TIMEOUT_MS = 60_000

export type DirectoryQuery = {
  readonly network: NetworkParameters
  /** The registry's stakes: nodes without one are left out. Absent where nobody was asked, and each signed descriptor counts. */
  readonly stakes?: Pick<StakeSource, 'view'> | undefined
  /** Wall clock. */
  readonly nowMs: () => number
  /** Uniform in [0, 1): in which order first contacts are asked. */
  readonly random: () => number
  readonly signal: AbortSignal
}

// Local limits (tunable): docs/LIMITS.md.
/** One alone could show only its friends. */
const CONTACTS_HEARD = 2

/**
 * What two first contacts, drawn by chance and apart from each other where the file has such, show together.
 * @throws ENTRY_UNREACHABLE when no first contact answers, DIRECTORY_INCOMPLETE when stakes are given and they show too little of the active one, or the signal's reason
 */
export async function readDirectory({
  network,
  stakes,
  nowMs,
  random,
  signal,
}: DirectoryQuery): Promise<DescriptorSet> {
  const admits = stakes && ((claim: StakeClaim): boolean => stakes.view.stakeOf(claim) > 0n)
  const set = createDescriptorSet(nodeCrypto, { admits })
  const nodes = createPathNodeSet(set, network, undefined, { ownerOf: ownersIn(stakes) })
  const heard: BootstrapNode[] = []
  const left = new Set(shuffled(network.bootstrap, random))
  while (heard.length < CONTACTS_HEARD) {
    const [contact] = apartFirst([...left], heard, (key) => nodes.get(key))
    if (!contact) break
    left.delete(contact)
    const limit = AbortSignal.any([signal, AbortSignal.timeout(DIRECTORY_TIMEOUT_MS)])
    try {
      const target = targetOfBootstrap(contact)
      const link = createClientLink(await dialTarget(network, target, limit), target.nodeId)
      try {
        const take = (some: readonly Uint8Array[]): boolean => offerUntilForged(set, some, nowMs())
        await link.fetchDirectory(0, take, limit)
        heard.push(contact)
      } finally {
        link.link.close('local')
      }
    } catch {
      signal.throwIfAborted()
    }
  }
  if (heard.length === 0)
    throw clientError('ENTRY_UNREACHABLE', { guards: network.bootstrap.length })
  const stakePercent = stakes ? heldPercent(set, stakes, nowMs()) : 100
  if (stakePercent >= LEAST_STAKE_PERCENT) return set
  throw clientError('DIRECTORY_INCOMPLETE', { descriptors: set.size, stakePercent })
}

/**
 * Sends a question over a link of its own, and gives each message to `take` until that says that the answer is whole.
 * @returns false when the node is not reached, hangs up or does not answer in time
 * @throws the signal's reason
 */
export async function askNode(
  network: NetworkParameters,
  entry: DirectoryEntry,
  question: LinkMessage,
  signal: AbortSignal,
  take: (message: LinkMessage) => boolean,
): Promise<boolean> {
  const limit = AbortSignal.any([signal, AbortSignal.timeout(ASK_TIMEOUT_MS)])
  try {
    const link = await dialTarget(network, targetOfEntry(entry), limit)
    const { promise, resolve } = Promise.withResolvers<boolean>()
    const onAbort = (): void => resolve(false)
    limit.addEventListener('abort', onAbort, { once: true })
    link.handler = {
      onCell() {},
      onMessage(message) {
        if (take(message)) resolve(true)
      },
      onClose: () => resolve(false),
    }
    try {
      link.send(question)
      return await promise
    } finally {
      limit.removeEventListener('abort', onAbort)
      link.close('local')
      signal.throwIfAborted()
    }
  } catch {
    signal.throwIfAborted()
    return false
  }
}
