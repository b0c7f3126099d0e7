/** Puts the parts together for a network: endpoints, the rule by which they are believed, the view, and what lanes need. */
import type { PaymentParameters } from '@byway/protocol/directory'
import { createChainReader, type ChainReader } from './chain-reader.ts'
import type { ChainView } from './chain-view.ts'
import { createChainView } from './create-chain-view.ts'
import { createRpcEndpoint } from './rpc/endpoint.ts'
import { createQuorum, type EndpointAlert } from './rpc/quorum.ts'

/** Which endpoints, and how they are asked. */
export type ReaderSettings = {
  readonly rpcUrls: readonly string[]
  readonly chainId: number
  /** True in a local network: one endpoint may stand alone. */
  readonly isLocal: boolean
  /** Told what a person may have to act on. Must not throw. */
  readonly onAlert: (alert: EndpointAlert) => void
  /** How old an answer to "which block is the newest?" may be. @default 1000, in a local network 100 */
  readonly pollMs?: number | undefined
  /** Of one question to one endpoint. @default 5000 */
  readonly timeoutMs?: number | undefined
}

export type ChainOptions = Omit<ReaderSettings, 'rpcUrls' | 'chainId'> & {
  readonly payment: PaymentParameters
  /** How often events are looked for. @default as `pollMs` */
  readonly followMs?: number | undefined
}

export type Chain = { readonly view: ChainView; readonly reader: ChainReader }

// Local limits (tunable): docs/LIMITS.md.
/** Chains that we use make a block each one or two seconds. */
const POLL_MS = 1000
/** Nobody pays for questions to a chain on this machine. */
const LOCAL_POLL_MS = 100

/**
 * Opens the chain of a network. Connects to nothing before the first question.
 * @throws CHAIN_ENDPOINTS
 */
export function openChain({ payment, followMs, ...options }: ChainOptions): Chain {
  const { rpcUrls, chainId } = payment
  const reader = openChainReader({ ...options, rpcUrls, chainId })
  const pollMs = followMs ?? pollMsOf(options)
  return { reader, view: createChainView({ ...payment, reader, pollMs }) }
}

/** Opens a chain on which there are no contracts yet. @throws CHAIN_ENDPOINTS */
export function openChainReader(settings: ReaderSettings): ChainReader {
  const { rpcUrls, chainId, isLocal, onAlert, timeoutMs } = settings
  const nowMs = (): number => performance.now()
  const endpoints = rpcUrls.map((url) => createRpcEndpoint({ url, timeoutMs, nowMs }))
  const quorum = createQuorum({ endpoints, chainId, isLocal, onAlert })
  return createChainReader({ quorum, nowMs, pollMs: pollMsOf(settings) })
}

/** How old an answer may be. */
export function pollMsOf({ pollMs, isLocal }: Pick<ReaderSettings, 'pollMs' | 'isLocal'>): number {
  return pollMs ?? (isLocal ? LOCAL_POLL_MS : POLL_MS)
}
