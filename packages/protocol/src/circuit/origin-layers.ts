/**
 * The client's side of the layers (SPEC §6): seals a list for any hop of its circuit, opens what comes back and learns from
 * which hop. Works in place on outgoing cells.
 * @module
 */
import type { CryptoProvider, LayerOpener, LayerSealer } from '@byway/protocol/crypto'
import {
  CELL_HEADER_BYTES,
  COMMAND,
  cellBytesOfClass,
  commandOf,
  innerBytes,
  LAYER_OVERHEAD_BYTES,
  type Position,
  readKind,
  SCOPE,
  type SizeClass,
  stampKind,
} from '@byway/protocol/wire'
import { assert } from '@byway/protocol/base'
import { depthOf, type HopKeys, listBytesAt } from './layer-keys.ts'

/** All layers of one circuit at its client. Hops count from 0, the entry. */
export interface OriginLayers {
  readonly hopCount: number
  /** The hop that sealed the list that `open` returned last. */
  readonly openedFrom: number
  /** Bytes of the list for this hop that fits into a cell of this class. */
  listBytes(hop: number, sizeClass: SizeClass): number
  /** Seals a cell for a hop in place: the list stands in the first `listBytes` bytes of its body. Stamps the kind. */
  seal(cell: Uint8Array, hop: number, sizeClass: SizeClass): void
  /** Opens a DATA or LOCAL cell; undefined is a violation, on which the circuit must die. The list is a view into the cell. */
  open(cell: Uint8Array): Uint8Array | undefined
}

/** What the layers are made from. */
export type OriginLayersOptions = {
  readonly provider: CryptoProvider
  /** Entry first. */
  readonly hops: readonly HopKeys[]
  readonly entryLayer: boolean
}

/** Creates the layers of a fresh circuit, counters at 0. */
export function createOriginLayers(options: OriginLayersOptions): OriginLayers {
  assert(options.hops.length >= 1 && options.hops.length <= 3, 'a circuit has 1 to 3 hops')
  return new Layers(options)
}

class Layers implements OriginLayers {
  openedFrom = 0
  readonly hopCount: number
  readonly #entryDepth: number
  /** By depth. */
  readonly #sealers: readonly LayerSealer[]
  /** By depth. */
  readonly #openers: readonly LayerOpener[]

  constructor({ provider, hops, entryLayer }: OriginLayersOptions) {
    this.hopCount = hops.length
    this.#entryDepth = depthOf(1, entryLayer)
    const layered = this.#entryDepth < 0 ? hops.slice(1) : hops
    this.#sealers = layered.map((hop) => provider.layerSealer(hop.suite, hop.keys.forward))
    this.#openers = layered.map((hop) => provider.layerOpener(hop.suite, hop.keys.backward))
  }

  listBytes(hop: number, sizeClass: SizeClass): number {
    return listBytesAt(cellBytesOfClass(sizeClass), this.#depthOf(hop))
  }

  seal(cell: Uint8Array, hop: number, sizeClass: SizeClass): void {
    const target = this.#depthOf(hop)
    if (target < 0) {
      stampKind(cell, COMMAND.LOCAL, sizeClass)
      return
    }
    stampKind(cell, COMMAND.DATA, sizeClass)
    const bodyBytes = cell.length - CELL_HEADER_BYTES
    for (let depth = target; depth >= 0; depth--) {
      const scopeAt = CELL_HEADER_BYTES + innerBytes(bodyBytes, depth)
      cell[scopeAt] = depth === target ? SCOPE.HERE : SCOPE.PASS_ON
      const plaintext = cell.subarray(CELL_HEADER_BYTES, scopeAt + 1)
      this.#sealers[depth]?.sealInto(cell, CELL_HEADER_BYTES, plaintext)
    }
  }

  open(cell: Uint8Array): Uint8Array | undefined {
    const command = commandOf(readKind(cell))
    if (command === COMMAND.LOCAL) return this.#openLocal(cell)
    if (command !== COMMAND.DATA) return undefined
    let end = cell.length
    for (const [depth, opener] of this.#openers.entries()) {
      if (!opener.open(cell, CELL_HEADER_BYTES, end)) return undefined
      end -= LAYER_OVERHEAD_BYTES
      const scope = cell[end]
      if (scope === SCOPE.HERE) {
        this.openedFrom = depth - this.#entryDepth
        return cell.subarray(CELL_HEADER_BYTES, end)
      }
      if (scope !== SCOPE.PASS_ON) return undefined
    }
    return undefined
  }

  #openLocal(cell: Uint8Array): Uint8Array | undefined {
    if (this.#entryDepth >= 0) return undefined
    this.openedFrom = 0
    return cell.subarray(CELL_HEADER_BYTES)
  }

  #depthOf(hop: number): number {
    assert(hop >= 0 && hop < this.hopCount, 'the hop is one of the circuit')
    return depthOf((hop + 1) as Position, false) - depthOf(1, false) + this.#entryDepth
  }
}
