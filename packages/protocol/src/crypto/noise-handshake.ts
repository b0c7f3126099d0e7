/**
 * Noise handshake state (Noise revision 34 §5.3, with the tokens of noise_hfs_spec): runs a pattern's tokens over a
 * symmetric state. It owns no randomness and knows no payload; SPEC §5.1 fixes the pattern, see `circuit-handshake.ts`.
 * @module
 */
import { assert, concatBytes } from '@byway/protocol/base'
import { cryptoError } from './errors.ts'
import type { AgreementToken, FieldToken, HandshakePattern, Role, Token } from './noise-pattern.ts'
import { SymmetricState, type SplitKeys } from './noise-symmetric.ts'
import {
  KEM_CIPHERTEXT_BYTES,
  KEM_PUBLIC_KEY_BYTES,
  KEY_BYTES,
  TAG_BYTES,
  type CryptoProvider,
  type KemPrivateKey,
  type KemPublicKey,
  type X25519KeyPair,
} from './ports.ts'

export type HandshakeOptions = {
  readonly provider: CryptoProvider
  readonly protocolName: string
  readonly pattern: HandshakePattern
  readonly role: Role
  readonly prologue: Uint8Array
  /** This side's static key, where the pattern has one. */
  readonly staticKey?: X25519KeyPair | undefined
  /** The other side's static public key, where it is known beforehand. */
  readonly remoteStatic?: Uint8Array | undefined
}

/** Random bytes for the tokens of one message, never used twice. */
export type FreshSecrets = {
  /** 32 bytes for `e`. */
  readonly ephemeralSecret?: Uint8Array | undefined
  /** 64 bytes for `e1`. */
  readonly kemSeed?: Uint8Array | undefined
}

/** One side of one handshake. After any error it is dead, and touching it again is a bug. */
export class Handshake {
  readonly #options: HandshakeOptions
  readonly #provider: CryptoProvider
  readonly #symmetric: SymmetricState
  #e: X25519KeyPair | undefined
  #rs: Uint8Array | undefined
  #re: Uint8Array | undefined
  #e1: KemPrivateKey | undefined
  #re1: KemPublicKey | undefined
  #turn = 0
  #dead = false

  constructor(options: HandshakeOptions) {
    this.#options = options
    this.#provider = options.provider
    this.#rs = options.remoteStatic
    this.#symmetric = new SymmetricState(options.provider, options.protocolName)
    this.#symmetric.mixHash(options.prologue)
    for (const role of options.pattern.knownStatics) {
      const known = role === options.role ? options.staticKey?.publicKey : options.remoteStatic
      this.#symmetric.mixHash(present(known))
    }
  }

  /** Writes the next message around a payload. */
  write(payload: Uint8Array, fresh: FreshSecrets): Uint8Array {
    return this.#step('write', (tokens) => {
      const parts: Uint8Array[] = []
      for (const token of tokens) {
        if (isAgreement(token)) this.#mixAgreement(token)
        else this.#writeField(token, fresh, parts)
      }
      const message = concatBytes(...parts, this.#symmetric.encryptAndHash(payload))
      assert(message.length <= MAX_MESSAGE_BYTES, 'a Noise message has at most 65535 bytes')
      return message
    })
  }

  /**
   * Reads the next message and returns its payload.
   *
   * @throws CRYPTO_HANDSHAKE_LENGTH, CRYPTO_HANDSHAKE_REFUSED, CRYPTO_PUBLIC_KEY
   */
  read(message: Uint8Array): Uint8Array {
    return this.#step('read', (tokens) => {
      if (message.length > MAX_MESSAGE_BYTES) throw lengthError(MAX_MESSAGE_BYTES, message)
      let at = 0
      for (const token of tokens) {
        if (isAgreement(token)) {
          this.#mixAgreement(token)
          continue
        }
        const end = at + this.#fieldBytes(token)
        if (end > message.length) throw lengthError(end, message)
        this.#readField(token, message.subarray(at, end))
        at = end
      }
      const shortest = at + (this.#symmetric.hasKey ? TAG_BYTES : 0)
      if (shortest > message.length) throw lengthError(shortest, message)
      return this.#symmetric.decryptAndHash(message.subarray(at))
    })
  }

  /** Ends the handshake after its last message: the two keys of Noise §5.2 and the handshake hash. */
  finish(): SplitKeys & { readonly handshakeHash: Uint8Array } {
    assert(!this.#dead, 'a handshake was used after it had failed or finished')
    assert(this.#turn === this.#options.pattern.messages.length, 'a handshake is not over yet')
    this.#dead = true
    return { ...this.#symmetric.split(), handshakeHash: this.#symmetric.handshakeHash }
  }

  #step<Result>(action: 'read' | 'write', run: (tokens: readonly Token[]) => Result): Result {
    assert(!this.#dead, 'a handshake was used after it had failed or finished')
    this.#dead = true
    const tokens = present(this.#options.pattern.messages[this.#turn])
    const isOwnTurn = (this.#turn % 2 === 0) === (this.#options.role === 'initiator')
    assert(isOwnTurn === (action === 'write'), 'it is the other side that writes this message')
    const result = run(tokens)
    this.#turn++
    this.#dead = false
    return result
  }

  #writeField(token: FieldToken, fresh: FreshSecrets, out: Uint8Array[]): void {
    switch (token) {
      case 'e': {
        this.#e = this.#provider.x25519KeyPair(present(fresh.ephemeralSecret))
        this.#symmetric.mixHash(this.#e.publicKey)
        out.push(this.#e.publicKey)
        break
      }
      case 's': {
        out.push(this.#symmetric.encryptAndHash(present(this.#options.staticKey).publicKey))
        break
      }
      case 'e1': {
        const pair = this.#provider.kemKeyPair(present(fresh.kemSeed))
        this.#e1 = pair.privateKey
        out.push(this.#symmetric.encryptAndHash(pair.publicKey))
        break
      }
      case 'ekem1': {
        const { ciphertext, sharedSecret } = this.#provider.kemEncapsulate(present(this.#re1))
        out.push(this.#symmetric.encryptAndHash(ciphertext))
        this.#symmetric.mixKey(sharedSecret)
        break
      }
    }
  }

  #readField(token: FieldToken, field: Uint8Array): void {
    switch (token) {
      case 'e': {
        this.#re = field.slice()
        this.#symmetric.mixHash(this.#re)
        break
      }
      case 's': {
        this.#rs = this.#symmetric.decryptAndHash(field)
        break
      }
      case 'e1': {
        this.#re1 = this.#provider.kemPublicKey(this.#symmetric.decryptAndHash(field))
        break
      }
      case 'ekem1': {
        const ciphertext = this.#symmetric.decryptAndHash(field)
        this.#symmetric.mixKey(this.#provider.kemDecapsulate(present(this.#e1), ciphertext))
        break
      }
    }
  }

  #mixAgreement(token: AgreementToken): void {
    const [initiators, responders] = token
    const [own, others] =
      this.#options.role === 'initiator' ? [initiators, responders] : [responders, initiators]
    const pair = present(own === 'e' ? this.#e : this.#options.staticKey)
    const remote = present(others === 'e' ? this.#re : this.#rs)
    this.#symmetric.mixKey(this.#provider.x25519(pair.privateKey, remote))
  }

  /** How many bytes a field has in a message, in the present state. */
  #fieldBytes(token: FieldToken): number {
    const isSealed = token !== 'e' && this.#symmetric.hasKey
    return FIELD_BYTES[token] + (isSealed ? TAG_BYTES : 0)
  }
}

function isAgreement(token: Token): token is AgreementToken {
  return token === 'ee' || token === 'es' || token === 'se' || token === 'ss'
}

function present<Value>(value: Value | undefined): Value {
  assert(value !== undefined, 'the pattern needs a key or random bytes that were not given')
  return value
}

function lengthError(want: number, message: Uint8Array): Error {
  return cryptoError('CRYPTO_HANDSHAKE_LENGTH', { want, have: message.length })
}

/** Noise §3. */
const MAX_MESSAGE_BYTES = 65_535

const FIELD_BYTES: Readonly<Record<FieldToken, number>> = {
  e: KEY_BYTES,
  s: KEY_BYTES,
  e1: KEM_PUBLIC_KEY_BYTES,
  ekem1: KEM_CIPHERTEXT_BYTES,
}
