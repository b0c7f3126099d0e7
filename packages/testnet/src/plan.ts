/**
 * Who is in a network on one machine, and where: each node has an address, an AS and a country of its own, so that every path rule of SPEC §10.3
 * holds without a switch. Without routers all are on the loopback, where 127.0.0.1 is left to the proxy and to targets; with routers they are on an
 * internet of namespaces. Starts nothing.
 */
import type { ExitTarget, NetworkParameters, PaymentParameters } from '@byway/protocol/directory'
import { TRAFFIC_CLASSES, type TrafficClass } from '@byway/protocol/wire'
import { testnetError } from './errors.ts'
import { labAddress, type NatKind } from './nat/nat-lab.ts'

/** Two relays, an exit, and an exit without a public port: with fewer some circuit has no path. */
export const LEAST_NODES = 4
/** With routers half of the nodes are behind them: one behind each kind that needs no daemon, and as many relays to attach to. */
export const LEAST_NAT_NODES = 6
/** One /16 of the loopback each, of which there are 255 besides that of the targets; a machine carries no more processes anyway. */
export const MOST_NODES = 200
export const DEFAULT_NODES = 6

/** One node to be started. */
export type NodePlan = {
  /** For people and for folders: `node-1` … */
  readonly name: string
  /** Where it listens; undefined for a node that is not told an address. */
  readonly host: string | undefined
  /** The router that it stands behind; undefined without one. */
  readonly nat: NatKind | undefined
  readonly isExit: boolean
  /** The traffic classes that it takes; none at a relay. */
  readonly classes: readonly TrafficClass[]
  /** Whether it has coin to pay for gas in a paid network. The others' wins are sent by redeemers. */
  readonly hasGas: boolean
  /** Whether it sends others' claims for a fee. */
  readonly isRedeemer: boolean
  readonly country: string
  readonly asn: number
  /** Which account puts its stake down in a paid network: its own, by its number, or that of the first with the same owner. */
  readonly staker: number
}

export type NetworkPlan = {
  /** Still without first contacts: {@link withBootstrap} names the first node once its port is known. */
  readonly network: NetworkParameters
  /** In the order in which they start. The first is the first contact, the last the exit without a public port. */
  readonly nodes: readonly NodePlan[]
}

export type PlanOptions = {
  /** @default 6 */
  readonly nodes?: number | undefined
  /** Loopback origins that the exits may reach. @default none */
  readonly exitTargets?: readonly ExitTarget[] | undefined
  /** The kinds of routers behind which the last half of the nodes stands, in turn. @default no routers */
  readonly routers?: readonly NatKind[] | undefined
  /** How the network is paid. @default it is not */
  readonly payment?: PaymentParameters | undefined
  /** The last so many nodes have no coin for gas. @default 1 */
  readonly nodesWithoutGas?: number | undefined
  /** The first so many exits take the class collect beside browse. @default 0 */
  readonly collectors?: number | undefined
  /** Numbers of nodes, from 1, that have one owner. @default each has one of its own */
  readonly oneOwner?: readonly number[] | undefined
}

/**
 * Plans a network: a third of the nodes are exits with a port, the last is an exit without one, the others are relays and redeem for others. With routers the last half
 * is behind them, all exits but those behind `upnp`, and so is a sixth of those that are not behind any.
 * @throws TESTNET_SIZE
 */
export function planNetwork(options: PlanOptions = {}): NetworkPlan {
  const { nodes: count = DEFAULT_NODES, nodesWithoutGas = 1, routers = [] } = options
  const { collectors = 0, oneOwner = [] } = options
  const least = routers.length > 0 ? LEAST_NAT_NODES : LEAST_NODES
  if (!Number.isInteger(count) || count < least || count > MOST_NODES) {
    throw testnetError('TESTNET_SIZE', { nodes: count, least, most: MOST_NODES })
  }
  const [behind, exits] =
    routers.length > 0 ? [Math.floor(count / 2), count / 6] : [1, Math.max(1, count / 3)]
  const firstBehind = count - behind
  const firstExit = firstBehind - Math.floor(exits)
  const nodes = Array.from({ length: count }, (_, index): NodePlan => {
    const isBehind = index >= firstBehind
    const nat = isBehind ? routers[(index - firstBehind) % routers.length] : undefined
    const isExit = index >= firstExit && nat !== 'upnp'
    const isCollector = index < firstExit + collectors
    return {
      name: `node-${index + 1}`,
      host: isBehind ? undefined : hostOf(index, options),
      nat,
      isExit,
      classes: isExit ? (isCollector ? TRAFFIC_CLASSES : ['browse']) : [],
      hasGas: index < count - nodesWithoutGas,
      isRedeemer: index < firstExit,
      country: countryOf(index),
      asn: asnOf(index),
      staker: oneOwner.includes(index + 1) ? Math.min(...oneOwner) : index + 1,
    }
  })
  return { network: networkOf(nodes, options), nodes }
}

/** The same network with its first contact. */
export function withBootstrap(
  network: NetworkParameters,
  contact: NetworkParameters['bootstrap'][number],
): NetworkParameters {
  return { ...network, bootstrap: [contact] }
}

function networkOf(nodes: readonly NodePlan[], options: PlanOptions): NetworkParameters {
  const { exitTargets = [], routers = [], payment } = options
  return {
    name: 'testnet',
    local: true,
    reachablePrefixes: routers.length > 0 ? [] : ['127.0.0.0/8'],
    // A router's address is its home's.
    asnTable: nodes.flatMap(({ host, nat, asn, country }, index) => {
      const prefix = hostOf(index, options).replace(/\.0\.1$/, '.0.0/16')
      return host === undefined && nat === undefined ? [] : [{ prefix, asn, country }]
    }),
    bootstrap: [],
    exitTargets,
    payment,
  }
}

function hostOf(index: number, { routers = [] }: PlanOptions): string {
  return routers.length > 0 ? labAddress(index + 1) : `127.${index + 1}.0.1`
}

function asnOf(index: number): number {
  return FIRST_ASN + index
}

function countryOf(index: number): string {
  return COUNTRIES[index % COUNTRIES.length] ?? 'DE'
}

/** RFC 6996: AS numbers for private use begin here. */
const FIRST_ASN = 64_512
/** In a network of twenty each node can be asked for by its country. */
const COUNTRIES = 'DE SE NL FR US JP BR CA PL AU IT ES GB AT CH NO FI DK CZ IE'.split(' ')
