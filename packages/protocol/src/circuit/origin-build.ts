/**
 * The client's side of building a circuit in one pass (SPEC §5): one CREATE with the nested first messages of all hops, one
 * CREATED with the nested answers. Sends nothing, waits for nothing: the driver does, and gives up in time.
 * @module
 */
import { assert, BywayError } from '@byway/protocol/base'
import {
  circuitPrologue,
  type CryptoProvider,
  type HandshakeResult,
  type Initiator,
  KEM_SEED_BYTES,
  KEY_BYTES,
  onionKeyId,
  startInitiator,
} from '@byway/protocol/crypto'
import {
  bodyOf,
  CLOSE_REASON,
  type CloseReason,
  type CreateFailure,
  decodeCreated,
  decodeCreatedPayload,
  encodeCreatePayload,
  type Extend,
  type SeenPlace,
  SUITE_OFFER,
} from '@byway/protocol/wire'
import { createCell } from './create-cell.ts'
import { type HopKeys, isOffered, suiteName } from './layer-keys.ts'
import type { RandomBytes } from './window.ts'

/** A hop as the client knows it from the directory. */
export type HopSpec = {
  readonly nodeId: Uint8Array
  /** X25519, 32 bytes. */
  readonly onionKey: Uint8Array
}

/** What a client's builder needs. */
export type OriginBuildOptions = {
  readonly provider: CryptoProvider
  readonly randomBytes: RandomBytes
  /** 1 to 3 hops, entry first. */
  readonly hops: readonly HopSpec[]
  /** SPEC §6.1. @default false */
  readonly entryLayer?: boolean | undefined
  /** @default true: the client's CPU has AES instructions, so that hops may choose AES-256-GCM */
  readonly offerAes?: boolean | undefined
}

/**
 * What became of the circuit. `hopIndex` is the hop that failed or could not be reached, from 0; `reportedBy` the hop that
 * said so under its own authentication (equal to `hopIndex` when the entry refused in the clear or lied). `descriptor`,
 * with STALE_KEY only, serves one retry (SPEC §5.4).
 */
export type OriginBuildResult =
  | {
      readonly type: 'ready'
      readonly hops: readonly HopKeys[]
      readonly entryLayer: boolean
      /** Where each hop but the last says that it sees the next. */
      readonly seen: readonly SeenPlace[]
    }
  | {
      readonly type: 'failed'
      readonly hopIndex: number
      readonly reportedBy: number
      readonly reason: CloseReason
      readonly descriptor: Uint8Array | undefined
    }

/** One circuit on its way. */
export interface OriginBuild {
  /** The CREATE cell; the link stamps its circuit id. */
  readonly cell: Uint8Array
  /** Takes the CREATED cell, once. Never throws on what it holds. */
  onCreated(cell: Uint8Array): OriginBuildResult
}

/** Makes the CREATE cell: per hop one handshake message, from the last hop inwards. */
export function startOriginBuild(options: OriginBuildOptions): OriginBuild {
  const { provider, hops, entryLayer = false, offerAes = true } = options
  assert(hops.length >= 1 && hops.length <= MAX_HOPS, 'a circuit has 1 to 3 hops')
  const suites = SUITE_OFFER.CHACHA20_POLY1305 | (offerAes ? SUITE_OFFER.AES_256_GCM : 0)
  const initiators: Initiator[] = []
  let extend: Extend | undefined
  for (let index = hops.length - 1; index >= 0; index--) {
    const hop = hops[index]
    assert(hop, 'the hop is there')
    const keyId = onionKeyId(provider, hop.onionKey)
    const initiator = startInitiator({
      provider,
      prologue: circuitPrologue(hop.nodeId, keyId, index + 1),
      remoteStatic: hop.onionKey,
      ephemeralSecret: options.randomBytes(KEY_BYTES),
      kemSeed: options.randomBytes(KEM_SEED_BYTES),
    })
    initiators.unshift(initiator)
    const deadlineMs = DEADLINES_MS[index] ?? 0
    const payload = encodeCreatePayload({ suites, entryLayer, deadlineMs, extend })
    extend = { nodeId: hop.nodeId, onionKeyId: keyId, message1: initiator.message1(payload) }
  }
  assert(extend, 'there is a first hop')
  const cell = createCell(provider, { ...extend, position: 1 })
  return { cell, onCreated: (created) => finish(created, initiators, suites, entryLayer) }
}

function finish(
  cell: Uint8Array,
  initiators: readonly Initiator[],
  suites: number,
  entryLayer: boolean,
): OriginBuildResult {
  let hopIndex = 0
  try {
    const created = decodeCreated(bodyOf(cell))
    if (created.result === 'failed') return failed(0, 0, created)
    let message2: Uint8Array | undefined = created.message2
    const hops: HopKeys[] = []
    const seen: SeenPlace[] = []
    for (const [index, initiator] of initiators.entries()) {
      hopIndex = index
      if (!message2) return lied(index)
      const answer: HandshakeResult & { readonly payload: Uint8Array } = initiator.finish(message2)
      const { suite, outcome } = decodeCreatedPayload(answer.payload)
      if (!isOffered(suite, suites)) return lied(index)
      if (outcome.result === 'failed') {
        // The last hop has nobody to fail for it: what it says of another would blame a hop that is not there.
        return index + 1 < initiators.length ? failed(index + 1, index, outcome) : lied(index)
      }
      const { keys, handshakeHash } = answer
      hops.push({ suite: suiteName(suite), keys, handshakeHash })
      message2 = undefined
      if (outcome.result !== 'extended') continue
      message2 = outcome.message2
      seen.push(outcome.seen)
    }
    // More answers than hops: the last one says that it went on.
    if (message2) return lied(hopIndex)
    return { type: 'ready', hops, entryLayer, seen }
  } catch (error) {
    if (error instanceof BywayError && error.kind === 'peer') return lied(hopIndex)
    throw error
  }
}

function lied(hopIndex: number): OriginBuildResult {
  const reason = CLOSE_REASON.PROTOCOL
  return { type: 'failed', hopIndex, reportedBy: hopIndex, reason, descriptor: undefined }
}

function failed(hopIndex: number, reportedBy: number, failure: CreateFailure): OriginBuildResult {
  const { reason, descriptor } = failure
  return { type: 'failed', hopIndex, reportedBy, reason, descriptor: descriptor?.slice() }
}

// Protocol constants (change needs a spec change).
/** SPEC §5.2. */
const MAX_HOPS = 3
/** SPEC §5.4: deadlines shrink by hop, so that the hop before has time to say who failed. */
export const DEADLINES_MS: readonly number[] = [10_000, 8000, 6000]
