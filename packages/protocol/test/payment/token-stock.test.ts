/** A client's stock of tokens (SPEC §16): whose keys count, what is bought when, and that a crash spends nothing twice. */
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { toHex } from '@byway/protocol/base'
import { nodeBlindTokens } from '@byway/protocol/node-blind'
import { nodeCrypto } from '@byway/protocol/node-crypto'
import { createTokenStock, tokenKeysHash } from '@byway/protocol/payment'
import { PAY, VERDICT, type SoldMessage, type TokenKey } from '@byway/protocol/wire'
import { seededBytes } from '../crypto/seeded-bytes.ts'
import {
  ADMISSION,
  askFor,
  BANDWIDTH,
  BULK,
  buy,
  createClientDisk,
  createHopDisk,
  DAY,
  NODE,
  NOON,
  SLOT,
  startClient,
  startHop,
} from './token-harness.ts'

suite('keys (SPEC §16.1)', () => {
  const judge = async (
    change: (keys: readonly TokenKey[]) => readonly TokenKey[],
    nowMs = NOON,
    isHashed = true,
  ) => {
    await using hop = await startHop(createHopDisk())
    const stock = createTokenStock({
      scheme: nodeBlindTokens,
      hash: nodeCrypto,
      records: createClientDisk(),
      random: seededBytes('keys'),
    })
    await stock.open(NODE, [BANDWIDTH, ADMISSION], nowMs)
    const keys = change(hop.keyring.keysMessage().keys)
    const hash = isHashed ? tokenKeysHash(nodeCrypto, keys) : hop.keyring.hash()
    const verdict = stock.acceptKeys(NODE, { kind: PAY.KEYS, keys }, hash, nowMs)
    assert.equal(stock.needsKeys(NODE, BANDWIDTH, nowMs), verdict !== 'ok')
    return verdict
  }
  const shifted = (by: number) => (keys: readonly TokenKey[]) =>
    keys.map((key) => ({
      ...key,
      notBeforeS: key.notBeforeS + by,
      notAfterS: key.notAfterS + by,
    }))

  test('those whose hash is in the descriptor count, others do not', async () => {
    assert.equal(await judge((keys) => keys), 'ok')
    assert.equal(await judge((keys) => keys.slice(0, 1), NOON, false), 'hash')
    assert.equal(await judge((keys) => keys.toReversed(), NOON, false), 'hash')
    assert.equal(await judge(shifted(0), NOON, false), 'ok')
  })

  test('other dates than those of a current day are refused', async () => {
    assert.equal(await judge(shifted(1)), 'dates')
    assert.equal(await judge(shifted(86_400)), 'dates')
    assert.equal(await judge(shifted(-86_400)), 'dates')
    const longer = (keys: readonly TokenKey[]) =>
      keys.map((key) => ({ ...key, notAfterS: key.notAfterS + 86_400 }))
    assert.equal(await judge(longer), 'dates')
    assert.equal(await judge((keys) => keys, NOON + DAY), 'dates')
  })

  test('two of a kind, or one that is no modulus, are refused', async () => {
    assert.equal(await judge((keys) => [...keys, ...keys]), 'malformed')
    const broken = (keys: readonly TokenKey[]) =>
      keys.map((key) => ({ ...key, publicKey: key.publicKey.with(0, 1) }))
    assert.equal(await judge(broken), 'malformed')
  })

  test('a second key for a day is refused for good: it could be one for this client alone', async () => {
    await using hop = await startHop(createHopDisk())
    const stock = await startClient(createClientDisk(), hop)
    const [bandwidth, admission] = hop.keyring.keysMessage().keys
    assert.ok(bandwidth && admission)
    const keys = [{ ...bandwidth, publicKey: admission.publicKey }, admission]
    const hash = tokenKeysHash(nodeCrypto, keys)
    assert.equal(stock.acceptKeys(NODE, { kind: PAY.KEYS, keys }, hash, NOON), 'second')
    const order = { node: NODE, kind: BANDWIDTH, count: 4, units: 16 }
    assert.equal(stock.startPurchase(order, NOON), undefined)
    assert.deepEqual(stock.orders(NOON + DAY), [])
  })
})

suite('buying', () => {
  test('bought tokens are on the disk but for one block, and each is handed out once', async () => {
    await using hop = await startHop(createHopDisk())
    const disk = createClientDisk()
    const stock = await startClient(disk, hop)
    await buy(stock, hop, BANDWIDTH, 32)
    assert.equal(stock.held(NODE, BANDWIDTH), 32)
    assert.equal(disk.tokens.length, 24)
    const nonces = new Set<string>()
    for (let i = 0; i < 32; i++) {
      const spend = stock.spend(NODE, BANDWIDTH, NOON)
      assert.ok(spend && hop.redeemer.spend(spend, NOON).verdict === VERDICT.OK)
      nonces.add(toHex(spend.nonce))
      await stock.refill(NODE, BANDWIDTH)
    }
    assert.equal(nonces.size, 32)
    assert.equal(stock.spend(NODE, BANDWIDTH, NOON), undefined)
  })

  test('a signature that does not hold ends the dealings with a hop; the good ones are kept', async () => {
    await using hop = await startHop(createHopDisk())
    const stock = await startClient(createClientDisk(), hop)
    hop.issuer.credit(SLOT, 16, NOON)
    const message = askFor(stock, BANDWIDTH, 4)
    const { message: sold } = await hop.issuer.buy(message, SLOT, 'mine', NOON)
    const spoiled: SoldMessage = {
      ...sold,
      signatures: sold.signatures.with(2, seededBytes('bad')(256)),
    }
    const result = await stock.finishPurchase(NODE, spoiled, NOON)
    assert.ok(result.type === 'stocked')
    assert.deepEqual([result.count, result.bad], [3, 1])
    assert.deepEqual(stock.orders(NOON + DAY), [])
  })

  test('garbage, too few and unasked answers give nothing', async () => {
    await using hop = await startHop(createHopDisk())
    const stock = await startClient(createClientDisk(), hop)
    const { request } = askFor(stock, BANDWIDTH, 2)
    const answer = (signatures: Uint8Array[], number = request): SoldMessage => {
      return { kind: PAY.SOLD, request: number, verdict: VERDICT.OK, signatures }
    }
    const wrong = await stock.finishPurchase(NODE, answer([], request + 1), NOON)
    assert.equal(wrong.type, 'unasked')
    const garbage = [new Uint8Array(256), new Uint8Array(256).fill(255)]
    const result = await stock.finishPurchase(NODE, answer(garbage), NOON)
    assert.ok(result.type === 'stocked')
    assert.deepEqual([result.count, result.bad], [0, 2])
    const again = await stock.finishPurchase(NODE, answer(garbage), NOON)
    assert.equal(again.type, 'unasked')
  })

  test('after TRY_LATER the very same purchase goes on, after another verdict it is over', async () => {
    await using hop = await startHop(createHopDisk())
    const stock = await startClient(createClientDisk(), hop)
    const message = askFor(stock, BANDWIDTH, 4)
    hop.issuer.credit(SLOT, 16, NOON)
    const early = await hop.issuer.buy(message, SLOT, 'open', NOON)
    assert.equal((await stock.finishPurchase(NODE, early.message, NOON)).type, 'refused')
    assert.equal(stock.repeatPurchase(NODE, BANDWIDTH), message)
    const due = await hop.issuer.buy(message, SLOT, 'open', NOON + 15_000)
    assert.equal((await stock.finishPurchase(NODE, due.message, NOON)).type, 'stocked')
    assert.equal(stock.repeatPurchase(NODE, BANDWIDTH), undefined)
    const unpaid = await hop.issuer.buy(askFor(stock, BANDWIDTH, 4), SLOT, 'mine', NOON)
    const refused = await stock.finishPurchase(NODE, unpaid.message, NOON)
    assert.ok(refused.type === 'refused' && refused.verdict === VERDICT.NOT_PAID)
    assert.equal(stock.repeatPurchase(NODE, BANDWIDTH), undefined)
  })
})

suite('stock limits and times', () => {
  test('the first order is small, later ones are whole batches, up to the limit', async () => {
    await using hop = await startHop(createHopDisk())
    const stock = await startClient(createClientDisk(), hop)
    const counts: number[][] = []
    let nowMs = NOON
    for (let i = 0; i < 6; i++) {
      const orders = stock.orders(nowMs)
      counts.push(orders.map(({ count }) => count))
      for (const { kind, count } of orders) await buy(stock, hop, kind, count, nowMs)
      nowMs = stock.wakeAtMs() ?? nowMs
    }
    assert.deepEqual(counts, [[4, 8], [32, 8], [], [], [], []])
    stock.setLocked(NODE, true)
    const restock = async (): Promise<void> => {
      for (const { kind, count } of stock.orders(nowMs)) await buy(stock, hop, kind, count, nowMs)
      nowMs = stock.wakeAtMs() ?? nowMs
    }
    for (let i = 0; i < 20; i++) await restock()
    assert.equal(stock.held(NODE, BANDWIDTH), 36, 'of a held slot too, where none are used')
    // Ten a second for five minutes.
    const [beginMs, endMs] = [nowMs, nowMs + 300_000]
    let most = 0
    for (let atMs = beginMs; atMs < endMs; atMs += 100) {
      nowMs = atMs
      if (atMs >= (stock.wakeAtMs() ?? 0)) await restock()
      await stock.refill(NODE, BANDWIDTH)
      stock.spend(NODE, BANDWIDTH, atMs)
      most = Math.max(most, stock.held(NODE, BANDWIDTH))
    }
    assert.ok(most > 64 && most <= 512, `${most} are in stock for a fast stream`)
  })

  test('more is bought on a visit only where tokens go as fast as they come', async () => {
    await using hop = await startHop(createHopDisk())
    const stock = await startClient(createClientDisk(), hop)
    assert.equal(stock.moreOf(NODE, NOON), undefined, 'nothing was bought yet')
    await buy(stock, hop, BANDWIDTH, 8)
    stock.setLocked(NODE, true)
    assert.equal(stock.moreOf(NODE, NOON + 1000), undefined, 'none are used')
    const use = async (count: number, nowMs: number): Promise<void> => {
      for (let i = 0; i < count; i++) {
        await stock.refill(NODE, BANDWIDTH)
        assert.ok(stock.spend(NODE, BANDWIDTH, nowMs))
      }
    }
    await use(1, NOON + 40_000)
    await use(1, NOON + 50_000)
    assert.equal(stock.moreOf(NODE, NOON + 50_000), undefined, 'six last for a minute')
    await buy(stock, hop, BANDWIDTH, 32, NOON + 60_000)
    // Seven a second, then twenty.
    await use(30, NOON + 61_500)
    await buy(stock, hop, BANDWIDTH, 32, NOON + 61_500)
    let nowMs = NOON + 61_500
    let further = 0
    for (let next = stock.moreOf(NODE, nowMs); next; next = stock.moreOf(NODE, nowMs)) {
      assert.deepEqual([next.kind, next.count, next.units], [BANDWIDTH, 32, 128])
      await buy(stock, hop, BANDWIDTH, 32, nowMs)
      nowMs += 200
      await use(4, nowMs)
      assert.ok(++further < 100)
    }
    assert.ok(further > 1)
    const held = stock.held(NODE, BANDWIDTH)
    assert.ok(held >= 80 && held < 256 + 32, `${held}: half of a stock for twenty seconds`)
  })

  test('bulk tokens are bought while somebody wants them, at a hop that holds the slot and sold before', async () => {
    await using hop = await startHop(createHopDisk())
    const disk = createClientDisk()
    const stock = await startClient(disk, hop)
    const want = (nowMs: number) => stock.spend(NODE, BULK, nowMs)
    assert.equal(want(NOON), undefined)
    assert.equal(stock.moreOf(NODE, NOON), undefined, 'nothing was bought yet')
    await buy(stock, hop, BANDWIDTH, 32)
    assert.equal(stock.moreOf(NODE, NOON), undefined, 'nobody holds the slot')
    stock.setLocked(NODE, true)
    let bought = 0
    for (let next = stock.moreOf(NODE, NOON); next; next = stock.moreOf(NODE, NOON)) {
      assert.deepEqual([next.kind, next.count, next.units], [BULK, 4, 128])
      await buy(stock, hop, BULK, 4)
      bought += 4
      assert.ok(bought < 100)
    }
    assert.equal(bought, 8, 'as many as are kept before it is known how fast they go')
    assert.equal(disk.tokens.filter(({ kind }) => kind === BULK).length, 6, 'two in memory')
    const later = stock.wakeAtMs() ?? 0
    assert.ok(
      stock.orders(later).every(({ kind }) => kind !== BULK),
      'no stock is laid in',
    )
    const spends = new Set<string>()
    for (let i = 0; i < bought; i++) {
      const spend = want(NOON + 1000)
      assert.ok(spend && hop.redeemer.spend(spend, NOON).verdict === VERDICT.OK)
      spends.add(toHex(spend.nonce))
      await stock.refill(NODE, BULK)
    }
    assert.equal(spends.size, bought)
    // Eight in four seconds, for twenty.
    for (let batches = 0; stock.moreOf(NODE, NOON + 1000)?.kind === BULK; batches++) {
      assert.ok(batches < 100)
      await buy(stock, hop, BULK, 4, NOON + 1000)
    }
    assert.equal(stock.held(NODE, BULK), 40)
    assert.equal(stock.moreOf(NODE, NOON + 31_000), undefined, 'nobody wants one any more')
    stock.onNewSlot(NODE, NOON)
    want(NOON + 32_000)
    assert.equal(stock.moreOf(NODE, NOON + 32_000), undefined, 'nobody holds the next slot yet')
  })

  test('a few bulk tokens are bought ahead for a stream that will soon want them, and no more', async () => {
    await using hop = await startHop(createHopDisk())
    const stock = await startClient(createClientDisk(), hop)
    await buy(stock, hop, BANDWIDTH, 32)
    stock.wantSoon(NODE, NOON)
    assert.equal(stock.moreOf(NODE, NOON), undefined, 'nobody holds the slot yet')
    stock.setLocked(NODE, true)
    for (const held of [0, 4]) {
      assert.equal(stock.held(NODE, BULK), held)
      assert.equal(stock.moreOf(NODE, NOON)?.kind, BULK)
      await buy(stock, hop, BULK, 4)
    }
    assert.notEqual(stock.moreOf(NODE, NOON)?.kind, BULK)
    assert.notEqual(stock.moreOf(NODE, NOON + 31_000)?.kind, BULK)
  })

  test('purchases are numbered anew for each slot: a number that went on would join two (SPEC §16.3)', async () => {
    await using hop = await startHop(createHopDisk())
    const stock = await startClient(createClientDisk(), hop)
    assert.equal(askFor(stock, BANDWIDTH, 4).request, 1)
    assert.equal(askFor(stock, ADMISSION, 8).request, 2)
    stock.onNewSlot(NODE, NOON)
    assert.equal(stock.repeatPurchase(NODE, BANDWIDTH), undefined)
    assert.equal(askFor(stock, BANDWIDTH, 4).request, 1)
  })

  test('times of purchases do not follow spending while the stock is above half', async () => {
    const timesWhen = async (spends: number): Promise<number[]> => {
      await using hop = await startHop(createHopDisk())
      const stock = await startClient(createClientDisk(), hop)
      await buy(stock, hop, BANDWIDTH, 32)
      await buy(stock, hop, BANDWIDTH, 32)
      await buy(stock, hop, ADMISSION, 16)
      const times: number[] = []
      for (let i = 0; i < 8; i++) {
        const nowMs = stock.wakeAtMs() ?? NOON
        times.push(nowMs)
        stock.orders(nowMs)
        for (let n = 0; n < spends; n++) stock.spend(NODE, BANDWIDTH, nowMs)
        await stock.refill(NODE, BANDWIDTH)
      }
      return times
    }
    assert.deepEqual(await timesWhen(4), await timesWhen(0))
  })

  test('a low stock is restocked within a second and a half, at a moment that is drawn', async () => {
    await using hop = await startHop(createHopDisk())
    const waits = new Set<number>()
    for (const seed of ['a', 'b', 'c']) {
      const stock = await startClient(createClientDisk(), hop, NOON, seed)
      await buy(stock, hop, BANDWIDTH, 4)
      stock.orders(NOON)
      stock.spend(NODE, BANDWIDTH, NOON)
      const wait = (stock.wakeAtMs() ?? 0) - NOON
      assert.ok(wait >= 0 && wait < 1500, `${wait}`)
      waits.add(wait)
    }
    assert.equal(waits.size, 3)
  })
})

suite('crash, stop and age', () => {
  test('a crash loses at most what was handed out in blocks, and nothing is spent twice', async () => {
    await using hop = await startHop(createHopDisk())
    const disk = createClientDisk()
    const spent = new Set<string>()
    let stock = await startClient(disk, hop)
    await buy(stock, hop, BANDWIDTH, 32)
    for (let run = 0; run < 4; run++) {
      for (let i = 0; i < 3; i++) {
        const spend = stock.spend(NODE, BANDWIDTH, NOON)
        assert.ok(spend && !spent.has(toHex(spend.nonce)))
        spent.add(toHex(spend.nonce))
        assert.equal(hop.redeemer.spend(spend, NOON).verdict, VERDICT.OK)
      }
      // Killed: nothing is given back.
      stock = await startClient(disk, hop, NOON, `run ${run}`)
    }
    assert.equal(spent.size, 12)
    assert.equal(stock.held(NODE, BANDWIDTH), 0)
  })

  test('a clean stop loses nothing', async () => {
    await using hop = await startHop(createHopDisk())
    const disk = createClientDisk()
    const stock = await startClient(disk, hop)
    await buy(stock, hop, BANDWIDTH, 16)
    stock.spend(NODE, BANDWIDTH, NOON)
    await stock.closeAll()
    assert.equal(disk.tokens.length, 15)
    // What is on the disk is held, but nobody who waits for `refill` may take it for being at hand.
    await stock.refill(NODE, BANDWIDTH)
    assert.equal(stock.atHand(NODE, BANDWIDTH), 0)
    assert.equal(stock.spend(NODE, BANDWIDTH, NOON), undefined)
    const again = await startClient(disk, hop, NOON, 'again')
    assert.equal(again.held(NODE, BANDWIDTH), 15)
  })

  test('what is given up whole is gone from memory and disk, and is counted by hop', async () => {
    await using hop = await startHop(createHopDisk())
    const disk = createClientDisk()
    const stock = await startClient(disk, hop)
    await buy(stock, hop, BANDWIDTH, 16)
    assert.ok(stock.atHand(NODE, BANDWIDTH) > 0 && disk.tokens.length > 0)
    const given = await stock.forgetAll()
    assert.equal(
      given.reduce((sum, { count }) => sum + count, 0),
      16,
    )
    assert.ok(given.every(({ node, kind }) => toHex(node) === toHex(NODE) && kind === BANDWIDTH))
    assert.equal(stock.held(NODE, BANDWIDTH), 0)
    assert.deepEqual(disk.tokens, [])
    assert.equal(stock.spend(NODE, BANDWIDTH, NOON), undefined)
    await buy(stock, hop, BANDWIDTH, 4)
    assert.equal(stock.held(NODE, BANDWIDTH), 4)
    await stock.closeAll()
  })

  test('tokens that are about to lapse are not handed out, and are counted', async () => {
    await using hop = await startHop(createHopDisk())
    const stock = await startClient(createClientDisk(), hop)
    await buy(stock, hop, BANDWIDTH, 4)
    const lapse = NOON + 1.5 * DAY
    assert.ok(stock.spend(NODE, BANDWIDTH, lapse - 16 * 60_000))
    assert.equal(stock.spend(NODE, BANDWIDTH, lapse - 15 * 60_000), undefined)
    assert.equal(stock.takeLapsed(NODE, BANDWIDTH), 3)
    assert.equal(stock.takeLapsed(NODE, BANDWIDTH), 0)
  })

  test('tokens that cannot be kept are reported, not half kept', async () => {
    await using hop = await startHop(createHopDisk())
    const disk = createClientDisk()
    const stock = await startClient(disk, hop)
    hop.issuer.credit(SLOT, 16, NOON)
    const { message } = await hop.issuer.buy(askFor(stock, BANDWIDTH, 4), SLOT, 'mine', NOON)
    disk.isFull = true
    await assert.rejects(stock.finishPurchase(NODE, message, NOON))
    assert.equal(stock.held(NODE, BANDWIDTH), 0)
  })
})
