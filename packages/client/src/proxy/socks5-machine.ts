/**
 * The order of SOCKS5 messages up to the request (RFC 1928 §3–4, RFC 1929), as a machine without I/O.
 * Keeps at most one unfinished message (513 bytes). Replies to the request are the driver's.
 * @module
 */
import {
  encodeAuthStatus,
  encodeMethod,
  encodeReply,
  METHOD_NONE,
  METHOD_PASSWORD,
  METHOD_REFUSED,
  parseCredentials,
  parseGreeting,
  parseRequest,
} from './socks5-codec.ts'
import { SOCKS5_REPLY } from './reply-codes.ts'
import { joinBytes } from './socks-parse.ts'
import { parseUsername } from './username.ts'
import type { Credentials } from './socks5-codec.ts'
import type { Parsed, SocksFault, SocksMachine, SocksOutput } from './socks-parse.ts'
import type { Selection } from './dialer.ts'

/** Makes a machine for one connection, to be fed from its first byte on. */
export function createSocks5Machine(): SocksMachine {
  let state: State = { stage: 'greeting', credentials: NO_CREDENTIALS, selection: {} }
  let kept: Uint8Array = new Uint8Array()
  return {
    push(bytes) {
      const outputs: SocksOutput[] = []
      kept = joinBytes(kept, bytes)
      while (state.stage !== 'over') {
        const step = STEPS[state.stage](state, kept)
        if (step === undefined) break
        state = step.next
        kept = kept.subarray(step.usedBytes)
        outputs.push(step.output)
      }
      if (state.stage === 'over') kept = new Uint8Array()
      return outputs
    },
  }
}

type Stage = 'greeting' | 'credentials' | 'request'
type State = {
  readonly stage: Stage | 'over'
  readonly credentials: Credentials
  readonly selection: Selection
}
type Step = { readonly next: State; readonly usedBytes: number; readonly output: SocksOutput }
type StepOf = (state: State, bytes: Uint8Array) => Step | undefined

const STEPS: Readonly<Record<Stage, StepOf>> = {
  greeting(state, bytes) {
    const parsed = parseGreeting(bytes)
    if (parsed.type !== 'done') return unfinished(state, parsed, encodeMethod(METHOD_REFUSED))
    const offers = new Set(parsed.value)
    // An app that offers both has a user name to give, and the name may choose country and circuit.
    if (offers.has(METHOD_PASSWORD))
      return proceed(state, 'credentials', parsed.usedBytes, encodeMethod(METHOD_PASSWORD))
    if (offers.has(METHOD_NONE))
      return proceed(state, 'request', parsed.usedBytes, encodeMethod(METHOD_NONE))
    return refuse(state, 'SOCKS_METHODS', encodeMethod(METHOD_REFUSED))
  },
  credentials(state, bytes) {
    const parsed = parseCredentials(bytes)
    if (parsed.type !== 'done') return unfinished(state, parsed, encodeAuthStatus(AUTH_FAILED))
    const name = parseUsername(parsed.value.username)
    if (!name.ok) return refuse(state, name.error.code, encodeAuthStatus(AUTH_FAILED))
    const known: State = { ...state, credentials: parsed.value, selection: name.selection }
    return proceed(known, 'request', parsed.usedBytes, encodeAuthStatus(AUTH_OK))
  },
  request(state, bytes) {
    const parsed = parseRequest(bytes)
    if (parsed.type === 'more') return undefined
    if (parsed.type === 'error')
      return refuse(state, parsed.fault, encodeReply(replyCodeOf(parsed.fault)))
    const request = { ...parsed.value, ...state.credentials, selection: state.selection }
    const rest = bytes.subarray(parsed.usedBytes)
    return {
      next: { ...state, stage: 'over' },
      usedBytes: bytes.length,
      output: { type: 'request', request, rest },
    }
  },
}

function proceed(state: State, stage: Stage, usedBytes: number, bytes: Uint8Array): Step {
  return { next: { ...state, stage }, usedBytes, output: { type: 'send', bytes } }
}

function unfinished(
  state: State,
  parsed: Exclude<Parsed<unknown>, { type: 'done' }>,
  bytes: Uint8Array,
): Step | undefined {
  return parsed.type === 'more' ? undefined : refuse(state, parsed.fault, bytes)
}

function refuse(state: State, fault: string, bytes: Uint8Array): Step {
  return {
    next: { ...state, stage: 'over' },
    usedBytes: 0,
    output: { type: 'refuse', fault, bytes },
  }
}

function replyCodeOf(fault: SocksFault): number {
  if (fault === 'SOCKS_COMMAND') return SOCKS5_REPLY.COMMAND_NOT_SUPPORTED
  if (fault === 'SOCKS_ADDRESS_TYPE') return SOCKS5_REPLY.ADDRESS_TYPE_NOT_SUPPORTED
  return SOCKS5_REPLY.GENERAL_FAILURE
}

const NO_CREDENTIALS: Credentials = { username: '', password: '' }
const AUTH_OK = 0x00
const AUTH_FAILED = 0x01
