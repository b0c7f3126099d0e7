/**
 * The errors this proxy throws or ends streams with. None holds a destination or a secret.
 * @module
 */
import { errorBuilder } from '@byway/protocol/base'
import type { ErrorBuilder, ErrorOf } from '@byway/protocol/base'

type NoContext = Readonly<Record<string, never>>

type ProxyErrors = {
  /** An option has a value that is not allowed. */
  PROXY_OPTION: { option: string }
  /** The app reset or dropped its connection. */
  PROXY_APP_GONE: NoContext
  /** A stream closed without finishing and without saying why. */
  PROXY_STREAM_CLOSED: NoContext
  /** An HTTP answer has a status or fields that no server may send. */
  PROXY_ANSWER_HEAD: NoContext
  /** Nothing moved for the idle time. */
  PROXY_IDLE: NoContext
  /** A dialer failed with something that is no error. */
  PROXY_DIALER_FAULT: NoContext
}

/** Every error of this folder. */
export type ProxyError = ErrorOf<ProxyErrors>

/** Builds an error of the table. */
export const proxyError: ErrorBuilder<ProxyErrors> = errorBuilder<ProxyErrors>({
  PROXY_OPTION: ['config', 'the proxy cannot use this option'],
  PROXY_APP_GONE: ['local', 'the app dropped its connection'],
  PROXY_STREAM_CLOSED: ['network', 'the stream closed without finishing'],
  PROXY_ANSWER_HEAD: ['exit', 'the answer has a head that no server may send'],
  PROXY_IDLE: ['local', 'nothing moved for the idle time'],
  PROXY_DIALER_FAULT: ['bug', 'the dialer failed with something that is no error'],
})

/** Any thrown thing as an error. */
export function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : proxyError('PROXY_DIALER_FAULT', {}, { cause: thrown })
}
