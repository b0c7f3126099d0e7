import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bywayTokenArtifact } from '@byway/chain'
import { keyOf } from './kit/keys.ts'
import { startRpc } from './kit/rpc.ts'
import { provokes } from './kit/provokes.ts'

provokes('NotMinter')

test('only the deployer mints test money, and it says what it is', async () => {
  await using rpc = await startRpc()
  const deployer = keyOf('deployer').address
  const other = keyOf('other').address
  const { abi } = bywayTokenArtifact
  const to = await rpc.deploy(deployer, bywayTokenArtifact, [])
  const call = (name: string, ...args: readonly unknown[]) => ({ abi, to, name, args })
  await rpc.send(deployer, call('mint', other, 5n))
  assert.equal(await rpc.read(call('balanceOf', other)), 5n)
  assert.equal(await rpc.read(call('symbol')), 'tBYW')
  assert.equal(await rpc.read(call('decimals')), 18)
  assert.equal(await rpc.read(call('minter')), deployer)
  await assert.rejects(rpc.send(other, call('mint', other, 1n)), { reason: 'NotMinter' })
})
