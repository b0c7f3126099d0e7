/**
 * Which nodes are the user's own: a client never goes through them (DESIGN's path rules), for who runs a hop of his own circuit hides
 * behind one hop less. Those of the settings, and the one whose identity is in the same folder, from whenever it is there.
 * @module
 */
import { fromHex } from '@byway/protocol/base'
import { findNodeId } from '@byway/node'

/** The own nodes, as far as they are known. */
export interface OwnNodes extends Disposable {
  /** Node ids, 32 bytes each. */
  list(): readonly Uint8Array[]
}

/** A node that is started later is seen within this time. */
const LOOK_MS = 60_000

/** Looks once, and again each minute until disposed. @param configured node ids in hexadecimal, checked before */
export async function watchOwnNodes(
  home: string,
  configured: readonly string[],
): Promise<OwnNodes> {
  const named = configured.flatMap((text) => fromHex(text) ?? [])
  let here = await findNodeId(home)
  const timer = setInterval(() => {
    // An identity that cannot be read runs no node either.
    findNodeId(home).then(
      (found) => (here = found ?? here),
      () => {},
    )
  }, LOOK_MS).unref()
  return {
    list: () => (here ? [...named, here] : named),
    [Symbol.dispose]: () => clearInterval(timer),
  }
}
