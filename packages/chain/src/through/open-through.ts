/** Puts together a chain that is asked through the network: seats for nodes, the rule by which they are believed, and the endpoints beside them. */
import { createChainView } from '../create-chain-view.ts'
import { openChainReader, pollMsOf, type Chain, type ChainOptions } from '../open-chain.ts'
import { networkContracts } from './network-contracts.ts'
import { createNodeEndpoint } from './node-endpoint.ts'
import { createNodesReader, type ChainSeat } from './open-over-nodes.ts'
import { createRoutedReader, type ChainRoute, type RoutedReader } from './routed-reader.ts'

export type ThroughOptions = ChainOptions & {
  /** Two or more, whose nodes may not share a circuit. */
  readonly seats: readonly ChainSeat[]
  readonly onRoute: (route: ChainRoute) => void
}

/** Opens it. Connects to nothing before the first question, and asks the endpoints until `routed` has moved. @throws CHAIN_ENDPOINTS */
export function openChainThrough(
  options: ThroughOptions,
): Chain & { readonly routed: RoutedReader } {
  const { payment, onAlert, seats, onRoute, followMs } = options
  const { chainId, rpcUrls } = payment
  const contracts = networkContracts(payment)
  const pollMs = pollMsOf(options)
  const nodes = seats.map(({ ask }) => createNodeEndpoint({ ask, contracts, chainId }))
  const over = { chainId, pollMs }
  const onDisagree = (method: string): void => onAlert({ type: 'disagree', method })
  const routed = createRoutedReader({
    endpoints: openChainReader({ ...options, rpcUrls, chainId }),
    network: createNodesReader({ ...over, nodes, onDisagree }),
    seats: seats.map(({ replace }, at) => ({
      replace,
      reader: createNodesReader({
        ...over,
        nodes: nodes.slice(at, at + 1),
        isAlone: true,
        onDisagree() {},
      }),
    })),
    onRoute,
    nowMs: () => performance.now(),
  })
  const { reader } = routed
  const view = createChainView({ ...payment, reader, pollMs: followMs ?? pollMs })
  return { reader, view, routed }
}
