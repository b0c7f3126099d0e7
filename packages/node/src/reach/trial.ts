/** Trying another node's address for it (SPEC §10.5). @module */
import { isBywayError, type ErrorContext } from '@byway/protocol/base'
import { REACH_RESULT } from '@byway/protocol/wire'
import type { ReachResult } from '@byway/protocol/wire'
import type { Dial, DialTarget } from '../dialler.ts'

/** Dials and hangs up. Never rejects. */
export async function tryToReach(
  dial: Dial,
  target: DialTarget,
  signal: AbortSignal,
): Promise<ReachResult> {
  try {
    const link = await dial(target, signal)
    link.close('local')
    return REACH_RESULT.REACHED
  } catch (error) {
    return resultOf(error)
  }
}

/** Takes what a dial threw. An error that no dial throws counts as none tried. */
export function resultOf(error: unknown): ReachResult {
  if (!isBywayError(error)) return REACH_RESULT.UNTRIED
  const { step, errno } = error.context as ErrorContext
  if (error.code === 'NET_TIMEOUT')
    return step === 'connect' ? REACH_RESULT.SILENT : REACH_RESULT.STRANGER
  if (error.code === 'NET_CONNECT') {
    if (errno === 'ECONNREFUSED') return REACH_RESULT.REFUSED
    return SILENT_ERRNOS.has(String(errno)) ? REACH_RESULT.SILENT : REACH_RESULT.STRANGER
  }
  return error.code === 'NET_REFUSED' || error.code === 'NET_PROOF'
    ? REACH_RESULT.STRANGER
    : REACH_RESULT.UNTRIED
}

const SILENT_ERRNOS: ReadonlySet<string> = new Set([
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EHOSTDOWN',
])
