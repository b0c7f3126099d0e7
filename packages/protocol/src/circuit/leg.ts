/**
 * A leg: one circuit as one of its two ends sees it, client or last hop. Ties layers, window and the acknowledgements owed
 * together with the link below. A tunnel rides on one leg at a time and outlives it.
 * @module
 */
import { SIZE_CLASS, type SizeClass } from '@byway/protocol/wire'
import type { HopLayers } from './hop-layers.ts'
import type { OriginLayers } from './origin-layers.ts'
import {
  type AckDebt,
  createAckDebt,
  createSendWindow,
  type RandomBytes,
  type SendWindow,
} from './window.ts'

/** The link below, as the driver shows it. Called from `pump` only. */
export interface LegLink {
  /** Takes a finished cell (kind stamped; circuit id and readBytes are the link's). The bytes become the link's. */
  send(cell: Uint8Array): void
  /** How many more bytes the link should be given now; the driver calls `pump` again when there is room. */
  roomBytes(): number
  /** The class of the next cell when so many bytes wait, class 2 at most; see {@link preferredSizeClass}. */
  preferredClass(waitingBytes: number): SizeClass
}

/** The layers between the two ends of a leg. */
export interface LegLayers {
  /** Bytes of the list that fits into a cell of this class. A client may name a hop before the last, from 0. */
  listBytes(sizeClass: SizeClass, hop?: number): number
  /** Seals a cell for the other end in place, and stamps its kind. A client may name a hop before the last, from 0. */
  seal(cell: Uint8Array, sizeClass: SizeClass, hop?: number): void
  /** Opens a cell; undefined is a violation. The list is a view into the cell. */
  open(cell: Uint8Array): Uint8Array | undefined
  /** The hop that sealed the list that `open` returned last, from 0; undefined for the other end of the leg. */
  readonly openedFromHop: number | undefined
}

/** One end of one circuit. */
export interface Leg {
  readonly layers: LegLayers
  /** Handshake hash of the last hop: `legHash` of SPEC §9.2. */
  readonly hash: Uint8Array
  /** S₀ of SPEC §5.5, for a tunnel that begins on this leg. */
  readonly tunnelSecret: Uint8Array
  readonly link: LegLink
  readonly window: SendWindow
  readonly debt: AckDebt
}

/** What both ends need for a leg. */
export type LegOptions = {
  readonly handshakeHash: Uint8Array
  readonly tunnelSecret: Uint8Array
  readonly link: LegLink
  readonly randomBytes: RandomBytes
}

/** Creates the client's end of a fresh circuit. */
export function createOriginLeg(layers: OriginLayers, options: LegOptions): Leg {
  const last = layers.hopCount - 1
  return createLeg(options, {
    listBytes: (sizeClass, hop = last) => layers.listBytes(hop, sizeClass),
    seal: (cell, sizeClass, hop = last) => layers.seal(cell, hop, sizeClass),
    open: (cell) => layers.open(cell),
    get openedFromHop(): number | undefined {
      return layers.openedFrom === last ? undefined : layers.openedFrom
    },
  })
}

/** Creates the last hop's end of a fresh circuit. */
export function createExitLeg(layers: HopLayers, options: LegOptions): Leg {
  return createLeg(options, {
    listBytes: (sizeClass) => layers.listBytes(sizeClass),
    seal: (cell, sizeClass) => layers.sealOwn(cell, sizeClass),
    open(cell) {
      const result = layers.openForward(cell)
      // A cell to pass on has nowhere to go from here.
      return typeof result === 'string' ? undefined : result
    },
    openedFromHop: undefined,
  })
}

function createLeg(options: LegOptions, layers: LegLayers): Leg {
  return {
    layers,
    hash: options.handshakeHash,
    tunnelSecret: options.tunnelSecret,
    link: options.link,
    window: createSendWindow(options.randomBytes),
    debt: createAckDebt(),
  }
}

/**
 * The rule of SPEC §4.1 for the class of the next cell.
 *
 * @param ratePerMs - measured bytes per millisecond of the link; 0 while unknown
 */
export function preferredSizeClass(waitingBytes: number, ratePerMs: number): SizeClass {
  if (waitingBytes >= LARGE_FROM_BYTES && ratePerMs >= LARGE_FROM_RATE_PER_MS) {
    return SIZE_CLASS.LARGE
  }
  return waitingBytes > SMALL_UP_TO_BYTES ? SIZE_CLASS.MEDIUM : SIZE_CLASS.SMALL
}

// Protocol constants (change needs a spec change): SPEC §4.1.
const LARGE_FROM_BYTES = 12 * 1024
/** 16 KiB within 20 ms. */
const LARGE_FROM_RATE_PER_MS = (16 * 1024) / 20
const SMALL_UP_TO_BYTES = 1024
