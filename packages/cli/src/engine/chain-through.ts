/** A client's chain: asked through the network once circuits stand, at the network file's endpoints until then, or always where the user wants it so. */
import {
  openChain,
  openChainThrough,
  type Chain,
  type ChainOptions,
  type ChainRoute,
  type ChainSeat,
} from '@byway/chain'
import type { Client, ClientChainSeat } from '@byway/client'
import type { Logger } from '@byway/protocol/base'
import type { EngineSetting } from './engine-options.ts'
import { runError } from './run-errors.ts'

/** Disposing ends the tries to move to the network. */
export interface ClientChain extends AsyncDisposable {
  readonly chain: Chain
  readonly route: ChainRoute
  /** Lets it ask through a client that has started. Once. */
  attach(client: Pick<Client, 'seats'>): void
  /** Between two looks of those who follow the chain; undefined for what they take themselves. */
  readonly followMs: number | undefined
}

// Local limits (tunable): docs/LIMITS.md.
/** Nodes that are asked at once, if the network has them. */
const SEATS = 3
/** Between two tries to ask through the network. */
const TRY_EVERY_MS = 5000
const LOCAL_TRY_EVERY_MS = 1000
/** A client at rest has no use for every block; each look is a question to every node that is asked. */
const FOLLOW_MS = 15_000

/** Opens it; nothing is asked yet. @throws CHAIN_ENDPOINTS */
export function openClientChain(
  { config, network, log }: Pick<EngineSetting, 'config' | 'network' | 'log'>,
  options: ChainOptions,
): ClientChain {
  const stop = new AbortController()
  if (config.client.chainThrough === 'direct') {
    return { ...standingStill(openChain(options)), followMs: undefined }
  }
  let trying: Promise<void> = Promise.resolve()
  let attached: readonly ClientChainSeat[] = []
  const opened = openChainThrough({
    ...options,
    followMs: network.local ? options.followMs : FOLLOW_MS,
    seats: lateSeats(() => attached),
    onRoute: (route) => tell(log, route),
  })
  log.info('asking the endpoints of the chain until circuits stand', {})
  return {
    chain: opened,
    followMs: network.local ? undefined : FOLLOW_MS,
    get route() {
      return opened.routed.route
    },
    attach({ seats }) {
      attached = seats.routine
      const everyMs = network.local ? LOCAL_TRY_EVERY_MS : TRY_EVERY_MS
      trying = opened.routed.keepTrying(everyMs, stop.signal)
    },
    async [Symbol.asyncDispose]() {
      stop.abort()
      await trying
    },
  }
}

function standingStill(chain: Chain): Omit<ClientChain, 'followMs'> {
  return {
    chain,
    route: 'endpoints',
    attach() {},
    async [Symbol.asyncDispose]() {},
  }
}

/** The chain is opened before the client whose seats they are. */
function lateSeats(attached: () => readonly ClientChainSeat[]): readonly ChainSeat[] {
  return Array.from({ length: SEATS }, (_, at): ChainSeat => {
    return {
      async ask(question, signal) {
        const seat = attached()[at]
        if (!seat) throw runError('RUN_CHAIN_SEAT', {})
        return await seat.ask(question, signal)
      },
      replace: (isWrong) => attached()[at]?.replace(isWrong),
    }
  })
}

function tell(log: Logger, route: ChainRoute): void {
  if (route === 'network') log.info('asking the chain through the network', {})
  else log.warn('asking the endpoints of the chain: the network does not answer', {})
}
