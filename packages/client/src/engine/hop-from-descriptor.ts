/** The newer descriptor that a hop sends when its onion key was stale. @module */
import { equalBytes } from '@byway/protocol/base'
import type { HopSpec } from '@byway/protocol/circuit'
import { verifyDescriptor } from '@byway/protocol/directory'
import { nodeCrypto } from '@byway/protocol/node-crypto'

/** SPEC §5.4: a descriptor that came with STALE_KEY counts only when it is that node's own. */
export function hopFromDescriptor(bytes: Uint8Array, expected: HopSpec): HopSpec | undefined {
  const verdict = verifyDescriptor(nodeCrypto, bytes, Date.now())
  if (verdict.result !== 'valid') return undefined
  const { nodeId, onionKey } = verdict.descriptor
  return equalBytes(nodeId, expected.nodeId) ? { nodeId, onionKey } : undefined
}
