/**
 * The user-name grammar of commercial residential proxies, the same on SOCKS and HTTP:
 * `<user>-country-de-city-berlin-asn-3320-session-a1-life-10m-hops-3-class-collect`.
 *
 * Strict on purpose: a misspelt key that were ignored would send the request through another country.
 * The hyphen only separates, so a city of two words is written `new_york`.
 * @module
 */
import type { Selection } from './dialer.ts'

/** Why a user name was refused. Holds no part of the name, which may be a secret. */
export type UsernameError = {
  readonly code:
    | 'USERNAME_TOO_LONG'
    | 'USERNAME_BAD_CHARACTER'
    | 'USERNAME_NO_USER'
    | 'USERNAME_UNKNOWN_KEY'
    | 'USERNAME_REPEATED_KEY'
    | 'USERNAME_MISSING_VALUE'
    | 'USERNAME_BAD_VALUE'
    | 'USERNAME_LIFE_WITHOUT_SESSION'
  /** The key concerned, when it is one of the grammar's own. */
  readonly key?: OptionKey | undefined
}

/** The outcome of {@link parseUsername}. */
export type UsernameResult =
  | { readonly ok: true; readonly selection: Selection }
  | { readonly ok: false; readonly error: UsernameError }

/** The keys of the grammar. */
export type OptionKey = 'country' | 'city' | 'asn' | 'session' | 'life' | 'hops' | 'class'

/** Reads the options out of a user name. An empty name, or one without options, selects nothing. */
export function parseUsername(username: string): UsernameResult {
  if (username.length > MAX_USERNAME_CHARS) return refuse('USERNAME_TOO_LONG')
  if (/\p{Cc}/u.test(username)) return refuse('USERNAME_BAD_CHARACTER')
  const [user, ...tokens] = username.split('-')
  if (tokens.length === 0) return { ok: true, selection: {} }
  if (user === '') return refuse('USERNAME_NO_USER')
  let selection: Selection = {}
  const seen = new Set<OptionKey>()
  for (let index = 0; index < tokens.length; index += 2) {
    const key = tokens[index] ?? ''
    const value = tokens[index + 1]
    if (!isOptionKey(key)) return refuse('USERNAME_UNKNOWN_KEY')
    if (seen.has(key)) return refuse('USERNAME_REPEATED_KEY', key)
    if (value === undefined || value === '') return refuse('USERNAME_MISSING_VALUE', key)
    const parsed = READERS[key](value)
    if (parsed === undefined) return refuse('USERNAME_BAD_VALUE', key)
    seen.add(key)
    selection = { ...selection, ...parsed }
  }
  if (seen.has('life') && !seen.has('session'))
    return refuse('USERNAME_LIFE_WITHOUT_SESSION', 'life')
  return { ok: true, selection }
}

type Reader = (value: string) => Selection | undefined

const READERS: Readonly<Record<OptionKey, Reader>> = {
  country: (value) => (/^[a-z]{2}$/i.test(value) ? { country: value.toUpperCase() } : undefined),
  city: (value) => (/^[a-z][a-z_]{0,63}$/i.test(value) ? { city: value.toLowerCase() } : undefined),
  asn: readAsn,
  session: (value) => (/^\w{1,64}$/.test(value) ? { session: value } : undefined),
  life: readLife,
  hops: (value) => (value === '2' ? { hops: 2 } : value === '3' ? { hops: 3 } : undefined),
  class: (value) =>
    value === 'browse' || value === 'collect' ? { trafficClass: value } : undefined,
}

function readAsn(value: string): Selection | undefined {
  if (!/^[1-9]\d{0,9}$/.test(value)) return undefined
  const asn = Number(value)
  return asn <= MAX_ASN ? { asn } : undefined
}

function readLife(value: string): Selection | undefined {
  const match = /^([1-9]\d{0,5})([smhd])$/.exec(value)
  if (match === null) return undefined
  const unitMs = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }[
    match[2] as 's' | 'm' | 'h' | 'd'
  ]
  const lifeMs = Number(match[1]) * unitMs
  return lifeMs <= MAX_LIFE_MS ? { lifeMs } : undefined
}

function isOptionKey(key: string): key is OptionKey {
  return Object.hasOwn(READERS, key)
}

function refuse(code: UsernameError['code'], key?: OptionKey): UsernameResult {
  return { ok: false, error: { code, key } }
}

/** RFC 1929 §2: a user name's length is one byte. HTTP is held to the same. */
const MAX_USERNAME_CHARS = 255
/** RFC 6793 §3: AS numbers have four octets. */
const MAX_ASN = 0xffff_ffff
/** Local limit: a week, the longest that commercial proxies offer; exits seldom stay longer. */
const MAX_LIFE_MS = 7 * 86_400_000
