/**
 * Which nodes can be the last hop of a request (SPEC §10.3): the role, the port, the place, the one asked for.
 * @module
 */
import { HARD_DENIED_PORTS, PORT_PROFILES, type PortRange } from '@byway/protocol/policy'
import { EXIT_FLAG, EXIT_PROFILE, type ExitProfile, type TrafficClass } from '@byway/protocol/wire'
import type { NodeKey } from './node-key.ts'
import type { PathNode } from './path-node.ts'

export type ExitRequest = {
  /** The target's port; undefined when only names are asked for. */
  readonly port?: number | undefined
  /** ISO 3166 letters, upper case. */
  readonly country?: string | undefined
  readonly asn?: number | undefined
  /** As `cityKey` writes it. */
  readonly city?: string | undefined
  /** The one exit to use: a session's, or that of a tunnel to JOIN. */
  readonly exit?: NodeKey | undefined
  /** Needs an exit that takes this class. @default any exit */
  readonly trafficClass?: TrafficClass | undefined
  /** Needs an exit that carries datagrams. */
  readonly needsDatagrams?: boolean | undefined
  /** The one node to end at, whatever its roles: a control circuit's last hop (SPEC §15.5). The other rules then say nothing. */
  readonly controlled?: NodeKey | undefined
}

/** The names of what may be missing, in the order in which it is asked for. */
export type ExitRule = (typeof RULES)[number]

/** Returns the nodes that meet every rule, or the first rule that left none. */
export function exitsFor(
  nodes: readonly PathNode[],
  request: ExitRequest,
  extraPorts: ReadonlySet<number>,
): { readonly nodes: readonly PathNode[] } | { readonly rule: ExitRule } {
  const profiles = profilesFor(request.port, extraPorts)
  let furthest = 0
  const fitting = nodes.filter((node) => {
    const unmet = firstUnmet(node, request, profiles)
    if (unmet !== undefined) furthest = Math.max(furthest, RULES.indexOf(unmet))
    return unmet === undefined
  })
  return fitting.length > 0 ? { nodes: fitting } : { rule: RULES[furthest] ?? 'EXIT_ROLE' }
}

function firstUnmet(
  node: PathNode,
  { country, asn, city, exit, needsDatagrams, controlled, trafficClass }: ExitRequest,
  profiles: readonly ExitProfile[],
): ExitRule | undefined {
  if (controlled !== undefined) return node.key === controlled ? undefined : 'EXIT_PINNED'
  if (!node.isExit) return 'EXIT_ROLE'
  if (exit !== undefined && node.key !== exit) return 'EXIT_PINNED'
  if (!profiles.includes(node.entry.descriptor.exitProfile)) return 'EXIT_PORT'
  if (needsDatagrams === true && !carriesDatagrams(node)) return 'EXIT_DATAGRAMS'
  if (country !== undefined && node.country !== country) return 'EXIT_COUNTRY'
  if (city !== undefined && node.city !== city) return 'EXIT_CITY'
  if (asn !== undefined && !node.asns.includes(asn)) return 'EXIT_ASN'
  return trafficClass === undefined || takesClass(node, trafficClass) ? undefined : 'EXIT_CLASS'
}

/** True for an exit that takes the class, whatever it asks for it. */
export function takesClass({ isExit, entry }: PathNode, trafficClass: TrafficClass): boolean {
  return isExit && entry.descriptor.classPrices[trafficClass] !== undefined
}

/** Judged once for each request and not for each node: the profiles that open a port. */
function profilesFor(
  port: number | undefined,
  extraPorts: ReadonlySet<number>,
): readonly ExitProfile[] {
  if (port === undefined) return Object.values(EXIT_PROFILE)
  const profiles = [EXIT_PROFILE.WEB, EXIT_PROFILE.REDUCED] as const
  if (extraPorts.has(port)) return profiles
  if (holds(HARD_DENIED_PORTS, port)) return []
  return profiles.filter((profile) => holds(rangesOf(profile), port))
}

/** True when the exit's profile, or a target that the network file names, opens the port. */
export function opensPort(
  { entry }: PathNode,
  port: number,
  extraPorts: ReadonlySet<number>,
): boolean {
  return profilesFor(port, extraPorts).includes(entry.descriptor.exitProfile)
}

function rangesOf(profile: ExitProfile): readonly PortRange[] {
  return profile === EXIT_PROFILE.REDUCED ? PORT_PROFILES['tor-reduced'] : PORT_PROFILES.web
}

function holds(ranges: readonly PortRange[], port: number): boolean {
  return ranges.some(([first, last]) => first <= port && port <= last)
}

function carriesDatagrams({ entry }: PathNode): boolean {
  return (entry.descriptor.exitFlags & EXIT_FLAG.DATAGRAMS) !== 0
}

const RULES = [
  'EXIT_ROLE',
  'EXIT_PINNED',
  'EXIT_PORT',
  'EXIT_DATAGRAMS',
  'EXIT_COUNTRY',
  'EXIT_CITY',
  'EXIT_ASN',
  // Last, so that it is said only where the class is all that is missing.
  'EXIT_CLASS',
] as const
