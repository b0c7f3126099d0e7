/**
 * Which streams last for hours, and so want an exit that stays (DESIGN §6): those of ports whose protocols stay connected, and sessions, which keep one exit.
 * @module
 */
import type { Selection } from '../proxy/dialer.ts'

// Local limit (tunable): docs/LIMITS.md.
/** A working morning with a terminal or a chat open; nobody says how long it will be. */
const LONG_STREAM_MS: number = 6 * 3_600_000

/** Terminals, desktops, file transfer, waiting mail boxes, chats: where an exit that leaves is noticed. Web sockets cannot be told from pages. */
const LONG_PORTS: ReadonlySet<number> = new Set([
  21, 22, 143, 706, 993, 1863, 3389, 5050, 5190, 5222, 5223, 5900, 6523, 6667, 6697, 8300,
])

/** How long the exit of a stream should stay, milliseconds; undefined for streams of ordinary kind. */
export function lastsMsOf(
  { session, lifeMs }: Pick<Selection, 'session' | 'lifeMs'>,
  port: number | undefined,
): number | undefined {
  if (session !== undefined) return lifeMs ?? LONG_STREAM_MS
  return port !== undefined && LONG_PORTS.has(port) ? LONG_STREAM_MS : undefined
}
