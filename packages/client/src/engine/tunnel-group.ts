/**
 * Which streams may share a tunnel, and what a tunnel is opened for (SPEC §9.2).
 * @module
 */
import { assert } from '@byway/protocol/base'
import type { PathNode } from '@byway/protocol/directory'
import { tunnelTerms } from '@byway/protocol/wire'
import type { TrafficClass, TunnelTerms } from '@byway/protocol/wire'
import type { IsolationKey, Selection } from '../proxy/dialer.ts'
import { lastsMsOf } from './long-streams.ts'

/** What a stream asks of its tunnel. */
export type TunnelRequest = {
  readonly isolation: IsolationKey
  readonly selection: Selection
  /** Undefined for lookups and datagrams. */
  readonly port: number | undefined
  readonly needsDatagrams?: boolean | undefined
}

/** What traffic is unless somebody says otherwise. */
export const DEFAULT_CLASS: TrafficClass = 'browse'

/** Names the streams that share tunnels. Every field apart, so that no two keys run together; two classes never share one, whoever asks for them. */
export function groupKey(
  { isolation, selection, port, needsDatagrams }: TunnelRequest,
  trafficClass: TrafficClass,
): string {
  const { listener, sourceAddress, username, password, portClass } = isolation
  const wishes = [
    selection.country,
    selection.city,
    selection.asn,
    selection.session,
    selection.hops,
    trafficClass,
  ]
  return JSON.stringify([
    listener,
    sourceAddress,
    username,
    password,
    portClass,
    wishes,
    needsDatagrams === true,
    // What lasts goes to an exit that was chosen for it.
    lastsMsOf(selection, port) !== undefined,
  ])
}

/** Its exit was chosen by the class. @throws ASSERTION */
export function termsAt(path: readonly PathNode[], trafficClass: TrafficClass): TunnelTerms {
  const exit = path.at(-1)?.entry.descriptor
  const terms = exit && tunnelTerms(exit, trafficClass)
  assert(terms !== undefined, 'a path ends at an exit that takes the class')
  return terms
}
