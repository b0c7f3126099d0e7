/** What a node does again and again ends for good reasons only. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { chainError } from '@byway/chain'
import { storeError } from '@byway/store'
import { keepAt } from '../../src/engine/node-redemption.ts'

test('a look is made again after what passes, and no more after what does not', async () => {
  const failed = storeError('STORE_FAILED', { errno: 'EIO' })
  const fates = [
    storeError('STORE_FULL', {}),
    chainError('CHAIN_NO_COIN', { missingGwei: 1 }),
    chainError('CHAIN_UNSIGNED', { signer: 'PURSE_REFUSED' }),
    chainError('CHAIN_WRONG_CHAIN', { expected: 1, found: 2 }),
    failed,
  ]
  const ended = Promise.withResolvers<unknown>()
  await using _looking = keepAt(() => Promise.reject(fates.shift()), 1, ended.resolve)
  assert.equal(await ended.promise, failed)
  assert.equal(fates.length, 0)
})
