/**
 * A node put together from the very parts of `@byway/node`, with the test's hands in it: it authenticates like any other and does with cells
 * what it likes. Honest nodes of these tests are `createNode`'s; only what a test must see or spoil runs on this.
 */
import { randomBytes } from 'node:crypto'
import { NO_LOG } from '@byway/protocol/base'
import { createAccountant, createHopBuild } from '@byway/protocol/circuit'
import type { Accountant } from '@byway/protocol/circuit'
import {
  createDescriptorSet,
  createOriginSource,
  nodeKeyOf,
  toIpBytes,
} from '@byway/protocol/directory'
import type { DescriptorSet, NetworkParameters, NodeKey } from '@byway/protocol/directory'
import type { Link } from '@byway/protocol/link'
import { nodeCrypto } from '@byway/protocol/node-crypto'
import { EMPTY_CONTEXT, parseAddress } from '@byway/protocol/policy'
import { CLOSE_REASON } from '@byway/protocol/wire'
import { createDirectoryService } from '../../../packages/node/src/directory/directory-service.ts'
import { createDescriptorMaker } from '../../../packages/node/src/directory/own-descriptor.ts'
import { ownFacts } from '../../../packages/node/src/directory/own-facts.ts'
import { assembleExit } from '../../../packages/node/src/exit/assemble-exit.ts'
import type { ExitRole } from '../../../packages/node/src/exit/assemble-exit.ts'
import type { ExitService, MemoryOwner } from '../../../packages/node/src/exit/exit-service.ts'
import type { ExitRoleOptions } from '../../../packages/node/src/exit/exit-options.ts'
import type { OwnNetwork } from '../../../packages/node/src/exit/own-network.ts'
import { watchNetwork } from '../../../packages/node/src/exit/watch-network.ts'
import { createLinkTable } from '../../../packages/node/src/link-table.ts'
import { openNodeKeys } from '../../../packages/node/src/node-keys.ts'
import { createNodeLinks } from '../../../packages/node/src/node-links.ts'
import { createReachLinks } from '../../../packages/node/src/reach/reach-links.ts'
import type { TerminalService } from '../../../packages/node/src/relay/ports.ts'
import { createRelay } from '../../../packages/node/src/relay/relay.ts'
import type { Relay, RelayPort } from '../../../packages/node/src/relay/relay.ts'
import { createSeenAddresses } from '../../../packages/node/src/seen-addresses.ts'

export type ProbeOptions = {
  readonly network: NetworkParameters
  readonly home: string
  readonly host: string
  readonly country?: string | undefined
  /** Sees each link before the relay does, and may put itself between the two. */
  readonly onLink?: ((link: Link, attach: () => RelayPort) => RelayPort) | undefined
  /** What is done with circuits that end here; with it the node says that it is an exit. */
  readonly terminals?: TerminalService | undefined
  /** Serves as an honest exit under this watch: told whenever the exit refuses what a circuit brought. */
  readonly onViolation?: (() => void) | undefined
  /** Tells nobody who asks for the directory of these nodes. */
  readonly hides?: ((key: NodeKey) => boolean) | undefined
  /** Serves as an honest exit within these limits. */
  readonly exit?: ProbeExit | undefined
}

export type ProbeExit = {
  /** Of all tunnels together. @default 512 MiB */
  readonly memoryBytes?: number | undefined
}

/** A running probe. */
export interface ProbeNode extends AsyncDisposable {
  readonly nodeId: Uint8Array
  readonly key: string
  readonly listen: { readonly host: string; readonly port: number }
  readonly relay: Relay
  readonly descriptors: number
  readonly exit: ExitService | undefined
  /** What the exit's tunnels hold, as its accountant counts. */
  readonly heldBytes: number
}

const EXIT: ExitRoleOptions = { profile: 'web' }

/** Starts a probe: it listens, meets the first contacts and publishes its descriptor. */
export async function startProbe(options: ProbeOptions): Promise<ProbeNode> {
  const { network, host, onLink, onViolation } = options
  const keys = await openNodeKeys(options.home)
  const { nodeId, onionKeys, identity } = keys
  const stop = new AbortController()
  const set = createDescriptorSet(nodeCrypto)
  let own: Uint8Array | undefined
  const { memoryBytes = 512 * 1024 * 1024 } = options.exit ?? {}
  const accountant = createAccountant<MemoryOwner>(memoryBytes)
  const isExit = onViolation !== undefined || options.exit !== undefined
  const seenAddresses = (): readonly string[] => []
  const watch = { network, directory: set, seenAddresses, onChange: () => {} }
  const ownNetwork = isExit ? await watchNetwork(watch, EXIT) : undefined
  const honest = ownNetwork && (await startExit(ownNetwork, accountant))
  const terminals = honest ? watched(honest.service, onViolation) : options.terminals
  const table = createLinkTable({
    find: (id) => set.get(nodeKeyOf(id))?.descriptor,
    dial: async (descriptor, signal) =>
      await links.dial(descriptor.nodeId, descriptor.addresses, signal),
  })
  const directory = createDirectoryService({
    set: options.hides ? without(set, options.hides) : set,
    nodeLinks: () => [...table.links].filter((link) => link.peer.role === 'node'),
    own: () => own,
    isFlooding: true,
    nowMs: () => Date.now(),
  })
  const relay = createRelay({
    provider: nodeCrypto,
    build: createHopBuild({
      provider: nodeCrypto,
      randomBytes,
      nodeId,
      onionKeys,
      descriptor: () => own ?? new Uint8Array(0),
      preferAes: true,
    }),
    nextHops: table,
    terminals: terminals ?? { accept: () => CLOSE_REASON.NOT_EXIT },
    nowMs: () => performance.now(),
    wallMs: () => Date.now(),
    refuses: () => undefined,
    seenPlaceOf: () => ({ country: '', asn: 0 }),
    onCircuitClosed: () => {},
  })
  const links = createNodeLinks({
    network,
    table: () => table,
    relay: {
      ...relay,
      circuits: relay.circuits,
      closeAll: (reason) => relay.closeAll(reason),
      attach: (link, address) =>
        onLink ? onLink(link, () => relay.attach(link, address)) : relay.attach(link, address),
    },
    directory,
    seen: createSeenAddresses(),
    linkIdentity: () => keys.linkIdentity(),
    policyContext: () => EMPTY_CONTEXT,
    stopped: stop.signal,
    reach: () => reach,
    arrivals: { note() {} },
    serving: { tellNew() {} },
    onLinkClosed: () => {},
  })
  const reach = createReachLinks({
    probe: (link, port, signal) => links.probe(link, port, signal),
    stopped: stop.signal,
    nowMs: () => performance.now(),
  })
  const listen = { host, port: await links.listen(host, 0) }
  const facts = ownFacts({
    origins: createOriginSource(network.asnTable),
    onionKey: onionKeys.current().pair.publicKey,
    address: listen,
    gossipPort: 0,
    attachments: [],
    exit: terminals ? { profile: 'web', datagrams: true } : undefined,
    country: options.country,
    asn: undefined,
  })
  const maker = createDescriptorMaker(nodeCrypto, identity, (nowS) => nowS)
  if (facts) own = maker.make(facts, Date.now())
  directory.publish()
  for (const { nodeId: id, address, port } of network.bootstrap) {
    const ip = parseAddress(address)
    if (ip) await links.dial(id, [{ ...toIpBytes(ip), port }], AbortSignal.timeout(10_000))
  }
  return {
    nodeId,
    key: nodeKeyOf(nodeId),
    listen,
    relay,
    get descriptors() {
      return set.size
    },
    exit: honest?.service,
    get heldBytes() {
      return accountant.heldBytes
    },
    async [Symbol.asyncDispose]() {
      stop.abort()
      relay.closeAll(CLOSE_REASON.DRAINING)
      honest?.service.closeAll()
      await ownNetwork?.[Symbol.asyncDispose]()
      await links.close()
    },
  }
}

async function startExit(
  ownNetwork: OwnNetwork,
  accountant: Accountant<MemoryOwner>,
): Promise<ExitRole> {
  const nowMs = (): number => performance.now()
  return await assembleExit({ ownNetwork, accountant, nowMs, log: NO_LOG }, EXIT)
}

/** The same set, which names fewer nodes to who asks. */
function without(set: DescriptorSet, hides: (key: NodeKey) => boolean): DescriptorSet {
  const acceptedSince: DescriptorSet['acceptedSince'] = (sinceMs) =>
    set.acceptedSince(sinceMs).filter(({ key }) => !hides(key))
  return Object.assign(Object.create(set) as DescriptorSet, { acceptedSince })
}

/** Passes everything on, and tells when the exit destroys a circuit because of what came on it. */
function watched(service: TerminalService, onViolation: (() => void) | undefined): TerminalService {
  return {
    accept: (terminal, nowMs) =>
      service.accept(
        {
          ...terminal,
          destroy(reason) {
            if (reason === CLOSE_REASON.PROTOCOL) onViolation?.()
            terminal.destroy(reason)
          },
        },
        nowMs,
      ),
  }
}
