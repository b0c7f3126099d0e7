/** Which nodes have a stake, for a command that asks some for their word: whoever makes up witnesses by the dozen has none. */
import type { NetworkParameters } from '@byway/protocol/directory'
import type { CliIo } from '../io.ts'
import { readActiveStakes, type ActiveStakes } from '../network/active-stakes.ts'
import type { Output } from '../output.ts'

export type WitnessStakesInput = {
  readonly home: string
  readonly network: NetworkParameters
  readonly output: Output
  readonly io: CliIo
}

/**
 * Reads the registry once, through the running client or at the endpoints. Undefined in a network without one, and where the chain does not answer: the user is told.
 * @throws what the chain throws when it contradicts itself, or the signal's reason
 */
export async function readWitnessStakes({
  home,
  network,
  output,
  io: { signal },
}: WitnessStakesInput): Promise<ActiveStakes | undefined> {
  const { payment, local: isLocal } = network
  if (!payment) return undefined
  const say = (line: string): void => output.say(line)
  return await readActiveStakes({
    network,
    openChain: async () => {
      const { openPurseChain } = await import('../wallet/purse-chain.ts')
      const told = { say, shows: 'that it reads the registry', viaClient: false }
      return await openPurseChain({ home, payment, isLocal, ...told, signal })
    },
    onAway: () => say('the chain does not answer: whether the witnesses have a stake is not known'),
    signal,
  })
}
