/** Answers the six verbs over a ring of keys: judges, counts, signs. Knows nothing of pipes. */
import type { UnsignedTransaction } from '@byway/protocol/payment'
import { purseError, type RefusalRule } from '../errors.ts'
import type { KeyName, KeyRing, OwnerKeyName } from '../key-ring.ts'
import type { PursePast } from '../purse-file.ts'
import type {
  CommitmentStatement,
  PayingAccount,
  PurseAccounts,
  RedeemTerms,
  RegistrationStatement,
} from '../purse-types.ts'
import type { GasMeter } from './gas-meter.ts'
import { isIn, judgeTransaction, mayReceive } from './judge-transaction.ts'
import { MAX_REDEEM_DEADLINE_S, MAX_REDEEM_FEE_PERCENT, type SignerRules } from './rules.ts'
import { signTransaction } from './sign-transaction.ts'
import { commitmentDigest, redeemDigest, registerDigest } from './statements.ts'
import type {
  AskSigner,
  OwnerName,
  PurseFacts,
  SignerAnswer,
  SignerRequest,
  SignerStatement,
} from './verbs.ts'

export type SignerCoreDeps = {
  readonly ring: KeyRing
  readonly accounts: PurseAccounts
  readonly past: PursePast
  /** Without them only addresses and secrets of deposits are to be had. */
  readonly limits?: { readonly rules: SignerRules; readonly meter: GasMeter } | undefined
  readonly nowMs: () => number
}

/** Makes the answering function. After `lock` everything is refused with PURSE_LOCKED. */
export function createSignerCore(deps: SignerCoreDeps): AskSigner {
  let isLocked = false
  // Async, so that whatever is thrown becomes a rejection.
  return async (request) => {
    if (isLocked) throw purseError('PURSE_LOCKED', {})
    if (request.verb !== 'lock') return await Promise.resolve(answer(deps, request))
    isLocked = true
    deps.ring.wipe()
    deps.limits?.meter[Symbol.dispose]()
    return { type: 'locked' }
  }
}

function answer(
  deps: SignerCoreDeps,
  request: Exclude<SignerRequest, { verb: 'lock' }>,
): SignerAnswer {
  switch (request.verb) {
    case 'addresses':
      return { type: 'facts', facts: factsOf(deps) }
    case 'deposit':
      return {
        type: 'secret',
        secret: deps.ring.depositSecret(keyOf(request.owner, deps.ring)),
      }
    case 'transaction':
      return transactionAnswer(deps, request.account, request.transaction)
    case 'terms':
      return signature(deps.ring, PROVIDER, termsDigest(deps, request.terms))
    case 'statement':
      return signature(deps.ring, PROVIDER, statementDigest(deps, request.statement))
  }
}

function statementDigest(deps: SignerCoreDeps, statement: SignerStatement): Uint8Array {
  return statement.kind === 'registration'
    ? registrationDigest(deps, statement.registration)
    : commitmentDigestOf(deps, statement.commitment)
}

function transactionAnswer(
  deps: SignerCoreDeps,
  account: PayingAccount,
  transaction: UnsignedTransaction,
): SignerAnswer {
  const { rules, meter } = limitsOf(deps)
  const broken = judgeTransaction(account, transaction, rules, deps.accounts)
  if (broken) throw refused(broken)
  const wei = transaction.gas * transaction.maxFeePerGas
  if (!meter.charge(account, transaction.nonce, wei, deps.nowMs())) throw refused('gas-of-day')
  const raw = signTransaction(transaction, (digest) => deps.ring.sign({ name: account }, digest))
  return { type: 'transaction', raw }
}

function termsDigest(deps: SignerCoreDeps, terms: RedeemTerms): Uint8Array {
  const { rules } = limitsOf(deps)
  if (isDear(terms.fee, rules)) throw refused('fee')
  const latestS = Math.floor(deps.nowMs() / 1000) + MAX_REDEEM_DEADLINE_S
  if (terms.deadlineS > latestS) throw refused('deadline')
  return redeemDigest(terms, deps.accounts.provider, rules)
}

/** Who registers pays the stake and owns it; what matters to us is where the winnings go. */
function registrationDigest(deps: SignerCoreDeps, statement: RegistrationStatement): Uint8Array {
  const { rules } = limitsOf(deps)
  if (!isIn(mayReceive(rules, deps.accounts), statement.payout)) throw refused('recipient')
  return registerDigest(statement, rules)
}

/** What it puts at risk, the stake, the asking program can put at risk by a transaction of its own. */
function commitmentDigestOf(deps: SignerCoreDeps, statement: CommitmentStatement): Uint8Array {
  const { rules } = limitsOf(deps)
  const contract = rules.proofs?.contract
  if (!contract) throw refused('contract')
  if (isDear(statement.fee, rules)) throw refused('fee')
  return commitmentDigest(statement, contract, rules)
}

function isDear(fee: bigint, { winValue }: SignerRules): boolean {
  return fee * 100n > winValue * MAX_REDEEM_FEE_PERCENT
}

function limitsOf({ limits }: SignerCoreDeps): NonNullable<SignerCoreDeps['limits']> {
  if (!limits) throw purseError('PURSE_NO_RULES', {})
  return limits
}

function factsOf({ ring, accounts, past }: SignerCoreDeps): PurseFacts {
  return {
    accounts,
    past,
    redeemed: ring.redeemed,
    session: ring.secret('session'),
    store: ring.secret('store'),
  }
}

function keyOf({ list, index }: OwnerName, ring: KeyRing): OwnerKeyName {
  if (list === 'redeemed' && index >= ring.redeemed) {
    throw purseError('PURSE_SIGNER', { problem: 'field' })
  }
  return { name: list, index }
}

function signature(ring: KeyRing, key: KeyName, digest: Uint8Array): SignerAnswer {
  return { type: 'signature', signature: ring.sign(key, digest) }
}

function refused(rule: RefusalRule): Error {
  return purseError('PURSE_REFUSED', { rule })
}

const PROVIDER: KeyName = { name: 'provider' }
