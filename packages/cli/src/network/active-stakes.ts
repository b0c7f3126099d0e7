/** Which nodes have a stake, for a command that asks strangers: whoever makes up nodes by the dozen has none, and who hides some shows too little of all stake. */
import type { Chain } from '@byway/chain'
import { isBywayError } from '@byway/protocol/base'
import type { NetworkParameters, StakeSource } from '@byway/protocol/directory'

// Local limits (tunable): docs/LIMITS.md.
/** The registry's whole history, through two endpoints or a client's circuits. */
const REGISTRY_TIMEOUT_MS = 60_000

/** What the registry says at the chain's newest block. */
export type ActiveStakes = Pick<StakeSource, 'view'>

export type ActiveStakesInput = {
  readonly network: NetworkParameters
  readonly openChain: () => Promise<{ readonly chain: { readonly reader: Chain['reader'] } }>
  /** Told when the chain does not answer. */
  readonly onAway: () => void
  readonly signal: AbortSignal
}

/**
 * Reads the registry once. Undefined in a network without one, and where the chain does not answer.
 * @throws what the chain throws when it contradicts itself, or the signal's reason
 */
export async function readActiveStakes({
  network,
  openChain,
  onAway,
  signal,
}: ActiveStakesInput): Promise<ActiveStakes | undefined> {
  const { payment, local: isLocal } = network
  if (!payment) return undefined
  try {
    // The chain's library takes its time, and is not wanted in a network that has none.
    const { createRegistryClient } = await import('@byway/chain')
    const { reader } = (await openChain()).chain
    const nowMs = (): number => Date.now()
    await using registry = createRegistryClient({ reader, payment, isLocal, nowMs })
    await registry.start(AbortSignal.any([signal, AbortSignal.timeout(REGISTRY_TIMEOUT_MS)]))
    return { view: registry.view }
  } catch (error) {
    signal.throwIfAborted()
    const isAway = !isBywayError(error) || error.code === 'CHAIN_UNREACHABLE'
    if (!isAway) throw error
    onAway()
    return undefined
  }
}
