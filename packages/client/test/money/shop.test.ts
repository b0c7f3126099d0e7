import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { PathNode } from '@byway/protocol/directory'
import type { TokenStock } from '@byway/protocol/payment'
import { createShop } from '../../src/money/shop.ts'

describe('the shop', () => {
  it('leaves who waits for tokens alone once it is closed, though there are tokens on the disk', async () => {
    let asked = 0
    const stock = {
      open: () => Promise.resolve(),
      refill: () => Promise.resolve(),
      closeAll: () => Promise.resolve(),
      orders: () => [],
      takeLapsed: () => 0,
      held: () => 5,
      atHand: () => 0,
      spend: () => {
        assert.ok(++asked < 100, 'asked without end')
        return undefined
      },
    } satisfies Partial<TokenStock>
    const descriptor = { nodeId: new Uint8Array(32) }
    const hop = { key: '00', isExit: false, entry: { descriptor } } as unknown as PathNode
    const shop = createShop({
      stock: stock as unknown as TokenStock,
      visit: () => Promise.resolve(),
      hopsInUse: () => [],
      spending: { onTokens: () => {} },
      nowMs: () => 0,
      onFailed: () => {},
    })
    const paying = (async () => {
      while (!shop.spend(hop)) await shop.restocked(hop)
    })()
    paying.catch(() => {})
    await shop.stop()
    for (let turn = 0; turn < 100; turn++) await Promise.resolve()
    assert.ok(asked < 10)
  })
})
