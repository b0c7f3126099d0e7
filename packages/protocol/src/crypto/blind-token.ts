/**
 * The port to blind signatures, with which a hop sells tokens that it cannot recognise when they come back (SPEC §16). The scheme is
 * RSABSSA-SHA384-PSS-Deterministic of RFC 9474 with 2048-bit keys; docs/adr/0008-blind-tokens.md has the figures. `node-blind-scheme.ts`
 * and `node-blind-signer.ts` implement it.
 *
 * Unlinkable whatever key the hop chose: e is a fixed prime, a token counts only after it has verified, and the blinding covers every unit
 * of the modulus; an encoded message that is no unit is refused (RFC 9474 §4.2), which a modulus with small factors runs into.
 * @module
 */

/** A public key that passed the checks of {@link BlindTokenScheme.publicKey}, inside its scheme. */
export type BlindTokenPublicKey = { readonly __brand: 'BlindTokenPublicKey' }
/** A private key inside its scheme. */
export type BlindTokenPrivateKey = { readonly __brand: 'BlindTokenPrivateKey' }

export type BlindTokenKeyPair = {
  readonly privateKey: BlindTokenPrivateKey
  /** {@link BLIND_TOKEN_BYTES} bytes: the modulus. */
  readonly publicKey: Uint8Array
}

/** Messages under way to a signer: what is sent, and what only the sender knows. */
export type BlindedMessages = {
  /** One per message, {@link BLIND_TOKEN_BYTES} bytes each. They say nothing about the messages. */
  readonly elements: readonly Uint8Array[]
  /** What {@link BlindTokenScheme.finalise} needs again. Secret. */
  readonly secret: BlindingSecret
}
/** The blinding of a batch, inside its scheme. */
export type BlindingSecret = { readonly __brand: 'BlindingSecret' }

/** Fills a new array with that many random bytes that nobody can guess. */
export type RandomBytes = (bytes: number) => Uint8Array

/** Everything but signing: what a client does, what a hop does when a token comes back, and keys. */
export interface BlindTokenScheme {
  /** Makes a key pair off the calling thread, in about 0.1 s; the randomness is the provider's. */
  generateKeyPair(): Promise<BlindTokenKeyPair>
  /** Writes a private key for storage (PKCS #8, DER). Secret. */
  exportPrivateKey(key: BlindTokenPrivateKey): Uint8Array
  /** Reads what {@link exportPrivateKey} wrote, or returns undefined for anything else. */
  importPrivateKey(stored: Uint8Array): BlindTokenKeyPair | undefined
  /** Checks a hop's public key: its length, its top bit, odd. Returns undefined for one that cannot be used. */
  publicKey(modulus: Uint8Array): BlindTokenPublicKey | undefined
  /**
   * Blinds messages for one key (RFC 9474 §4.2). At most {@link MAX_BLIND_BATCH}; each needs 32 bytes that nobody can guess in it.
   * Returns undefined when the key shows itself to be malformed.
   */
  blind(
    key: BlindTokenPublicKey,
    messages: readonly Uint8Array[],
    random: RandomBytes,
  ): BlindedMessages | undefined
  /**
   * Takes the blinding off (RFC 9474 §4.4). Gives for each message its token, or undefined where the signature does not hold. The
   * result is undefined as a whole when there are not as many signatures as messages.
   */
  finalise(
    secret: BlindingSecret,
    signatures: readonly Uint8Array[],
  ): readonly (Uint8Array | undefined)[] | undefined
  /** True for a token over that message; false for anything else, wrong lengths and other forms of the same number included. */
  verify(key: BlindTokenPublicKey, message: Uint8Array, token: Uint8Array): boolean
}

/** Signs blinded elements away from the event loop, in a bounded queue. */
export interface BlindTokenSigner extends AsyncDisposable {
  /** Elements that wait or are being signed. */
  readonly pending: number
  /**
   * Signs (RFC 9474 §4.3), as many as were given and in their order. Gives `busy` at once when the queue cannot take them, and `malformed`
   * when one of them is not {@link BLIND_TOKEN_BYTES} bytes or not below the modulus; then nothing was signed.
   */
  sign(
    key: BlindTokenPrivateKey,
    elements: readonly Uint8Array[],
  ): Promise<readonly Uint8Array[] | 'busy' | 'malformed'>
}

// Protocol constants (change needs a spec change): SPEC §16.

/** Bytes of the modulus, of an element, of a signature and of a token: 2048 bits. */
export const BLIND_TOKEN_BYTES = 256
/** Messages in one batch; SPEC §15.1 allows no more in one BUY. */
export const MAX_BLIND_BATCH = 32
