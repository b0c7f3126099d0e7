/**
 * The watch of the own network, which every node has, and with it the exit role of those that have one: service and gate.
 * @module
 */
import type { Logger } from '@byway/protocol/base'
import type { Accountant } from '@byway/protocol/circuit'
import { assembleExit, type ExitRole } from './assemble-exit.ts'
import { createExitGate, type ExitGate, type ExitGateDeps } from './exit-gate.ts'
import type { ExitRoleOptions } from './exit-options.ts'
import type { ExitMoney, MemoryOwner } from './exit-service.ts'
import type { OwnNetwork } from './own-network.ts'
import { watchNetwork, type WatchNetworkDeps } from './watch-network.ts'

export type StartExitDeps = Omit<WatchNetworkDeps, 'onChange'> &
  Pick<ExitGateDeps, 'knownNodes' | 'meet' | 'random'> & {
    readonly accountant: Accountant<MemoryOwner>
    readonly nowMs: () => number
    readonly log: Logger
    /** Absent in an unpaid network. */
    readonly money?: ExitMoney | undefined
    /** The node's price step; absent in an unpaid network. */
    readonly priceStep?: number | undefined
    /** The own network has moved; the gate may have opened. */
    readonly onMoved: () => void
  }

/** What a node has of this. */
export type ExitParts = {
  readonly ownNetwork: OwnNetwork
  /** Both absent without the exit role. */
  readonly exit: ExitRole | undefined
  readonly gate: ExitGate | undefined
}

/** Starts the watch, and the role where there is one. @throws NODE_EXIT_OPTION, NODE_EXIT_UNSAFE, NODE_EXIT_CLASS */
export async function startExit(
  deps: StartExitDeps,
  options: ExitRoleOptions | undefined,
): Promise<ExitParts> {
  let role: ExitRole | undefined
  const ownNetwork = await watchNetwork(
    {
      ...deps,
      onChange(context) {
        role?.judgeAgain(context)
        deps.onMoved()
      },
    },
    options,
  )
  if (!options) return { ownNetwork, exit: undefined, gate: undefined }
  const gate = createExitGate({ ...deps, ownNetwork, isLocal: deps.network.local })
  role = await assembleExit({ ...deps, ownNetwork, isOpen: () => gate.isOpen }, options)
  return { ownNetwork, exit: role, gate }
}
