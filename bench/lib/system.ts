/** What a bench measures: one interface for Byway and for every peer beside it. */
import type { Route } from './route.ts'

/**
 * What a process does in a transfer. `relay` is a hop of a system that has no entry, middle and exit (nginx, a splice,
 * a server of shadowsocks). `idle` processes belong to the system but carried nothing: their CPU is not the path's.
 */
export const ROLES = ['client', 'entry', 'middle', 'exit', 'relay', 'idle'] as const
export type Role = (typeof ROLES)[number]

/** One process and its part in the transfers since the last warm-up. */
export type RoleProcess = { readonly role: Role; readonly pid: number }

/** Idle links or circuits, held open until `close`. */
export interface IdleLoad {
  close(): Promise<void>
}

/** A network, proxy or relay under test, all of it on loopback. */
export interface SystemUnderTest {
  /** Short, stable and unique: the key of the result file, for instance `tor-vanilla`. */
  readonly name: string
  /** Text for people: the program, its version and the settings that matter. */
  readonly description: string
  /** Starts every process and waits until traffic can flow to 127.0.0.1:`originPort`. */
  start(originPort: number): Promise<void>
  /** How to reach the origin. Valid between `start` and `stop`. */
  route(): Route
  /** The processes and what each did. Asked after a transfer, since a network may choose its path by itself. */
  processes(): Promise<readonly RoleProcess[]>
  /** Builds one circuit over warm links and closes it; returns milliseconds. Absent where there are no circuits. */
  buildCircuit?(): Promise<number>
  /** Opens `count` idle circuits through the entry. Absent where there are no circuits. */
  openIdleCircuits?(count: number): Promise<IdleLoad>
  /** Opens `count` idle client links to the entry, without a circuit on them. */
  openIdleLinks?(count: number): Promise<IdleLoad>
  /** Stops every process; safe to call at any time, more than once. */
  stop(): Promise<void>
}

/** Says why a system cannot run here (a program is missing); the bench goes on without it. */
export type Unavailable = { readonly name: string; readonly reason: string }

/** A system that may be missing on this machine. */
export type Candidate = SystemUnderTest | Unavailable

/** Tells a missing system from one that can run. */
export function isUnavailable(candidate: Candidate): candidate is Unavailable {
  return 'reason' in candidate
}
