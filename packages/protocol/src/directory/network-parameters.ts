/**
 * What all members of one network agree on, as plain data (SPEC §10.3, §11). It comes from a *network file*; reading and checking
 * that file is the program's work (`packages/cli/src/config/network-file.ts`), so whoever holds a value of this type may trust its form.
 * @module
 */

/** One row of the prefix table from which path rules take an address's autonomous system and country. */
export type AsnRow = {
  /** `address/length`. The longest prefix that holds an address wins. */
  readonly prefix: string
  readonly asn: number
  /** ISO 3166 letters, upper case. */
  readonly country: string
}

/** A node to ask first, when no directory is known yet. */
export type BootstrapNode = {
  /** 32 bytes. */
  readonly nodeId: Uint8Array
  /** An IP literal. */
  readonly address: string
  readonly port: number
}

/** One loopback origin that the exits of a local network may reach. */
export type ExitTarget = { readonly address: string; readonly port: number }

export type NetworkParameters = {
  /** Names the network in files and on screen: letters, digits, `_` and `-`. */
  readonly name: string
  /** True for a network on one machine, whose nodes are all the same person's. Only such a network may have exit targets. */
  readonly local: boolean
  /** Private prefixes in which nodes may dial each other. Empty for a public network; exits never use them. */
  readonly reachablePrefixes: readonly string[]
  readonly asnTable: readonly AsnRow[]
  readonly bootstrap: readonly BootstrapNode[]
  readonly exitTargets: readonly ExitTarget[]
}
