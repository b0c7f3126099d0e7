/**
 * A hop's side of the layers (SPEC §6): forward it opens its own and learns whether the cell goes on; backward it adds its
 * own. Works in place on the cell's bytes. Knows neither links nor what a list says.
 * @module
 */
import type { CryptoProvider, LayerOpener, LayerSealer } from '@byway/protocol/crypto'
import {
  CELL_HEADER_BYTES,
  COMMAND,
  commandOf,
  LAYER_OVERHEAD_BYTES,
  layerBytes,
  type Position,
  readKind,
  SCOPE,
  type SizeClass,
  cellBytesOfClass,
  stampKind,
  TAG_BYTES,
} from '@byway/protocol/wire'
import { depthOf, type HopKeys, listBytesAt } from './layer-keys.ts'

/**
 * What a forward cell is: `pass` (the cell now holds what the next hop gets), the list for this hop, or a `violation`, on
 * which the circuit must be destroyed with PROTOCOL. The list is a view into the cell.
 */
export type ForwardResult = 'pass' | 'violation' | Uint8Array

/** One hop's layers on one circuit. */
export interface HopLayers {
  /** True for an entry without a layer: it forwards bodies unread, and speaks to its client in LOCAL cells. */
  readonly isBare: boolean
  /** Bytes of the list that fits into an own cell of this class. */
  listBytes(sizeClass: SizeClass): number
  /** Opens one DATA or LOCAL cell from the client's side, in place. */
  openForward(cell: Uint8Array): ForwardResult
  /** Adds this hop's layer to a DATA cell that came from the next hop, in place. */
  sealBackward(cell: Uint8Array): void
  /** Seals an own cell in place: the list stands in the first `listBytes` bytes of its body. Stamps the kind. */
  sealOwn(cell: Uint8Array, sizeClass: SizeClass): void
}

/** What the layers are made from. */
export type HopLayersOptions = {
  readonly provider: CryptoProvider
  readonly hop: HopKeys
  readonly position: Position
  readonly entryLayer: boolean
}

/** Creates the layers of a fresh circuit, counters at 0. */
export function createHopLayers(options: HopLayersOptions): HopLayers {
  const depth = depthOf(options.position, options.entryLayer)
  return depth < 0 ? BARE : new Layered(options, depth)
}

/** SPEC §6.1: the entry without `entryLayer` has none. */
const BARE: HopLayers = {
  isBare: true,
  listBytes: (sizeClass) => listBytesAt(cellBytesOfClass(sizeClass), -1),
  openForward(cell) {
    const command = commandOf(readKind(cell))
    if (command === COMMAND.DATA) return 'pass'
    return command === COMMAND.LOCAL ? cell.subarray(CELL_HEADER_BYTES) : 'violation'
  },
  sealBackward() {},
  sealOwn: (cell, sizeClass) => stampKind(cell, COMMAND.LOCAL, sizeClass),
}

class Layered implements HopLayers {
  readonly isBare = false
  readonly #depth: number
  readonly #opener: LayerOpener
  readonly #sealer: LayerSealer

  constructor({ provider, hop }: HopLayersOptions, depth: number) {
    this.#depth = depth
    this.#opener = provider.layerOpener(hop.suite, hop.keys.forward)
    this.#sealer = provider.layerSealer(hop.suite, hop.keys.backward)
  }

  listBytes(sizeClass: SizeClass): number {
    return listBytesAt(cellBytesOfClass(sizeClass), this.#depth)
  }

  openForward(cell: Uint8Array): ForwardResult {
    // SPEC §4.2: LOCAL exists only on circuits built without `entryLayer`; elsewhere it destroys the circuit.
    if (commandOf(readKind(cell)) !== COMMAND.DATA) return 'violation'
    const layerEnd = CELL_HEADER_BYTES + layerBytes(cell.length - CELL_HEADER_BYTES, this.#depth)
    if (!this.#opener.open(cell, CELL_HEADER_BYTES, layerEnd)) return 'violation'
    const scopeAt = layerEnd - LAYER_OVERHEAD_BYTES
    const scope = cell[scopeAt]
    if (scope === SCOPE.HERE) return cell.subarray(CELL_HEADER_BYTES, scopeAt)
    if (scope !== SCOPE.PASS_ON) return 'violation'
    // SPEC §6.3: the next body is `inner ‖ 17 zero bytes`, and the filler behind them is zero too.
    cell.fill(0, scopeAt)
    return 'pass'
  }

  sealBackward(cell: Uint8Array): void {
    this.#seal(cell, SCOPE.PASS_ON)
  }

  sealOwn(cell: Uint8Array, sizeClass: SizeClass): void {
    stampKind(cell, COMMAND.DATA, sizeClass)
    this.#seal(cell, SCOPE.HERE)
  }

  #seal(cell: Uint8Array, scope: number): void {
    const layer = layerBytes(cell.length - CELL_HEADER_BYTES, this.#depth)
    const plainEnd = CELL_HEADER_BYTES + layer - TAG_BYTES
    cell[plainEnd - 1] = scope
    this.#sealer.sealInto(cell, CELL_HEADER_BYTES, cell.subarray(CELL_HEADER_BYTES, plainEnd))
    cell.fill(0, CELL_HEADER_BYTES + layer)
  }
}
