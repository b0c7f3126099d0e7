/** Reads the signer's answers and its refusals. An error crosses the pipe as its code and context, and comes out as the same error. */
import { isBywayError } from '@byway/protocol/base'
import type { Hex } from '@byway/protocol/payment'
import { isPurseCode, purseError } from '../errors.ts'
import { ADDRESS_BYTES } from '../keys.ts'
import type { PursePast } from '../purse-file.ts'
import type { PurseAccounts } from '../purse-types.ts'
import { fault, fieldsOf, recordOf } from './json-fields.ts'
import { MAX_LINE_LETTERS } from './wire-json.ts'
import type { PurseFacts, SignerAnswer } from './verbs.ts'

/** What stands for an error on the pipe. */
export type WireError = { readonly code: string; readonly context: unknown }

const SECRET_BYTES = 32
const SIGNATURE_BYTES = 65
// Local limits (tunable): docs/LIMITS.md.
/** More than a purse keeps. */
const MAX_REDEEMED = 65_536

/** Anything that is no error of ours is a bug of the signer's: no word of it crosses the pipe. */
export function wireErrorOf(error: unknown): WireError {
  if (isBywayError(error) && isPurseCode(error.code)) {
    return { code: error.code, context: error.context }
  }
  return { code: 'PURSE_SIGNER', context: { problem: 'answer' } }
}

export function errorOfWire(value: unknown): Error {
  const { code, context } = recordOf(value)
  if (!isPurseCode(code)) throw fault('answer')
  // The signer is ours and in the same version: its context is that of the code.
  return purseError(code, recordOf(context) as never)
}

/** @throws PURSE_SIGNER */
export function decodeAnswer(value: unknown): SignerAnswer {
  const type = recordOf(value)['type']
  switch (type) {
    case 'facts':
      return { type, facts: decodeFacts(fieldsOf(value, ['type', 'facts']).raw('facts')) }
    case 'secret':
      return { type, secret: fieldsOf(value, ['type', 'secret']).bytes('secret', SECRET_BYTES) }
    case 'signature': {
      const fields = fieldsOf(value, ['type', 'signature'])
      return { type, signature: fields.bytes('signature', SIGNATURE_BYTES) }
    }
    case 'transaction': {
      const raw = fieldsOf(value, ['type', 'raw']).text('raw', MAX_LINE_LETTERS)
      if (!/^0x[0-9a-f]+$/.test(raw)) throw fault('answer')
      return { type, raw: raw as Hex }
    }
    case 'locked':
      return { type }
    default:
      throw fault('answer')
  }
}

function decodeFacts(value: unknown): PurseFacts {
  const fields = fieldsOf(value, ['accounts', 'past', 'redeemed', 'session', 'store'])
  return {
    accounts: decodeAccounts(fields.raw('accounts')),
    past: decodePast(fields.raw('past')),
    redeemed: fields.whole('redeemed', MAX_REDEEMED),
    session: fields.bytes('session', SECRET_BYTES),
    store: fields.bytes('store', SECRET_BYTES),
  }
}

function decodePast(value: unknown): PursePast {
  const fields = fieldsOf(value, ['depositsFrom', 'redeemedFrom'])
  const isFromStart = fields.raw('depositsFrom') !== undefined
  return {
    depositsFrom: isFromStart ? fields.whole('depositsFrom', Number.MAX_SAFE_INTEGER) : undefined,
    redeemedFrom: fields.whole('redeemedFrom', Number.MAX_SAFE_INTEGER),
  }
}

function decodeAccounts(value: unknown): PurseAccounts {
  const fields = fieldsOf(value, ['funds', 'provider', 'owner'])
  return {
    funds: fields.bytes('funds', ADDRESS_BYTES),
    provider: fields.bytes('provider', ADDRESS_BYTES),
    owner: fields.optionalBytes('owner', ADDRESS_BYTES),
  }
}
