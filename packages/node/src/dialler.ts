/** Dials one address of a node, where the policy lets this host connect to it. @module */
import type { NetworkParameters } from '@byway/protocol/directory'
import { nodeCrypto } from '@byway/protocol/node-crypto'
import { judgeDial, parseCidr, type PolicyContext } from '@byway/protocol/policy'
import { dialLink, type LinkIdentity, type NetLink } from '@byway/net'
import { nodeError } from './errors.ts'

export type DialTarget = {
  readonly nodeId: Uint8Array
  /** An address literal. */
  readonly host: string
  readonly port: number
}

/** @throws NODE_UNREACHABLE for an address that this node does not dial, and what the dial throws */
export type Dial = (target: DialTarget, signal: AbortSignal) => Promise<NetLink>

export type DiallerDeps = {
  readonly network: Pick<NetworkParameters, 'reachablePrefixes'>
  readonly linkIdentity: () => LinkIdentity
  /** What this host knows of its own network: a node does not dial into it. */
  readonly policyContext: () => PolicyContext
  /** Aborts when the node stops. */
  readonly stopped: AbortSignal
}

export function createDialler(deps: DiallerDeps): Dial {
  const reachable = deps.network.reachablePrefixes.flatMap((prefix) => parseCidr(prefix) ?? [])
  return async ({ nodeId, host, port }, signal) => {
    const verdict = judgeDial(host, port, { ...deps.policyContext(), reachable })
    if (verdict.verdict === 'deny') throw nodeError('NODE_UNREACHABLE', {})
    return await dialLink(
      { crypto: nodeCrypto },
      {
        host: verdict.pin,
        port,
        nodeId,
        identity: deps.linkIdentity(),
        signal: AbortSignal.any([signal, deps.stopped]),
      },
    )
  }
}
