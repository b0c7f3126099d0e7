/**
 * What the signer signs. The rules are given once, when it starts, before the program that asks has read a byte of a peer's; after that nothing changes them. They are written so that
 * whoever controls the asking program can make Byway's own calls, and send money nowhere but to the purse's own accounts.
 * @module
 */

/** Fixed for a signer's life. Addresses are 20 bytes. */
export type SignerRules = {
  readonly chainId: number
  readonly pool: Uint8Array
  readonly registry: Uint8Array
  readonly token: Uint8Array
  /** The contract of service proofs, where the network has one. */
  readonly proofs?: { readonly contract?: Uint8Array | undefined } | undefined
  /** `V`: no redeemer is promised more than 12 % of it. */
  readonly winValue: bigint
  /** Most that may be signed away for gas in one UTC day and account, wei. @default DAY_GAS_WEI, in a local network LOCAL_DAY_GAS_WEI */
  readonly dayGasWei?: bigint | undefined
  /** Accounts besides the purse's own to which money may go. A daemon names none; a command names the one that a person has confirmed. */
  readonly recipients?: readonly Uint8Array[] | undefined
  /** True in a command that challenges a service proof, for which a person has confirmed the bond. A daemon never says so: the bond goes to who answers. */
  readonly mayChallenge?: boolean | undefined
}

// Local limits (tunable): docs/LIMITS.md.
/** 0.02 of the coin: some 3000 binds alone at 0.01 gwei, six at 5 gwei (each counted at twice the price). What a thief of the asking program can burn a day. */
export const DAY_GAS_WEI = 20_000_000_000_000_000n
/** Coin of a chain on this machine is worth nothing, and anvil's price begins at 1 gwei. */
export const LOCAL_DAY_GAS_WEI = 100_000_000_000_000_000_000n
/** Three batches of sixteen binds; no block takes more. */
export const MAX_TRANSACTION_GAS = 30_000_000n
/** Sixteen openings with proofs of 2048 bytes are 40 KiB. */
export const MAX_CALL_BYTES = 131_072
/** DESIGN §7.4, and the contract: what a redeemer gets of a win at most, percent. */
export const MAX_REDEEM_FEE_PERCENT = 12n
/** A claim that was left with a redeemer over a long holiday. */
export const MAX_REDEEM_DEADLINE_S = 2_592_000

/** Rules with every default filled in. */
export type FixedRules = SignerRules & { readonly dayGasWei: bigint }

/** The rules alone, with every default filled in, of an object that may hold more: a network's parameters, say. */
export function fixRules(rules: SignerRules, isLocal: boolean): FixedRules {
  const { chainId, pool, registry, token, winValue, recipients = [] } = rules
  const contract = rules.proofs?.contract
  const dayGasWei = rules.dayGasWei ?? (isLocal ? LOCAL_DAY_GAS_WEI : DAY_GAS_WEI)
  const proofs = contract && { proofs: { contract } }
  // A signer in a process of its own, which is a daemon's, does not know this word.
  const challenge = rules.mayChallenge === true && { mayChallenge: true }
  return {
    chainId,
    pool,
    registry,
    token,
    ...proofs,
    winValue,
    recipients,
    dayGasWei,
    ...challenge,
  }
}
