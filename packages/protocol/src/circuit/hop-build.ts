/**
 * A hop's side of building a circuit (SPEC §5.2–5.4): judges a CREATE, does its handshake, and says whether to answer now or
 * to extend first. Sends nothing: the driver finds the link to the next hop, and gives up at the deadline.
 * @module
 */
import { BywayError, equalBytes } from '@byway/protocol/base'
import {
  circuitPrologue,
  type CryptoProvider,
  KEY_BYTES,
  mac1,
  mac1Key,
  peekEphemeral,
  type Responder,
  respond,
} from '@byway/protocol/crypto'
import {
  bodyOf,
  CLOSE_REASON,
  type CloseReason,
  CREATE_BODY_BYTES,
  type Create,
  type CreateFailure,
  type CreateOutcome,
  type CreatePayload,
  decodeCreate,
  decodeCreated,
  decodeCreatePayload,
  encodeCreatedPayload,
  MESSAGE_2_OVERHEAD_BYTES,
  type Position,
  SEEN_PLACE_BYTES,
  type SeenPlace,
  SUITE,
  SUITE_OFFER,
  type Suite,
} from '@byway/protocol/wire'
import { createCell, createdCell } from './create-cell.ts'
import { type HopKeys, suiteName } from './layer-keys.ts'
import type { OnionKey, OnionKeys } from './onion-keys.ts'
import type { RandomBytes } from './window.ts'

/** Who is at the other side of the link that a CREATE came from. */
export type LinkRole = 'client' | 'node'

/** What a node's builder needs. */
export type HopBuildOptions = {
  readonly provider: CryptoProvider
  readonly randomBytes: RandomBytes
  /** This node's id. */
  readonly nodeId: Uint8Array
  readonly onionKeys: OnionKeys
  /** Returns this node's current signed descriptor, for clients with a stale key. */
  readonly descriptor: () => Uint8Array
  /** True where the CPU has AES instructions: AES-256-GCM is chosen when offered. */
  readonly preferAes: boolean
}

/** A circuit that this hop is part of from now on; `createHopLayers` takes it. */
export type HopCircuit = {
  readonly hop: HopKeys
  readonly position: Position
  readonly entryLayer: boolean
  /** True when the circuit ends here. */
  readonly isLast: boolean
}

/** The answer for the CREATED link, and the circuit if there is one. After a `refused` the hop forgets the circuit. */
export type HopAnswer =
  | { readonly type: 'ready'; readonly cell: Uint8Array; readonly circuit: HopCircuit }
  | { readonly type: 'refused'; readonly cell: Uint8Array; readonly reason: CloseReason }

/** A hop that must extend before it answers. Exactly one of the two methods is called, once. */
export type HopExtension = {
  readonly type: 'extend'
  readonly nodeId: Uint8Array
  /** The CREATE cell for the next hop; the link stamps its circuit id. */
  readonly cell: Uint8Array
  /** When to call `onNextFailed(TIMEOUT)`, on the clock of `onCreate`. */
  readonly deadlineAtMs: number
  /** Takes the CREATED cell of the next hop. @param seen - where this node sees it; nothing to say by default */
  readonly onNextCreated: (cell: Uint8Array, seen?: SeenPlace) => HopAnswer
  /** Answers that the next hop could not be reached. */
  readonly onNextFailed: (reason: CloseReason) => HopAnswer
}

/** Judges CREATE cells. Stateless but for the onion keys. */
export interface HopBuild {
  /** Takes a CREATE cell from a link on which the other side has this role. Never throws on what it holds. */
  onCreate(cell: Uint8Array, linkRole: LinkRole, nowMs: number): HopAnswer | HopExtension
}

/** Creates the judge of a node. */
export function createHopBuild(options: HopBuildOptions): HopBuild {
  return {
    onCreate(cell, linkRole, nowMs) {
      try {
        return judge(options, cell, linkRole, nowMs)
      } catch (error) {
        if (error instanceof BywayError && error.kind === 'peer') return refuse(PROTOCOL)
        throw error
      }
    },
  }
}

function judge(
  options: HopBuildOptions,
  cell: Uint8Array,
  linkRole: LinkRole,
  nowMs: number,
): HopAnswer | HopExtension {
  const { provider, nodeId, onionKeys } = options
  const create = decodeCreate(bodyOf(cell))
  const key = onionKeys.find(create.onionKeyId)
  // SPEC §5.2: a hop MUST check mac1 before anything else. It can for a key that it does not have (any more) as well.
  const macKey = key?.mac1Key ?? mac1Key(provider, nodeId, create.onionKeyId)
  if (!provider.timingSafeEqual(mac1(provider, macKey, create.macInput), create.mac1)) {
    return refuse(PROTOCOL)
  }
  // SPEC §5.2: position 1 is accepted on client links only, 2 and 3 on node links only.
  if ((create.position === 1) !== (linkRole === 'client')) return refuse(PROTOCOL)
  if (!key) return refuse(CLOSE_REASON.STALE_KEY, options.descriptor())
  const responder = handshake(options, create, key)
  if (!responder) return refuse(PROTOCOL)
  const payload = decodeCreatePayload(responder.payload)
  const opened: Opened = { options, responder, payload, position: create.position }
  if (!payload.extend) return answer(opened, { result: 'ready' })
  return extend(opened, payload.extend, nowMs)
}

/** Does the handshake once per ephemeral. Only a message 1 that authenticates counts as seen. */
function handshake(
  { provider, nodeId }: HopBuildOptions,
  { message1, position }: Create,
  key: OnionKey,
): Responder | undefined {
  // SPEC §5.2: a hop keeps every ephemeral it has seen and MUST refuse a repeated one.
  const ephemeral = peekEphemeral(message1)
  if (!ephemeral || key.seen.has(ephemeral)) return undefined
  const prologue = circuitPrologue(nodeId, key.id, position)
  const responder = respond({ provider, prologue, staticKey: key.pair, message1 })
  return key.seen.add(responder.ephemeral) ? responder : undefined
}

type Opened = {
  readonly options: HopBuildOptions
  readonly responder: Responder
  readonly payload: CreatePayload
  readonly position: Position
}

function extend(
  opened: Opened,
  next: NonNullable<CreatePayload['extend']>,
  nowMs: number,
): HopAnswer | HopExtension {
  const { options, payload } = opened
  // SPEC §5.2: a hop extends with its own position + 1 and MUST refuse to go past 3.
  const position = nextPosition(opened.position)
  if (!position || equalBytes(next.nodeId, options.nodeId)) {
    return answer(opened, failure(PROTOCOL))
  }
  return {
    type: 'extend',
    nodeId: next.nodeId.slice(),
    cell: createCell(options.provider, { ...next, position }),
    deadlineAtMs: nowMs + Math.min(payload.deadlineMs, MAX_DEADLINE_MS),
    onNextCreated: (cell, seen = UNSEEN) => answer(opened, outcomeOf(cell, seen)),
    onNextFailed: (reason) => answer(opened, failure(reason)),
  }
}

/** What the next hop's CREATED means to the client. */
function outcomeOf(cell: Uint8Array, seen: SeenPlace): CreateOutcome {
  try {
    const created = decodeCreated(bodyOf(cell))
    if (created.result === 'failed') return created
    // An answer that this hop's own could not hold is no answer of SPEC §5.4.
    if (created.message2.length > MAX_NEXT_ANSWER_BYTES) return failure(PROTOCOL)
    return { result: 'extended', message2: created.message2, seen }
  } catch (error) {
    if (error instanceof BywayError && error.kind === 'peer') return failure(PROTOCOL)
    throw error
  }
}

function answer(
  { options, responder, payload, position }: Opened,
  outcome: CreateOutcome,
): HopAnswer {
  const suite: Suite =
    options.preferAes && (payload.suites & SUITE_OFFER.AES_256_GCM) !== 0
      ? SUITE.AES_256_GCM
      : SUITE.CHACHA20_POLY1305
  const content = encodeCreatedPayload({ suite, outcome })
  const { message2, keys, handshakeHash } = responder.answer(
    content,
    options.randomBytes(KEY_BYTES),
  )
  const cell = createdCell({ result: 'answered', message2 })
  if (outcome.result === 'failed') return { type: 'refused', cell, reason: outcome.reason }
  const hop: HopKeys = { suite: suiteName(suite), keys, handshakeHash }
  const isLast = outcome.result === 'ready'
  return { type: 'ready', cell, circuit: { hop, position, entryLayer: payload.entryLayer, isLast } }
}

function refuse(reason: CloseReason, descriptor?: Uint8Array): HopAnswer {
  const cell = createdCell({ result: 'failed', reason, descriptor })
  return { type: 'refused', cell, reason }
}

/** STALE_KEY comes with a descriptor or not at all: without one it says nothing that a client could use. */
function failure(reason: CloseReason): CreateFailure {
  const isBare = reason === CLOSE_REASON.STALE_KEY
  const said = isBare ? CLOSE_REASON.CONNECT_FAILED : reason
  return { result: 'failed', reason: said, descriptor: undefined }
}

function nextPosition(position: Position): Position | undefined {
  if (position === 1) return 2
  return position === 2 ? 3 : undefined
}

const { PROTOCOL } = CLOSE_REASON
const UNSEEN: SeenPlace = { country: '', asn: 0 }

/** What is left of a CREATED for the next hop's message 2: status and n, our message 2, the head of its payload and where the next hop is seen (SPEC §5.4). */
const MAX_NEXT_ANSWER_BYTES =
  CREATE_BODY_BYTES - 3 - MESSAGE_2_OVERHEAD_BYTES - 5 - SEEN_PLACE_BYTES

/** Protocol constant (change needs a spec change): SPEC §5.3, a hop uses at most 15 000. */
const MAX_DEADLINE_MS = 15_000
