/** A node's token keys (SPEC §16.1): days, restarts, what the descriptor says. */
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { isAllZero } from '@byway/protocol/base'
import { nodeCrypto } from '@byway/protocol/node-crypto'
import { createTokenKeyring } from '@byway/protocol/payment'
import { encodePayMessage } from '@byway/protocol/wire'
import { BANDWIDTH, createHopDisk, DAY, NODE, NOON, pooledScheme } from './token-harness.ts'

const TURN = NOON + DAY / 2

function ringOn(disk = createHopDisk(), damaged: readonly Uint8Array[] = []) {
  const scheme = pooledScheme()
  return createTokenKeyring({ scheme, hash: nodeCrypto, records: disk.keys, damaged, nodeId: NODE })
}

suite('token keys (SPEC §16.1)', () => {
  test('there is one of each kind, dated by the day of its node, and the hash is that of the message', async () => {
    const ring = ringOn()
    assert.ok(isAllZero(ring.hash()))
    assert.deepEqual(await ring.rotate(NOON), [])
    const message = ring.keysMessage()
    const dates = message.keys.map(({ tokenKind, notBeforeS, notAfterS }) => {
      return [tokenKind, notBeforeS, notAfterS]
    })
    const dayS = (NOON - DAY / 2) / 1000
    assert.deepEqual(dates, [
      [1, dayS, dayS + 172_800],
      [2, dayS, dayS + 172_800],
      [3, dayS, dayS + 172_800],
    ])
    assert.deepEqual(ring.hash(), nodeCrypto.sha256(encodePayMessage(message).subarray(1)))
    assert.deepEqual([ring.isDue(TURN - 1), ring.isDue(TURN)], [false, true])
  })

  test('rotating twice on a day changes nothing', async () => {
    const ring = ringOn()
    await ring.rotate(NOON)
    const before = ring.hash()
    assert.deepEqual(await ring.rotate(TURN - 1), [])
    assert.deepEqual(ring.hash(), before)
    await ring.rotate(TURN)
    assert.notDeepEqual(ring.hash(), before)
  })

  test('a restart finds the same keys', async () => {
    const disk = createHopDisk()
    const ring = ringOn(disk)
    await ring.rotate(NOON)
    const again = ringOn(disk)
    await again.rotate(NOON + 1000)
    assert.deepEqual(again.hash(), ring.hash())
    assert.equal(disk.keys.kept.size, 3)
  })

  test('for an hour into a day it signs under the key of the day before as well', async () => {
    const ring = ringOn()
    await ring.rotate(NOON)
    const [old] = ring.keysMessage().keys
    assert.ok(old)
    const { tokenKeyId } = await import('@byway/protocol/payment')
    const oldId = tokenKeyId(nodeCrypto, BANDWIDTH, old.publicKey)
    await ring.rotate(TURN)
    const hour = 3_600_000
    assert.ok(ring.issuing(BANDWIDTH, oldId, TURN + hour - 1))
    assert.equal(ring.issuing(BANDWIDTH, oldId, TURN + hour), undefined)
    assert.ok(ring.honoured(BANDWIDTH, oldId, TURN + DAY - 1))
    assert.equal(ring.honoured(BANDWIDTH, oldId, TURN + DAY), undefined)
  })

  test('old keys are erased from the disk, also those of a run that ended long ago', async () => {
    const disk = createHopDisk()
    await ringOn(disk).rotate(NOON)
    const scheme = await drawnScheme(3)
    const later = createTokenKeyring({ scheme, hash: nodeCrypto, records: disk.keys, nodeId: NODE })
    assert.equal((await later.rotate(NOON + 2 * DAY)).length, 3)
    assert.equal(disk.keys.kept.size, 3)
  })

  test('a key that is spoiled on the disk, or whose spent tokens are, is replaced', async () => {
    const disk = createHopDisk()
    const ring = ringOn(disk)
    await ring.rotate(NOON)
    const before = ring.hash()
    const [first, second] = [...disk.keys.kept]
    assert.ok(first && second)
    disk.keys.kept.set(first[0], { ...first[1], privateKey: new Uint8Array(8) })
    const again = createTokenKeyring({
      // Other keys than the first ring drew.
      scheme: await drawnScheme(3),
      hash: nodeCrypto,
      records: disk.keys,
      nodeId: NODE,
      damaged: [second[1].keyId],
    })
    assert.equal((await again.rotate(NOON)).length, 2)
    assert.notDeepEqual(again.hash(), before)
    assert.equal(again.keysMessage().keys.length, 3)
  })

  test('a clock that jumps forth and back leaves keys of the day, which are announced and signed under', async () => {
    const ring = ringOn()
    await ring.rotate(NOON)
    const before = ring.hash()
    // A day ahead, back again; at the epoch, as a board without a battery boots, and back again.
    for (const days of [1, 0, -20_000, 0, 3, 0]) {
      const nowMs = NOON + days * DAY
      assert.equal(ring.isDue(nowMs), true, `${days} days`)
      await ring.rotate(nowMs)
      assert.equal(ring.isDue(nowMs), false)
      const { keys } = ring.keysMessage()
      assert.deepEqual(
        keys.map(({ notBeforeS }) => notBeforeS),
        keys.map(() => (nowMs - DAY / 2) / 1000),
      )
      assert.equal(keys.length, 3)
      if (days === 0 || days === 1) assert.equal(isSame(ring.hash(), before), days === 0)
      if (days === 3) break
    }
    await ring.rotate(NOON)
    assert.equal(ring.keysMessage().keys.length, 3, 'erased for good, and made anew')
  })

  test('a key that cannot be written is not announced', async () => {
    const disk = createHopDisk()
    disk.isFull = true
    const ring = ringOn(disk)
    await assert.rejects(ring.rotate(NOON))
    assert.equal(ring.keysMessage().keys.length, 0)
    disk.isFull = false
    await ring.rotate(NOON)
    assert.equal(ring.keysMessage().keys.length, 3)
  })
})

async function drawnScheme(skip: number): Promise<ReturnType<typeof pooledScheme>> {
  const scheme = pooledScheme()
  for (let i = 0; i < skip; i++) await scheme.generateKeyPair()
  return scheme
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.from(a).equals(b)
}
