import assert from 'node:assert/strict'
import { test } from 'node:test'
import { toFunctionSelector } from 'viem/utils'
import {
  bywayPoolArtifact,
  bywayRegistryArtifact,
  bywayTokenArtifact,
  serviceProofsArtifact,
} from '@byway/chain'
import { ALLOWED_CALLS, CHALLENGE_CALLS } from '../../src/signer/allowed-calls.ts'

const ABI = {
  pool: bywayPoolArtifact.abi,
  registry: bywayRegistryArtifact.abi,
  token: bywayTokenArtifact.abi,
  proofs: serviceProofsArtifact.abi,
} as const

function selectorsOf(target: keyof typeof ABI): ReadonlyMap<string, string> {
  const functions = ABI[target].filter((item) => item.type === 'function')
  return new Map(functions.map((item) => [toFunctionSelector(item), item.name]))
}

test('every allowed call is a function of its contract', () => {
  for (const [target, , signature] of [...ALLOWED_CALLS, ...CHALLENGE_CALLS]) {
    const name = selectorsOf(target).get(toFunctionSelector(`function ${signature}`))
    assert.equal(name, signature.split('(')[0], signature)
  }
})

test('every function of the pool that changes something is allowed, but for what another contract calls', () => {
  const changing = bywayPoolArtifact.abi.filter((item) => {
    return (
      item.type === 'function' && item.stateMutability === 'nonpayable' && item.name !== 'takeHeld'
    )
  })
  const allowed = new Set(
    ALLOWED_CALLS.map(([, , signature]) => toFunctionSelector(`function ${signature}`)),
  )
  for (const item of changing) {
    assert.ok(item.type === 'function' && allowed.has(toFunctionSelector(item)))
  }
  assert.ok(changing.length > 10)
})
