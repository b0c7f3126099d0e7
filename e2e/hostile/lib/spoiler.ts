/**
 * What a hostile relay does to the cells of circuits that it carries: after its own layer, where a neighbour cannot tell its work from honest work.
 * Works on DATA cells of one direction; each circuit is spoiled once, as long as the plan has spoils left.
 */
import { randomBytes } from 'node:crypto'
import type { CellQueue, Link } from '@byway/protocol/link'
import {
  bodyOf,
  CELL_HEADER_BYTES,
  COMMAND,
  commandOf,
  readDestroyBody,
  readKind,
} from '@byway/protocol/wire'
import type { RelayPort } from '../../../packages/node/src/relay/relay.ts'

export const TAMPERS = ['drop', 'flip', 'repeat', 'swap', 'inject'] as const
export type Tamper = (typeof TAMPERS)[number]
export type Direction = 'forward' | 'backward'

export type Plan = {
  readonly direction: Direction
  readonly tamper: Tamper | 'delay' | 'swallow'
  /** Cells of a circuit that pass before one is spoiled. */
  readonly afterCells: number
  /** Circuits that are still to be spoiled. */
  spoils: number
  /** Where a cell is flipped, from 0 for the first byte of the body. */
  readonly flipAt?: number | undefined
}

/** A DESTROY that a neighbour sent to the hostile relay. */
export type SeenDestroy = {
  readonly reason: number
  readonly direction: Direction
  readonly atMs: number
}

export interface Spoiler {
  plan: Plan | undefined
  readonly spoiledAtMs: number[]
  readonly destroys: SeenDestroy[]
  /** The `onLink` of a probe. */
  readonly onLink: (link: Link, attach: () => RelayPort) => RelayPort
}

/** Creates a relay's hands; idle until there is a plan. */
export function createSpoiler(): Spoiler {
  const spoiler: Spoiler = {
    plan: undefined,
    spoiledAtMs: [],
    destroys: [],
    onLink: (link, attach) => spoil(spoiler, link, attach),
  }
  return spoiler
}

function spoil(spoiler: Spoiler, link: Link, attach: () => RelayPort): RelayPort {
  /** Circuits that this relay extended over the link: their cells go forward here. */
  const extended = new Set<number>()
  const counts = new Map<CellQueue, number>()
  const held = new Map<CellQueue, Uint8Array>()
  const allocate = link.allocateCircuitId.bind(link)
  const push = link.push.bind(link)
  link.allocateCircuitId = () => {
    const id = allocate()
    extended.add(id)
    return id
  }
  const directionOf = (id: number): Direction => (extended.has(id) ? 'forward' : 'backward')
  link.push = (queue, cell) => {
    const { plan } = spoiler
    const late = held.get(queue)
    if (late) {
      held.delete(queue)
      push(queue, cell)
      push(queue, late)
      return
    }
    const isData = commandOf(readKind(cell)) === COMMAND.DATA
    if (!plan || !isData || directionOf(queue.circuitId) !== plan.direction)
      return push(queue, cell)
    if (plan.tamper === 'swallow') {
      const passed = (counts.get(queue) ?? 0) + 1
      counts.set(queue, passed)
      if (passed < plan.afterCells) return push(queue, cell)
      if (spoiler.spoiledAtMs.length === 0) spoiler.spoiledAtMs.push(performance.now())
      return
    }
    if (plan.tamper === 'delay') return void setTimeout(() => push(queue, cell), DELAY_MS)
    const count = (counts.get(queue) ?? 0) + 1
    counts.set(queue, count)
    if (count !== plan.afterCells || plan.spoils <= 0) return push(queue, cell)
    plan.spoils--
    spoiler.spoiledAtMs.push(performance.now())
    apply(plan, push, held, queue, cell)
  }
  const port = attach()
  return {
    onCell(id, cell, nowMs) {
      if (commandOf(readKind(cell)) === COMMAND.DESTROY) {
        const direction = directionOf(id)
        spoiler.destroys.push({
          reason: readDestroyBody(bodyOf(cell)),
          direction,
          atMs: performance.now(),
        })
      }
      port.onCell(id, cell, nowMs)
    },
    onLinkClosed: (reason) => port.onLinkClosed(reason),
  }
}

function apply(
  plan: Plan,
  push: Link['push'],
  held: Map<CellQueue, Uint8Array>,
  queue: CellQueue,
  cell: Uint8Array,
): void {
  switch (plan.tamper) {
    case 'drop':
    case 'delay':
    case 'swallow':
      return
    case 'flip': {
      const at = CELL_HEADER_BYTES + (plan.flipAt ?? 100)
      cell[at] = (cell[at] ?? 0) ^ 0x10
      return push(queue, cell)
    }
    case 'repeat': {
      const copy = cell.slice()
      push(queue, cell)
      return push(queue, copy)
    }
    case 'swap':
      held.set(queue, cell)
      return
    case 'inject': {
      const forged = cell.slice()
      forged.set(randomBytes(cell.length - CELL_HEADER_BYTES), CELL_HEADER_BYTES)
      push(queue, forged)
      return push(queue, cell)
    }
  }
}

const DELAY_MS = 40
