/**
 * Builds one circuit over a guard's link: one CREATE, one CREATED (SPEC §5). A failure names the hop; a stale onion key is tried once more with the
 * descriptor that came back, which serves that one retry only.
 * @module
 */
import { destroyCell, startOriginBuild } from '@byway/protocol/circuit'
import type { HopKeys, HopSpec, OriginBuild, OriginBuildResult } from '@byway/protocol/circuit'
import type { CryptoProvider } from '@byway/protocol/crypto'
import type { CellQueue, Link } from '@byway/protocol/link'
import {
  bodyOf,
  CLOSE_REASON,
  COMMAND,
  commandOf,
  readDestroyBody,
  readKind,
} from '@byway/protocol/wire'
import type { CloseReason, SeenPlace } from '@byway/protocol/wire'
import { systemTimers } from '../proxy/timers.ts'
import type { Timers } from '../proxy/timers.ts'
import type { CircuitSink, ClientLink } from './client-link.ts'

/** Local limit (tunable): the entry answers within its own 10 s (SPEC §5.4), or is gone. */
const BUILD_TIMEOUT_MS = 12_000

export type BuildDeps = {
  readonly provider: CryptoProvider
  readonly randomBytes: (count: number) => Uint8Array
  /** Checks a descriptor that came with STALE_KEY and returns the hop as it is now, or `undefined`. */
  readonly hopFromDescriptor: (bytes: Uint8Array, expected: HopSpec) => HopSpec | undefined
  /** @default the system's */
  readonly timers?: Timers | undefined
}

/** A circuit that is ready, not used yet. Whoever takes it sets the sink. */
export type BuiltCircuit = {
  readonly clientLink: ClientLink
  readonly link: Link
  readonly queue: CellQueue
  readonly circuitId: number
  readonly hops: readonly HopKeys[]
  readonly entryLayer: boolean
  /** From sending CREATE to reading CREATED. */
  readonly buildMs: number
  /** Where each hop but the last says that it sees the next. */
  readonly seen: readonly SeenPlace[]
  setSink(sink: CircuitSink): void
  /** Sends DESTROY and forgets the circuit. */
  destroy(reason: CloseReason): void
}

export type BuildFailure = Extract<OriginBuildResult, { type: 'failed' }>

/** Builds a circuit through these hops, the guard first. Resolves with the failure; rejects only when aborted. */
export async function buildCircuit(
  deps: BuildDeps,
  clientLink: ClientLink,
  hops: readonly HopSpec[],
  options: { readonly entryLayer: boolean; readonly signal: AbortSignal },
): Promise<BuiltCircuit | BuildFailure> {
  const first = await tryOnce(deps, clientLink, hops, options)
  if (!('type' in first) || !first.descriptor) return first
  const stale = hops[first.hopIndex]
  const fresh = stale && deps.hopFromDescriptor(first.descriptor, stale)
  if (!fresh) return first
  // SPEC §5.4: that descriptor serves this one retry only.
  return await tryOnce(deps, clientLink, hops.with(first.hopIndex, fresh), options)
}

async function tryOnce(
  deps: BuildDeps,
  clientLink: ClientLink,
  hops: readonly HopSpec[],
  { entryLayer, signal }: { readonly entryLayer: boolean; readonly signal: AbortSignal },
): Promise<BuiltCircuit | BuildFailure> {
  signal.throwIfAborted()
  const { link } = clientLink
  if (link.isClosed) return failure(CLOSE_REASON.LINK_CLOSED)
  const build = startOriginBuild({ ...deps, hops, entryLayer })
  const { promise, resolve, reject } = Promise.withResolvers<OriginBuildResult>()
  const early = createEarlySink()
  const circuitId = clientLink.reserve({
    onCell: (cell, nowMs) => {
      if (early.isHolding) early.onCell(cell, nowMs)
      else resolve(answerOf(build, cell))
      early.isHolding = true
    },
    onLinkClosed: (reason) => {
      early.onLinkClosed(reason)
      resolve(failure(reason))
    },
  })
  const queue = link.openQueue(circuitId)
  const destroy = (reason: CloseReason): void => {
    clientLink.release(circuitId)
    link.closeQueue(queue, destroyCell(reason))
  }
  const { timers = systemTimers } = deps
  const stopTimer = timers.after(BUILD_TIMEOUT_MS, () => resolve(failure(CLOSE_REASON.TIMEOUT)))
  const onAbort = (): void => reject(signal.reason as Error)
  signal.addEventListener('abort', onAbort, { once: true })
  const startedAtMs = performance.now()
  link.push(queue, build.cell)
  try {
    const result = await promise
    if (result.type === 'failed') {
      // SPEC §5.4: a client MUST send DESTROY after a failure; the hops before the one that failed still hold the circuit.
      destroy(CLOSE_REASON.FINISHED)
      return result
    }
    const buildMs = performance.now() - startedAtMs
    const setSink = (sink: CircuitSink): void => {
      clientLink.setSink(circuitId, sink)
      early.release(sink)
    }
    return {
      clientLink,
      link,
      queue,
      circuitId,
      hops: result.hops,
      entryLayer,
      buildMs,
      seen: result.seen,
      setSink,
      destroy,
    }
  } catch (error) {
    destroy(CLOSE_REASON.FINISHED)
    throw error
  } finally {
    stopTimer()
    signal.removeEventListener('abort', onAbort)
  }
}

/** Keeps what comes between CREATED and the circuit's first user, in order: it may be the DESTROY that ends it. */
function createEarlySink() {
  const held: ((sink: CircuitSink) => void)[] = []
  return {
    isHolding: false,
    onCell(cell: Uint8Array, nowMs: number): void {
      held.push((sink) => sink.onCell(cell, nowMs))
    },
    onLinkClosed(reason: CloseReason): void {
      held.push((sink) => sink.onLinkClosed(reason))
    },
    release(sink: CircuitSink): void {
      for (const deliver of held.splice(0)) deliver(sink)
    },
  }
}

function answerOf(build: OriginBuild, cell: Uint8Array): OriginBuildResult {
  const command = commandOf(readKind(cell))
  if (command === COMMAND.CREATED) return build.onCreated(cell)
  if (command === COMMAND.DESTROY) return failure(readDestroyBody(bodyOf(cell)))
  return failure(CLOSE_REASON.PROTOCOL)
}

function failure(reason: CloseReason): BuildFailure {
  return { type: 'failed', hopIndex: 0, reportedBy: 0, reason, descriptor: undefined }
}
