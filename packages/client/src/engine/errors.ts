/**
 * Errors of the client engine. The `EXIT_…` codes are the reset reasons of SPEC §12.2 as the proxy's `DialFailureCode` names them.
 * None holds a destination, an address or a node id.
 * @module
 */
import { errorBuilder } from '@byway/protocol/base'
import type { ErrorBuilder, ErrorOf } from '@byway/protocol/base'
import { closeReasonName, RESET_REASON } from '@byway/protocol/wire'
import type { CloseReason, ResetReason, TrafficClass } from '@byway/protocol/wire'

type ClientErrors = {
  /** A circuit could not be built, or died and could not be replaced. `hop` counts from 1; 0 when no hop is to blame. */
  CIRCUIT_FAILED: { hop: number; reason: string }
  /** No path keeps all the rules; `rule` is the one that left nothing. */
  NO_PATH: { rule: string }
  /**
   * No exit that fits takes this traffic class; `exits` of the network do. Ask for less of the exit (country, city, ASN, port), or for another class; where none takes it, ask again when one does.
   */
  EXIT_CLASS: { trafficClass: TrafficClass; exits: number }
  /**
   * All exits that fit, `exits` of them, ask for more than this client pays for this traffic. Raise `--max-price`, or ask for less of the exit.
   */
  EXIT_PRICE: { exits: number }
  /**
   * The directory is not there yet, or holds the nodes of less than 60 % of all active stake: guards may be hiding nodes, or the chain was not seen for a day. No circuit is
   * built. Wait for other guards, or check the clock, the network file and the chain's endpoints.
   */
  DIRECTORY_INCOMPLETE: { descriptors: number; stakePercent: number }
  /**
   * No guard has answered with what is new for a day (`ageS`; -1 where the clock was put back and nobody knows): what the client holds may be what somebody wants it to go on with. No circuit is built.
   * Check the clock and the network; it goes on as soon as a guard answers.
   */
  DIRECTORY_OLD: { ageS: number }
  /** No guard could be reached. */
  ENTRY_UNREACHABLE: { guards: number }
  /** The stored guards cannot be read. A client that chose new ones on its own would show another relay where it is. */
  GUARDS_DAMAGED: { file: string }
  /** The client is shutting down. */
  CLIENT_CLOSED: Record<string, never>
  EXIT_POLICY: Record<string, never>
  EXIT_RESOLVE_FAILED: Record<string, never>
  EXIT_CONNECT_REFUSED: Record<string, never>
  EXIT_UNREACHABLE: Record<string, never>
  EXIT_TIMEOUT: Record<string, never>
  EXIT_RESET: Record<string, never>
  EXIT_BUSY: Record<string, never>
  EXIT_DRAINING: Record<string, never>
  /** The exit gave another reason; `reason` is its number in SPEC §12.2. */
  EXIT_FAILED: { reason: number }
}

export type ClientError = ErrorOf<ClientErrors>

export const clientError: ErrorBuilder<ClientErrors> = errorBuilder<ClientErrors>({
  CIRCUIT_FAILED: ['network', 'the circuit failed'],
  NO_PATH: ['network', 'no path keeps all the rules'],
  EXIT_CLASS: [
    'network',
    'no exit that fits takes this traffic class: ask for less of the exit, or for another class',
  ],
  EXIT_PRICE: [
    'network',
    'every exit that fits asks for more than --max-price: raise it, or ask for less of the exit',
  ],
  DIRECTORY_INCOMPLETE: [
    'network',
    'the directory is incomplete: no circuit is built from less than 60 % of the active stake',
  ],
  DIRECTORY_OLD: [
    'network',
    'no guard has answered for a day, and no circuit is built from a directory as old as that: check the clock and the network',
  ],
  ENTRY_UNREACHABLE: ['network', 'no guard could be reached'],
  GUARDS_DAMAGED: [
    'local',
    'the stored guards cannot be read: restore the file, or delete it to choose new guards',
  ],
  CLIENT_CLOSED: ['local', 'the client is shutting down'],
  EXIT_POLICY: ['exit', 'the exit does not serve this destination'],
  EXIT_RESOLVE_FAILED: ['exit', 'the exit found no usable address for the name'],
  EXIT_CONNECT_REFUSED: ['exit', 'the destination refused'],
  EXIT_UNREACHABLE: ['exit', 'the destination cannot be reached'],
  EXIT_TIMEOUT: ['exit', 'the destination did not answer in time'],
  EXIT_RESET: ['exit', 'the destination reset the connection'],
  EXIT_BUSY: ['exit', 'the exit is at a limit'],
  EXIT_DRAINING: ['exit', 'the exit is shutting down'],
  EXIT_FAILED: ['exit', 'the exit gave up the stream'],
})

/** Turns a circuit's end into an error. `hop` counts from 1. */
export function circuitError(reason: CloseReason, hop = 0): ClientError {
  return clientError('CIRCUIT_FAILED', { hop, reason: closeReasonName(reason) })
}

/** Turns a stream's reset into an error. */
export function resetError(reason: ResetReason): ClientError {
  const code = CODE_OF_RESET[reason]
  return code === undefined ? clientError('EXIT_FAILED', { reason }) : clientError(code, {})
}

const CODE_OF_RESET = {
  [RESET_REASON.MISC]: undefined,
  [RESET_REASON.RESOLVE_FAILED]: 'EXIT_RESOLVE_FAILED',
  [RESET_REASON.CONNECT_REFUSED]: 'EXIT_CONNECT_REFUSED',
  [RESET_REASON.EXIT_POLICY]: 'EXIT_POLICY',
  [RESET_REASON.TIMEOUT]: 'EXIT_TIMEOUT',
  [RESET_REASON.UNREACHABLE]: 'EXIT_UNREACHABLE',
  [RESET_REASON.CONNECTION_RESET]: 'EXIT_RESET',
  [RESET_REASON.RESOURCE_LIMIT]: 'EXIT_BUSY',
  [RESET_REASON.DRAINING]: 'EXIT_DRAINING',
  [RESET_REASON.PROTOCOL]: undefined,
  [RESET_REASON.IDLE]: 'EXIT_TIMEOUT',
  [RESET_REASON.INTERNAL]: undefined,
} as const satisfies Record<ResetReason, keyof ClientErrors | undefined>
