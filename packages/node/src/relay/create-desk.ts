/**
 * CREATEs from their arrival to their handshake (THREAT-MODEL T15, T33): judged by the limits, queued, refused in the relay's name when they may not be. What the handshake
 * makes of them is the relay's.
 * @module
 */
import { addressScopes } from '@byway/net'
import { createdCell, destroyCell } from '@byway/protocol/circuit'
import type { CellQueue, Link } from '@byway/protocol/link'
import { CLOSE_REASON, COMMAND } from '@byway/protocol/wire'
import type { CloseReason } from '@byway/protocol/wire'
import { createCreateBook } from './create-limits.ts'
import { createHandshakeQueue } from './handshake-queue.ts'
import type { WaitingCreate } from './handshake-queue.ts'
import type { Joint } from './relay-circuit.ts'

export type CreateDeskDeps = {
  /** Monotonic milliseconds. */
  readonly nowMs: () => number
  /** Runs something in a later turn of the event loop. */
  readonly defer: (run: () => void) => void
  /** Uniform in [0, 1): spreads penalties. */
  readonly random: () => number
  /** A reason while new circuits are refused. */
  readonly refuses: () => CloseReason | undefined
}

/** The CREATEs of one link. */
export interface LinkCreates {
  /** Takes a CREATE on a circuit id that is free. @param openCircuits - of this link, without those that wait here */
  onCreate(circuitId: number, cell: Uint8Array, openCircuits: number, nowMs: number): void
  /** True when the circuit waits here: any further cell ends it, and all but DESTROY break a rule. */
  onFurther(circuitId: number, command: number): boolean
  /** The link is gone. */
  close(): void
}

/** The desk of one node. */
export interface CreateDesk {
  /** @param onTurn - a CREATE's turn has come: do its handshake */
  open(link: Link, address: string, onTurn: (joint: Joint, cell: Uint8Array) => void): LinkCreates
  /** Refuses all that wait. */
  refuseAll(reason: CloseReason): void
}

/** A CREATE before its handshake. */
type Waiting = { readonly create: WaitingCreate; readonly queue: CellQueue }

/** Creates a desk without links. */
export function createCreateDesk(deps: CreateDeskDeps): CreateDesk {
  const book = createCreateBook(deps.random)
  const handshakes = createHandshakeQueue(deps)
  return {
    open(link, address, onTurn) {
      const limits = book.open(link.peer.role, address, deps.nowMs())
      const source = addressScopes(address)[0]?.key ?? ''
      const waiting = new Map<number, Waiting>()

      function wait(joint: Joint, cell: Uint8Array, nowMs: number): void {
        const { circuitId, queue } = joint
        const create: WaitingCreate = {
          source,
          run() {
            waiting.delete(circuitId)
            onTurn(joint, cell)
          },
          refuse(reason) {
            waiting.delete(circuitId)
            refuse(joint, reason)
          },
        }
        waiting.set(circuitId, { create, queue })
        handshakes.add(create, nowMs)
      }

      return {
        onCreate(circuitId, cell, openCircuits, nowMs) {
          const joint = { link, circuitId, queue: link.openQueue(circuitId) }
          const refusal = deps.refuses()
          if (refusal !== undefined) refuse(joint, refusal)
          else if (limits.tryCreate(openCircuits + waiting.size, nowMs)) wait(joint, cell, nowMs)
          else refuse(joint, CLOSE_REASON.RESOURCE_LIMIT)
        },
        onFurther(circuitId, command) {
          const found = waiting.get(circuitId)
          if (!found) return false
          handshakes.cancel(found.create)
          waiting.delete(circuitId)
          const isOver = command === COMMAND.DESTROY
          link.closeQueue(found.queue, isOver ? undefined : destroyCell(CLOSE_REASON.PROTOCOL))
          return true
        },
        close() {
          for (const { create } of waiting.values()) handshakes.cancel(create)
          waiting.clear()
        },
      }
    },
    refuseAll: (reason) => handshakes.refuseAll(reason),
  }
}

function refuse({ link, queue }: Joint, reason: CloseReason): void {
  link.closeQueue(queue, createdCell({ result: 'failed', reason, descriptor: undefined }))
}
