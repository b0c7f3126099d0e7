/** How often redemption looks at the chain. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { keepRedeeming, type RedemptionStatus } from '@byway/node'
import { storeError } from '@byway/store'

/** Longer than any test. */
const NEVER_MS = 2 ** 31 - 1
const onEnded = (error: unknown): never => assert.fail(String(error))

/** Says the same at each look; `second` resolves at the second. */
function looking(open: number, isChainAway = false) {
  const [first, second] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  let looks = 0
  const look = async (): Promise<RedemptionStatus> => {
    looks += 1
    if (looks === 1) first.resolve()
    else second.resolve()
    return { open, deadlineS: undefined, isChainAway }
  }
  return { redemption: { look }, first: first.promise, second: second.promise }
}

test('looks at each block while a win is open', async () => {
  const { redemption, second } = looking(1)
  await using _running = keepRedeeming({ redemption, everyMs: 1, idleMs: NEVER_MS, onEnded })
  await second
})

test('looks at each block while the chain is away', async () => {
  const { redemption, second } = looking(0, true)
  await using _running = keepRedeeming({ redemption, everyMs: 1, idleMs: NEVER_MS, onEnded })
  await second
})

test('looks more rarely when nothing is open', async () => {
  const { redemption, second } = looking(0)
  await using _running = keepRedeeming({ redemption, everyMs: NEVER_MS, idleMs: 1, onEnded })
  await second
})

test('looks at each block while something else is busy', async () => {
  const { redemption, second } = looking(0)
  const pace = { everyMs: 1, idleMs: NEVER_MS, isBusy: () => true }
  await using _running = keepRedeeming({ redemption, ...pace, onEnded })
  await second
})

test('looks at once when a win wakes it', async () => {
  const { redemption, first, second } = looking(0)
  await using running = keepRedeeming({
    redemption,
    everyMs: NEVER_MS,
    idleMs: NEVER_MS,
    onEnded,
  })
  await first
  running.wake()
  await second
})

test('goes on looking while the disk has no room, and ends when it fails', async () => {
  const full = storeError('STORE_FULL', {})
  const failed = storeError('STORE_FAILED', { errno: 'EIO' })
  const fates = [full, full, failed]
  const ended = Promise.withResolvers<unknown>()
  const look = (): Promise<RedemptionStatus> => Promise.reject(fates.shift())
  await using _running = keepRedeeming({
    redemption: { look },
    everyMs: 1,
    idleMs: NEVER_MS,
    onEnded: ended.resolve,
  })
  assert.equal(await ended.promise, failed)
  assert.equal(fates.length, 0)
})
