/**
 * The TLS that links speak (SPEC §3.1): 1.3 only, hybrid post-quantum first, nothing that links two visits.
 * @module
 */
import { constants } from 'node:crypto'
import type { SecureContextOptions } from 'node:tls'

/**
 * Both sides' settings. SPEC §3.1: groups and suites in this order, no session tickets, no early data. OpenSSL's option
 * stops tickets that hold state; in TLS 1.3 it sends random bytes in their place, for which nothing is stored, so that no
 * session can be resumed. Node offers no way to send none. Early data is off in Node.
 */
export const LINK_TLS: SecureContextOptions = {
  minVersion: 'TLSv1.3',
  maxVersion: 'TLSv1.3',
  ecdhCurve: 'X25519MLKEM768:X25519',
  // Browsers' order: AES-128 is a few per cent of a relay's work cheaper (ADR 0031). What matters beyond this link has layers of its own.
  ciphers: 'TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256',
  secureOptions: constants.SSL_OP_NO_TICKET,
}

/** What an ordinary https client of HTTP/1.1 offers. */
export const LINK_ALPN: readonly string[] = ['http/1.1']
