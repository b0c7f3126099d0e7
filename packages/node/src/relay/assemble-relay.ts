/** The relay role of a node put together: handshakes with its keys, ends of circuits at its exit role or its desk, pay, and when it takes no more. @module */
import { randomBytes } from 'node:crypto'
import { createHopBuild } from '@byway/protocol/circuit'
import { nodeKeyOf, type PathNodeSet } from '@byway/protocol/directory'
import { nodeCrypto } from '@byway/protocol/node-crypto'
import { CLOSE_REASON } from '@byway/protocol/wire'
import type { ExitRole } from '../exit/assemble-exit.ts'
import { createDeskTerminals } from '../money/control-desk.ts'
import type { NodeMoney } from '../money/node-money-types.ts'
import type { NodeKeys } from '../node-keys.ts'
import { createRelay, type Relay, type RelayDeps } from './relay.ts'
import { seenPlaceOf } from './seen-place.ts'

export type AssembleRelayDeps = Pick<RelayDeps, 'nextHops' | 'onCircuitClosed'> & {
  readonly keys: Pick<NodeKeys, 'nodeId' | 'onionKeys'>
  /** The own edition, for a client that came with an old onion key. */
  readonly ownDescriptor: () => Uint8Array
  readonly nodes: PathNodeSet
  /** Absent at a node that is none. */
  readonly exit: ExitRole | undefined
  /** Absent where nothing is paid. */
  readonly money: NodeMoney | undefined
  readonly isDraining: () => boolean
  /** Of this node's memory. */
  readonly accountant: { readonly underPressure: boolean }
}

/** Puts it together. */
export function assembleRelay(deps: AssembleRelayDeps): Relay {
  const { keys, exit, money, nodes, accountant } = deps
  const build = createHopBuild({
    provider: nodeCrypto,
    randomBytes,
    nodeId: keys.nodeId,
    onionKeys: keys.onionKeys,
    descriptor: deps.ownDescriptor,
    preferAes: true,
  })
  return createRelay({
    provider: nodeCrypto,
    build,
    nextHops: deps.nextHops,
    terminals:
      exit?.service ??
      createDeskTerminals({ provider: nodeCrypto, randomBytes, desk: money?.exit.desk }),
    money: money?.relay,
    nowMs: () => performance.now(),
    wallMs: () => Date.now(),
    refuses: () => {
      if (deps.isDraining()) return CLOSE_REASON.DRAINING
      return accountant.underPressure ? CLOSE_REASON.RESOURCE_LIMIT : undefined
    },
    seenPlaceOf: (id, address) => seenPlaceOf(nodes, nodeKeyOf(id), address),
    onCircuitClosed: deps.onCircuitClosed,
  })
}
