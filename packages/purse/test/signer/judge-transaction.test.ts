import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { UnsignedTransaction } from '@byway/protocol/payment'
import { judgeTransaction } from '../../src/signer/judge-transaction.ts'
import { MAX_CALL_BYTES, MAX_TRANSACTION_GAS } from '../../src/signer/rules.ts'
import { address, call, hex, RULES, STRANGER, transaction } from './signer-fixture.ts'

const ACCOUNTS = { funds: address(0xa1), provider: address(0xa2), owner: address(0xa3) }
const FROM = { pool: RULES.pool, registry: RULES.registry, token: RULES.token }

function judge(change: Partial<UnsignedTransaction>, account: 'funds' | 'provider' = 'funds') {
  return judgeTransaction(account, transaction(change), RULES, ACCOUNTS)
}

const ALLOWED: Readonly<Record<string, Partial<UnsignedTransaction>>> = {
  'a deposit': {},
  'leave for the pool to take tokens': {
    to: FROM.token,
    data: call('approve', [hex(FROM.pool), 1n]),
  },
  'tokens to an own account': {
    to: FROM.token,
    data: call('transfer', [hex(ACCOUNTS.provider), 1n]),
  },
  'slots back to the funds account': {
    data: call('withdrawUnused', [[], hex(ACCOUNTS.funds)]),
  },
  'coin for gas to the provider': {
    to: ACCOUNTS.provider,
    data: new Uint8Array(),
    value: 10n ** 18n,
  },
  'a payout': { data: call('payout', [hex(ACCOUNTS.provider)]) },
}

for (const [what, change] of Object.entries(ALLOWED)) {
  test(`signs ${what}`, () => assert.equal(judge(change), undefined))
}

const REFUSED: readonly [string, string, Partial<UnsignedTransaction>][] = [
  ['another chain', 'chain', { chainId: 1 }],
  ['a stranger as the target', 'contract', { to: STRANGER }],
  ['coin to a stranger', 'contract', { to: STRANGER, data: new Uint8Array(), value: 1n }],
  ['a call of an own account', 'contract', { to: ACCOUNTS.funds, data: Uint8Array.of(1) }],
  ['a new contract', 'contract', { to: undefined }],
  ['coin with a call', 'value', { value: 1n }],
  ['an unknown function', 'call', { data: Uint8Array.of(1, 2, 3, 4) }],
  ['no function', 'call', { data: new Uint8Array() }],
  ['a function of another contract', 'call', { to: FROM.token, data: call('snapshot') }],
  [
    'tokens to a stranger',
    'recipient',
    { to: FROM.token, data: call('transfer', [hex(STRANGER), 1n]) },
  ],
  [
    'leave for a stranger to take tokens',
    'recipient',
    { to: FROM.token, data: call('approve', [hex(STRANGER), 1n]) },
  ],
  [
    'leave for an own account to take tokens',
    'recipient',
    { to: FROM.token, data: call('approve', [hex(ACCOUNTS.funds), 1n]) },
  ],
  [
    'tokens in the name of another',
    'call',
    { to: FROM.token, data: call('transferFrom', [hex(ACCOUNTS.funds), hex(STRANGER), 1n]) },
  ],
  ['slots back to a stranger', 'recipient', { data: call('withdrawUnused', [[], hex(STRANGER)]) }],
  [
    'another payout address',
    'call',
    { to: FROM.registry, data: call('changePayout', [hex(ACCOUNTS.provider), hex(STRANGER)]) },
  ],
  ['the stake', 'call', { to: FROM.registry, data: call('withdrawStake', [hex(STRANGER)]) }],
  ['the end of the stake', 'call', { to: FROM.registry, data: call('unbond', [hex(STRANGER)]) }],
  ['too much gas', 'gas', { gas: MAX_TRANSACTION_GAS + 1n }],
  ['a tip above the price', 'gas', { maxPriorityFeePerGas: 2n, maxFeePerGas: 1n }],
  ['too long a call', 'size', { data: new Uint8Array(MAX_CALL_BYTES + 1) }],
]

for (const [what, rule, change] of REFUSED) {
  test(`refuses ${what}`, () => assert.equal(judge(change), rule))
}

test("refuses a deposit from the provider's account", () => {
  assert.equal(judge({}, 'provider'), 'account')
  // What it earned as a redeemer, to the owner's account and to nobody else.
  const moved = (to: Uint8Array): Partial<UnsignedTransaction> => {
    return { to: FROM.token, data: call('transfer', [hex(to), 1n]) }
  }
  assert.equal(judge(moved(ACCOUNTS.funds), 'provider'), undefined)
  assert.equal(judge(moved(STRANGER), 'provider'), 'recipient')
})

test('refuses an address with something in the bytes above it, and arguments that are cut off', () => {
  const data = call('transfer', [hex(ACCOUNTS.funds), 1n])
  data[4] = 1
  assert.equal(judge({ to: FROM.token, data }), 'recipient')
  const cut = call('transfer', [hex(ACCOUNTS.funds), 1n]).subarray(0, 20)
  assert.equal(judge({ to: FROM.token, data: cut }), 'recipient')
})

test('sends money to one more account when the rules name it', () => {
  const rules = { ...RULES, recipients: [STRANGER] }
  const data = call('transfer', [hex(STRANGER), 1n])
  assert.equal(
    judgeTransaction('funds', transaction({ to: FROM.token, data }), rules, ACCOUNTS),
    undefined,
  )
})

test('whatever bytes the call has, money goes to no stranger', () => {
  const bytes = fc.uint8Array({ maxLength: 100 })
  fc.assert(
    fc.property(bytes, fc.constantFrom(...Object.values(FROM), STRANGER), (tail, to) => {
      const data = Buffer.concat([call('transfer', [hex(STRANGER), 1n]).subarray(0, 36), tail])
      assert.notEqual(judge({ to, data }), undefined)
    }),
  )
})

test("signs a provider's calls about service proofs, and no challenge, where the network has them (SPEC §17.5)", () => {
  const contract = address(0x5e)
  const approve = { to: FROM.token, data: call('approve', [hex(contract), 1n]) }
  const settle = { to: contract, data: call('settle', [hex(ACCOUNTS.provider), 7]) }
  const challenge = { to: contract, data: call('challenge', [hex(ACCOUNTS.provider), 7]) }
  const ask = (change: object, account: 'funds' | 'provider', proofs = { contract }) =>
    judgeTransaction(account, transaction(change), { ...RULES, proofs }, ACCOUNTS)
  assert.equal(ask(settle, 'provider'), undefined)
  assert.equal(ask(settle, 'funds'), 'account')
  assert.equal(ask(challenge, 'provider'), 'call')
  // A person has confirmed the bond.
  const confirmed = (change: object, account: 'funds' | 'provider' = 'funds') => {
    const rules = { ...RULES, proofs: { contract }, mayChallenge: true }
    return judgeTransaction(account, transaction(change), rules, ACCOUNTS)
  }
  assert.deepEqual(
    [challenge, approve].map((each) => confirmed(each)),
    [undefined, undefined],
  )
  assert.deepEqual([ask(challenge, 'funds'), ask(approve, 'funds')], ['call', 'recipient'])
  assert.equal(confirmed(challenge, 'provider'), 'account')
  const toStranger = { to: FROM.token, data: call('approve', [hex(STRANGER), 1n]) }
  assert.equal(confirmed(toStranger), 'recipient')
  assert.equal(judge(settle, 'provider'), 'contract')
})
