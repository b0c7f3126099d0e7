/**
 * Who is in a network on one machine, and where: each node has an address, an AS and a country of its own, so that every path rule of SPEC §10.3
 * holds without a switch. 127.0.0.1 is left to the proxy and to targets. Starts nothing.
 */
import type { ExitTarget, NetworkParameters, PaymentParameters } from '@byway/protocol/directory'
import { testnetError } from './errors.ts'

/** Two relays, an exit, and an exit without a public port: with fewer some circuit has no path. */
export const LEAST_NODES = 4
/** One /16 of the loopback each, of which there are 255 besides that of the targets; a machine carries no more processes anyway. */
export const MOST_NODES = 200
export const DEFAULT_NODES = 6

/** One node to be started. */
export type NodePlan = {
  /** For people and for folders: `node-1` … */
  readonly name: string
  /** Undefined for the node that is reached by its attachments. */
  readonly host: string | undefined
  readonly isExit: boolean
  /** Whether it has coin to pay for gas in a paid network. The others' wins are sent by redeemers. */
  readonly hasGas: boolean
  /** Whether it sends others' claims for a fee. */
  readonly isRedeemer: boolean
  readonly country: string
  readonly asn: number
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
  /** How the network is paid. @default it is not */
  readonly payment?: PaymentParameters | undefined
  /** The last so many nodes have no coin for gas. @default 1 */
  readonly nodesWithoutGas?: number | undefined
}

/**
 * Plans a network: a third of the nodes are exits with a port, the last is an exit without one, the others are relays and redeem for others.
 * @throws TESTNET_SIZE
 */
export function planNetwork(options: PlanOptions = {}): NetworkPlan {
  const { nodes: count = DEFAULT_NODES, nodesWithoutGas = 1 } = options
  if (!Number.isInteger(count) || count < LEAST_NODES || count > MOST_NODES) {
    throw testnetError('TESTNET_SIZE', { nodes: count, least: LEAST_NODES, most: MOST_NODES })
  }
  const firstExit = count - 1 - Math.max(1, Math.floor(count / 3))
  const nodes = Array.from({ length: count }, (_, index): NodePlan => {
    const hasPort = index < count - 1
    return {
      name: `node-${index + 1}`,
      host: hasPort ? hostOf(index) : undefined,
      isExit: index >= firstExit,
      hasGas: index < count - nodesWithoutGas,
      isRedeemer: index < firstExit,
      country: countryOf(index),
      asn: asnOf(index),
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

function networkOf(
  nodes: readonly NodePlan[],
  { exitTargets = [], payment }: PlanOptions,
): NetworkParameters {
  return {
    name: 'testnet',
    local: true,
    reachablePrefixes: ['127.0.0.0/8'],
    asnTable: nodes.flatMap(({ host, asn, country }) =>
      host === undefined ? [] : [{ prefix: host.replace(/\.0\.1$/, '.0.0/16'), asn, country }],
    ),
    bootstrap: [],
    exitTargets,
    payment,
  }
}

function hostOf(index: number): string {
  return `127.${index + 1}.0.1`
}

function asnOf(index: number): number {
  return FIRST_ASN + index
}

function countryOf(index: number): string {
  return COUNTRIES[index % COUNTRIES.length] ?? 'DE'
}

/** RFC 6996: AS numbers for private use begin here. */
const FIRST_ASN = 64_512
const COUNTRIES = ['DE', 'SE', 'NL', 'FR', 'US', 'JP', 'BR', 'CA', 'PL', 'AU'] as const
