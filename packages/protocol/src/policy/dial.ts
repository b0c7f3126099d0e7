/**
 * Whether a node may dial an address for EXTEND, an attachment or its own links (SPEC §11).
 * The same tables as for exits, without port profiles: a relay never dials a private range, its own network or a hard-denied port,
 * except inside the prefixes that the *network file* names as reachable (127.0.0.0/8 in a network on one machine).
 */
import { formatAddress, parseAddress } from './address.ts'
import { cidrHolds } from './cidr.ts'
import { ownNetworkReason, type PolicyContext } from './context.ts'
import type { Verdict } from './judge.ts'
import { judgePortNumber } from './ports.ts'
import { specialRange } from './ranges.ts'
import type { DenyReason } from './reason.ts'

/** Judges an address literal from a descriptor; on allow, `pin` is what to dial. Names are refused. Never throws. */
export function judgeDial(addressText: string, port: number, context: PolicyContext): Verdict {
  const address = parseAddress(addressText)
  if (address === undefined) return deny('bad-address')
  const portReason = judgePortNumber(port)
  const isReachable = context.reachable.some((cidr) => cidrHolds(cidr, address))
  if (!isReachable || portReason === 'port-invalid') {
    const reason = specialRange(address) ?? ownNetworkReason(address, context) ?? portReason
    if (reason !== undefined) return deny(reason)
  }
  return { verdict: 'allow', reason: 'ok', pin: formatAddress(address) }
}

function deny(reason: DenyReason): Verdict {
  return { verdict: 'deny', reason }
}
