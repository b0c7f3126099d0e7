/** Asks nodes a question as a stranger does: takes the directory from a first contact, dials a node for one answer. Whoever is asked sees who asks. @module */
import { createDescriptorSet, offerUntilForged } from '@byway/protocol/directory'
import type {
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
import { clientError } from './errors.ts'

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
  readonly signal: AbortSignal
}

/** @throws ENTRY_UNREACHABLE when no first contact answers, or the signal's reason */
export async function readDirectory({
  network,
  stakes,
  nowMs,
  signal,
}: DirectoryQuery): Promise<DescriptorSet> {
  const admits = stakes && ((claim: StakeClaim): boolean => stakes.view.stakeOf(claim) > 0n)
  const set = createDescriptorSet(nodeCrypto, { admits })
  for (const contact of network.bootstrap) {
    const limit = AbortSignal.any([signal, AbortSignal.timeout(DIRECTORY_TIMEOUT_MS)])
    try {
      const target = targetOfBootstrap(contact)
      const link = createClientLink(await dialTarget(network, target, limit), target.nodeId)
      try {
        const take = (some: readonly Uint8Array[]): boolean => offerUntilForged(set, some, nowMs())
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
