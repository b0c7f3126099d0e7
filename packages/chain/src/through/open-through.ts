/** Puts together a chain that is asked through the network: seats for nodes, the rule by which they are believed, and the endpoints beside them. */
import { createChainReader } from '../chain-reader.ts'
import type { ChainReader } from '../chain-reader.ts'
import { createChainView } from '../create-chain-view.ts'
import { openChainReader, pollMsOf, type Chain, type ChainOptions } from '../open-chain.ts'
import type { RpcEndpoint } from '../rpc/endpoint.ts'
import { createQuorum } from '../rpc/quorum.ts'
import { networkContracts } from './network-contracts.ts'
import { createNodeEndpoint, type AskNode } from './node-endpoint.ts'
import { createRoutedReader, type ChainRoute, type RoutedReader } from './routed-reader.ts'

/** A place for a node that is asked. */
export type ChainSeat = {
  /** Asks the node that has it; a fresh one is found where there is none. */
  readonly ask: AskNode
  /** Gives it to another node: this one was wrong, or is of no use just now. */
  readonly replace: (isWrong: boolean) => void
}

export type ThroughOptions = ChainOptions & {
  /** Two or more, whose nodes may not share a circuit. */
  readonly seats: readonly ChainSeat[]
  readonly onRoute: (route: ChainRoute) => void
}

/** Opens it. Connects to nothing before the first question, and asks the endpoints until `routed` has moved. @throws CHAIN_ENDPOINTS */
export function openChainThrough(
  options: ThroughOptions,
): Chain & { readonly routed: RoutedReader } {
  const { payment, isLocal, onAlert, seats, onRoute, followMs } = options
  const { chainId, rpcUrls } = payment
  const contracts = networkContracts(payment)
  const nowMs = (): number => performance.now()
  const pollMs = pollMsOf(options)
  const readerOf = (nodes: readonly RpcEndpoint[], isAlone: boolean): ChainReader => {
    const onNodes: typeof onAlert = (alert) => {
      // Which node has a seat changes all the time; only that they contradict each other is news.
      if (alert.type === 'disagree' && !isAlone) onAlert(alert)
    }
    const quorum = createQuorum({ endpoints: nodes, chainId, isLocal: isAlone, onAlert: onNodes })
    return createChainReader({ quorum, nowMs, pollMs })
  }
  const nodes = seats.map(({ ask }) => createNodeEndpoint({ ask, contracts, chainId }))
  const routed = createRoutedReader({
    endpoints: openChainReader({ ...options, isLocal, rpcUrls, chainId }),
    network: readerOf(nodes, false),
    seats: seats.map(({ replace }, at) => ({
      replace,
      reader: readerOf(nodes.slice(at, at + 1), true),
    })),
    onRoute,
    nowMs,
  })
  const { reader } = routed
  const view = createChainView({ ...payment, reader, pollMs: followMs ?? pollMs })
  return { reader, view, routed }
}
