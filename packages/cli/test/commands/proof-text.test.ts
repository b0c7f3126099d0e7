/** What `byway proof verify` says of a proof that was held against nothing, against the roots, and against all. */
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'
import { decodeServiceProof } from '@byway/zk'
import { missedText, verifiedJson, verifiedText } from '../../src/commands/proof-text.ts'
import { parseNetworkFile } from '../../src/config/network-file.ts'
import { CHAIN_CHECKS } from '../../src/proof/verify-proof.ts'
import { paymentTable } from '../network-text.ts'

const proof = decodeServiceProof(await readFile(new URL('golden.proof', import.meta.url)))
const { payment } = parseNetworkFile(`name = "a"\n${paymentTable()}`)
assert.ok(proof && payment)

test('says that nothing binds it where the chain was not asked', () => {
  const form = { proof, checked: [], onChain: undefined }
  assert.match(verifiedText(form, payment), /nothing binds it to the chain/)
  assert.match(missedText(form) ?? '', /only the chain knows: roots, commitment, beacon$/)
  assert.equal(verifiedJson(form)['holds'], null)
})

test('says that the roots are the chain’s where no contract knows the commitment', () => {
  const rooted = { proof, checked: ['roots'], onChain: undefined } as const
  const text = verifiedText(rooted, payment)
  assert.match(text, /the chain published the roots of its slots/)
  assert.doesNotMatch(text, /nothing binds it/)
  assert.match(
    missedText(rooted) ?? '',
    /names no contract for service proofs: commitment, beacon$/,
  )
  assert.equal(verifiedJson(rooted)['holds'], null)
})

test('says that it holds where all was checked', () => {
  const onChain = { state: 'committed', held: 5n, burned: 7n } as const
  const whole = { proof, checked: CHAIN_CHECKS, onChain }
  assert.match(verifiedText(whole, payment), /^holds: /)
  assert.equal(missedText(whole), undefined)
  assert.equal(verifiedJson(whole)['holds'], true)
})
