/** Nodes that answer about a real chain, asked without a network between: what one says may be changed on the way. */
import type { ToldChain } from '../../src/through/chain-answerer.ts'
import { createChainAnswerer, type ChainAnswerer } from '../../src/through/chain-answerer.ts'
import { networkContracts } from '../../src/through/network-contracts.ts'
import { createNodeEndpoint, type AskNode } from '../../src/through/node-endpoint.ts'
import type { RpcEndpoint } from '../../src/rpc/endpoint.ts'
import type { DeployedWorld } from './deployed-world.ts'

/** A node's answers, each by a view of its own. */
export function answererOf({ chain, payment }: DeployedWorld): ChainAnswerer {
  return createChainAnswerer({ reader: chain.reader, payment, nowMs: () => performance.now() })
}

/** Such a node as an endpoint. */
export function endpointOf(world: DeployedWorld, change: (ask: AskNode) => AskNode): RpcEndpoint {
  const { payment } = world
  const answerer = answererOf(world)
  const ask = change((question, signal): Promise<ToldChain> => answerer.answer(question, signal))
  const contracts = networkContracts(payment)
  return createNodeEndpoint({ ask, contracts, chainId: payment.chainId })
}

export const honest = (ask: AskNode): AskNode => ask
