import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test, type TestContext } from 'node:test'
import secp256k1 from 'secp256k1'
import { recoverTransactionAddress } from 'viem'
import { keccak256, parseTransaction } from 'viem/utils'
import { createPurse, formatAddress, openPurse, type Purse, type SignerRules } from '@byway/purse'
import { temporaryHome } from '../temporary-home.ts'
import {
  address,
  call,
  CHEAP,
  hex,
  PASSPHRASE,
  RULES,
  STRANGER,
  transaction,
  WORDS,
} from './signer-fixture.ts'

async function openWith(t: TestContext, rules?: SignerRules): Promise<Purse> {
  const home = await temporaryHome(t)
  await createPurse(home, WORDS, CHEAP)
  const purse = await openPurse(home, { passphrase: PASSPHRASE, isLocal: true, rules })
  t.after(() => purse[Symbol.asyncDispose]())
  return purse
}

function signerOf(signature: Uint8Array, digest: Uint8Array): Uint8Array {
  const v = signature[64] ?? 0
  const point = secp256k1.ecdsaRecover(signature.slice(0, 64), v - 27, digest, false)
  return keccak256(point.subarray(1), 'bytes').slice(-20)
}

test('signs a transaction that any wallet would have signed the same way', async (t) => {
  const purse = await openWith(t, RULES)
  for (const account of ['funds', 'provider'] as const) {
    const data = call('payout', [hex(address(9))])
    const asked = transaction({ nonce: 5, data })
    const signer = purse.transactionSigner(account)
    const raw = await signer.signTransaction(asked)
    const serializedTransaction = raw as `0x02${string}`
    assert.equal(
      await recoverTransactionAddress({ serializedTransaction }),
      formatAddress(signer.address),
    )
    const { to, nonce, chainId, gas, maxFeePerGas } = parseTransaction(serializedTransaction)
    assert.deepEqual(
      { to, nonce, chainId, gas, maxFeePerGas },
      {
        to: hex(RULES.pool),
        nonce: 5,
        chainId: 31_337,
        gas: asked.gas,
        maxFeePerGas: asked.maxFeePerGas,
      },
    )
  }
})

test('signs nothing for a stranger and nothing beyond the day', async (t) => {
  const purse = await openWith(t, { ...RULES, dayGasWei: 10n ** 15n })
  const signer = purse.transactionSigner('funds')
  await assert.rejects(signer.signTransaction(transaction({ to: STRANGER })), {
    code: 'PURSE_REFUSED',
    kind: 'payment',
    context: { rule: 'contract' },
  })
  for (const nonce of [0, 1, 2]) await signer.signTransaction(transaction({ nonce }))
  await assert.rejects(signer.signTransaction(transaction({ nonce: 3 })), {
    code: 'PURSE_REFUSED',
    context: { rule: 'gas-of-day' },
  })
})

test('without the rules of a network it signs nothing', async (t) => {
  const purse = await openWith(t)
  await assert.rejects(purse.transactionSigner('funds').signTransaction(transaction()), {
    code: 'PURSE_NO_RULES',
  })
  const terms = { kind: 'bind', items: new Uint8Array(32), fee: 0n, deadlineS: 0 } as const
  await assert.rejects(purse.signRedeemTerms(terms), { code: 'PURSE_NO_RULES' })
})

test('signs what a redeemer is promised (SPEC §14.5), up to 12 % of V and 30 days', async (t) => {
  const purse = await openWith(t, RULES)
  const deadlineS = Math.floor(Date.now() / 1000) + 3600
  const items = new Uint8Array(32).fill(7)
  const signature = await purse.signRedeemTerms({ kind: 'bind', items, fee: 120n, deadlineS })
  const digest = createHash('sha256')
    .update('byway redeem v1')
    .update(Buffer.from((31_337).toString(16).padStart(64, '0'), 'hex'))
    .update(RULES.pool)
    .update(Uint8Array.of(2))
    .update(purse.accounts.provider)
    .update(items)
    .update(Buffer.from((120).toString(16).padStart(24, '0'), 'hex'))
    .update(Buffer.from(deadlineS.toString(16).padStart(16, '0'), 'hex'))
    .digest()
  assert.deepEqual(signerOf(signature, digest), purse.accounts.provider)
  await assert.rejects(purse.signRedeemTerms({ kind: 'bind', items, fee: 121n, deadlineS }), {
    context: { rule: 'fee' },
  })
  const late = deadlineS + 30 * 86_400
  await assert.rejects(purse.signRedeemTerms({ kind: 'lock', items, fee: 1n, deadlineS: late }), {
    context: { rule: 'deadline' },
  })
})

test('consents to a registration whose winnings go to an own account (SPEC §14.6), to no other', async (t) => {
  const purse = await openWith(t, RULES)
  const payout = purse.accounts.owner ?? assert.fail('no owner')
  const [owner, nodeId] = [address(0xdd), new Uint8Array(32).fill(3)]
  const signature = await purse.signRegistration({ owner, nodeId, payout })
  const digest = createHash('sha256')
    .update('byway register v1')
    .update(Buffer.from((31_337).toString(16).padStart(64, '0'), 'hex'))
    .update(RULES.registry)
    .update(owner)
    .update(nodeId)
    .update(payout)
    .digest()
  assert.deepEqual(signerOf(signature, digest), purse.accounts.provider)
  await assert.rejects(purse.signRegistration({ owner, nodeId, payout: STRANGER }), {
    code: 'PURSE_REFUSED',
    context: { rule: 'recipient' },
  })
})

test('signs a commitment for whoever sends it (SPEC §17.5), for 12 % of V at most and only where there are service proofs', async (t) => {
  const contract = address(4)
  const purse = await openWith(t, { ...RULES, proofs: { contract } })
  const root = new Uint8Array(32).fill(9)
  const said = { epoch: 2969, root, total: 100_000, maxUnits: 2048, fee: 120n }
  const uint = (value: number, bytes: number): Buffer =>
    Buffer.from(value.toString(16).padStart(2 * bytes, '0'), 'hex')
  const digest = createHash('sha256')
    .update('byway service v1')
    .update(uint(31_337, 32))
    .update(contract)
    .update(uint(2969, 4))
    .update(root)
    .update(uint(100_000, 6))
    .update(uint(2048, 6))
    .update(uint(120, 12))
    .digest()
  assert.deepEqual(signerOf(await purse.signCommitment(said), digest), purse.accounts.provider)
  await assert.rejects(purse.signCommitment({ ...said, fee: 121n }), { context: { rule: 'fee' } })
  const without = await openWith(t, RULES)
  await assert.rejects(without.signCommitment(said), { context: { rule: 'contract' } })
})
