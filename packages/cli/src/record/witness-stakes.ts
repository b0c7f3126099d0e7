/** Which nodes have a stake, for a command that asks some for their word: whoever makes up witnesses by the dozen has none. */
import type { RegistryClient } from '@byway/chain'
import { isBywayError } from '@byway/protocol/base'
import type { NetworkParameters, StakeSource } from '@byway/protocol/directory'
import type { CliIo } from '../io.ts'
import type { Output } from '../output.ts'

// Local limits (tunable): docs/LIMITS.md.
/** The registry's whole history, through two endpoints or a client's circuits. */
const REGISTRY_TIMEOUT_MS = 60_000

export type WitnessStakesInput = {
  readonly home: string
  readonly network: NetworkParameters
  readonly output: Output
  readonly io: CliIo
}

/**
 * Reads the registry once. Undefined in a network without one, and where the chain does not answer: the user is told.
 * @throws what the chain throws when it contradicts itself, or the signal's reason
 */
export async function readWitnessStakes(
  input: WitnessStakesInput,
): Promise<Pick<StakeSource, 'view'> | undefined> {
  const { payment } = input.network
  if (!payment) return undefined
  const { signal } = input.io
  try {
    await using registry = await openRegistry(input, payment)
    await registry.start(AbortSignal.any([signal, AbortSignal.timeout(REGISTRY_TIMEOUT_MS)]))
    return { view: registry.view }
  } catch (error) {
    signal.throwIfAborted()
    const isAway = !isBywayError(error) || error.code === 'CHAIN_UNREACHABLE'
    if (!isAway) throw error
    input.output.say('the chain does not answer: whether the witnesses have a stake is not known')
    return undefined
  }
}

async function openRegistry(
  { home, network, output, io }: WitnessStakesInput,
  payment: NonNullable<NetworkParameters['payment']>,
): Promise<RegistryClient> {
  // The chain's library takes its time, and is not wanted in a network that has none.
  const { createRegistryClient } = await import('@byway/chain')
  const { openPurseChain } = await import('../wallet/purse-chain.ts')
  const isLocal = network.local
  const told = {
    say: (line: string): void => output.say(line),
    shows: 'that it reads the registry',
  }
  const opened = await openPurseChain({
    home,
    payment,
    isLocal,
    ...told,
    viaClient: false,
    signal: io.signal,
  })
  return createRegistryClient({
    reader: opened.chain.reader,
    payment,
    isLocal,
    nowMs: () => Date.now(),
  })
}
