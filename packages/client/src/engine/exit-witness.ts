/** Whose word about an exit counts (SPEC §10.6): that of a witness which has nothing in common with it. @module */
import { mayShareCircuit, nodeKeyOf, toPathNode } from '@byway/protocol/directory'
import type { OriginSource, OwnerOf, PathNode, ShownExit } from '@byway/protocol/directory'

/**
 * True for a witness that shares no prefix, AS, family or staker with the exits that it shows, as their own signed editions have them: an exit that left the network long ago is in no
 * directory.
 */
export function standsAlone(
  witness: PathNode,
  shown: readonly ShownExit[],
  { origins, ownerOf }: { readonly origins: OriginSource; readonly ownerOf?: OwnerOf | undefined },
): boolean {
  return shown
    .flatMap(({ first, last }) => [first, last])
    .map((descriptor) => {
      const key = nodeKeyOf(descriptor.nodeId)
      const owner = ownerOf?.(descriptor)
      return toPathNode({ key, descriptor, bytes: NO_BYTES }, origins, { owner })
    })
    .every((exit) => mayShareCircuit(witness, exit))
}

/** Rules of paths look at what a descriptor says alone. */
const NO_BYTES = new Uint8Array(0)
