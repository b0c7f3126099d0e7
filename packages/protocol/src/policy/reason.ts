/**
 * The closed list of reasons for which the policy refuses. They are part of the tests (`vectors/exit-policy.json`) and of
 * `byway policy check`; a peer never sees them, since some would tell it about the operator's home network.
 */

/** Why a destination is refused. */
export type DenyReason =
  | AddressReason
  | OwnNetworkReason
  | NameReason
  | PortReason
  | 'no-answer'
  | 'bad-answer'
  | 'bad-address'
  | 'ipv6-off'
  | 'operator-address'
  | 'operator-name'

/** The address belongs to a range that is never a public destination (`ranges.ts`). */
export type AddressReason =
  | 'this-network'
  | 'rfc1918'
  | 'cgnat'
  | 'loopback'
  | 'link-local'
  | 'ietf-protocol'
  | 'documentation'
  | '6to4-relay'
  | 'benchmark'
  | 'multicast'
  | 'reserved'
  | 'broadcast'
  | 'metadata-public'
  | 'unspecified'
  | 'nat64'
  | 'ietf-protocol6'
  | '6to4'
  | 'not-2000::/3'

/** The address belongs to this node's own network, or to the Byway network itself (`context.ts`). */
export type OwnNetworkReason =
  | 'self'
  | 'gateway'
  | 'dns-server'
  | 'on-link'
  | 'delegated6'
  | 'nat64-discovered'
  | 'relay'

/** The text is no name that may be looked up (`name.ts`). */
export type NameReason =
  | 'bad-name'
  | 'non-ascii'
  | 'numeric-name'
  | 'special-name'
  | 'single-label'
  | 'zone-id'

/** The port is no port, never allowed, or not in the exit's profile (`ports.ts`). */
export type PortReason = 'port-invalid' | 'port-hard' | 'port'
