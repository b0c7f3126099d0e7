/** Links to entries that stand before anybody asks for a circuit: a second guard's, and one to ask for the directory. */
import { equalBytes } from '@byway/protocol/base'
import type { BootstrapNode, NodeKey, PathNode } from '@byway/protocol/directory'
import { targetOf } from './circuit-source.ts'
import type { ClientLink } from './client-link.ts'
import { targetOfBootstrap } from './dial-target.ts'
import { clientError } from './errors.ts'
import { apartFirst } from './first-contacts.ts'
import type { GuardLinks, GuardTarget } from './guard-links.ts'

/** Keeps and gives links to entries. */
export interface EntryLinks {
  /** Keeps a second guard's link standing until the signal aborts, so that a tunnel whose guard dies moves in one round trip. */
  keepWarm(signal: AbortSignal): void
  /**
   * A link for the directory that was not asked yet, if there is one: a guard's, one that stands, or a first contact's, apart from those that were asked where the file has such a one.
   * @param turn - which of the guards is the first to be asked: one alone could hide nodes for good
   * @throws ENTRY_UNREACHABLE or the signal's reason
   */
  linkToAsk(asked: readonly ClientLink[], signal: AbortSignal, turn: number): Promise<ClientLink>
  /** A link to another guard than this one; undefined when none answers. @throws the signal's reason */
  guardBeside(guard: NodeKey, signal: AbortSignal): Promise<ClientLink | undefined>
}

export type EntryLinksDeps = {
  readonly links: Pick<GuardLinks, 'live' | 'get' | 'isResting' | 'connect'>
  /** The guards in use, the first one first. */
  readonly primary: () => readonly NodeKey[]
  readonly nodeOf: (key: NodeKey) => PathNode | undefined
  /** First contacts of the network's file, in an order of this client's own: the first of the file would meet every newcomer, and choose what it draws its guards from. */
  readonly contacts: readonly BootstrapNode[]
}

// Local limits (tunable): docs/LIMITS.md.
/** The one in use, and one to go to when it dies. */
const WARM_GUARDS = 2
/** How soon a link that was lost is made anew. */
const WARM_EVERY_MS = 3000

/** Creates it; it opens nothing by itself. */
export function createEntryLinks(deps: EntryLinksDeps): EntryLinks {
  const { links, primary, nodeOf, contacts } = deps

  function warm(signal: AbortSignal): void {
    const keys = primary()
    const standing = keys.filter((key) => links.get(key)).length
    const missing = keys.filter((key) => !links.get(key) && !links.isResting(key))
    for (const key of missing.slice(0, Math.max(0, WARM_GUARDS - standing))) {
      const node = nodeOf(key)
      // A guard that does not answer has been noted by then; there is nobody to tell.
      if (node) links.connect(targetOf(node), signal).catch(() => {})
    }
  }

  return {
    keepWarm(signal) {
      if (signal.aborted) return
      warm(signal)
      const timer = setInterval(() => warm(signal), WARM_EVERY_MS).unref()
      signal.addEventListener('abort', () => clearInterval(timer), { once: true })
    },
    async linkToAsk(asked, signal, turn) {
      const isAsked = ({ nodeId }: Pick<ClientLink, 'nodeId'>): boolean =>
        asked.some((link) => equalBytes(link.nodeId, nodeId))
      const guards = inTurn(targetsOf(primary()), turn)
      const rested = guards.filter(({ key }) => links.get(key) || !links.isResting(key))
      const first = await firstOf(rested, isAsked, signal)
      if (first) return first
      const standing = links.live.find((link) => !asked.includes(link))
      if (standing) return standing
      const strangers = apartFirst(contacts, contacts.filter(isAsked), nodeOf)
      const others = [...guards, ...strangers.map(targetOfBootstrap)]
      const any = (await firstOf(others, isAsked, signal)) ?? asked[0]
      if (any) return any
      throw clientError('ENTRY_UNREACHABLE', { guards: others.length })
    },
    guardBeside(guard, signal) {
      const others = primary().filter((key) => key !== guard)
      return firstOf(targetsOf(others), () => false, signal)
    },
  }

  function targetsOf(keys: readonly NodeKey[]): readonly GuardTarget[] {
    return keys.flatMap((key) => nodeOf(key) ?? []).map(targetOf)
  }

  /** One that hung up on being asked would be dialled again, and again be the first. */
  async function firstOf(
    targets: readonly GuardTarget[],
    isAsked: (target: GuardTarget) => boolean,
    signal: AbortSignal,
  ): Promise<ClientLink | undefined> {
    for (const target of targets) {
      if (isAsked(target)) continue
      try {
        return await links.connect(target, signal)
      } catch {
        signal.throwIfAborted()
      }
    }
    return undefined
  }
}

function inTurn<T>(items: readonly T[], turn: number): readonly T[] {
  const at = items.length > 0 ? turn % items.length : 0
  return [...items.slice(at), ...items.slice(0, at)]
}
