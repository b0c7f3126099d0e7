/**
 * The node: links, relay role, exit role, directory and attachments put together. This is the only place of the package where they are wired; what
 * each does is in its own file.
 * @module
 */
import { randomBytes } from 'node:crypto'
import { NO_LOG } from '@byway/protocol/base'
import type { Logger } from '@byway/protocol/base'
import { createPathNodeSet, nodeKeyOf, ownersIn, unitRandom } from '@byway/protocol/directory'
import type { DescriptorSet, PathNodeSet } from '@byway/protocol/directory'
import type { Link } from '@byway/protocol/link'
import { CLOSE_REASON, type RedeemAnswer } from '@byway/protocol/wire'
import { readNodeStatus } from './node-status.ts'
import type { NodeOptions, NodeStatus, RunningNode } from './node-types.ts'
import type { SocketAddress } from './socket-address.ts'
import { createDirectoryService, type DirectoryService } from './directory/directory-service.ts'
import { meetFirstContacts } from './directory/first-contacts.ts'
import { joinGossip } from './directory/join-gossip.ts'
import { createNodeSet } from './directory/node-set.ts'
import { openEditionNumbers, type EditionNumbers } from './directory/edition-numbers.ts'
import { openEvidenceFile, type EvidenceFile } from './directory/evidence-file.ts'
import type { Spread } from './directory/spread.ts'
import { createOwnEditions, type OwnEditions } from './directory/own-editions.ts'
import { createOwnOriginWatch, type OwnOriginWatch } from './directory/own-origin.ts'
import { nodeError } from './errors.ts'
import type { ExitRole } from './exit/assemble-exit.ts'
import type { OwnNetwork } from './exit/own-network.ts'
import { startExit, type ExitParts } from './exit/start-exit.ts'
import { createLinkTable } from './link-table.ts'
import { createMemoryGuard } from './memory-guard.ts'
import type { NodeMoney } from './money/node-money-types.ts'
import { openNodeMoney } from './money/node-money.ts'
import { openNodeKeys, type NodeKeys } from './node-keys.ts'
import { createNodeLinks, type NodeLinks } from './node-links.ts'
import { createProofLinks, type ProofLinks } from './redemption/proof-links.ts'
import { createRedeemLinks, type RedeemLinks } from './redemption/redeem-links.ts'
import { createNodePlace, placeFacts, type NodePlace } from './reach/node-place.ts'
import { createArrivals } from './reach/arrivals.ts'
import { createReachLinks } from './reach/reach-links.ts'
import { openNodeRecord, type NodeRecord } from './record/node-record.ts'
import type { RecordLinks } from './record/record-links.ts'
import { assembleRelay } from './relay/assemble-relay.ts'
import type { Relay } from './relay/relay.ts'
import { createSeenAddresses } from './seen-addresses.ts'
import { createServing, type Serving } from './serving.ts'

// Local limits (tunable): docs/LIMITS.md.
/** Keys are looked at this often; they are replaced when they are due. */
const KEY_CHECK_MS = 60_000
/** A first contact or an attachment must be found within this time, or the start fails. */
const START_TIMEOUT_MS = 15_000

/** Creates a node; `start` sets it going. */
export function createNode(options: NodeOptions): RunningNode {
  return new Engine(options)
}

/** What exists once the keys are there. */
type Parts = ExitParts & {
  readonly keys: NodeKeys
  readonly relay: Relay
  readonly links: NodeLinks
  readonly money: NodeMoney | undefined
  readonly editions: OwnEditions
  readonly evidence: EvidenceFile
  readonly record: NodeRecord | undefined
}

class Engine implements RunningNode {
  listen: SocketAddress | undefined
  readonly #options: NodeOptions
  readonly #log: Logger
  readonly #stop = new AbortController()
  readonly #set: DescriptorSet
  readonly #nodes: PathNodeSet
  readonly #origin: OwnOriginWatch
  readonly #seen = createSeenAddresses(() => {
    void this.#parts?.ownNetwork.refresh()
    this.#origin.look(this.address?.host, this.#seen.agreed())
  })
  readonly #random = unitRandom(randomBytes)
  readonly #arrivals = createArrivals()
  readonly #guard = createMemoryGuard({
    circuits: () => this.#parts?.relay.circuits ?? [],
    links: () => this.#table.links,
  })
  readonly #table = createLinkTable({
    find: (nodeId) => this.#set.get(nodeKeyOf(nodeId))?.descriptor,
    dial: async ({ nodeId, addresses }, signal) =>
      await this.#started().links.dial(nodeId, addresses, signal),
  })
  readonly #directory: DirectoryService
  readonly #redeem: RedeemLinks | undefined
  readonly #proofs: ProofLinks | undefined
  #parts: Parts | undefined
  #place: NodePlace | undefined
  #spread: Spread | undefined
  readonly #reach = createReachLinks({
    probe: (link, port, signal) => this.#started().links.probe(link, port, signal),
    stopped: this.#stop.signal,
    nowMs: () => performance.now(),
  })
  #keyTimer: NodeJS.Timeout | undefined
  readonly serving: Serving = createServing({
    links: () => this.#table.links,
    relay: () => this.#parts?.relay,
    exit: () => this.#parts?.exit?.service,
    nowMs: () => performance.now(),
  })
  /** What circuits that are over have carried. */
  readonly #past = { forwardBytes: 0, backwardBytes: 0 }

  constructor(options: NodeOptions) {
    this.#options = options
    this.#log = options.log ?? NO_LOG
    const { stakes } = options
    this.#set = createNodeSet({
      stakes,
      ownId: () => this.nodeId,
      onEvidence: (evidence) => {
        this.#log.warn('a node has signed two editions under one number', {})
        void this.#parts?.evidence.add(evidence)
      },
    })
    this.#directory = createDirectoryService({
      set: this.#set,
      nodeLinks: () => this.#nodeLinks(),
      own: () => this.#parts?.editions.current,
      isFlooding: !stakes,
      nowMs: () => Date.now(),
    })
    const { payment, network } = options
    const ownerOf = ownersIn(stakes)
    this.#nodes = createPathNodeSet(this.#set, network, options.places, { ownerOf })
    this.#origin = createOwnOriginWatch(options)
    if (payment && network.payment)
      this.#redeem = createRedeemLinks({
        hops: this.#table,
        service: payment.redeemer,
        stopped: this.#stop.signal,
      })
    if (payment?.proofs)
      this.#proofs = createProofLinks({
        shelf: payment.proofs,
        neighbours: () => this.#nodeLinks(),
        nowMs: () => performance.now(),
        stopped: this.#stop.signal,
      })
  }

  get nodeId(): Uint8Array {
    return this.#parts?.keys.nodeId ?? new Uint8Array(0)
  }

  get address(): SocketAddress | undefined {
    return this.#place?.address
  }

  async start(signal: AbortSignal): Promise<void> {
    const { home, listen } = this.#options
    const keys = await openNodeKeys(home)
    const money = await this.#openMoney(keys.nodeId)
    const numbers = await openEditionNumbers(home, Math.floor(Date.now() / 1000))
    const evidence = await openEvidenceFile(home, this.#options.onDoubleEditions)
    const record = await openNodeRecord(this.#options, keys.identity, {
      set: this.#set,
      random: this.#random,
      knock: (...to) => this.#started().links.knock(...to),
    })
    const exitParts = await this.#startExit(money)
    const { ownNetwork, exit, gate } = exitParts
    const editions = this.#createEditions(keys, money, numbers)
    const relay = this.#createRelay(keys, editions, exit, money)
    const links = this.#createLinks(keys, relay, ownNetwork, money, record?.links)
    this.#parts = { ...exitParts, keys, editions, relay, links, money, evidence, record }
    if (listen)
      this.listen = { host: listen.host, port: await links.listen(listen.host, listen.port) }
    this.#spread = await this.#joinGossip(keys, links)
    await this.#joinNetwork(links, AbortSignal.any([signal, AbortSignal.timeout(START_TIMEOUT_MS)]))
    this.#keyTimer = setInterval(() => this.#checkKeys(), KEY_CHECK_MS).unref()
    gate?.meetWitnesses()
    this.#guard.start()
    this.#log.info('node ready', { nodes: this.#set.size, role: exit ? 'exit' : 'relay' })
  }

  status(): NodeStatus {
    return readNodeStatus({
      set: this.#set,
      table: this.#table,
      parts: this.#parts,
      place: this.#place,
      spread: this.#spread,
      origin: this.#origin,
      past: this.#past,
    })
  }

  async flushBooks(): Promise<void> {
    await this.#parts?.money?.flushBooks()
  }

  knownNodes(): readonly Uint8Array[] {
    const own = nodeKeyOf(this.nodeId)
    return [...this.#set.entries()]
      .map(({ descriptor }) => descriptor.nodeId)
      .filter((nodeId) => nodeKeyOf(nodeId) !== own)
  }

  async askRedeemer(
    nodeId: Uint8Array,
    order: Uint8Array,
    signal: AbortSignal,
  ): Promise<RedeemAnswer | undefined> {
    return await this.#redeem?.ask(nodeId, order, signal)
  }

  leaveProof(proof: Uint8Array): void {
    this.#proofs?.leave(proof)
  }

  async drain(seconds: number): Promise<void> {
    await this.serving.drain(seconds, this.#stop.signal)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort()
    clearInterval(this.#keyTimer)
    this.#guard.stop()
    this.#place?.stop()
    await this.#spread?.[Symbol.asyncDispose]()
    const { ownNetwork, gate, links, money, record } = this.#parts ?? {}
    gate?.[Symbol.dispose]()
    await record?.[Symbol.asyncDispose]()
    this.#parts?.relay.closeAll(CLOSE_REASON.DRAINING)
    this.#parts?.exit?.service.closeAll()
    await ownNetwork?.[Symbol.asyncDispose]()
    await links?.close()
    await money?.[Symbol.asyncDispose]()
  }

  #started(): Parts {
    if (!this.#parts) throw nodeError('NODE_NOT_STARTED', {})
    return this.#parts
  }

  #nodeLinks(): readonly Link[] {
    return [...this.#table.links].filter((link) => link.peer.role === 'node')
  }

  /** @throws NODE_PAYMENT_MISSING in a network with payment when the options have none */
  async #openMoney(nodeId: Uint8Array): Promise<NodeMoney | undefined> {
    const { payment, network } = this.#options
    if (!network.payment) return undefined
    if (!payment) throw nodeError('NODE_PAYMENT_MISSING', {})
    return await openNodeMoney({
      ...payment,
      parameters: network.payment,
      nodeId,
      onKeysChanged: () => this.#parts?.editions.onTokenKeys(),
      log: this.#log.child('money'),
    })
  }

  /** @throws NODE_EXIT_OPTION, NODE_EXIT_UNSAFE, NODE_EXIT_CLASS */
  async #startExit(money: NodeMoney | undefined): Promise<ExitParts> {
    return await startExit(
      {
        network: this.#options.network,
        directory: this.#set,
        seenAddresses: () => this.#seen.agreed(),
        knownNodes: () => this.knownNodes(),
        meet: async (nodeId) => await this.#table.linkTo(nodeId, this.#stop.signal),
        random: this.#random,
        accountant: this.#guard.accountant,
        nowMs: () => performance.now(),
        log: this.#log.child('exit'),
        money: money?.exit,
        priceStep: money?.facts.priceStep,
        onMoved: () => this.#parts?.editions.onExitMoved(),
      },
      this.#options.exit,
    )
  }

  #createEditions(
    keys: NodeKeys,
    money: NodeMoney | undefined,
    numbers: EditionNumbers,
  ): OwnEditions {
    return createOwnEditions({
      keys,
      numbers,
      options: this.#options,
      facts: () => {
        this.#origin.look(this.address?.host, this.#seen.agreed())
        const place = placeFacts(this.#place, this.#spread?.port)
        return { ...place, origins: this.#origin.source, money: money?.facts }
      },
      isExitOpen: () => this.#parts?.gate?.isOpen === true,
      onMade: () => this.#directory.publish(),
      nowMs: () => Date.now(),
    })
  }

  #createRelay(
    keys: NodeKeys,
    editions: OwnEditions,
    exit: ExitRole | undefined,
    money: NodeMoney | undefined,
  ): Relay {
    return assembleRelay({
      keys,
      ownDescriptor: () => editions.forStale(),
      exit,
      money,
      nextHops: this.#table,
      nodes: this.#nodes,
      isDraining: () => this.serving.drainAtMs !== undefined,
      accountant: this.#guard.accountant,
      onCircuitClosed: (meter) => {
        this.#past.forwardBytes += meter.forwardBytes
        this.#past.backwardBytes += meter.backwardBytes
      },
    })
  }

  #createLinks(
    keys: NodeKeys,
    relay: Relay,
    ownNetwork: OwnNetwork,
    money: NodeMoney | undefined,
    record: RecordLinks | undefined,
  ): NodeLinks {
    return createNodeLinks({
      money: money?.links,
      redeem: this.#redeem,
      proofs: this.#proofs,
      record,
      network: this.#options.network,
      table: () => this.#table,
      relay,
      directory: this.#directory,
      seen: this.#seen,
      linkIdentity: () => keys.linkIdentity(),
      policyContext: () => ownNetwork.context(),
      stopped: this.#stop.signal,
      reach: () => this.#reach,
      arrivals: this.#arrivals,
      serving: this.serving,
      onLinkClosed: () => this.#place?.maintain(),
    })
  }

  /** @throws NODE_GOSSIP_LISTEN */
  async #joinGossip({ nodeId }: NodeKeys, links: NodeLinks): Promise<Spread | undefined> {
    return await joinGossip({
      options: this.#options,
      nodeId,
      set: this.#set,
      nodes: this.#nodes,
      table: this.#table,
      links,
      nodeLinks: () => this.#nodeLinks(),
      directory: this.#directory,
      own: () => this.#parts?.editions.current,
      random: this.#random,
      stopped: this.#stop.signal,
    })
  }

  /** Meets the first contacts; a node without a public port also waits until it is attached. @throws NODE_NOT_ATTACHED */
  async #joinNetwork(links: NodeLinks, signal: AbortSignal): Promise<void> {
    this.#place = this.#createPlace(links)
    this.#started().editions.publish()
    await meetFirstContacts(this.#options.network, this.nodeId, links, signal)
    await this.#place.join(signal)
  }

  #createPlace(links: NodeLinks): NodePlace {
    return createNodePlace({
      nodeId: this.nodeId,
      listen: this.listen,
      advertise: this.#options.advertise,
      portMap: this.#options.portMap,
      set: this.#set,
      nodes: this.#nodes,
      table: this.#table,
      links,
      seen: this.#seen,
      reach: this.#reach,
      arrivals: this.#arrivals,
      isLocal: this.#options.network.local,
      stakes: this.#options.stakes,
      random: this.#random,
      onChange: () => this.#parts?.editions.publish(),
      onStatus: (status) => this.#options.onReach?.(status),
    })
  }

  #checkKeys(): void {
    this.#parts?.editions.rotateKeys()
    this.#set.prune(Date.now())
  }
}
