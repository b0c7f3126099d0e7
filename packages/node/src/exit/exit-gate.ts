/**
 * Whether an exit may carry anything yet: not before two neighbours agree on the address of its line, or a stranger could send it to its
 * own front door (THREAT-MODEL T16). A listener tells whoever dials it where it sees them, so an exit that nobody has told dials some.
 */
import type { UnitRandom } from '@byway/protocol/directory'
import type { OwnNetwork } from './own-network.ts'

export interface ExitGate {
  readonly isOpen: boolean
  /** Meets up to three of the known nodes, and again after a while, for as long as it is shut and not disposed of. */
  meetWitnesses(): void
  [Symbol.dispose](): void
}

export type ExitGateDeps = {
  readonly ownNetwork: OwnNetwork
  /** The whole network is on this machine: there is no line, and the gate stands open. */
  readonly isLocal: boolean
  readonly knownNodes: () => readonly Uint8Array[]
  /** Makes sure of a link to a node. */
  readonly meet: (nodeId: Uint8Array) => Promise<unknown>
  readonly random: UnitRandom
}

// Local limits (tunable): docs/LIMITS.md.
/** One of them may be gone, another may see a different address. */
const WITNESSES_TO_MEET = 3
/** At the start few others are known. */
const MEET_AGAIN_MS = 2000

export function createExitGate(deps: ExitGateDeps): ExitGate {
  let timer: NodeJS.Timeout | undefined
  const isOpen = (): boolean => deps.isLocal || deps.ownNetwork.unknown().length === 0

  function draw(): readonly Uint8Array[] {
    const known = [...deps.knownNodes()]
    return Array.from({ length: WITNESSES_TO_MEET }, () =>
      known.splice(Math.floor(deps.random() * known.length), 1),
    ).flat()
  }

  function meetWitnesses(): void {
    clearTimeout(timer)
    if (isOpen()) return
    for (const nodeId of draw()) deps.meet(nodeId).catch(() => {})
    timer = setTimeout(meetWitnesses, MEET_AGAIN_MS).unref()
  }

  return {
    get isOpen() {
      return isOpen()
    },
    meetWitnesses,
    [Symbol.dispose]: () => clearTimeout(timer),
  }
}
