/**
 * The blind-token port on node:crypto (RFC 9474, RSABSSA-SHA384-PSS-Deterministic, 2048 bits), without signing: that is node-blind-signer.ts.
 * @module
 */
import * as node from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { assert } from '@byway/protocol/base'
import {
  BLIND_TOKEN_BYTES,
  MAX_BLIND_BATCH,
  type BlindingSecret,
  type BlindTokenKeyPair,
  type BlindTokenPrivateKey,
  type BlindTokenPublicKey,
  type BlindTokenScheme,
  type RandomBytes,
} from './blind-token.ts'
import { toNumber } from './node-blind-number.ts'
import {
  blindAll,
  rsaPublicKey,
  SALT_BYTES,
  unblind,
  verifyPss,
  type BlindingFactor,
  type RsaPublicKey,
} from './node-blind-rsa.ts'

type Blinding = {
  readonly key: RsaPublicKey
  readonly messages: readonly Uint8Array[]
  readonly inverses: readonly bigint[]
}

/** The production scheme. Stateless: one serves the whole process. */
export const nodeBlindTokens: BlindTokenScheme = {
  async generateKeyPair() {
    return pairOf(await makePrivateKey())
  },
  exportPrivateKey(key) {
    return new Uint8Array(unwrapPrivate(key).export({ format: 'der', type: 'pkcs8' }))
  },
  importPrivateKey(stored) {
    try {
      const key = Buffer.from(stored)
      const privateKey = node.createPrivateKey({ key, format: 'der', type: 'pkcs8' })
      return isOurs(privateKey) ? pairOf(privateKey) : undefined
    } catch {
      return undefined
    }
  },
  publicKey(modulus) {
    const [first = 0, last = 0] = [modulus[0], modulus.at(-1)]
    if (modulus.length !== BLIND_TOKEN_BYTES || first < 0x80 || last % 2 === 0) return undefined
    return rsaPublicKey(modulus) as RsaPublicKey & BlindTokenPublicKey
  },
  blind(publicKey, messages, random) {
    assert(messages.length <= MAX_BLIND_BATCH, 'more messages than one purchase may have')
    const key = unwrapPublic(publicKey)
    const factors = messages.map(() => drawFactor(key.n, random))
    const blinded = blindAll(key, messages, factors)
    if (!blinded) return undefined
    const inverses = blinded.map(({ inverse }) => inverse)
    const secret: Blinding = { key, messages: messages.map((message) => message.slice()), inverses }
    return {
      elements: blinded.map(({ element }) => element),
      secret: secret as Blinding & BlindingSecret,
    }
  },
  finalise(secret, signatures) {
    const { key, messages, inverses } = secret as BlindingSecret & Blinding
    if (signatures.length !== messages.length) return undefined
    return signatures.map((signature, i) =>
      unblind(key, messages[i] ?? signature, inverses[i] ?? 1n, signature),
    )
  },
  verify(publicKey, message, token) {
    return verifyPss(unwrapPublic(publicKey), message, token)
  },
}

/** Uniform but for 2^−128: 128 bits more than the modulus has, reduced. */
function drawFactor(n: bigint, random: RandomBytes): BlindingFactor {
  const salt = random(SALT_BYTES)
  const wide = toNumber(random(BLIND_TOKEN_BYTES + EXTRA_BYTES))
  return { salt, r: (wide % (n - 1n)) + 1n }
}

function makePrivateKey(): Promise<KeyObject> {
  const { promise, resolve, reject } = Promise.withResolvers<KeyObject>()
  const options = { modulusLength: BLIND_TOKEN_BYTES * 8, publicExponent: EXPONENT }
  node.generateKeyPair('rsa', options, (error, _publicKey, privateKey) => {
    if (error) reject(error)
    else resolve(privateKey)
  })
  return promise
}

function isOurs(key: KeyObject): boolean {
  const { modulusLength, publicExponent } = key.asymmetricKeyDetails ?? {}
  return modulusLength === BLIND_TOKEN_BYTES * 8 && publicExponent === BigInt(EXPONENT)
}

function pairOf(privateKey: KeyObject): BlindTokenKeyPair {
  const { n = '' } = node.createPublicKey(privateKey).export({ format: 'jwk' })
  return {
    privateKey: privateKey as KeyObject & BlindTokenPrivateKey,
    publicKey: new Uint8Array(Buffer.from(n, 'base64url')),
  }
}

function unwrapPrivate(key: object): KeyObject {
  assert(key instanceof node.KeyObject, 'a key of another scheme')
  return key
}

function unwrapPublic(key: BlindTokenPublicKey): RsaPublicKey {
  return key as BlindTokenPublicKey & RsaPublicKey
}

const EXPONENT = 65_537
const EXTRA_BYTES = 16
