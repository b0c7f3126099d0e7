/**
 * How each refusal reads in the languages of the apps: SOCKS5 (RFC 1928 §6), SOCKS4, and HTTP with
 * `Proxy-Status` (RFC 9209 §2.3). One table, so that no protocol tells a different story.
 * @module
 */
import type { DialFailureCode } from './dialer.ts'
import type { TargetRefusal } from './target-rules.ts'
import type { UsernameError } from './username.ts'

/** Every reason for which the proxy does not serve a request. */
export type RefusalCode =
  | DialFailureCode
  | TargetRefusal
  | UsernameError['code']
  | 'CREDENTIALS_MALFORMED'
  | 'REQUEST_MALFORMED'
  | 'ORIGIN_FORM'
  | 'UNSUPPORTED_SCHEME'
  | 'UNSUPPORTED_TRANSFER_CODING'
  | 'RESPONSE_MALFORMED'
  | 'PROXY_BUSY'
  | 'GENERAL_FAILURE'

/** One refusal as the apps see it. */
export type RefusalReply = {
  /** RFC 1928 §6, field REP. */
  readonly socks5: number
  readonly httpStatus: number
  /** A proxy error type of RFC 9209 §2.3. */
  readonly proxyError: string
  /** One sentence for people. */
  readonly hint: string
}

/** SOCKS4 CD: request granted. */
export const SOCKS4_GRANTED = 0x5a
/** SOCKS4 CD: request rejected or failed. The other two codes speak of identd, which nobody runs. */
export const SOCKS4_REJECTED = 0x5b

/** RFC 1928 §6, field REP. */
export const SOCKS5_REPLY = {
  SUCCEEDED: 0x00,
  GENERAL_FAILURE: 0x01,
  NOT_ALLOWED: 0x02,
  NETWORK_UNREACHABLE: 0x03,
  HOST_UNREACHABLE: 0x04,
  CONNECTION_REFUSED: 0x05,
  TTL_EXPIRED: 0x06,
  COMMAND_NOT_SUPPORTED: 0x07,
  ADDRESS_TYPE_NOT_SUPPORTED: 0x08,
} as const

/** Looks up how a refusal reads. */
export function replyFor(code: RefusalCode): RefusalReply {
  return REPLIES[code]
}

/** The refusal for what a dialer threw or a stream died of. */
export function refusalOf(error: unknown): RefusalCode {
  if (!(error instanceof Error) || !('code' in error)) return 'GENERAL_FAILURE'
  const { code } = error
  return typeof code === 'string' && isDialFailure(code) ? code : 'GENERAL_FAILURE'
}

/** The value of a `Proxy-Status` field for a refusal (RFC 9209 §2). Names no destination. */
export function proxyStatusOf(code: RefusalCode): string {
  return `byway; error=${REPLIES[code].proxyError}; details="${code}"`
}

function isDialFailure(code: string): code is DialFailureCode {
  return Object.hasOwn(DIAL_REPLIES, code)
}

function reply(
  socks5: keyof typeof SOCKS5_REPLY,
  httpStatus: number,
  proxyError: string,
  hint: string,
): RefusalReply {
  return { socks5: SOCKS5_REPLY[socks5], httpStatus, proxyError, hint }
}

function badUsername(hint: string): RefusalReply {
  return reply('NOT_ALLOWED', 407, 'http_request_denied', hint)
}

function refusedTarget(hint: string): RefusalReply {
  return reply('NOT_ALLOWED', 403, 'http_request_denied', hint)
}

function badRequest(status: number, hint: string): RefusalReply {
  return reply('GENERAL_FAILURE', status, 'http_request_error', hint)
}

const DIAL_REPLIES: Readonly<Record<DialFailureCode, RefusalReply>> = {
  EXIT_POLICY: reply(
    'NOT_ALLOWED',
    502,
    'destination_ip_prohibited',
    'the exit does not serve this address or port',
  ),
  EXIT_RESOLVE_FAILED: reply(
    'HOST_UNREACHABLE',
    502,
    'dns_error',
    'the exit found no usable address for the name',
  ),
  EXIT_CONNECT_REFUSED: reply(
    'CONNECTION_REFUSED',
    502,
    'connection_refused',
    'the destination refused the connection',
  ),
  EXIT_UNREACHABLE: reply(
    'HOST_UNREACHABLE',
    502,
    'destination_ip_unroutable',
    'the exit has no route to the destination',
  ),
  EXIT_TIMEOUT: reply(
    'TTL_EXPIRED',
    504,
    'connection_timeout',
    'the destination did not answer the exit in time',
  ),
  EXIT_RESET: reply(
    'GENERAL_FAILURE',
    502,
    'connection_terminated',
    'the destination reset the connection',
  ),
  EXIT_BUSY: reply('GENERAL_FAILURE', 503, 'connection_limit_reached', 'the exit is at a limit'),
  EXIT_DRAINING: reply(
    'GENERAL_FAILURE',
    503,
    'destination_unavailable',
    'the exit is shutting down',
  ),
  CIRCUIT_FAILED: reply(
    'GENERAL_FAILURE',
    503,
    'destination_unavailable',
    'the circuit failed; try again',
  ),
  EXIT_FAILED: reply(
    'GENERAL_FAILURE',
    502,
    'destination_unavailable',
    'the exit gave up the stream',
  ),
  DIRECTORY_OLD: reply(
    'NETWORK_UNREACHABLE',
    503,
    'destination_unavailable',
    'the directory is a day old; are clock and network right?',
  ),
  DIRECTORY_INCOMPLETE: reply(
    'NETWORK_UNREACHABLE',
    503,
    'destination_unavailable',
    'the directory is incomplete; is the network reachable?',
  ),
  ENTRY_UNREACHABLE: reply(
    'NETWORK_UNREACHABLE',
    503,
    'destination_unavailable',
    'no entry relay can be reached',
  ),
  CLIENT_CLOSED: reply(
    'GENERAL_FAILURE',
    503,
    'destination_unavailable',
    'the client is shutting down',
  ),
  BUDGET_SPENT: reply(
    'NOT_ALLOWED',
    402,
    'http_request_denied',
    'the budget of this month is spent: raise it with --budget',
  ),
  DEPOSIT_SPENT: reply(
    'NOT_ALLOWED',
    402,
    'http_request_denied',
    'no slot of the deposit is left: see byway wallet deposit',
  ),
  PAYMENT_REFUSED: reply(
    'GENERAL_FAILURE',
    503,
    'destination_unavailable',
    'no exit takes the payment at the moment; try again',
  ),
  EXIT_CLASS: reply(
    'NETWORK_UNREACHABLE',
    503,
    'destination_unavailable',
    'no exit that fits takes this class: ask for less of the exit, or for class-browse',
  ),
  EXIT_PRICE: reply(
    'NETWORK_UNREACHABLE',
    503,
    'destination_unavailable',
    'every exit that fits asks for more than --max-price: raise it, or ask for less of the exit',
  ),
  NO_PATH: reply(
    'NETWORK_UNREACHABLE',
    503,
    'destination_unavailable',
    'no path to an exit that fits the request',
  ),
}

const REPLIES: Readonly<Record<RefusalCode, RefusalReply>> = {
  ...DIAL_REPLIES,
  TARGET_BAD_NAME: badRequest(400, 'the host name is not valid'),
  TARGET_BAD_PORT: badRequest(400, 'the port is not valid'),
  TARGET_ONION: refusedTarget('.onion names belong to Tor'),
  TARGET_LOCAL_NAME: refusedTarget('names of the local network do not leave this machine'),
  TARGET_PRIVATE_ADDRESS: refusedTarget('private addresses do not leave this machine'),
  TARGET_LITERAL: refusedTarget('safeSocks is on: let the proxy resolve names (socks5h)'),
  TARGET_LOOP: reply(
    'NOT_ALLOWED',
    502,
    'proxy_loop_detected',
    'the destination is this proxy itself',
  ),
  USERNAME_TOO_LONG: badUsername('the user name is longer than 255 characters'),
  USERNAME_BAD_CHARACTER: badUsername('the user name holds a control character'),
  USERNAME_NO_USER: badUsername('the user name must begin with a user before its options'),
  USERNAME_UNKNOWN_KEY: badUsername(
    'options are country, city, asn, session, life, hops and class',
  ),
  USERNAME_REPEATED_KEY: badUsername('an option of the user name is given twice'),
  USERNAME_MISSING_VALUE: badUsername('an option of the user name has no value'),
  USERNAME_BAD_VALUE: badUsername('an option of the user name has a value that is not allowed'),
  USERNAME_LIFE_WITHOUT_SESSION: badUsername('life needs a session'),
  CREDENTIALS_MALFORMED: badUsername('the Proxy-Authorization field is not valid Basic'),
  REQUEST_MALFORMED: badRequest(400, 'the request is not valid HTTP'),
  ORIGIN_FORM: badRequest(
    400,
    'this is a proxy, not a web server: set it as your HTTP or SOCKS5 proxy',
  ),
  UNSUPPORTED_SCHEME: badRequest(
    400,
    'only http: URLs are proxied plainly; use CONNECT for others',
  ),
  UNSUPPORTED_TRANSFER_CODING: badRequest(501, 'the only transfer coding served is chunked'),
  RESPONSE_MALFORMED: reply(
    'GENERAL_FAILURE',
    502,
    'http_protocol_error',
    'the destination does not answer in valid HTTP',
  ),
  PROXY_BUSY: reply('GENERAL_FAILURE', 503, 'connection_limit_reached', 'the proxy is at a limit'),
  GENERAL_FAILURE: reply('GENERAL_FAILURE', 502, 'proxy_internal_error', 'the request failed'),
}
