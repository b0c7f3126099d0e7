/**
 * A second Noise_NKhfs_25519+MLKEM768_ChaChaPoly_SHA256, written straight down from the specifications on `@noble/*` alone:
 * no tokens, no state classes, nothing of `src/`. It also takes the randomness of the encapsulation, which Node's cannot,
 * and so made `vectors/noise-nkhfs.json`.
 */
import { chacha20poly1305 } from '@noble/ciphers/chacha.js'
import { x25519 } from '@noble/curves/ed25519.js'
import { hkdf } from '@noble/hashes/hkdf.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { concatBytes, utf8ToBytes } from '@noble/hashes/utils.js'
import { ml_kem768 } from '@noble/post-quantum/ml-kem.js'

export type OracleKeys = {
  readonly handshakeHash: Uint8Array
  readonly forward: Uint8Array
  readonly backward: Uint8Array
  readonly bind: Uint8Array
  readonly tunnelSecret: Uint8Array
}

type Running = { ck: Uint8Array; h: Uint8Array; key: Uint8Array; n: number }

/** The client: returns message 1 and a function that reads message 2. */
export function oracleInitiator(
  prologue: Uint8Array,
  remoteStatic: Uint8Array,
  ephemeralSecret: Uint8Array,
  kemSeed: Uint8Array,
  payload: Uint8Array,
): {
  message1: Uint8Array
  finish(message2: Uint8Array): OracleKeys & { payload: Uint8Array }
} {
  const state = begin(prologue, remoteStatic)
  const e = x25519.getPublicKey(ephemeralSecret)
  hash(state, e)
  mix(state, x25519.getSharedSecret(ephemeralSecret, remoteStatic))
  const kem = ml_kem768.keygen(kemSeed)
  const message1 = concatBytes(e, seal(state, kem.publicKey), seal(state, payload))
  return {
    message1,
    finish(message2) {
      const re = message2.subarray(0, 32)
      hash(state, re)
      mix(state, x25519.getSharedSecret(ephemeralSecret, re))
      const cipherText = open(state, message2.subarray(32, 32 + 1088 + 16))
      mix(state, ml_kem768.decapsulate(cipherText, kem.secretKey))
      const answer = open(state, message2.subarray(32 + 1088 + 16))
      return { payload: answer, ...conclude(state) }
    },
  }
}

/** The hop: returns the payload of message 1 and a function that writes message 2. */
export function oracleResponder(
  prologue: Uint8Array,
  staticSecret: Uint8Array,
  message1: Uint8Array,
): {
  payload: Uint8Array
  answer(
    payload: Uint8Array,
    ephemeralSecret: Uint8Array,
    encapsulationSeed: Uint8Array,
  ): OracleKeys & { message2: Uint8Array }
} {
  const state = begin(prologue, x25519.getPublicKey(staticSecret))
  const re = message1.slice(0, 32)
  hash(state, re)
  mix(state, x25519.getSharedSecret(staticSecret, re))
  const kemPublicKey = open(state, message1.subarray(32, 32 + 1184 + 16))
  const payload = open(state, message1.subarray(32 + 1184 + 16))
  return {
    payload,
    answer(answerPayload, ephemeralSecret, encapsulationSeed) {
      const e = x25519.getPublicKey(ephemeralSecret)
      hash(state, e)
      mix(state, x25519.getSharedSecret(ephemeralSecret, re))
      const { cipherText, sharedSecret } = ml_kem768.encapsulate(kemPublicKey, encapsulationSeed)
      const sealedKem = seal(state, cipherText)
      mix(state, sharedSecret)
      const message2 = concatBytes(e, sealedKem, seal(state, answerPayload))
      return { message2, ...conclude(state) }
    },
  }
}

function begin(prologue: Uint8Array, responderStatic: Uint8Array): Running {
  const h = sha256(utf8ToBytes('Noise_NKhfs_25519+MLKEM768_ChaChaPoly_SHA256'))
  const state = { ck: h, h, key: new Uint8Array(0), n: 0 }
  hash(state, prologue)
  hash(state, responderStatic)
  return state
}

function hash(state: Running, data: Uint8Array): void {
  state.h = sha256(concatBytes(state.h, data))
}

function mix(state: Running, material: Uint8Array): void {
  const both = hkdf(sha256, material, state.ck, undefined, 64)
  state.ck = both.slice(0, 32)
  state.key = both.slice(32)
  state.n = 0
}

function cipher(state: Running): ReturnType<typeof chacha20poly1305> {
  const nonce = new Uint8Array(12)
  new DataView(nonce.buffer).setBigUint64(4, BigInt(state.n), true)
  state.n++
  return chacha20poly1305(state.key, nonce, state.h)
}

function seal(state: Running, plaintext: Uint8Array): Uint8Array {
  const sealed = cipher(state).encrypt(plaintext)
  hash(state, sealed)
  return sealed
}

function open(state: Running, sealed: Uint8Array): Uint8Array {
  const plaintext = cipher(state).decrypt(sealed)
  hash(state, sealed)
  return plaintext
}

function conclude(state: Running): OracleKeys {
  const both = hkdf(sha256, new Uint8Array(0), state.ck, undefined, 64)
  const [k1, k2] = [both.slice(0, 32), both.slice(32)]
  const derive = (ikm: Uint8Array, label: string): Uint8Array =>
    hkdf(sha256, ikm, state.h, utf8ToBytes(label), 32)
  return {
    handshakeHash: state.h,
    forward: derive(k1, 'byway cell f'),
    backward: derive(k2, 'byway cell b'),
    bind: derive(both, 'byway bind'),
    tunnelSecret: derive(both, 'byway tunnel'),
  }
}
