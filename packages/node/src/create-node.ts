/**
 * The node: links, relay role, exit role, directory and attachments put together (DESIGN §8). This is the only place of the package where they are wired; what
 * each does is in its own file.
 * @module
 */
import { randomBytes } from 'node:crypto'
import { NO_LOG } from '@byway/protocol/base'
import type { Logger } from '@byway/protocol/base'
import { createHopBuild, createOnionKeys } from '@byway/protocol/circuit'
import type { OnionKeys } from '@byway/protocol/circuit'
import type { SigningKeyPair } from '@byway/protocol/crypto'
import {
  createAsnTable,
  createDescriptorSet,
  createPathNodeSet,
  mayShareCircuit,
  nodeKeyOf,
  toIpAddress,
  toIpBytes,
} from '@byway/protocol/directory'
import type { DescriptorSet, DirectoryEntry, NetworkParameters } from '@byway/protocol/directory'
import type { Link } from '@byway/protocol/link'
import { nodeCrypto } from '@byway/protocol/node-crypto'
import {
  EMPTY_CONTEXT,
  formatAddress,
  judgeDial,
  parseAddress,
  parseCidr,
} from '@byway/protocol/policy'
import { CLOSE_REASON, EXIT_FLAG, EXIT_PROFILE, LINK_MESSAGE, ROLE } from '@byway/protocol/wire'
import type { CloseReason, SocketAddressBytes } from '@byway/protocol/wire'
import { createLinkListener, dialLink, issueLinkIdentity } from '@byway/net'
import type { LinkIdentity, LinkListener } from '@byway/net'
import { createAttachments } from './attachments.ts'
import type { Attachments } from './attachments.ts'
import { createDirectoryService } from './directory/directory-service.ts'
import type { DirectoryService } from './directory/directory-service.ts'
import { createDescriptorMaker } from './directory/own-descriptor.ts'
import type { DescriptorMaker } from './directory/own-descriptor.ts'
import { nodeError } from './errors.ts'
import { assembleExit } from './exit/assemble-exit.ts'
import type { ExitRole, ExitRoleOptions } from './exit/assemble-exit.ts'
import { loadIdentity } from './identity-store.ts'
import { createLinkTable } from './link-table.ts'
import type { LinkTable } from './link-table.ts'
import { createMemoryGuard } from './memory-guard.ts'
import type { MemoryGuard } from './memory-guard.ts'
import type { TerminalService } from './relay/ports.ts'
import { createRelay } from './relay/relay.ts'
import type { Relay } from './relay/relay.ts'
import { createSeenAddresses } from './seen-addresses.ts'
import type { SeenAddresses } from './seen-addresses.ts'

/** Where a node listens or is reached. */
export type SocketAddress = { readonly host: string; readonly port: number }

export type NodeOptions = {
  readonly network: NetworkParameters
  /** Folder of the identity. */
  readonly home: string
  /** Where to listen for links; without it the node has no public port and attaches to relays. */
  readonly listen?: SocketAddress | undefined
  /** What to publish when it differs from where the node listens. */
  readonly advertise?: SocketAddress | undefined
  /** Set only with the operator's consent on record: the caller has checked it. */
  readonly exit?: ExitRoleOptions | undefined
  /** ISO 3166 letters. @default what the network's table says of the address */
  readonly country?: string | undefined
  readonly asn?: number | undefined
  readonly log?: Logger | undefined
}

/** Numbers only: no address, no peer. */
export type NodeStatus = {
  readonly links: number
  readonly circuits: number
  readonly tunnels: number
  readonly descriptors: number
  readonly attachments: number
  readonly forwardBytes: number
  readonly backwardBytes: number
  readonly exitSockets: number
}

/** A node. */
export interface RunningNode extends AsyncDisposable {
  /** Known after `start`. */
  readonly nodeId: Uint8Array
  readonly listen: SocketAddress | undefined
  /** Resolves when the node listens, or is attached, and has published its descriptor. @throws NET_LISTEN, NODE_EXIT_UNSAFE, NODE_NOT_ATTACHED */
  start(signal: AbortSignal): Promise<void>
  status(): NodeStatus
  /** Refuses new circuits and lets live ones end, at most this long. */
  drain(seconds: number): Promise<void>
}

// Local limits (tunable): docs/LIMITS.md.
/** Keys are looked at this often; they are replaced when they are due. */
const KEY_CHECK_MS = 60_000
/** A link key is replaced after half of its 48 h (SPEC §2). */
const LINK_KEY_LIFE_S = 48 * 3600
const START_TIMEOUT_MS = 15_000

/** Creates a node; `start` sets it going. */
export function createNode(options: NodeOptions): RunningNode {
  return new Engine(options)
}

class Engine implements RunningNode {
  nodeId: Uint8Array = new Uint8Array(0)
  listen: SocketAddress | undefined
  readonly #options: NodeOptions
  readonly #log: Logger
  readonly #set: DescriptorSet
  readonly #links: LinkTable
  readonly #directory: DirectoryService
  readonly #seen: SeenAddresses = createSeenAddresses()
  readonly #guard: MemoryGuard = createMemoryGuard({ circuits: () => this.#relay?.circuits ?? [] })
  readonly #stop = new AbortController()
  #identity: SigningKeyPair | undefined
  #linkIdentity: LinkIdentity | undefined
  #linkIdentityAtS = 0
  #onionKeys: OnionKeys | undefined
  #maker: DescriptorMaker | undefined
  #own: Uint8Array | undefined
  #relay: Relay | undefined
  #exit: ExitRole | undefined
  #listener: LinkListener | undefined
  #attachments: Attachments | undefined
  #keyTimer: NodeJS.Timeout | undefined
  #isDraining = false
  #pastForwardBytes = 0
  #pastBackwardBytes = 0

  constructor(options: NodeOptions) {
    this.#options = options
    this.#log = options.log ?? NO_LOG
    this.#set = createDescriptorSet(nodeCrypto)
    this.#links = createLinkTable({
      find: (nodeId) => this.#set.get(nodeKeyOf(nodeId))?.descriptor,
      dial: (descriptor, signal) => this.#dial(descriptor.nodeId, descriptor.addresses, signal),
    })
    this.#directory = createDirectoryService({
      set: this.#set,
      nodeLinks: () => [...this.#links.links].filter((link) => link.peer.role === 'node'),
      own: () => this.#own,
      nowMs: () => Date.now(),
    })
  }

  async start(signal: AbortSignal): Promise<void> {
    const { home, listen, exit } = this.#options
    const identity = nodeCrypto.ed25519KeyPair(await loadIdentity(home))
    this.#identity = identity
    this.nodeId = identity.publicKey
    this.#maker = createDescriptorMaker(nodeCrypto, identity)
    this.#onionKeys = createOnionKeys(
      { provider: nodeCrypto, nodeId: this.nodeId, randomBytes },
      Date.now(),
    )
    if (exit) this.#exit = await this.#startExit(exit)
    this.#relay = this.#createRelay(this.#onionKeys)
    if (listen) await this.#startListening(listen)
    await this.#joinNetwork(AbortSignal.any([signal, AbortSignal.timeout(START_TIMEOUT_MS)]))
    this.#keyTimer = setInterval(() => this.#rotateKeys(), KEY_CHECK_MS)
    this.#keyTimer.unref()
    this.#guard.start()
    this.#log.info('node ready', { nodes: this.#set.size, role: exit ? 'exit' : 'relay' })
  }

  status(): NodeStatus {
    const circuits = [...(this.#relay?.circuits ?? [])]
    const exit = this.#exit?.service.status()
    return {
      links: this.#links.links.size,
      circuits: circuits.length,
      tunnels: exit?.tunnels ?? 0,
      descriptors: this.#set.size,
      attachments: this.#attachments?.liveCount ?? 0,
      forwardBytes: circuits.reduce(
        (sum, { forwardBytes }) => sum + forwardBytes,
        this.#pastForwardBytes,
      ),
      backwardBytes: circuits.reduce(
        (sum, { backwardBytes }) => sum + backwardBytes,
        this.#pastBackwardBytes,
      ),
      exitSockets: exit?.sockets ?? 0,
    }
  }

  async drain(seconds: number): Promise<void> {
    this.#isDraining = true
    for (const link of this.#links.links) link.send({ type: LINK_MESSAGE.DRAIN, seconds })
    this.#exit?.service.drain(seconds)
    const deadline = AbortSignal.any([this.#stop.signal, AbortSignal.timeout(seconds * 1000)])
    while (!deadline.aborted && (this.#relay?.circuits.size ?? 0) > 0) await tick(deadline)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort()
    clearInterval(this.#keyTimer)
    this.#attachments?.stop()
    this.#relay?.closeAll(CLOSE_REASON.DRAINING)
    this.#guard.stop()
    this.#exit?.service.closeAll(CLOSE_REASON.DRAINING)
    await this.#exit?.ownNetwork[Symbol.asyncDispose]()
    for (const link of this.#links.links) link.close('local')
    await this.#listener?.[Symbol.asyncDispose]()
  }

  #startExit(options: ExitRoleOptions): Promise<ExitRole> {
    return assembleExit(
      {
        network: this.#options.network,
        directory: this.#set,
        accountant: this.#guard.accountant,
        seenAddresses: () => this.#seen.agreed(),
        nowMs: () => performance.now(),
        log: this.#log.child('exit'),
      },
      options,
    )
  }

  #createRelay(onionKeys: OnionKeys): Relay {
    const build = createHopBuild({
      provider: nodeCrypto,
      randomBytes,
      nodeId: this.nodeId,
      onionKeys,
      descriptor: () => this.#own ?? new Uint8Array(0),
      preferAes: true,
    })
    const terminals: TerminalService = this.#exit?.service ?? {
      accept: () => CLOSE_REASON.NOT_EXIT,
    }
    return createRelay({
      provider: nodeCrypto,
      build,
      nextHops: this.#links,
      terminals,
      nowMs: () => performance.now(),
      wallMs: () => Date.now(),
      refuses: () => this.#refusal(),
      onCircuitClosed: ({ forwardBytes, backwardBytes }) => {
        this.#pastForwardBytes += forwardBytes
        this.#pastBackwardBytes += backwardBytes
      },
    })
  }

  #refusal(): CloseReason | undefined {
    if (this.#isDraining) return CLOSE_REASON.DRAINING
    return this.#guard.accountant.underPressure ? CLOSE_REASON.RESOURCE_LIMIT : undefined
  }

  async #startListening(listen: SocketAddress): Promise<void> {
    const listener = createLinkListener(
      {
        crypto: nodeCrypto,
        identity: () => this.#currentLinkIdentity(),
        onLink: (link) => this.#onLink(link, false),
      },
      listen,
    )
    this.#listener = listener
    this.listen = { host: listen.host, port: await listener.listen() }
  }

  /** Meets the first contacts; a node without a public port also waits until it is attached. */
  async #joinNetwork(signal: AbortSignal): Promise<void> {
    if (this.listen) this.#publish([])
    const { bootstrap } = this.#options.network
    const own = nodeKeyOf(this.nodeId)
    const contacts = bootstrap.filter(({ nodeId }) => nodeKeyOf(nodeId) !== own)
    await Promise.allSettled(contacts.map((contact) => this.#meet(contact, signal)))
    if (this.listen) return
    const attachments = createAttachments({
      relays: () => this.#attachableRelays(),
      linkOf: (nodeId) => this.#links.get(nodeId),
      dial: ({ descriptor }, dialSignal) =>
        this.#dial(descriptor.nodeId, descriptor.addresses, dialSignal),
      onCandidates: (nodeIds) => this.#publish(nodeIds),
      nowMs: () => performance.now(),
    })
    this.#attachments = attachments
    this.#set.onAccepted(() => attachments.maintain())
    attachments.maintain()
    while (attachments.liveCount === 0) {
      if (signal.aborted)
        throw nodeError('NODE_NOT_ATTACHED', { relays: this.#attachableRelays().length })
      await tick(signal)
    }
  }

  async #meet(contact: NetworkParameters['bootstrap'][number], signal: AbortSignal): Promise<void> {
    const address = parseAddress(contact.address)
    if (!address) return
    await this.#dialText(contact.nodeId, formatAddress(address), contact.port, signal)
  }

  /** Public relays that may stand beside this node in a circuit. */
  #attachableRelays(): readonly DirectoryEntry[] {
    const nodes = createPathNodeSet(this.#set, this.#options.network)
    const own = nodes.get(nodeKeyOf(this.nodeId))
    return nodes
      .list(Date.now())
      .filter((node) => node.isRelay && node.isPublic && (!own || mayShareCircuit(node, own)))
      .map(({ entry }) => entry)
  }

  #onLink(link: Link, isDialled: boolean): void {
    const relay = this.#relay?.attach(link)
    this.#links.add(link)
    link.handler = {
      onCell: (circuitId, cell, nowMs) => relay?.onCell(circuitId, cell, nowMs),
      onMessage: (message) => {
        if (message.type === LINK_MESSAGE.NETINFO) this.#seen.note(link, message.address)
        else this.#directory.onMessage(link, message)
      },
      onClose: (reason) => {
        this.#links.remove(link)
        relay?.onLinkClosed(reason)
        this.#directory.onLinkClosed(link)
        this.#seen.forget(link)
        this.#attachments?.maintain()
      },
    }
    if (link.peer.role === 'node') this.#directory.onNodeLink(link, isDialled)
  }

  async #dial(
    nodeId: Uint8Array,
    addresses: readonly SocketAddressBytes[],
    signal: AbortSignal,
  ): Promise<Link> {
    let lastError: unknown = nodeError('NODE_NOT_ATTACHED', { relays: 0 })
    for (const each of addresses) {
      try {
        return await this.#dialText(nodeId, formatAddress(toIpAddress(each)), each.port, signal)
      } catch (error) {
        signal.throwIfAborted()
        lastError = error
      }
    }
    throw lastError
  }

  async #dialText(
    nodeId: Uint8Array,
    host: string,
    port: number,
    signal: AbortSignal,
  ): Promise<Link> {
    const reachable = this.#options.network.reachablePrefixes.flatMap(
      (prefix) => parseCidr(prefix) ?? [],
    )
    const verdict = judgeDial(host, port, {
      ...(this.#exit?.ownNetwork.context() ?? EMPTY_CONTEXT),
      reachable,
    })
    if (verdict.verdict === 'deny') throw nodeError('NODE_NOT_ATTACHED', { relays: 0 })
    const link = await dialLink(
      { crypto: nodeCrypto },
      {
        host: verdict.pin,
        port,
        nodeId,
        identity: this.#currentLinkIdentity(),
        signal: AbortSignal.any([signal, this.#stop.signal]),
      },
    )
    this.#onLink(link, true)
    return link
  }

  #currentLinkIdentity(): LinkIdentity {
    const nowS = Math.floor(Date.now() / 1000)
    const identity = this.#identity
    if (!identity) throw nodeError('NODE_IDENTITY_DAMAGED', { file: '' })
    if (!this.#linkIdentity || nowS - this.#linkIdentityAtS > LINK_KEY_LIFE_S / 2) {
      this.#linkIdentityAtS = nowS
      this.#linkIdentity = issueLinkIdentity(nodeCrypto, {
        nodeId: identity.publicKey,
        identityKey: identity.privateKey,
        linkSeed: new Uint8Array(randomBytes(32)),
        notBeforeS: nowS - 60,
        lifeS: LINK_KEY_LIFE_S - 60,
      })
    }
    return this.#linkIdentity
  }

  #rotateKeys(): void {
    const isNew = this.#onionKeys?.rotate(Date.now()) ?? false
    if (isNew)
      this.#publish(this.#attachments?.candidates.map(({ descriptor }) => descriptor.nodeId) ?? [])
    this.#set.prune(Date.now())
  }

  #publish(attachments: readonly Uint8Array[]): void {
    const { exit, network, country, asn } = this.#options
    const addresses = this.#publicAddresses()
    const onionKey = this.#onionKeys?.current().pair.publicKey
    if (!this.#maker || !onionKey || addresses.length + attachments.length === 0) return
    const [first] = addresses
    const origin = first && createAsnTable(network.asnTable).lookup(toIpAddress(first))
    const profile = exit?.profile === 'reduced' ? EXIT_PROFILE.REDUCED : EXIT_PROFILE.WEB
    const facts = {
      onionKey,
      roles: ROLE.RELAY | (exit ? ROLE.EXIT : 0),
      exitProfile: exit ? profile : EXIT_PROFILE.NONE,
      exitFlags: (exit?.ipv6 ? EXIT_FLAG.IPV6 : 0) | (exit?.datagrams ? EXIT_FLAG.DATAGRAMS : 0),
      country: country ?? origin?.country ?? '',
      asn: asn ?? origin?.asn ?? 0,
      familyId: undefined,
      stakerId: undefined,
      addresses,
      attachments,
      software: 'byway/0.1.0',
    }
    this.#own = this.#maker.make(facts, Date.now())
    this.#directory.publish()
  }

  #publicAddresses(): readonly SocketAddressBytes[] {
    const { advertise } = this.#options
    const published = advertise ?? this.listen
    const address = published && parseAddress(published.host)
    if (!published || !address) return []
    return [{ ...toIpBytes(address), port: published.port }]
  }
}

/** One short pause, or less when the signal aborts. */
async function tick(signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  const timer = setTimeout(resolve, TICK_MS)
  const onAbort = (): void => resolve()
  signal.addEventListener('abort', onAbort, { once: true })
  await promise
  clearTimeout(timer)
  signal.removeEventListener('abort', onAbort)
}

const TICK_MS = 25
