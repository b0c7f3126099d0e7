/** The purse's interface over whoever answers the six verbs. */
import type { TransactionSigner } from '@byway/protocol/payment'
import { numberOf } from '@byway/protocol/ticket'
import { purseError } from '../errors.ts'
import type { DepositOwner, PayingAccount, Purse } from '../purse-types.ts'
import { secretCopy } from '../secret-bytes.ts'
import type { AskSigner, OwnerName, SignerAnswer, SignerRequest } from './verbs.ts'

/** Asks for the facts and makes the purse. `close` runs after it was locked. */
export async function createPurseOver(
  ask: AskSigner,
  close: () => Promise<void> = () => Promise.resolve(),
): Promise<Purse> {
  const { facts } = await expect(ask, { verb: 'addresses' }, 'facts')
  const owners = new Map<string, DepositOwner>()
  const owner = async (name: OwnerName): Promise<DepositOwner> => {
    if (!isOpen) throw purseError('PURSE_LOCKED', {})
    const key = `${name.list} ${name.index}`
    const known = owners.get(key) ?? (await createDepositOwner(ask, name))
    owners.set(key, known)
    return known
  }
  let isOpen = true
  const whileOpen = (secret: Uint8Array): Uint8Array => {
    if (!isOpen) throw purseError('PURSE_LOCKED', {})
    return secretCopy(secret)
  }
  const sign = async (request: SignerRequest): Promise<Uint8Array> =>
    (await expect(ask, request, 'signature')).signature
  return {
    accounts: facts.accounts,
    past: facts.past,
    depositOwner: (index) => owner({ list: 'deposit', index }),
    voucherOwner: (index) => owner({ list: 'voucher', index }),
    redeemedOwners: () =>
      Promise.all(
        Array.from({ length: facts.redeemed }, (_, index) => owner({ list: 'redeemed', index })),
      ),
    sessionSecret: () => whileOpen(facts.session),
    storeKey: () => whileOpen(facts.store),
    transactionSigner: (account) => createTransactionSigner(ask, account, facts.accounts[account]),
    signRedeemTerms: (terms) => sign({ verb: 'terms', terms }),
    signRegistration: (registration) =>
      sign({ verb: 'statement', statement: { kind: 'registration', registration } }),
    signCommitment: (commitment) =>
      sign({ verb: 'statement', statement: { kind: 'commitment', commitment } }),
    async [Symbol.asyncDispose]() {
      if (!isOpen) return
      isOpen = false
      for (const secret of [facts.session, facts.store]) secret.fill(0)
      owners.clear()
      // One that has ended holds no keys any more.
      await ask({ verb: 'lock' }).catch(() => {})
      await close()
    },
  }
}

async function createDepositOwner(ask: AskSigner, owner: OwnerName): Promise<DepositOwner> {
  const { secret } = await expect(ask, { verb: 'deposit', owner }, 'secret')
  return { secret: numberOf(secret) }
}

function createTransactionSigner(
  ask: AskSigner,
  account: PayingAccount,
  address: Uint8Array,
): TransactionSigner {
  return {
    address,
    async signTransaction(transaction) {
      const request = { verb: 'transaction', account, transaction } as const
      return (await expect(ask, request, 'transaction')).raw
    },
  }
}

async function expect<Type extends SignerAnswer['type']>(
  ask: AskSigner,
  request: SignerRequest,
  type: Type,
): Promise<Extract<SignerAnswer, { type: Type }>> {
  const answer = await ask(request)
  if (answer.type !== type) throw purseError('PURSE_SIGNER', { problem: 'answer' })
  return answer as Extract<SignerAnswer, { type: Type }>
}
