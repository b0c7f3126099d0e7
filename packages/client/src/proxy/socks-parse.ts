/**
 * What the SOCKS parsers share: results, requests and the reading of names. Pure: bytes in, result out.
 * @module
 */
import type { Selection } from './dialer.ts'

/** Why bytes are not SOCKS as we speak it. */
export type SocksFault =
  | 'SOCKS_VERSION'
  | 'SOCKS_METHODS'
  | 'SOCKS_AUTH'
  | 'SOCKS_COMMAND'
  | 'SOCKS_ADDRESS_TYPE'
  | 'SOCKS_NAME'
  | 'SOCKS_TOO_LONG'

/** The outcome of reading one message from the front of some bytes. "More" is no error. */
export type Parsed<Value> =
  | { readonly type: 'more' }
  | { readonly type: 'done'; readonly value: Value; readonly usedBytes: number }
  | { readonly type: 'error'; readonly fault: SocksFault }

/** The commands that are served. */
export type SocksCommand = 'connect' | 'associate' | 'resolve'

/** A request of either SOCKS version, before its destination is judged. */
export type SocksRequest = {
  readonly command: SocksCommand
  /** `literal` when the app sent an address, and so may have resolved the name by itself. */
  readonly hostKind: 'name' | 'literal'
  readonly host: string
  readonly port: number
  readonly username: string
  readonly password: string
  readonly selection: Selection
}

/** What a SOCKS machine wants done, in order. After `request` or `refuse` it takes nothing more. */
export type SocksOutput =
  | { readonly type: 'send'; readonly bytes: Uint8Array }
  /** `rest` are the bytes behind the request: the app's first data. */
  | { readonly type: 'request'; readonly request: SocksRequest; readonly rest: Uint8Array }
  /** Send `bytes` and close. */
  | { readonly type: 'refuse'; readonly fault: string; readonly bytes: Uint8Array }

/** Reads SOCKS bytes until they make a request. Never throws on what an app sends. */
export interface SocksMachine {
  push(bytes: Uint8Array): readonly SocksOutput[]
}

export const MORE: Parsed<never> = { type: 'more' }

/** Wraps a fault. */
export function faulty(fault: SocksFault): Parsed<never> {
  return { type: 'error', fault }
}

/** One character for each byte, so that no two byte strings give the same text. */
export function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1')
}

/** Joins what is kept with what has come. */
export function joinBytes(kept: Uint8Array, more: Uint8Array): Uint8Array {
  return kept.length === 0 ? more : Buffer.concat([kept, more])
}
