/** Passes the bytes of two connections to each other. */
import type { Socket } from 'node:net'
import { pipeline } from 'node:stream'

/** Ends each side where the other does, and both when one breaks. */
export function joinSockets(one: Socket, other: Socket): void {
  for (const socket of [one, other]) {
    socket.allowHalfOpen = true
    socket.setNoDelay(true)
  }
  pipeline(one, other, () => {})
  pipeline(other, one, () => {})
}
