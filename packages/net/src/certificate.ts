/**
 * The listener's TLS certificate (SPEC §3.1): self-signed, P-256, and as alike as can be to what `openssl req -x509` makes on a
 * home server. It says nothing about the node; identity is proven inside (SPEC §3.3).
 * @module
 */
import { createHash, generateKeyPairSync, randomBytes, randomInt, sign } from 'node:crypto'
import { concatBytes, utf8Bytes } from '@byway/protocol/base'
import { der, derBits, derInteger, derOid, derTime, TAG } from './der.ts'

/** Key and certificate as PEM, the form that `node:tls` takes. */
export type TlsCertificate = { readonly key: string; readonly cert: string }

export type CertificateOptions = {
  /** The subject's and issuer's common name. @default 'localhost', the most common one on such machines */
  readonly commonName?: string | undefined
  readonly nowS: number
}

/** Makes a key and a certificate of its own; both live as long as the listener. */
export function createSelfSignedCertificate(options: CertificateOptions): TlsCertificate {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' })
  const spki = publicKey.export({ type: 'spki', format: 'der' })
  const name = nameOf(options.commonName ?? 'localhost')
  // A certificate that begins the moment it is first seen would say when the node was set up.
  const notBeforeS = options.nowS - randomInt(MIN_AGE_DAYS * DAY_S, MAX_AGE_DAYS * DAY_S)
  const signed = der(
    TAG.SEQUENCE,
    der(VERSION_TAG, derInteger(Uint8Array.of(2))),
    derInteger(randomBytes(SERIAL_BYTES)),
    ECDSA_WITH_SHA256,
    name,
    der(TAG.SEQUENCE, derTime(notBeforeS), derTime(notBeforeS + LIFE_DAYS * DAY_S)),
    name,
    spki,
    extensionsOf(spki),
  )
  const signature = sign('sha256', signed, privateKey)
  const certificate = der(TAG.SEQUENCE, signed, ECDSA_WITH_SHA256, derBits(signature))
  return {
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    cert: pem(certificate),
  }
}

function nameOf(commonName: string): Uint8Array {
  const value = der(TAG.UTF8_STRING, utf8Bytes(commonName))
  return der(TAG.SEQUENCE, der(TAG.SET, der(TAG.SEQUENCE, COMMON_NAME, value)))
}

/** What OpenSSL adds by default: subject key id, authority key id, CA:TRUE. */
function extensionsOf(spki: Uint8Array): Uint8Array {
  // RFC 5280 §4.2.1.2 (1): SHA-1 of the key's bits, which are the last 65 bytes of a P-256 SPKI.
  const keyId = createHash('sha1').update(spki.subarray(-65)).digest()
  const extension = (oid: Uint8Array, value: Uint8Array, ...critical: Uint8Array[]) =>
    der(TAG.SEQUENCE, oid, ...critical, der(TAG.OCTET_STRING, value))
  const yes = der(TAG.BOOLEAN, Uint8Array.of(0xff))
  return der(
    EXTENSIONS_TAG,
    der(
      TAG.SEQUENCE,
      extension(SUBJECT_KEY_ID, der(TAG.OCTET_STRING, keyId)),
      extension(AUTHORITY_KEY_ID, der(TAG.SEQUENCE, der(KEY_IDENTIFIER_TAG, keyId))),
      extension(BASIC_CONSTRAINTS, der(TAG.SEQUENCE, yes), yes),
    ),
  )
}

function pem(certificate: Uint8Array): string {
  const lines =
    Buffer.from(certificate)
      .toString('base64')
      .match(/.{1,64}/g) ?? []
  return ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n')
}

const ECDSA_WITH_SHA256 = concatBytes(der(TAG.SEQUENCE, derOid('1.2.840.10045.4.3.2')))
const COMMON_NAME = derOid('2.5.4.3')
const SUBJECT_KEY_ID = derOid('2.5.29.14')
const AUTHORITY_KEY_ID = derOid('2.5.29.35')
const BASIC_CONSTRAINTS = derOid('2.5.29.19')
/** Context-specific tags of RFC 5280 §4.1 and §4.2.1.1. */
const VERSION_TAG = 0xa0
const EXTENSIONS_TAG = 0xa3
const KEY_IDENTIFIER_TAG = 0x80

// Local choices (tunable): what such certificates look like.
const DAY_S = 86_400
const SERIAL_BYTES = 20
const LIFE_DAYS = 3650
const MIN_AGE_DAYS = 2
const MAX_AGE_DAYS = 400
