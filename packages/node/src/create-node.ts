/**
 * The node: links, relay role, exit role, directory and attachments put together. This is the only place of the package where they are wired; what
 * each does is in its own file.
 * @module
 */
import { randomBytes } from 'node:crypto'
import { equalBytes, NO_LOG } from '@byway/protocol/base'
import type { Logger } from '@byway/protocol/base'
import { createHopBuild } from '@byway/protocol/circuit'
import {
  createDescriptorSet,
  createPathNodeSet,
  nodeKeyOf,
  unitRandom,
} from '@byway/protocol/directory'
import type { DescriptorSet, PathNodeSet, StakeClaim, StakeSource } from '@byway/protocol/directory'
import type { Link } from '@byway/protocol/link'
import { loadIdentity } from './identity-store.ts'
import { nodeCrypto } from '@byway/protocol/node-crypto'
import { CLOSE_REASON } from '@byway/protocol/wire'
import type { RedeemAnswer } from '@byway/protocol/wire'
import { readNodeStatus } from './node-status.ts'
import type { NodeOptions, NodeStatus, RunningNode, SocketAddress } from './node-types.ts'
import { createDirectoryService, type DirectoryService } from './directory/directory-service.ts'
import { meetFirstContacts } from './directory/first-contacts.ts'
import { openEditionNumbers, type EditionNumbers } from './directory/edition-numbers.ts'
import { openEvidenceFile, type EvidenceFile } from './directory/evidence-file.ts'
import type { Spread } from './directory/spread.ts'
import { createDescriptorMaker } from './directory/own-descriptor.ts'
import { ownFacts } from './directory/own-facts.ts'
import { createOwnOriginWatch, type OwnOriginWatch } from './directory/own-origin.ts'
import { nodeError } from './errors.ts'
import type { ExitRole } from './exit/assemble-exit.ts'
import type { OwnNetwork } from './exit/own-network.ts'
import { startExit, type ExitParts } from './exit/start-exit.ts'
import { createLinkTable } from './link-table.ts'
import { createMemoryGuard } from './memory-guard.ts'
import { createDeskTerminals } from './money/control-desk.ts'
import { openNodeMoney, type NodeMoney } from './money/node-money.ts'
import { openNodeKeys, type NodeKeys } from './node-keys.ts'
import { createNodeLinks, type NodeLinks } from './node-links.ts'
import { createProofLinks, type ProofLinks } from './redemption/proof-links.ts'
import { createRedeemLinks, type RedeemLinks } from './redemption/redeem-links.ts'
import { createNodePlace, placeFacts, type NodePlace } from './reach/node-place.ts'
import { createReachLinks } from './reach/reach-links.ts'
import { openNodeRecord, type NodeRecord } from './record/node-record.ts'
import type { RecordLinks } from './record/record-links.ts'
import { createRelay, type Relay } from './relay/relay.ts'
import { seenPlaceOf } from './relay/seen-place.ts'
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
  readonly numbers: EditionNumbers
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
  #ownDescriptor: Uint8Array | undefined
  #publish: () => void = () => {}
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
  /** As the last edition of the descriptor has it. */
  #wasExitOpen = false
  /** What circuits that are over have carried. */
  readonly #past = { forwardBytes: 0, backwardBytes: 0 }

  constructor(options: NodeOptions) {
    this.#options = options
    this.#log = options.log ?? NO_LOG
    const { stakes } = options
    this.#set = createDescriptorSet(nodeCrypto, {
      admits: stakes && ((claim) => this.#admits(claim, stakes)),
      onEvidence: (evidence) => {
        this.#log.warn('a node has signed two editions under one number', {})
        void this.#parts?.evidence.add(evidence)
      },
    })
    this.#directory = createDirectoryService({
      set: this.#set,
      nodeLinks: () => this.#nodeLinks(),
      own: () => this.#ownDescriptor,
      isFlooding: !stakes,
      nowMs: () => Date.now(),
    })
    const { payment, network } = options
    this.#nodes = createPathNodeSet(this.#set, network, options.places)
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
    const money = await this.#openMoney()
    const numbers = await openEditionNumbers(home, Math.floor(Date.now() / 1000))
    const evidence = await openEvidenceFile(home, this.#options.onDoubleEditions)
    const record = await openNodeRecord(this.#options, keys.identity, this.#set)
    const exitParts = await this.#startExit(money)
    const { ownNetwork, exit, gate } = exitParts
    const relay = this.#createRelay(keys, exit, money)
    const links = this.#createLinks(keys, relay, ownNetwork, money, record?.links)
    this.#parts = { ...exitParts, keys, relay, links, money, numbers, evidence, record }
    this.#publish = this.#publisher(keys, money, numbers)
    if (listen)
      this.listen = { host: listen.host, port: await links.listen(listen.host, listen.port) }
    await this.#startSpread(keys)
    await this.#joinNetwork(links, AbortSignal.any([signal, AbortSignal.timeout(START_TIMEOUT_MS)]))
    this.#keyTimer = setInterval(() => this.#rotateKeys(keys), KEY_CHECK_MS).unref()
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

  /** A node's own edition counts for itself: it may have to be published before others see the stake. */
  #admits(claim: StakeClaim, { view }: StakeSource): boolean {
    return equalBytes(claim.nodeId, this.nodeId) || view.stakeOf(claim) > 0n
  }

  #nodeLinks(): readonly Link[] {
    return [...this.#table.links].filter((link) => link.peer.role === 'node')
  }

  /** @throws NODE_GOSSIP_LISTEN */
  async #startSpread({ nodeId }: NodeKeys): Promise<void> {
    const { stakes, network, home, listen } = this.#options
    if (!stakes) return
    // Loaded only where there is gossip: the library takes its time.
    const { startSpread } = await import('./directory/spread.ts')
    this.#spread = await startSpread({
      networkName: network.name,
      isLocal: network.local,
      identitySeed: await loadIdentity(home),
      nodeId,
      listen: listen && { host: listen.host, port: listen.port === 0 ? 0 : listen.port + 1 },
      set: this.#set,
      nodes: this.#nodes,
      stakes,
      own: () => this.#ownDescriptor,
      ask: (asked) => void this.#askNode(asked),
      random: this.#random,
      nowMs: () => Date.now(),
    })
  }

  /** Asks a node, or one of those with a link, for what it knows. Never rejects. */
  async #askNode(nodeId: Uint8Array | undefined): Promise<void> {
    const links = this.#nodeLinks()
    const any = links[Math.floor(this.#random() * links.length)]
    // A first contact may have been busy: alone nobody is known.
    if (!any && !nodeId) {
      const own = this.#started().links
      await meetFirstContacts(this.#options.network, this.nodeId, own, this.#stop.signal)
    }
    const found = nodeId ? await this.#table.linkTo(nodeId, this.#stop.signal) : any
    if (found && typeof found === 'object') this.#directory.ask(found)
  }

  /** @throws NODE_PAYMENT_MISSING in a network with payment when the options have none */
  async #openMoney(): Promise<NodeMoney | undefined> {
    const { payment, network } = this.#options
    if (!network.payment) return undefined
    if (!payment) throw nodeError('NODE_PAYMENT_MISSING', {})
    return await openNodeMoney({
      ...payment,
      parameters: network.payment,
      onKeysChanged: () => this.#onTokenKeys(),
      log: this.#log.child('money'),
    })
  }

  /** @throws NODE_EXIT_OPTION, NODE_EXIT_UNSAFE */
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
        // The exit role is named in the descriptor from the moment that it carries anything.
        onMoved: () => this.#isExitOpen !== this.#wasExitOpen && this.#publish(),
      },
      this.#options.exit,
    )
  }

  get #isExitOpen(): boolean {
    return this.#parts?.gate?.isOpen === true
  }

  #createRelay(keys: NodeKeys, exit: ExitRole | undefined, money: NodeMoney | undefined): Relay {
    const { nodeId, onionKeys } = keys
    const build = createHopBuild({
      provider: nodeCrypto,
      randomBytes,
      nodeId,
      onionKeys,
      descriptor: () => this.#descriptorForStale(keys),
      preferAes: true,
    })
    return createRelay({
      provider: nodeCrypto,
      build,
      nextHops: this.#table,
      terminals:
        exit?.service ??
        createDeskTerminals({ provider: nodeCrypto, randomBytes, desk: money?.exit.desk }),
      money: money?.relay,
      nowMs: () => performance.now(),
      wallMs: () => Date.now(),
      refuses: () => {
        if (this.serving.drainAtMs !== undefined) return CLOSE_REASON.DRAINING
        return this.#guard.accountant.underPressure ? CLOSE_REASON.RESOURCE_LIMIT : undefined
      },
      seenPlaceOf: (id, address) => seenPlaceOf(this.#nodes, nodeKeyOf(id), address),
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
      serving: this.serving,
      onLinkClosed: () => this.#place?.maintain(),
    })
  }

  /** Meets the first contacts; a node without a public port also waits until it is attached. @throws NODE_NOT_ATTACHED */
  async #joinNetwork(links: NodeLinks, signal: AbortSignal): Promise<void> {
    this.#place = this.#createPlace(links)
    this.#publish()
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
      random: this.#random,
      onChange: () => this.#publish(),
      onStatus: (status) => this.#options.onReach?.(status),
    })
  }

  /** A key whose filter is full is not accepted any more: the edition that a client gets for it must name another. */
  #descriptorForStale(keys: NodeKeys): Uint8Array {
    if (keys.onionKeys.nextRotationAtMs() <= Date.now()) this.#rotateKeys(keys)
    return this.#ownDescriptor ?? new Uint8Array(0)
  }

  /** Midnight's edition carries a new onion key too: two a day, not three. */
  #onTokenKeys(): void {
    this.#parts?.keys.onionKeys.rotate(Date.now(), true)
    this.#publish()
  }

  #rotateKeys({ onionKeys }: NodeKeys): void {
    // Numbers that cannot be reserved rise one by one until they can.
    this.#parts?.numbers.extend(Math.floor(Date.now() / 1000)).catch(() => {})
    if (onionKeys.rotate(Date.now())) this.#publish()
    this.#set.prune(Date.now())
  }

  /** Makes a new edition of the descriptor, with what holds at the moment, and passes it on. */
  #publisher(keys: NodeKeys, money: NodeMoney | undefined, numbers: EditionNumbers): () => void {
    const maker = createDescriptorMaker(nodeCrypto, keys.identity, (nowS) => numbers.take(nowS))
    const { exit, country, asn } = this.#options
    return () => {
      this.#wasExitOpen = this.#isExitOpen
      this.#origin.look(this.address?.host, this.#seen.agreed())
      const facts = ownFacts({
        ...placeFacts(this.#place, this.#spread?.port),
        origins: this.#origin.source,
        country,
        asn,
        onionKey: keys.onionKeys.current().pair.publicKey,
        exit: this.#wasExitOpen ? exit : undefined,
        money: money?.facts,
      })
      if (!facts) return
      this.#ownDescriptor = maker.make(facts, Date.now())
      this.#directory.publish()
    }
  }
}
