/**
 * How a node gets its links: listens, dials what the policy allows, and gives each link to the roles that use it.
 * @module
 */
import type { NetworkParameters } from '@byway/protocol/directory'
import { toIpAddress, toIpBytes } from '@byway/protocol/directory'
import type { Link } from '@byway/protocol/link'
import { nodeCrypto } from '@byway/protocol/node-crypto'
import { formatAddress, parseAddress } from '@byway/protocol/policy'
import type { PolicyContext } from '@byway/protocol/policy'
import { LINK_MESSAGE, REACH_RESULT } from '@byway/protocol/wire'
import type { LinkMessage, PayMessage, ReachResult, SocketAddressBytes } from '@byway/protocol/wire'
import { createLinkListener, DEFAULT_ADMISSION_LIMITS } from '@byway/net'
import type { AdmissionLimits, LinkIdentity, LinkListener } from '@byway/net'
import { createDialler } from './dialler.ts'
import type { DirectoryService } from './directory/directory-service.ts'
import { nodeError } from './errors.ts'
import type { LinkTable } from './link-table.ts'
import type { ProofLinks } from './redemption/proof-links.ts'
import type { RedeemLinks, RedeemMessage } from './redemption/redeem-links.ts'
import type { Arrivals } from './reach/arrivals.ts'
import type { ReachLinks } from './reach/reach-links.ts'
import type { RecordLinks } from './record/record-links.ts'
import { tryToReach } from './reach/trial.ts'
import type { Relay } from './relay/relay.ts'
import type { Serving } from './serving.ts'
import type { SeenAddresses } from './seen-addresses.ts'

export type NodeLinksDeps = {
  readonly network: NetworkParameters
  readonly table: () => LinkTable
  readonly relay: Relay
  readonly directory: DirectoryService
  readonly seen: SeenAddresses
  readonly linkIdentity: () => LinkIdentity
  /** What this host knows of its own network: a node does not dial into it. */
  readonly policyContext: () => PolicyContext
  /** Aborts when the node stops. */
  readonly stopped: AbortSignal
  readonly onLinkClosed: () => void
  readonly serving: Pick<Serving, 'tellNew'>
  /** Absent in an unpaid network, where PAY breaks a rule. */
  readonly money?: LinkMoney | undefined
  /** The same for the orders of SPEC §15.7. */
  readonly redeem?: RedeemLinks | undefined
  /** The same for service proofs (SPEC §17.6). */
  readonly proofs?: ProofLinks | undefined
  /** The same for the exit record (SPEC §10.6). */
  readonly record?: RecordLinks | undefined
  readonly reach: () => ReachLinks
  /** Told of each link that somebody made to this node. */
  readonly arrivals: Pick<Arrivals, 'note'>
}

/** What payment adds to the links of clients (SPEC §15.1). */
export interface LinkMoney {
  /** A client has come, from an address with this prefix. Called before the link is given to the relay role. */
  openLink(link: Link, prefix: string): void
  onPay(link: Link, pay: PayMessage): void
  closeLink(link: Link): void
}

/** The node's way to its neighbours. */
export interface NodeLinks {
  /** Listens and returns the port. @throws NET_LISTEN */
  listen(host: string, port: number): Promise<number>
  /** Dials the addresses of a descriptor in turn. @throws NODE_UNREACHABLE, or the last dial's error */
  dial(
    nodeId: Uint8Array,
    addresses: readonly SocketAddressBytes[],
    signal: AbortSignal,
  ): Promise<Link>
  /** Dials a neighbour's port at the address from which its link comes, and hangs up. Never rejects. */
  probe(link: Link, port: number, signal: AbortSignal): Promise<ReachResult>
  /** Dials a node at an address that it names, and hangs up; true when it proved who it is. Never rejects. */
  knock(nodeId: Uint8Array, address: SocketAddressBytes): Promise<boolean>
  /** Closes the listener and every link. */
  close(): Promise<void>
}

/** All nodes and clients of a network on one machine come from one address: what a stranger's address is held to would shut out all of them for a day. */
const LOCAL_ADMISSION: Partial<AdmissionLimits> = {
  linksPerAddress: DEFAULT_ADMISSION_LIMITS.links,
  // Some places are left for others, as in every network.
  halfOpenPerAddress: 200,
  connectsPerS: 1000,
  connectBurst: 5000,
}

/** Creates the links of one node. */
export function createNodeLinks(deps: NodeLinksDeps): NodeLinks {
  const dialOne = createDialler(deps)
  let listener: LinkListener | undefined
  const remoteOf = new WeakMap<Link, string>()

  function take(link: Link, address: string, isDialled: boolean): void {
    remoteOf.set(link, address)
    if (!isDialled) deps.arrivals.note(link)
    if (!isDialled && link.peer.role === 'client') deps.money?.openLink(link, prefixOfText(address))
    const relay = deps.relay.attach(link, address)
    deps.table().add(link)
    link.handler = {
      onCell: (circuitId, cell, nowMs) => relay.onCell(circuitId, cell, nowMs),
      onMessage: (message) => onMessage(deps, link, message, isDialled),
      onClose: (reason) => {
        deps.table().remove(link)
        relay.onLinkClosed(reason)
        forgetLink(deps, link)
      },
    }
    if (link.peer.role === 'node') deps.directory.onNodeLink(link, isDialled)
    deps.serving.tellNew(link)
  }

  return {
    async listen(host, port) {
      listener = createLinkListener(
        {
          crypto: nodeCrypto,
          identity: deps.linkIdentity,
          onLink: (link, address) => take(link, unmapped(address), false),
        },
        { host, port, limits: deps.network.local ? LOCAL_ADMISSION : undefined },
      )
      return await listener.listen()
    },
    async dial(nodeId, addresses, signal) {
      let lastError: unknown = nodeError('NODE_UNREACHABLE', {})
      for (const address of addresses) {
        try {
          const host = formatAddress(toIpAddress(address))
          const link = await dialOne({ nodeId, host, port: address.port }, signal)
          take(link, host, true)
          return link
        } catch (error) {
          signal.throwIfAborted()
          lastError = error
        }
      }
      throw lastError
    },
    async probe(link, port, signal) {
      const host = remoteOf.get(link)
      const { peer } = link
      if (host === undefined || peer.role !== 'node') return REACH_RESULT.UNTRIED
      return await tryToReach(dialOne, { nodeId: peer.nodeId, host, port }, signal)
    },
    async knock(nodeId, address) {
      const target = { nodeId, host: formatAddress(toIpAddress(address)), port: address.port }
      const result = await tryToReach(dialOne, target, deps.stopped)
      return result === REACH_RESULT.REACHED
    },
    async close() {
      for (const link of deps.table().links) link.close('local')
      await listener?.[Symbol.asyncDispose]()
    },
  }
}

/** Tells everybody but the relay role that a link is gone. */
function forgetLink(deps: NodeLinksDeps, link: Link): void {
  deps.money?.closeLink(link)
  deps.redeem?.onLinkClosed(link)
  deps.reach().onLinkClosed(link)
  deps.directory.onLinkClosed(link)
  deps.seen.forget(link)
  deps.onLinkClosed()
}

function onMessage(
  { directory, seen, money, redeem, proofs, record, reach }: NodeLinksDeps,
  link: Link,
  message: LinkMessage,
  isDialled: boolean,
): void {
  if (message.type === LINK_MESSAGE.PAY) takePay(money, link, message.pay)
  else if (message.type === LINK_MESSAGE.REDEEM || message.type === LINK_MESSAGE.REDEEMED)
    takeRedeem(redeem, link, message)
  else if (message.type === LINK_MESSAGE.PROOF_GET || message.type === LINK_MESSAGE.PROOF)
    if (proofs) proofs.onMessage(link, message)
    else link.close('protocol')
  else if (message.type === LINK_MESSAGE.REACH || message.type === LINK_MESSAGE.REACHED)
    reach().onMessage(link, message)
  else if (message.type === LINK_MESSAGE.RECORD_GET || message.type === LINK_MESSAGE.RECORD)
    if (record) record.onMessage(link, message)
    else link.close('protocol')
  // SPEC §4.4: a listener sends NETINFO. Who dialled us may say anything about our address.
  else if (message.type !== LINK_MESSAGE.NETINFO) directory.onMessage(link, message)
  else if (isDialled) seen.note(link, message.address)
}

/** SPEC §15.1: a node never takes PAY on a node link. */
function takePay(money: LinkMoney | undefined, link: Link, pay: PayMessage): void {
  if (money && link.peer.role === 'client') money.onPay(link, pay)
  else link.close('protocol')
}

/** SPEC §15.7: nodes only, and only where nodes are paid. */
function takeRedeem(redeem: RedeemLinks | undefined, link: Link, message: RedeemMessage): void {
  if (redeem && link.peer.role === 'node') redeem.onMessage(link, message)
  else link.close('protocol')
}

/** A socket for both families writes IPv4 addresses as IPv6's. */
function unmapped(address: string): string {
  return address.replace(/^::ffff:/, '')
}

/** Names the /24 or /48 of an address (SPEC §15.3). */
function prefixOfText(address: string): string {
  const ip = parseAddress(address)
  if (!ip) return ''
  const { family, bytes } = toIpBytes(ip)
  return bytes.subarray(0, family === 4 ? 3 : 6).join('.')
}
