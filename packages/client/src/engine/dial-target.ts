/** Reaches a node at the addresses that it, or the network file, names; only where a client may dial. @module */
import { nodeKeyOf } from '@byway/protocol/directory'
import type { NetworkParameters } from '@byway/protocol/directory'
import type { Link } from '@byway/protocol/link'
import { nodeCrypto } from '@byway/protocol/node-crypto'
import { EMPTY_CONTEXT, judgeDial, parseCidr } from '@byway/protocol/policy'
import { dialLink } from '@byway/net'
import { clientError } from './errors.ts'
import type { GuardTarget } from './guard-links.ts'

/** Dials its addresses in turn. @throws ENTRY_UNREACHABLE, the last dial's error, or the signal's reason */
export async function dialTarget(
  { reachablePrefixes }: Pick<NetworkParameters, 'reachablePrefixes'>,
  target: GuardTarget,
  signal: AbortSignal,
): Promise<Link> {
  const reachable = reachablePrefixes.flatMap((prefix) => parseCidr(prefix) ?? [])
  const context = { ...EMPTY_CONTEXT, reachable }
  let lastError: unknown = clientError('ENTRY_UNREACHABLE', { guards: 1 })
  for (const { address, port } of target.addresses) {
    const verdict = judgeDial(address, port, context)
    if (verdict.verdict === 'deny') continue
    try {
      return await dialLink(
        { crypto: nodeCrypto },
        { host: verdict.pin, port, nodeId: target.nodeId, signal },
      )
    } catch (error) {
      signal.throwIfAborted()
      lastError = error
    }
  }
  throw lastError
}

/** A first contact of the network file. */
export function targetOfBootstrap({
  nodeId,
  address,
  port,
}: NetworkParameters['bootstrap'][number]): GuardTarget {
  return { key: nodeKeyOf(nodeId), nodeId, addresses: [{ address, port }] }
}
