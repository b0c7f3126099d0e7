/**
 * The relay role: takes CREATE cells, extends circuits, moves cells between links (SPEC §5, §6). One handler for each link; a peer that breaks a
 * rule costs one circuit, or one link. Blind to what circuits carry.
 * @module
 */
import type { HopAnswer, HopBuild, HopExtension } from '@byway/protocol/circuit'
import type { CryptoProvider } from '@byway/protocol/crypto'
import type { Link, LinkCloseReason } from '@byway/protocol/link'
import {
  bodyOf,
  CLOSE_REASON,
  COMMAND,
  commandOf,
  readDestroyBody,
  readKind,
} from '@byway/protocol/wire'
import type { CloseReason, SeenPlace } from '@byway/protocol/wire'
import { createCreateDesk } from './create-desk.ts'
import type { LinkCreates } from './create-desk.ts'
import type { CellToll } from '../money/held-cells.ts'
import type { Meter, NextHops, RelayMoney, TerminalService } from './ports.ts'
import { createRelayCircuit } from './relay-circuit.ts'
import type { Joint, RelayCircuit } from './relay-circuit.ts'

export type RelayDeps = {
  readonly provider: CryptoProvider
  readonly build: HopBuild
  readonly nextHops: NextHops
  readonly terminals: TerminalService
  /** Absent in an unpaid network. */
  readonly money?: RelayMoney | undefined
  /** Monotonic milliseconds: limits and deadlines. */
  readonly nowMs: () => number
  /** Wall clock: the life of onion keys. */
  readonly wallMs: () => number
  /** Called with the final counts of each circuit. */
  readonly onCircuitClosed: (meter: Meter) => void
  /** Where a node is by what is known of the address from which its link comes; '' and 0 where its descriptor names addresses, or nothing is known. */
  readonly seenPlaceOf: (nodeId: Uint8Array, address: string) => SeenPlace
  /** A reason while new circuits are refused: shutting down, or memory under pressure. */
  readonly refuses: () => CloseReason | undefined
}

/** The circuits of one link, for its handler. */
export interface RelayPort {
  onCell(circuitId: number, cell: Uint8Array, nowMs: number): void
  onLinkClosed(reason: LinkCloseReason): void
}

/** The relay role of a node. */
export interface Relay {
  readonly circuits: ReadonlySet<RelayCircuit>
  /** Starts serving circuits on a link. @param address - of its other side, for limits, and to say in which country a node without an address is */
  attach(link: Link, address: string): RelayPort
  /** Destroys every circuit. */
  closeAll(reason: CloseReason): void
}

/** Creates a relay without links. */
export function createRelay(deps: RelayDeps): Relay {
  return new RelayRole(deps)
}

type CircuitEnd = {
  readonly circuit: RelayCircuit
  readonly side: 'previous' | 'next'
  /** Set while the next hop is asked. */
  answer: NextAnswer | undefined
}
type NextAnswer = (cell: Uint8Array | CloseReason) => void

/** What one link has: its circuits by id, and those that wait. */
type LinkState = {
  readonly link: Link
  readonly address: string
  readonly ends: Map<number, CircuitEnd>
  readonly creates: LinkCreates
  /** Set on a client's link where it is paid. */
  readonly toll: CellToll | undefined
}

class RelayRole implements Relay {
  readonly circuits = new Set<RelayCircuit>()
  readonly #deps: RelayDeps
  readonly #links = new Map<Link, LinkState>()
  readonly #desk

  constructor(deps: RelayDeps) {
    this.#deps = deps
    const { nowMs, refuses } = deps
    const defer = (run: () => void): void => void setImmediate(run)
    this.#desk = createCreateDesk({ nowMs, refuses, defer, random: Math.random })
  }

  attach(link: Link, address: string): RelayPort {
    const creates = this.#desk.open(link, address, (joint, cell) =>
      this.#handshake(state, joint, cell),
    )
    const toll = link.peer.role === 'client' ? this.#deps.money?.linkToll(link) : undefined
    const state: LinkState = { link, address, ends: new Map(), creates, toll }
    this.#links.set(link, state)
    return {
      onCell: (circuitId, cell, nowMs) => this.#onCell(state, circuitId, cell, nowMs),
      onLinkClosed: () => {
        this.#links.delete(link)
        creates.close()
        for (const end of state.ends.values()) this.#onEndGone(end, CLOSE_REASON.LINK_CLOSED)
      },
    }
  }

  closeAll(reason: CloseReason): void {
    this.#desk.refuseAll(reason)
    for (const circuit of this.circuits) circuit.close(reason)
  }

  #onCell(state: LinkState, circuitId: number, cell: Uint8Array, nowMs: number): void {
    const command = commandOf(readKind(cell))
    if (state.creates.onFurther(circuitId, command)) return
    const end = state.ends.get(circuitId)
    if (command === COMMAND.CREATE) {
      if (end) this.#destroy(end, CLOSE_REASON.PROTOCOL)
      else state.creates.onCreate(circuitId, cell, state.ends.size, nowMs)
      return
    }
    // SPEC §4.1: a cell for an unknown circuit is dropped; it may have crossed a DESTROY.
    if (!end) return
    if (command === COMMAND.DESTROY) this.#onEndGone(end, readDestroyBody(bodyOf(cell)))
    else if (command === COMMAND.CREATED) this.#onCreated(end, cell)
    else if (end.side === 'previous') end.circuit.onForward(cell, nowMs)
    else end.circuit.onBackward(cell, nowMs)
  }

  #handshake({ link, ends, toll: linkToll }: LinkState, joint: Joint, cell: Uint8Array): void {
    const { circuitId, queue } = joint
    const step = this.#deps.build.onCreate(cell, link.peer.role, this.#deps.wallMs())
    if (step.type === 'refused') {
      link.closeQueue(queue, step.cell)
      return
    }
    const onClosed = (closed: RelayCircuit): void => this.#forget(closed)
    const { provider, terminals, money, nowMs: clock } = this.#deps
    const deps = { provider, terminals, money, linkToll, nowMs: clock, onClosed }
    const circuit = createRelayCircuit(joint, deps)
    this.circuits.add(circuit)
    ends.set(circuitId, { circuit, side: 'previous', answer: undefined })
    if (step.type === 'ready') this.#finish(circuit, step)
    else void this.#extend(circuit, step)
  }

  async #extend(circuit: RelayCircuit, step: HopExtension): Promise<void> {
    const deadline = AbortSignal.timeout(
      Math.max(1, Math.round(step.deadlineAtMs - this.#deps.wallMs())),
    )
    const found = await this.#deps.nextHops.linkTo(step.nodeId, deadline)
    if (circuit.isClosed) return
    const state = typeof found === 'number' ? undefined : this.#links.get(found)
    if (typeof found === 'number' || !state || found.isClosed) {
      const reason = typeof found === 'number' ? found : CLOSE_REASON.CONNECT_FAILED
      this.#finish(circuit, step.onNextFailed(reason))
      return
    }
    const circuitId = freeId(state)
    const next = { link: found, circuitId, queue: found.openQueue(circuitId) }
    circuit.attachNext(next)
    const onTimeout = (): void => this.#answer(state.ends.get(circuitId), CLOSE_REASON.TIMEOUT)
    deadline.addEventListener('abort', onTimeout, { once: true })
    const answer: NextAnswer = (result) => {
      deadline.removeEventListener('abort', onTimeout)
      if (typeof result === 'number') return this.#finish(circuit, step.onNextFailed(result))
      const seen = this.#deps.seenPlaceOf(step.nodeId, state.address)
      this.#finish(circuit, step.onNextCreated(result, seen))
    }
    state.ends.set(circuitId, { circuit, side: 'next', answer })
    if (deadline.aborted) onTimeout()
    else found.push(next.queue, step.cell)
  }

  #onCreated(end: CircuitEnd, cell: Uint8Array): void {
    if (end.side === 'next' && end.answer) this.#answer(end, cell)
    else this.#destroy(end, CLOSE_REASON.PROTOCOL)
  }

  #answer(end: CircuitEnd | undefined, result: Uint8Array | CloseReason): void {
    const answer = end?.answer
    if (!end || !answer) return
    end.answer = undefined
    answer(result)
  }

  /** Sends the answer towards the client. After a refusal this hop forgets the circuit (SPEC §5.4). */
  #finish(circuit: RelayCircuit, answer: HopAnswer): void {
    if (circuit.isClosed) return
    if (answer.type === 'refused') {
      this.#drop(circuit, answer.cell, answer.reason)
      return
    }
    const { link, queue } = circuit.previous
    link.push(queue, answer.cell)
    const failure = circuit.open(answer.circuit, this.#deps.nowMs())
    if (failure !== undefined) circuit.close(failure)
  }

  #drop(circuit: RelayCircuit, lastCell: Uint8Array, reason: CloseReason): void {
    circuit.previous.link.closeQueue(circuit.previous.queue, lastCell)
    circuit.close(reason, 'previous')
  }

  #onEndGone(end: CircuitEnd, reason: CloseReason): void {
    if (end.answer) this.#answer(end, reason)
    else end.circuit.close(reason, end.side)
  }

  #destroy(end: CircuitEnd, reason: CloseReason): void {
    end.answer = undefined
    end.circuit.close(reason)
  }

  #forget(circuit: RelayCircuit): void {
    this.circuits.delete(circuit)
    this.#deps.onCircuitClosed(circuit)
    for (const joint of [circuit.previous, circuit.next]) {
      if (joint) this.#links.get(joint.link)?.ends.delete(joint.circuitId)
    }
  }
}

/** An id that this link does not use; ids come round again after 2^31 circuits. */
function freeId({ link, ends }: LinkState): number {
  for (;;) {
    const id = link.allocateCircuitId()
    if (!ends.has(id)) return id
  }
}
