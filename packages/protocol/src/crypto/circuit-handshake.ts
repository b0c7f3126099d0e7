/**
 * The handshake of one hop of a circuit (SPEC §5.1): Noise_NKhfs_25519+MLKEM768_ChaChaPoly_SHA256. The client is anonymous,
 * the hop proves its onion key, the keys are forward secret and hybrid post-quantum.
 *
 * The payload of message 1 is sealed under the onion key's X25519 alone: neither post-quantum nor forward secret until that
 * key is erased. Replays of message 1 are the caller's to refuse (SPEC §5.2), by the ephemeral that {@link respond} returns.
 * @module
 */
import { assert } from '@byway/protocol/base'
import { deriveCircuitKeys, type CircuitKeys } from './circuit-keys.ts'
import { Handshake } from './noise-handshake.ts'
import { NK_HFS } from './noise-pattern.ts'
import { KEY_BYTES, type CryptoProvider, type X25519KeyPair } from './ports.ts'

export type InitiatorOptions = {
  readonly provider: CryptoProvider
  /** See `circuitPrologue`. */
  readonly prologue: Uint8Array
  /** The hop's onion public key, 32 bytes. */
  readonly remoteStatic: Uint8Array
  /** 32 random bytes, never used before. */
  readonly ephemeralSecret: Uint8Array
  /** 64 random bytes, never used before. */
  readonly kemSeed: Uint8Array
}

export type ResponderOptions = {
  readonly provider: CryptoProvider
  readonly prologue: Uint8Array
  /** The hop's onion key. */
  readonly staticKey: X25519KeyPair
  readonly message1: Uint8Array
}

/** What both sides agree on. */
export type HandshakeResult = {
  readonly keys: CircuitKeys
  /** 32 bytes, public: the name of this handshake (`legHash` in SPEC §9.2). */
  readonly handshakeHash: Uint8Array
}

/** The client's side of one hop's handshake. Each method works once. */
export interface Initiator {
  /** Writes message 1: {@link MESSAGE1_OVERHEAD_BYTES} longer than the payload. */
  message1(payload: Uint8Array): Uint8Array
  /**
   * Reads message 2.
   *
   * @throws CRYPTO_HANDSHAKE_LENGTH, CRYPTO_HANDSHAKE_REFUSED, CRYPTO_PUBLIC_KEY
   */
  finish(message2: Uint8Array): HandshakeResult & { readonly payload: Uint8Array }
}

/** The hop's side after message 1. It may wait for the next hop before it answers. */
export interface Responder {
  readonly payload: Uint8Array
  /** The client's ephemeral public key, 32 bytes: what a replay filter remembers. */
  readonly ephemeral: Uint8Array
  /**
   * Writes message 2, once: {@link MESSAGE2_OVERHEAD_BYTES} longer than the payload.
   *
   * @param ephemeralSecret - 32 random bytes, never used before
   */
  answer(
    payload: Uint8Array,
    ephemeralSecret: Uint8Array,
  ): HandshakeResult & { readonly message2: Uint8Array }
}

/** Starts a handshake as the client. */
export function startInitiator(options: InitiatorOptions): Initiator {
  const { provider, ephemeralSecret, kemSeed } = options
  const handshake = new Handshake({
    provider,
    protocolName: PROTOCOL_NAME,
    pattern: NK_HFS,
    role: 'initiator',
    prologue: options.prologue,
    remoteStatic: options.remoteStatic,
  })
  return {
    message1: (payload) => handshake.write(payload, { ephemeralSecret, kemSeed }),
    finish(message2) {
      const payload = handshake.read(message2)
      return { payload, ...conclude(provider, handshake) }
    },
  }
}

/**
 * Reads message 1 as the hop.
 *
 * @throws CRYPTO_HANDSHAKE_LENGTH, CRYPTO_HANDSHAKE_REFUSED, CRYPTO_PUBLIC_KEY
 */
export function respond(options: ResponderOptions): Responder {
  const { provider, message1 } = options
  const handshake = new Handshake({
    provider,
    protocolName: PROTOCOL_NAME,
    pattern: NK_HFS,
    role: 'responder',
    prologue: options.prologue,
    staticKey: options.staticKey,
  })
  const payload = handshake.read(message1)
  return {
    payload,
    ephemeral: message1.slice(0, KEY_BYTES),
    answer(answerPayload, ephemeralSecret) {
      const message2 = handshake.write(answerPayload, { ephemeralSecret })
      return { message2, ...conclude(provider, handshake) }
    },
  }
}

/** Returns the ephemeral of a message 1 before anything is computed, or undefined when it is too short to be one. */
export function peekEphemeral(message1: Uint8Array): Uint8Array | undefined {
  if (message1.length < MESSAGE1_OVERHEAD_BYTES) return undefined
  return message1.slice(0, KEY_BYTES)
}

function conclude(provider: CryptoProvider, handshake: Handshake): HandshakeResult {
  const { handshakeHash, ...split } = handshake.finish()
  assert(handshakeHash.length === KEY_BYTES, 'a handshake hash has 32 bytes')
  return { keys: deriveCircuitKeys(provider, split, handshakeHash), handshakeHash }
}

// Protocol constants (change needs a spec change).

/** SPEC §5.1. */
const PROTOCOL_NAME = 'Noise_NKhfs_25519+MLKEM768_ChaChaPoly_SHA256'
/** SPEC §5.1: e 32, e1 1184 + 16, tag 16. */
export const MESSAGE1_OVERHEAD_BYTES = 1248
/** SPEC §5.1: e 32, ekem1 1088 + 16, tag 16. */
export const MESSAGE2_OVERHEAD_BYTES = 1152
