/** Decides whether a transaction is one that the signer signs. Pure: the day's gas is the meter's business. */
import { equalBytes, isAllZero } from '@byway/protocol/base'
import type { UnsignedTransaction } from '@byway/protocol/payment'
import type { RefusalRule } from '../errors.ts'
import type { PayingAccount, PurseAccounts } from '../purse-types.ts'
import { ADDRESS_BYTES } from '../keys.ts'
import {
  allowedCalls,
  SELECTOR_BYTES,
  type AddressArgument,
  type CallTarget,
} from './allowed-calls.ts'
import { MAX_CALL_BYTES, MAX_TRANSACTION_GAS, type SignerRules } from './rules.ts'

/** A word of the call's arguments. */
const WORD_BYTES = 32

/** The first rule that the transaction breaks, or undefined for one that may be signed. */
export function judgeTransaction(
  account: PayingAccount,
  transaction: UnsignedTransaction,
  rules: SignerRules,
  accounts: PurseAccounts,
): RefusalRule | undefined {
  const { to, data, value, gas, chainId } = transaction
  if (chainId !== rules.chainId) return 'chain'
  if (data.length > MAX_CALL_BYTES) return 'size'
  if (gas > MAX_TRANSACTION_GAS) return 'gas'
  if (transaction.maxPriorityFeePerGas > transaction.maxFeePerGas) return 'gas'
  if (to === undefined) return 'contract'
  const target = targetOf(to, rules)
  // Coin for gas may go from one own account to another; nothing else carries any.
  if (!target) return data.length === 0 && isIn(ownAccounts(accounts), to) ? undefined : 'contract'
  if (value !== 0n) return 'value'
  const calls = allowedCalls(target, data, rules.mayChallenge === true)
  if (calls.length === 0) return 'call'
  const own = calls.filter((call) => call.accounts.includes(account))
  if (own.length === 0) return 'account'
  const isNamed = (argument: AddressArgument): boolean => {
    const address = addressAt(data, argument.word)
    return address !== undefined && isIn(namedBy(argument, rules, accounts), address)
  }
  return own.some(({ named }) => named.every(isNamed)) ? undefined : 'recipient'
}

/** The accounts of the purse, and those that the rules add. */
export function mayReceive(rules: SignerRules, accounts: PurseAccounts): readonly Uint8Array[] {
  return [...ownAccounts(accounts), ...(rules.recipients ?? [])]
}

/** True when the list holds the address. */
export function isIn(list: readonly Uint8Array[], address: Uint8Array): boolean {
  return list.some((one) => equalBytes(one, address))
}

function ownAccounts({ funds, provider, owner }: PurseAccounts): readonly Uint8Array[] {
  return owner ? [funds, provider, owner] : [funds, provider]
}

function namedBy(
  { of }: AddressArgument,
  rules: SignerRules,
  accounts: PurseAccounts,
): readonly Uint8Array[] {
  if (of === 'own') return mayReceive(rules, accounts)
  const contract = of === 'pool' ? rules.pool : rules.proofs?.contract
  return contract ? [contract] : []
}

function targetOf(to: Uint8Array, rules: SignerRules): CallTarget | undefined {
  const { contract } = rules.proofs ?? {}
  if (contract && equalBytes(contract, to)) return 'proofs'
  return (['pool', 'registry', 'token'] as const).find((name) => equalBytes(rules[name], to))
}

/** An address in a word of the arguments; undefined when the word is missing or more than an address. */
function addressAt(data: Uint8Array, word: number): Uint8Array | undefined {
  const from = SELECTOR_BYTES + WORD_BYTES * word
  const bytes = data.subarray(from, from + WORD_BYTES)
  if (bytes.length !== WORD_BYTES) return undefined
  const pad = WORD_BYTES - ADDRESS_BYTES
  return isAllZero(bytes.subarray(0, pad)) ? bytes.subarray(pad) : undefined
}
