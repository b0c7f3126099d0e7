/** Who is asked what the chain says for a command: the nodes of the running client, or without one the endpoints of the network file. The user is told. */
import { openChain, type Chain } from '@byway/chain'
import { findClientChain, type ClientChain, type ClientChainOptions } from './client-chain.ts'
import { readSlotStories } from './slot-stories.ts'
import { walletError } from './wallet-errors.ts'

/** A chain, and who is asked. */
export type PurseChain = ClientChain & { readonly isThrough: boolean }

export type PurseChainOptions = Omit<ClientChainOptions, 'onWait'> & {
  /** Told in words who is asked. */
  readonly say: (text: string) => void
  /** What an endpoint would learn besides this machine's address: `which …`. */
  readonly shows: string
  /** The user wants nobody asked but the client's nodes. */
  readonly viaClient: boolean
}

/** Opens it. @throws WALLET_NO_CLIENT, WALLET_CLIENT_STARTING, CONTROL_NO_ANSWER, CHAIN_ENDPOINTS, or the signal's reason */
export async function openPurseChain(options: PurseChainOptions): Promise<PurseChain> {
  const { say, shows, viaClient } = options
  const onWait = (): void => say('waiting for the circuits of the running client')
  const found = await findClientChain({ ...options, onWait })
  if (found.way === 'client') {
    say('asking the chain through the circuits of the running client')
    return { ...found.opened, isThrough: true }
  }
  const why = WHY[found.way]
  if (viaClient) throw walletError('WALLET_NO_CLIENT', { why })
  say(
    `${why}: the endpoints of the chain are asked directly; they see the address of this machine, and ${shows}`,
  )
  if (found.way === 'no-client')
    say('beside `byway up` they are not asked; with --via-client never')
  return openDirect(options)
}

const WHY = {
  'no-client': 'no client runs',
  'other-network': 'the running client is of another network',
  direct: 'client.chain_through is "direct"',
} as const

/** Asks the endpoints. @throws CHAIN_ENDPOINTS */
function openDirect({
  payment,
  isLocal,
}: Pick<PurseChainOptions, 'payment' | 'isLocal'>): PurseChain {
  const chain = openChain({ payment, isLocal, onAlert: () => {} })
  const slotStates = statesAt(chain, payment.deployBlock)
  return { chain, chainOf: () => chain, slotStates, isThrough: false }
}

/** From all that ever happened to all slots: who asks for some names them as one owner's. */
function statesAt(chain: Chain, fromBlock: number): ClientChain['slotStates'] {
  return async (nullifiers, signal) => {
    const storyOf = await readSlotStories(chain, fromBlock, signal)
    return nullifiers.map((nullifier) => storyOf(nullifier).state)
  }
}
