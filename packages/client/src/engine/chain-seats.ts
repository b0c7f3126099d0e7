/**
 * Nodes that tell this client what the chain says (SPEC §15.9), each over control circuits of its own. A seat keeps its node while that answers: whoever changed its nodes often would sooner or
 * later ask none but one owner's. No two seats have nodes that may share a circuit. Whom to believe is judged where the answers are compared.
 * @module
 */
import { drawWeighted, mayShareCircuit } from '@byway/protocol/directory'
import type { NodeKey, PathNode } from '@byway/protocol/directory'
import { CHAIN_VERDICT, CLOSE_REASON } from '@byway/protocol/wire'
import type { ChainQuestion, ChainVerdict } from '@byway/protocol/wire'
import type { ControlCarrier } from '../money/control-circuit.ts'
import { systemTimers } from '../proxy/timers.ts'
import type { Timers } from '../proxy/timers.ts'
import { untilAborted } from './abort.ts'
import { createChainCircuit } from './chain-circuit.ts'
import type { ChainCircuit, ToldChain } from './chain-circuit.ts'
import { circuitError, clientError } from './errors.ts'

/** A place for a node that is asked. */
export interface ClientChainSeat {
  /** Which node it has now. */
  readonly holder: NodeKey | undefined
  /** Asks its node; finds one where it has none. @throws NO_PATH, CIRCUIT_FAILED, DIRECTORY_INCOMPLETE, ENTRY_UNREACHABLE, or the signal's reason */
  ask(question: ChainQuestion, signal: AbortSignal): Promise<ToldChain>
  /** Gives the seat to another node: this one was wrong, and is asked no more, or is of no use just now. */
  replace(isWrong: boolean): void
}

export type ChainSeatsDeps = {
  /** Nodes that may know the chain. */
  readonly nodes: () => readonly PathNode[]
  /** True for a node that is asked about other things already: taken where no other is left. @default none is */
  readonly isAskedElsewhere?: ((key: NodeKey) => boolean) | undefined
  readonly weightOf: (key: NodeKey) => number
  /** Uniform in [0, 1). */
  readonly random: () => number
  /** Opens a control circuit to a node. */
  readonly open: (node: PathNode, signal: AbortSignal) => Promise<ControlCarrier>
  /** A node told what the chain does not say. */
  readonly onWrong: (key: NodeKey) => void
  /** Monotonic. */
  readonly nowMs: () => number
  /** Aborted when the client stops. */
  readonly closing: AbortSignal
  /** A circuit that nobody asked over for so long ends; its node keeps the seat. @default none does */
  readonly idleMs?: number | undefined
  /** @default the system's */
  readonly timers?: Timers | undefined
}

// Local limits (tunable): docs/LIMITS.md.
/** Two would do (ADR-0009). With a third one may die unnoticed, and all three would have to lie. */
const SEATS = 3
/** A node asks its own endpoints first. */
const ANSWER_MS = 20_000
const OPEN_MS = 30_000
/** Nodes tried for one opening. */
const MAX_TRIED = 4
/** A node that failed is tried no more for so long, unless no other is left. */
const AVOID_MS = 600_000
/** Refusals in a row before another node is asked. */
const MAX_REFUSALS = 3

/** Creates the seats, all empty. */
export function createChainSeats(deps: ChainSeatsDeps): readonly ClientChainSeat[] {
  const table = createTable(deps)
  return table.seats
}

/** What the seats share. */
type Table = {
  readonly seats: readonly Seat[]
  /** Nodes that a seat may have, the likelier first. */
  readonly candidates: (seat: Seat) => Iterable<PathNode>
  readonly avoid: (node: PathNode, isWrong: boolean) => void
}

function createTable(deps: ChainSeatsDeps): Table {
  const { nodes, weightOf, random, nowMs, onWrong, isAskedElsewhere = () => false } = deps
  const avoidedUntilMs = new Map<NodeKey, number>()
  const free = (seat: Seat): readonly PathNode[] => {
    const others = table.seats.filter((each) => each !== seat).flatMap(({ node }) => node ?? [])
    return nodes().filter((node) => others.every((other) => mayShareCircuit(node, other)))
  }
  const isAvoided = ({ key }: PathNode): boolean => (avoidedUntilMs.get(key) ?? 0) > nowMs()
  const table: Table = {
    seats: Array.from({ length: SEATS }, () => new Seat(deps, () => table)),
    *candidates(seat) {
      const all = free(seat)
      if (all.every(isAvoided)) {
        for (const [key, untilMs] of avoidedUntilMs) {
          if (untilMs !== Number.POSITIVE_INFINITY) avoidedUntilMs.delete(key)
        }
      }
      const open = all.filter((node) => !isAvoided(node))
      const isShared = ({ key }: PathNode): boolean => isAskedElsewhere(key)
      for (const some of [open.filter((node) => !isShared(node)), open.filter(isShared)])
        yield* drawWeighted(some, ({ key }) => weightOf(key), random)
    },
    avoid({ key }, isWrong) {
      avoidedUntilMs.set(key, isWrong ? Number.POSITIVE_INFINITY : nowMs() + AVOID_MS)
      if (isWrong) onWrong(key)
    },
  }
  return table
}

class Seat implements ClientChainSeat {
  node: PathNode | undefined
  readonly #deps: ChainSeatsDeps
  readonly #table: () => Table
  #circuit: ChainCircuit | undefined
  #opening: Promise<ChainCircuit> | undefined
  #refusals = 0
  #stopIdle: () => void = () => {}

  constructor(deps: ChainSeatsDeps, table: () => Table) {
    this.#deps = deps
    this.#table = table
  }

  get holder(): NodeKey | undefined {
    return this.node?.key
  }

  async ask(question: ChainQuestion, signal: AbortSignal): Promise<ToldChain> {
    try {
      return await this.#askOnce(question, signal)
    } catch (error) {
      signal.throwIfAborted()
      // A guard that died says nothing of the node: it is asked once more, over another.
      if (!this.node) throw error
    }
    const { node } = this
    try {
      return await this.#askOnce(question, signal)
    } catch (error) {
      signal.throwIfAborted()
      this.#leave(node, false)
      throw error
    }
  }

  replace(isWrong: boolean): void {
    this.#leave(this.node, isWrong)
  }

  /** A node that lets a question wait is left at once. */
  async #askOnce(question: ChainQuestion, signal: AbortSignal): Promise<ToldChain> {
    const { closing, timers = systemTimers } = this.#deps
    const circuit = await this.#ready(signal)
    const { node } = this
    this.#restWhenIdle()
    const late = new AbortController()
    const stop = timers.after(ANSWER_MS, () => late.abort(circuitError(CLOSE_REASON.TIMEOUT)))
    try {
      const told = await circuit.ask(question, AbortSignal.any([signal, closing, late.signal]))
      this.#judge(node, told.verdict)
      return told
    } catch (error) {
      if (late.signal.aborted) this.#leave(node, false)
      throw error
    } finally {
      stop()
    }
  }

  #restWhenIdle(): void {
    const { idleMs, timers = systemTimers } = this.#deps
    if (idleMs === undefined) return
    this.#stopIdle()
    this.#stopIdle = timers.after(idleMs, () => this.#circuit?.finish())
  }

  /** A circuit with room, the present one or a fresh one to the same node. */
  async #ready(signal: AbortSignal): Promise<ChainCircuit> {
    while (!this.#circuit?.hasRoom) {
      this.#opening ??= this.#open().finally(() => (this.#opening = undefined))
      await untilAborted(this.#opening, signal)
    }
    return this.#circuit
  }

  async #open(): Promise<ChainCircuit> {
    const old = this.#circuit
    const signal = AbortSignal.any([this.#deps.closing, AbortSignal.timeout(OPEN_MS)])
    const fresh = this.node ? await this.#openTo(this.node, signal) : await this.#openToAny(signal)
    old?.finish()
    this.#circuit = fresh
    return fresh
  }

  async #openToAny(signal: AbortSignal): Promise<ChainCircuit> {
    let lastError: unknown = clientError('NO_PATH', { rule: 'CHAIN' })
    let tried = 0
    for (const node of this.#table().candidates(this)) {
      if (++tried > MAX_TRIED) break
      try {
        return await this.#openTo(node, signal)
      } catch (error) {
        signal.throwIfAborted()
        lastError = error
      }
    }
    throw lastError
  }

  /** @throws what opening throws; the node is left then */
  async #openTo(node: PathNode, signal: AbortSignal): Promise<ChainCircuit> {
    this.node = node
    try {
      const carrier = await this.#deps.open(node, signal)
      if (this.node !== node) {
        carrier.close()
        throw circuitError(CLOSE_REASON.FINISHED)
      }
      const circuit = createChainCircuit(carrier, () => {
        if (this.#circuit === circuit) this.#circuit = undefined
      })
      return circuit
    } catch (error) {
      this.#leave(node, false)
      throw error
    }
  }

  #judge(node: PathNode | undefined, verdict: ChainVerdict): void {
    if (!REFUSALS.has(verdict)) this.#refusals = 0
    else if (++this.#refusals >= MAX_REFUSALS) this.#leave(node, false)
  }

  /** Nothing happens where the seat has another node by now. */
  #leave(node: PathNode | undefined, isWrong: boolean): void {
    if (!node || this.node !== node) return
    this.#table().avoid(node, isWrong)
    this.node = undefined
    this.#refusals = 0
    const circuit = this.#circuit
    this.#circuit = undefined
    circuit?.close()
  }
}

const REFUSALS: ReadonlySet<ChainVerdict> = new Set([
  CHAIN_VERDICT.TRY_LATER,
  CHAIN_VERDICT.NOT_ALLOWED,
  CHAIN_VERDICT.CHAIN_AWAY,
])
