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

/**
 * How a network is paid (SPEC §13): its chain, contracts and constants. The contracts hold most of these for themselves; who opens the chain compares.
 * Addresses are 20 bytes, amounts counts of the token's smallest part.
 */
export type PaymentParameters = {
  readonly chainId: number
  /** JSON-RPC endpoints, `http` or `https`: two or more, of which none is believed alone; one is enough in a local network. */
  readonly rpcUrls: readonly string[]
  readonly pool: Uint8Array
  readonly registry: Uint8Array
  readonly token: Uint8Array
  readonly authoriser: Uint8Array
  /** The block of the pool's creation: its history begins here. */
  readonly deployBlock: number
  /** What a win pays: `V`. */
  readonly winValue: bigint
  /** Wins of a slot: `K`. */
  readonly winsPerSlot: number
  /** `b`, which divides `V`. A slot is `V·K + b`. */
  readonly bond: bigint
  /** `u`: what leaves and the fees of relayers count in; divides `b`. */
  readonly unit: bigint
  /** For people: `USDC` and 6, say. */
  readonly tokenSymbol: string
  readonly tokenDecimals: number
  /** Between tickets and tokens for a slot that nobody has locked (SPEC §16), seconds. */
  readonly issueDelayS: number
  /** Between two published roots, seconds. */
  readonly rootIntervalS: number
  /** Once a newer root is published, slots are first shown under the one before for so long, seconds; under the newest whatever its age. */
  readonly rootMaxAgeS: number
  /** A locked slot must be bound within this, seconds. */
  readonly lockS: number
  /** Between asking for a shown slot back and having it (`T_refund`), seconds. */
  readonly refundDelayS: number
  /** The same for a bound slot that is not full (`T_close`), seconds. */
  readonly closeDelayS: number
  /** Blocks on top of a transaction before it counts as settled. */
  readonly confirmations: number
  /** Absent in a network without service proofs: nobody signs receipts then. */
  readonly proofs?: ServiceProofParameters | undefined
}

/** Where and when services are proved (SPEC §17). */
export type ServiceProofParameters = {
  /** Of one epoch, seconds: a week, less in a local network. */
  readonly epochS: number
  /** The contract that judges them, 20 bytes; absent where nothing is held back for them. */
  readonly contract?: Uint8Array | undefined
}

/** Which edition of a network file this is, and whose. Absent in a file that nobody need sign: a network on one machine. */
export type NetworkEdition = {
  /** Grows with each edition. */
  readonly sequence: number
  /** Who signs this edition: a public key in minisign's form, 56 characters (SPEC §18.1). */
  readonly publisher: string
  /** Who signs the editions after it, where that is another. */
  readonly nextPublisher?: string | undefined
  /** From when on nobody takes it, milliseconds. */
  readonly expiresAtMs?: number | undefined
  /** A public network in which nothing is promised: few first contacts will do, and a chain on which money is worth nothing. */
  readonly isTest: boolean
}

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
  /** Names the registry too, against which descriptors are held (SPEC §10.2). Absent in a network where nothing is paid. */
  readonly payment?: PaymentParameters | undefined
  readonly edition?: NetworkEdition | undefined
}
