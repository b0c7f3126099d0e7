/**
 * Reads what a proxy needs of an HTTP request: its target (RFC 9112 §3.2), its credentials, and which
 * fields go on (RFC 9110 §7.6.1). Pure; messages are parsed by `node:http`.
 * @module
 */
import type { AppRequest } from './context.ts'
import type { RefusalCode } from './reply-codes.ts'
import { parseUsername } from './username.ts'

/** A value, or the reason why there is none. */
export type HttpResult<Value> =
  | { readonly ok: true; readonly value: Value }
  | { readonly ok: false; readonly code: RefusalCode }

/** Where an authority points; `host` without brackets. */
export type Authority = { readonly host: string; readonly port: number }

/** An absolute-form target taken apart. */
export type AbsoluteTarget = Authority & {
  /** As it was written, for the Host field. */
  readonly authority: string
  /** The origin-form for the next server. */
  readonly path: string
}

/** Name and value, alternating, as `rawHeaders` has them. */
export type RawFields = readonly string[]

/** Reads `host:port` or `[v6]:port`; without a port only if there is a default. No user info. */
export function parseAuthority(text: string, defaultPort?: number): HttpResult<Authority> {
  const match = /^(?:\[([\da-f:.]+)\]|([^\s:@/?#[\]\\]+))(?::(\d{1,5}))?$/i.exec(text)
  const host = match?.[1] ?? match?.[2]
  const port = match?.[3] === undefined ? defaultPort : Number(match[3])
  if (host === undefined || port === undefined) return refuse('REQUEST_MALFORMED')
  return { ok: true, value: { host, port } }
}

/** Reads an absolute-form target. The path is passed on as it was written. */
export function parseAbsoluteTarget(target: string, method: string): HttpResult<AbsoluteTarget> {
  if (target.startsWith('/') || target === '*') return refuse('ORIGIN_FORM')
  const match = /^([a-z][a-z\d+.-]*):\/\/([^/?#]*)([^#]*)$/i.exec(target)
  if (match === null) return refuse('REQUEST_MALFORMED')
  const [, scheme = '', authority = '', rest = ''] = match
  if (scheme.toLowerCase() !== 'http') return refuse('UNSUPPORTED_SCHEME')
  const parsed = parseAuthority(authority, 80)
  if (!parsed.ok) return parsed
  // RFC 9112 §3.2.4: OPTIONS without a path asks the server as a whole.
  const emptyPath = method === 'OPTIONS' ? '*' : '/'
  const path = rest === '' ? emptyPath : rest.startsWith('/') ? rest : `/${rest}`
  return { ok: true, value: { ...parsed.value, authority, path } }
}

/** Reads `Proxy-Authorization: Basic …`, whose user name has the grammar of `username.ts`. */
export function parseProxyAuthorization(field: string | undefined): HttpResult<AppRequest> {
  if (field === undefined) return { ok: true, value: { username: '', password: '', selection: {} } }
  const match = /^basic +([\w+/-]*={0,2}) *$/i.exec(field)
  const text = Buffer.from(match?.[1] ?? '', 'base64').toString('latin1')
  const colon = text.indexOf(':')
  if (colon === -1) return refuse('CREDENTIALS_MALFORMED')
  const username = text.slice(0, colon)
  const parsed = parseUsername(username)
  if (!parsed.ok) return refuse(parsed.error.code)
  return {
    ok: true,
    value: { username, password: text.slice(colon + 1), selection: parsed.selection },
  }
}

/**
 * The end-to-end fields of a message. Drops hop-by-hop fields, those that Connection names, and all
 * `Proxy-…`; also the fields in `also`, which the caller writes itself.
 */
export function endToEndFields(raw: RawFields, also: ReadonlySet<string>): string[] {
  const dropped = new Set([...HOP_BY_HOP, ...also])
  for (const [name, value] of pairs(raw)) {
    if (name.toLowerCase() === 'connection') namesIn(value).forEach((each) => dropped.add(each))
  }
  return pairs(raw)
    .filter(
      ([name]) => !dropped.has(name.toLowerCase()) && !name.toLowerCase().startsWith('proxy-'),
    )
    .flat()
}

function namesIn(list: string): string[] {
  const names = list.split(',').map((name) => name.trim().toLowerCase())
  // Framing is not an app's to strip: it decides where the next message begins.
  return names.filter((name) => name !== 'content-length')
}

function pairs(raw: RawFields): [string, string][] {
  return Array.from({ length: raw.length >> 1 }, (_, index) => [
    raw[2 * index] ?? '',
    raw[2 * index + 1] ?? '',
  ])
}

function refuse(code: RefusalCode): { readonly ok: false; readonly code: RefusalCode } {
  return { ok: false, code }
}

/** RFC 9110 §7.6.1 and RFC 7540 §3.2.1. */
const HOP_BY_HOP = [
  'connection',
  'keep-alive',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'http2-settings',
]
