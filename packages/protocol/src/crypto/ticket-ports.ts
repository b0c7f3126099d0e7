/**
 * The ports to what the chain knows too (SPEC §13): secp256k1 with addresses, and the Poseidon hash over BN254's scalar field. The Node
 * implementations are in `node-secp256k1.ts` and `node-poseidon.ts`, the entry `@byway/protocol/node-ticket`.
 * @module
 */

/** ECDSA over secp256k1 as the chain checks it: one form of signature, keys by their addresses. */
export interface Secp256k1 {
  /** True for the 32 bytes of a private key: not zero, below the order. */
  isSecret(secret: Uint8Array): boolean
  /** The address of a private key: the last 20 bytes of Keccak-256 of its public key. */
  addressOfSecret(secret: Uint8Array): Uint8Array
  /** Signs a 32-byte digest (RFC 6979, low s); 65 bytes `r ‖ s ‖ v`, v 27 or 28. */
  signDigest(secret: Uint8Array, digest: Uint8Array): Uint8Array
  /**
   * The public key (64 bytes) that made a signature over a 32-byte digest; undefined for every other form than `r ‖ s ‖ v` of 65
   * bytes with s in the lower half of the order and v 27 or 28, and for values that no key signs.
   */
  recover(digest: Uint8Array, signature: Uint8Array): Uint8Array | undefined
  /** The address of a public key of 64 bytes. */
  addressOf(publicKey: Uint8Array): Uint8Array
}

/** Poseidon over BN254's scalar field with one, two and three inputs, each below {@link FIELD_ORDER}. */
export interface Poseidon {
  poseidon1(a: bigint): bigint
  poseidon2(a: bigint, b: bigint): bigint
  poseidon3(a: bigint, b: bigint, c: bigint): bigint
}

/** A key for HMAC-SHA256 inside its implementation: reading the bytes anew for each use costs six times the HMAC. */
export type HmacKey = { readonly __brand: 'HmacKey' }

/** Everything that tickets need of cryptography. */
export interface TicketCrypto extends Secp256k1, Poseidon {
  sha256(...parts: readonly Uint8Array[]): Uint8Array
  /** Reads a secret of 32 bytes, for a key that is used often. */
  hmacKey(secret: Uint8Array): HmacKey
  hmacSha256(key: HmacKey | Uint8Array, ...parts: readonly Uint8Array[]): Uint8Array
}

/** How a leaf reaches the root: the siblings that there are, lowest first (SPEC §13.2). */
export type TreePath = {
  /** Bit i is 1 where the sibling at step i is on the left. */
  readonly pathBits: number
  readonly siblings: readonly bigint[]
}

/** The tree of all deposits (SPEC §13.2), as a client keeps it to make its own proofs. */
export interface LeafTree {
  readonly size: number
  /** 0 while it is empty. */
  readonly root: bigint
  /** Takes one hash on average, and one for each level at most. */
  insert(leaf: bigint): void
  /** The root when it had so many leaves, of those that it has: a hash for each level at most. */
  rootAt(size: number): bigint
  /** @param size - of the tree at that time; now unless said @returns undefined for an index that it did not have */
  pathOf(index: number, size?: number): TreePath | undefined
}

// Protocol constants (change needs a spec change): SPEC §13.
/** The order of BN254's scalar field: field elements are below it. */
export const FIELD_ORDER: bigint =
  21_888_242_871_839_275_222_246_405_745_257_275_088_548_364_400_416_034_343_698_204_186_575_808_495_617n
/** Bytes of an address. */
export const ADDRESS_BYTES = 20
/** Bytes of `r ‖ s ‖ v`. */
export const RECOVERABLE_SIGNATURE_BYTES = 65
