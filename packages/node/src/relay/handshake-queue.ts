/**
 * CREATEs that wait for their handshake (THREAT-MODEL T33): a few are done in each turn of the event loop, one of each source after the other, so that a flood holds up
 * neither cells nor other people's circuits. What waited too long is given up, since its client has.
 * @module
 */
import { CLOSE_REASON } from '@byway/protocol/wire'
import type { CloseReason } from '@byway/protocol/wire'

// Local limits (tunable): docs/LIMITS.md.
/** Of all links together; beyond it the oldest of the source that has the most gives way. */
const MAX_WAITING = 256
/** Half a millisecond each: a turn stays as short as that of a busy link. */
const HANDSHAKES_PER_TURN = 4
/** Given up when older than this, while so many wait: of a few each costs less than its client's next try, after a stall of this process too. */
const MAX_WAIT_MS = 1750
const CROWDED_FROM = MAX_WAITING / 2

/** One CREATE that waits. Exactly one of the two methods is called, once, unless it is cancelled. */
export interface WaitingCreate {
  /** Whose turn it takes. */
  readonly source: string
  /** Does the handshake. */
  run(): void
  refuse(reason: CloseReason): void
}

/** The queue of one node. */
export interface HandshakeQueue {
  readonly length: number
  add(create: WaitingCreate, nowMs: number): void
  /** Forgets one that is not wanted any more; without effect when it is not waiting. */
  cancel(create: WaitingCreate): void
  /** Refuses all. */
  refuseAll(reason: CloseReason): void
}

export type HandshakeQueueDeps = {
  readonly nowMs: () => number
  /** Runs something in a later turn of the event loop. */
  readonly defer: (run: () => void) => void
}

/** Creates an empty queue. */
export function createHandshakeQueue(deps: HandshakeQueueDeps): HandshakeQueue {
  return new FairQueue(deps)
}

class FairQueue implements HandshakeQueue {
  length = 0
  readonly #deps: HandshakeQueueDeps
  /** When each came, oldest first, by source; the source whose turn is next stands first. No row is empty. */
  readonly #rows = new Map<string, Map<WaitingCreate, number>>()
  #isDeferred = false

  constructor(deps: HandshakeQueueDeps) {
    this.#deps = deps
  }

  add(create: WaitingCreate, nowMs: number): void {
    const row = this.#rows.get(create.source) ?? new Map<WaitingCreate, number>()
    this.#rows.set(create.source, row)
    row.set(create, nowMs)
    this.length++
    if (this.length > MAX_WAITING) this.#giveUpOldest()
    this.#defer()
  }

  cancel(create: WaitingCreate): void {
    const row = this.#rows.get(create.source)
    if (!row?.delete(create)) return
    this.length--
    if (row.size === 0) this.#rows.delete(create.source)
  }

  refuseAll(reason: CloseReason): void {
    for (const row of this.#rows.values())
      for (const create of row.keys()) this.#refuse(create, reason)
  }

  #defer(): void {
    if (this.#isDeferred || this.length === 0) return
    this.#isDeferred = true
    this.#deps.defer(() => {
      this.#isDeferred = false
      this.#giveUpOld()
      for (let done = 0; done < HANDSHAKES_PER_TURN; done++) this.#takeNext()?.run()
      this.#defer()
    })
  }

  #takeNext(): WaitingCreate | undefined {
    const [next] = this.#rows
    if (!next) return undefined
    const [source, row] = next
    const [create] = row.keys()
    if (create) this.cancel(create)
    // The others come first now.
    this.#rows.delete(source)
    if (row.size > 0) this.#rows.set(source, row)
    return create
  }

  #giveUpOld(): void {
    const bornMs = this.#deps.nowMs() - MAX_WAIT_MS
    for (const row of this.#rows.values()) {
      for (const [create, atMs] of row) {
        if (atMs >= bornMs || this.length < CROWDED_FROM) break
        this.#refuse(create, CLOSE_REASON.RESOURCE_LIMIT)
      }
    }
  }

  #giveUpOldest(): void {
    let longest: ReadonlyMap<WaitingCreate, number> | undefined
    for (const row of this.#rows.values()) if (row.size > (longest?.size ?? 0)) longest = row
    const [oldest] = longest?.keys() ?? []
    if (oldest) this.#refuse(oldest, CLOSE_REASON.RESOURCE_LIMIT)
  }

  #refuse(create: WaitingCreate, reason: CloseReason): void {
    this.cancel(create)
    create.refuse(reason)
  }
}
