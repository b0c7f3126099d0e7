/** Reads requests to the signer, and what it is told first. Whatever `formatMessage` writes of them is read back; anything else is PURSE_SIGNER. */
import type { UnsignedTransaction } from '@byway/protocol/payment'
import { ADDRESS_BYTES } from '../keys.ts'
import type { CommitmentStatement, RedeemTerms, RegistrationStatement } from '../purse-types.ts'
import { bytesOf, fault, fieldsOf, recordOf } from './json-fields.ts'
import { MAX_CALL_BYTES, type FixedRules } from './rules.ts'
import type { OwnerName, SignerRequest, SignerStatement } from './verbs.ts'

/** What the signer's process is told first. */
export type OpenMessage = {
  readonly home: string
  readonly passphrase: string | undefined
  readonly isLocal: boolean
  readonly rules: FixedRules
}

const FIELD_BYTES = 32
/** SPEC §17.4. */
const MAX_EPOCH = 0xffff_ffff
const MAX_UNITS = 2 ** 48 - 1

// Local limits (tunable): docs/LIMITS.md.
/** Numbers of owners are u32 where keys are derived. */
const MAX_OWNER_NUMBER = 0xffff_ffff
/** Linux takes no longer path. */
const MAX_PATH_LETTERS = 4096
/** Nobody types more, and a file of more is the wrong one. */
const MAX_PASSPHRASE_LETTERS = 4096
/** A command names one; a daemon none. */
const MAX_RECIPIENTS = 16

/** @throws PURSE_SIGNER */
export function decodeOpen(value: unknown): OpenMessage {
  const fields = fieldsOf(value, ['home', 'passphrase', 'isLocal', 'rules'])
  return {
    home: fields.text('home', MAX_PATH_LETTERS),
    passphrase: fields.optionalText('passphrase', MAX_PASSPHRASE_LETTERS),
    isLocal: fields.flag('isLocal'),
    rules: decodeRules(fields.raw('rules')),
  }
}

/** @throws PURSE_SIGNER */
export function decodeRequest(value: unknown): SignerRequest {
  const verb = recordOf(value)['verb']
  switch (verb) {
    case 'addresses':
      fieldsOf(value, ['verb'])
      return { verb }
    case 'deposit':
      return { verb, owner: decodeOwner(fieldsOf(value, ['verb', 'owner']).raw('owner')) }
    case 'transaction': {
      const fields = fieldsOf(value, ['verb', 'account', 'transaction'])
      const account = fields.word('account', ['funds', 'provider'])
      return { verb, account, transaction: decodeTransaction(fields.raw('transaction')) }
    }
    case 'terms':
      return { verb, terms: decodeTerms(fieldsOf(value, ['verb', 'terms']).raw('terms')) }
    case 'statement': {
      const fields = fieldsOf(value, ['verb', 'statement'])
      return { verb, statement: decodeStatement(fields.raw('statement')) }
    }
    case 'lock':
      fieldsOf(value, ['verb'])
      return { verb }
    default:
      throw fault('verb')
  }
}

function decodeRules(value: unknown): FixedRules {
  const names = [
    'chainId',
    'pool',
    'registry',
    'token',
    'proofs',
    'winValue',
    'dayGasWei',
    'recipients',
  ]
  const fields = fieldsOf(value, names)
  const proofs = fields.raw('proofs')
  return {
    ...(proofs !== undefined && {
      proofs: { contract: fieldsOf(proofs, ['contract']).bytes('contract', ADDRESS_BYTES) },
    }),
    chainId: fields.whole('chainId', Number.MAX_SAFE_INTEGER),
    pool: fields.bytes('pool', ADDRESS_BYTES),
    registry: fields.bytes('registry', ADDRESS_BYTES),
    token: fields.bytes('token', ADDRESS_BYTES),
    winValue: fields.amount('winValue'),
    dayGasWei: fields.amount('dayGasWei'),
    recipients: fields.list('recipients', MAX_RECIPIENTS, (item) => bytesOf(item, ADDRESS_BYTES)),
  }
}

function decodeTransaction(value: unknown): UnsignedTransaction {
  const names = ['chainId', 'nonce', 'to', 'data', 'value', 'gas']
  const fields = fieldsOf(value, [...names, 'maxFeePerGas', 'maxPriorityFeePerGas'])
  return {
    chainId: fields.whole('chainId', Number.MAX_SAFE_INTEGER),
    nonce: fields.whole('nonce', Number.MAX_SAFE_INTEGER),
    to: fields.optionalBytes('to', ADDRESS_BYTES),
    data: fields.bytesUpTo('data', MAX_CALL_BYTES),
    value: fields.amount('value'),
    gas: fields.amount('gas'),
    maxFeePerGas: fields.amount('maxFeePerGas'),
    maxPriorityFeePerGas: fields.amount('maxPriorityFeePerGas'),
  }
}

function decodeTerms(value: unknown): RedeemTerms {
  const fields = fieldsOf(value, ['kind', 'items', 'fee', 'deadlineS'])
  return {
    kind: fields.word('kind', ['lock', 'bind', 'claim']),
    items: fields.bytes('items', FIELD_BYTES),
    fee: fields.amount('fee'),
    deadlineS: fields.whole('deadlineS', Number.MAX_SAFE_INTEGER),
  }
}

function decodeStatement(value: unknown): SignerStatement {
  const kind = recordOf(value)['kind']
  if (kind === 'commitment') {
    const fields = fieldsOf(value, ['kind', 'commitment'])
    return { kind, commitment: decodeCommitment(fields.raw('commitment')) }
  }
  if (kind !== 'registration') throw fault('field')
  const fields = fieldsOf(value, ['kind', 'registration'])
  return { kind, registration: decodeRegistration(fields.raw('registration')) }
}

function decodeCommitment(value: unknown): CommitmentStatement {
  const fields = fieldsOf(value, ['epoch', 'root', 'total', 'maxUnits', 'fee'])
  return {
    epoch: fields.whole('epoch', MAX_EPOCH),
    root: fields.bytes('root', FIELD_BYTES),
    total: fields.whole('total', MAX_UNITS),
    maxUnits: fields.whole('maxUnits', MAX_UNITS),
    fee: fields.amount('fee'),
  }
}

function decodeOwner(value: unknown): OwnerName {
  const fields = fieldsOf(value, ['list', 'index'])
  return {
    list: fields.word('list', ['deposit', 'voucher', 'redeemed']),
    index: fields.whole('index', MAX_OWNER_NUMBER),
  }
}

function decodeRegistration(value: unknown): RegistrationStatement {
  const fields = fieldsOf(value, ['owner', 'nodeId', 'payout'])
  return {
    owner: fields.bytes('owner', ADDRESS_BYTES),
    nodeId: fields.bytes('nodeId', FIELD_BYTES),
    payout: fields.bytes('payout', ADDRESS_BYTES),
  }
}
