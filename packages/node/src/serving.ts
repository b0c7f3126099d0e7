/** Whether a node takes new circuits, and how it says that it will not (SPEC §4.4, §7.1): ahead of a stop, of quiet hours and of caps. */
import type { Link } from '@byway/protocol/link'
import { CLOSE_REASON, LINK_MESSAGE } from '@byway/protocol/wire'
import type { ExitService } from './exit/exit-service.ts'
import { pause } from './pause.ts'
import type { Relay } from './relay/relay.ts'

export type ServingDeps = {
  /** Every link, clients' included. */
  readonly links: () => Iterable<Link>
  /** Absent before the start. */
  readonly relay: () => Relay | undefined
  /** Absent at a node that is none. */
  readonly exit: () => ExitService | undefined
  /** Monotonic. */
  readonly nowMs: () => number
}

export interface Serving {
  /** When service stops, or stopped; undefined while it goes on. */
  readonly drainAtMs: number | undefined
  /** Refuses new circuits from now on, and tells everybody that service stops in so many seconds. */
  announceDrain(seconds: number): void
  /** Tells a client that has just come, while service stops: it goes elsewhere at once. */
  tellNew(link: Link): void
  /** Ends every circuit. Links to other nodes stay. */
  hibernate(): void
  /** Serves again. Clients that were told of a drain are let go: they come back by new links. */
  resume(): void
  /** Announces, and hibernates when all circuits have ended, after so many seconds, or when it is stopped. */
  drain(seconds: number, stopped: AbortSignal): Promise<void>
}

/** Creates one that serves. */
export function createServing(deps: ServingDeps): Serving {
  return new State(deps)
}

class State implements Serving {
  drainAtMs: number | undefined
  readonly #deps: ServingDeps

  constructor(deps: ServingDeps) {
    this.#deps = deps
  }

  announceDrain(seconds: number): void {
    const { links, relay, exit, nowMs } = this.#deps
    this.drainAtMs = nowMs() + seconds * 1000
    for (const link of links()) link.send({ type: LINK_MESSAGE.DRAIN, seconds })
    for (const circuit of relay()?.circuits ?? []) circuit.announceDrain(seconds)
    exit()?.drain(seconds)
  }

  tellNew(link: Link): void {
    if (this.drainAtMs === undefined || link.peer.role !== 'client') return
    const seconds = Math.max(0, Math.ceil((this.drainAtMs - this.#deps.nowMs()) / 1000))
    link.send({ type: LINK_MESSAGE.DRAIN, seconds })
  }

  hibernate(): void {
    this.#deps.relay()?.closeAll(CLOSE_REASON.DRAINING)
    this.#deps.exit()?.endAll(CLOSE_REASON.DRAINING)
  }

  resume(): void {
    if (this.drainAtMs === undefined) return
    this.drainAtMs = undefined
    this.#deps.exit()?.resume()
    // No message takes a DRAIN back. Who was told comes again by a new link.
    for (const link of this.#deps.links()) if (link.peer.role === 'client') link.close('draining')
  }

  async drain(seconds: number, stopped: AbortSignal): Promise<void> {
    this.announceDrain(seconds)
    const deadline = AbortSignal.any([stopped, AbortSignal.timeout(seconds * 1000)])
    while (!deadline.aborted && (this.#deps.relay()?.circuits.size ?? 0) > 0) await pause(deadline)
    this.hibernate()
  }
}
