/** A chain about which nodes of the network are asked and nobody else (SPEC §15.9): for questions that name something of the user's, which no endpoint shall hear. */
import { createChainReader, type ChainReader } from '../chain-reader.ts'
import { createChainView } from '../create-chain-view.ts'
import { pollMsOf, type Chain, type ChainOptions } from '../open-chain.ts'
import type { RpcEndpoint } from '../rpc/endpoint.ts'
import { createQuorum } from '../rpc/quorum.ts'
import { networkContracts } from './network-contracts.ts'
import { createNodeEndpoint, type AskNode } from './node-endpoint.ts'

/** A place for a node that is asked. */
export type ChainSeat = {
  /** Asks the node that has it; a fresh one is found where there is none. */
  readonly ask: AskNode
  /** Gives it to another node: this one was wrong, or is of no use just now. */
  readonly replace: (isWrong: boolean) => void
}

export type OverNodesOptions = Pick<ChainOptions, 'payment' | 'isLocal' | 'pollMs' | 'followMs'> & {
  /** Two or more, whose nodes may not share a circuit. */
  readonly seats: readonly ChainSeat[]
}

/**
 * Opens it. Connects to nothing before the first question. Nobody settles what nodes contradict each other about: nothing is believed then, and all of them are replaced.
 * @throws CHAIN_ENDPOINTS
 */
export function openChainOverNodes(options: OverNodesOptions): Chain {
  const { payment, seats, followMs } = options
  const pollMs = pollMsOf(options)
  const { chainId } = payment
  const contracts = networkContracts(payment)
  const nodes = seats.map(({ ask }) => createNodeEndpoint({ ask, contracts, chainId }))
  const onDisagree = (): void => seats.forEach(({ replace }) => replace(false))
  const reader = createNodesReader({ nodes, chainId, pollMs, onDisagree })
  return { reader, view: createChainView({ ...payment, reader, pollMs: followMs ?? pollMs }) }
}

export type NodesReaderOptions = {
  readonly nodes: readonly RpcEndpoint[]
  readonly chainId: number
  /** How old an answer to "which block is the newest?" may be. */
  readonly pollMs: number
  /** Told when nodes contradict each other. Which of them is away changes all the time, and is no news. */
  readonly onDisagree: (method: string) => void
  /** Believes the only one: to find out whether it is wrong. @default false: two must agree */
  readonly isAlone?: boolean | undefined
}

/** A reader over nodes, by the rule by which endpoints are believed. @throws CHAIN_ENDPOINTS */
export function createNodesReader(options: NodesReaderOptions): ChainReader {
  const { nodes, chainId, pollMs, onDisagree, isAlone = false } = options
  const quorum = createQuorum({
    endpoints: nodes,
    chainId,
    isLocal: isAlone,
    onAlert: (alert) => {
      if (alert.type === 'disagree') onDisagree(alert.method)
    },
  })
  return createChainReader({ quorum, nowMs: () => performance.now(), pollMs })
}
