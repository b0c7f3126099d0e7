/** Selling tokens (SPEC §16): what a purchase costs, when it is due, and what a crash or a cheat changes. */
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { VERDICT, type BuyMessage, type TokenKind, type Verdict } from '@byway/protocol/wire'
import { toHex } from '@byway/protocol/base'
import type { SlotStanding, TokenStock } from '@byway/protocol/payment'
import { emptyBalance } from '../../src/payment/token-balance.ts'
import {
  ADMISSION,
  askFor,
  BANDWIDTH,
  BULK,
  createClientDisk,
  createHopDisk,
  DAY,
  ISSUE_DELAY_MS,
  NODE,
  NOON,
  SLOT,
  startClient,
  startHop,
  type TestHop,
} from './token-harness.ts'

const DUE = NOON + ISSUE_DELAY_MS

async function verdictOf(
  hop: TestHop,
  message: BuyMessage,
  standing: SlotStanding = 'mine',
  nowMs = NOON,
): Promise<Verdict> {
  return (await hop.issuer.buy(message, SLOT, standing, nowMs)).message.verdict
}

/** A message for another purchase, whatever is open. */
function another(stock: TokenStock, kind: TokenKind, count: number, nowMs = NOON): BuyMessage {
  stock.abandonPurchase(NODE, kind)
  return askFor(stock, kind, count, nowMs)
}

suite('what a purchase costs (SPEC §16)', () => {
  test('four units buy a bandwidth token, and no more than were paid', async () => {
    await using hop = await startHop(createHopDisk())
    const stock = await startClient(createClientDisk(), hop)
    hop.issuer.credit(SLOT, 19, NOON)
    const sale = await hop.issuer.buy(askFor(stock, BANDWIDTH, 4), SLOT, 'mine', NOON)
    assert.equal(sale.message.verdict, VERDICT.OK)
    assert.deepEqual([sale.sold, sale.units, sale.message.signatures.length], [4, 16, 4])
    assert.equal(hop.issuer.balance(SLOT), 3)
    assert.equal(await verdictOf(hop, another(stock, BANDWIDTH, 1)), VERDICT.NOT_PAID)
    hop.issuer.credit(SLOT, 1, NOON)
    assert.equal(await verdictOf(hop, another(stock, BANDWIDTH, 1)), VERDICT.OK)
  })

  test('thirty-two units buy a bulk token, and a slot that nobody holds gets it no faster than eight bandwidth tokens', async () => {
    await using hop = await startHop(createHopDisk())
    const stock = await startClient(createClientDisk(), hop)
    hop.issuer.credit(SLOT, 12 * 32 + 31, NOON)
    const sale = await hop.issuer.buy(askFor(stock, BULK, 4), SLOT, 'mine', NOON)
    assert.deepEqual([sale.sold, sale.units], [4, 128])
    assert.equal(await verdictOf(hop, another(stock, BULK, 9)), VERDICT.NOT_PAID)
    assert.equal(await verdictOf(hop, another(stock, BULK, 8), 'open', DUE - 1), VERDICT.TRY_LATER)
    // Sixty-four bandwidth tokens' worth at once, then three a second.
    assert.equal(await verdictOf(hop, another(stock, BULK, 7), 'open', DUE), VERDICT.OK)
    assert.equal(await verdictOf(hop, another(stock, BULK, 1), 'open', DUE), VERDICT.OK)
    assert.equal(hop.issuer.balance(SLOT), 31)
    hop.issuer.credit(SLOT, 1, NOON)
    assert.equal(await verdictOf(hop, another(stock, BULK, 1), 'open', DUE), VERDICT.TRY_LATER)
    assert.equal(
      await verdictOf(hop, another(stock, BULK, 1), 'open', DUE + 2600),
      VERDICT.TRY_LATER,
    )
    assert.equal(await verdictOf(hop, another(stock, BULK, 1), 'open', DUE + 2700), VERDICT.OK)
  })

  test('a balance that was kept before there were bulk tokens goes on', async () => {
    const disk = createHopDisk()
    disk.balances.kept.set(toHex(SLOT), {
      ...emptyBalance(SLOT),
      units: 64,
      paidAtMs: NOON,
      lastSales: new Uint8Array(64),
    })
    await using hop = await startHop(disk)
    const stock = await startClient(createClientDisk(), hop)
    const message = askFor(stock, BULK, 1)
    assert.equal(await verdictOf(hop, message), VERDICT.OK)
    assert.equal(hop.issuer.isRepeat(message, SLOT), true)
    assert.equal(await verdictOf(hop, message), VERDICT.OK)
    assert.equal(hop.issuer.balance(SLOT), 32)
  })

  test('a slot that never paid gets nothing, not even admission', async () => {
    await using hop = await startHop(createHopDisk())
    const stock = await startClient(createClientDisk(), hop)
    assert.equal(await verdictOf(hop, askFor(stock, BANDWIDTH, 1)), VERDICT.NOT_PAID)
    assert.equal(await verdictOf(hop, askFor(stock, ADMISSION, 1)), VERDICT.NOT_PAID)
  })

  test('forty admission tokens a day cost nothing, each further one a unit', async () => {
    await using hop = await startHop(createHopDisk())
    const stock = await startClient(createClientDisk(), hop)
    hop.issuer.credit(SLOT, 3, NOON)
    for (const [count, units, left] of [
      [32, 0, 3],
      [10, 2, 1],
    ]) {
      const sale = await hop.issuer.buy(another(stock, ADMISSION, count ?? 0), SLOT, 'mine', NOON)
      assert.deepEqual([sale.sold, sale.units, hop.issuer.balance(SLOT)], [count, units, left])
    }
    assert.equal(await verdictOf(hop, another(stock, ADMISSION, 2)), VERDICT.NOT_PAID)
    await hop.keyring.rotate(NOON + DAY)
    stock.acceptKeys(NODE, hop.keyring.keysMessage(), hop.keyring.hash(), NOON + DAY)
    const nextDay = another(stock, ADMISSION, 32, NOON + DAY)
    assert.equal(await verdictOf(hop, nextDay, 'mine', NOON + DAY), VERDICT.OK)
    assert.equal(hop.issuer.balance(SLOT), 1)
  })

  test('a refused purchase costs nothing: unknown key, wrong elements, a signer that is busy', async () => {
    await using hop = await startHop(createHopDisk())
    const stock = await startClient(createClientDisk(), hop)
    hop.issuer.credit(SLOT, 400, NOON)
    const message = askFor(stock, BANDWIDTH, 32)
    const wrongKey = { ...message, keyId: message.keyId.with(0, (message.keyId[0] ?? 0) ^ 1) }
    assert.equal(await verdictOf(hop, wrongKey), VERDICT.UNKNOWN_KEY)
    const otherKind = { ...message, tokenKind: ADMISSION }
    assert.equal(await verdictOf(hop, otherKind), VERDICT.UNKNOWN_KEY)
    const short = { ...message, elements: message.elements.map((element) => element.subarray(1)) }
    assert.equal(await verdictOf(hop, short), VERDICT.BAD_TOKEN)
    const huge = { ...message, elements: [new Uint8Array(256).fill(0xff)] }
    assert.equal(await verdictOf(hop, huge), VERDICT.BAD_TOKEN)
    assert.equal(hop.issuer.balance(SLOT), 400)
    await hop[Symbol.asyncDispose]()
    assert.equal(await verdictOf(hop, message), VERDICT.TRY_LATER)
    assert.equal(hop.issuer.balance(SLOT), 400)
  })

  test('a purchase that cannot be written is not given out', async () => {
    const disk = createHopDisk()
    await using hop = await startHop(disk)
    const stock = await startClient(createClientDisk(), hop)
    hop.issuer.credit(SLOT, 16, NOON)
    const message = askFor(stock, BANDWIDTH, 4)
    disk.isFull = true
    const sale = await hop.issuer.buy(message, SLOT, 'mine', NOON)
    assert.deepEqual([sale.message.verdict, sale.message.signatures], [VERDICT.TRY_LATER, []])
    assert.equal(hop.issuer.balance(SLOT), 16)
    disk.isFull = false
    assert.equal(await verdictOf(hop, message), VERDICT.OK)
    assert.equal(hop.issuer.balance(SLOT), 0)
  })
})

suite('when tokens are due (SPEC §16)', () => {
  test('a slot that is locked or bound here gets them at once, any other after the delay', async () => {
    await using hop = await startHop(createHopDisk())
    const stock = await startClient(createClientDisk(), hop)
    hop.issuer.credit(SLOT, 16, NOON)
    const message = askFor(stock, BANDWIDTH, 4)
    assert.equal(await verdictOf(hop, message, 'open', NOON), VERDICT.TRY_LATER)
    assert.equal(await verdictOf(hop, message, 'open', DUE - 1), VERDICT.TRY_LATER)
    assert.equal(await verdictOf(hop, message, 'open', DUE), VERDICT.OK)
    hop.issuer.credit(SLOT, 16, DUE)
    assert.equal(await verdictOf(hop, another(stock, BANDWIDTH, 4), 'mine', DUE), VERDICT.OK)
  })

  test('one slot shown to many hops buys at none of them that does not hold it', async () => {
    const stands: SlotStanding[] = ['mine', 'taken', 'taken', 'taken']
    const verdicts: Verdict[] = []
    for (const standing of stands) {
      await using hop = await startHop(createHopDisk())
      const stock = await startClient(createClientDisk(), hop)
      hop.issuer.credit(SLOT, 16, NOON)
      verdicts.push(await verdictOf(hop, askFor(stock, BANDWIDTH, 4), standing, DUE))
    }
    const { OK, SLOT_TAKEN } = VERDICT
    assert.deepEqual(verdicts, [OK, SLOT_TAKEN, SLOT_TAKEN, SLOT_TAKEN])
  })

  test('when the chain cannot be asked nothing is issued', async () => {
    await using hop = await startHop(createHopDisk())
    const stock = await startClient(createClientDisk(), hop)
    hop.issuer.credit(SLOT, 16, NOON)
    const message = askFor(stock, BANDWIDTH, 4)
    assert.equal(await verdictOf(hop, message, 'unknown', DUE), VERDICT.TRY_LATER)
  })

  test('each ticket waits for itself', async () => {
    await using hop = await startHop(createHopDisk())
    const stock = await startClient(createClientDisk(), hop)
    hop.issuer.credit(SLOT, 16, NOON)
    hop.issuer.credit(SLOT, 16, NOON + 10_000)
    assert.equal(await verdictOf(hop, askFor(stock, BANDWIDTH, 8), 'open', DUE), VERDICT.TRY_LATER)
    assert.equal(await verdictOf(hop, another(stock, BANDWIDTH, 4), 'open', DUE), VERDICT.OK)
    const second = another(stock, BANDWIDTH, 4)
    assert.equal(await verdictOf(hop, second, 'open', DUE), VERDICT.TRY_LATER)
    assert.equal(await verdictOf(hop, second, 'open', DUE + 10_000), VERDICT.OK)
  })

  test('admission for nothing waits for the first ticket too', async () => {
    await using hop = await startHop(createHopDisk())
    const stock = await startClient(createClientDisk(), hop)
    hop.issuer.credit(SLOT, 1, NOON)
    const message = askFor(stock, ADMISSION, 8)
    assert.equal(await verdictOf(hop, message, 'open', DUE - 1), VERDICT.TRY_LATER)
    assert.equal(await verdictOf(hop, message, 'open', DUE), VERDICT.OK)
  })

  test('an unheld slot buys 64 at once and three a second, a held one as many as it pays', async () => {
    await using hop = await startHop(createHopDisk())
    const stock = await startClient(createClientDisk(), hop)
    hop.issuer.credit(SLOT, 1000, NOON)
    const { OK, TRY_LATER } = VERDICT
    for (const [atMs, want] of [
      [DUE, OK],
      [DUE, OK],
      [DUE, TRY_LATER],
      [DUE + 10_000, TRY_LATER],
      [DUE + 10_667, OK],
    ] as const) {
      assert.equal(await verdictOf(hop, another(stock, BANDWIDTH, 32), 'open', atMs), want)
    }
    assert.equal(await verdictOf(hop, another(stock, BANDWIDTH, 32), 'mine', DUE + 10_667), OK)
  })
})

suite('what lapses', () => {
  test('tokens sold and never spent are counted when their key goes, repeats and failures not', async () => {
    const disk = createHopDisk()
    const hop = await startHop(disk)
    const stock = await startClient(createClientDisk(), hop)
    hop.issuer.credit(SLOT, 100, NOON)
    const message = askFor(stock, BANDWIDTH, 4)
    assert.equal(await verdictOf(hop, message), VERDICT.OK)
    assert.equal(await verdictOf(hop, message), VERDICT.OK)
    const huge = { ...message, elements: [new Uint8Array(256).fill(0xff)] }
    assert.equal(await verdictOf(hop, huge), VERDICT.BAD_TOKEN)
    assert.equal(await verdictOf(hop, another(stock, BANDWIDTH, 2)), VERDICT.OK)
    await hop[Symbol.asyncDispose]()
    await using later = await startHop(disk)
    const gone = await later.keyring.rotate(NOON + 2 * DAY)
    assert.deepEqual(
      gone.map(({ unspent }) => unspent),
      [6, 0, 0],
    )
  })
})

suite('restarts and repeats', () => {
  test('a balance survives a restart, and what was sold is not sold again', async () => {
    const disk = createHopDisk()
    {
      await using hop = await startHop(disk)
      const stock = await startClient(createClientDisk(), hop)
      hop.issuer.credit(SLOT, 40, NOON)
      assert.equal(await verdictOf(hop, askFor(stock, BANDWIDTH, 4)), VERDICT.OK)
    }
    await using hop = await startHop(disk, NOON + 1000)
    assert.equal(hop.issuer.balance(SLOT), 24)
    const stock = await startClient(createClientDisk(), hop)
    assert.equal(await verdictOf(hop, askFor(stock, BANDWIDTH, 7)), VERDICT.NOT_PAID)
    assert.equal(await verdictOf(hop, another(stock, BANDWIDTH, 6), 'mine'), VERDICT.OK)
  })

  test('the same purchase again costs nothing and gives the same signatures, also after a restart', async () => {
    const disk = createHopDisk()
    const hop = await startHop(disk)
    const stock = await startClient(createClientDisk(), hop)
    hop.issuer.credit(SLOT, 16, NOON)
    const message = askFor(stock, BANDWIDTH, 4)
    const first = await hop.issuer.buy(message, SLOT, 'mine', NOON)
    const second = await hop.issuer.buy(message, SLOT, 'mine', NOON)
    assert.deepEqual(second.message.signatures, first.message.signatures)
    assert.deepEqual([second.sold, second.units], [0, 0])
    await hop[Symbol.asyncDispose]()
    await using later = await startHop(disk)
    const third = await later.issuer.buy(message, SLOT, 'mine', NOON)
    assert.deepEqual(third.message.signatures, first.message.signatures)
    assert.equal(third.sold, 0)
  })

  test('a purchase is answered five times and no more', async () => {
    await using hop = await startHop(createHopDisk())
    const stock = await startClient(createClientDisk(), hop)
    hop.issuer.credit(SLOT, 4, NOON)
    const message = askFor(stock, BANDWIDTH, 1)
    const verdicts: Verdict[] = []
    for (let i = 0; i < 6; i++) verdicts.push(await verdictOf(hop, message))
    assert.deepEqual(verdicts, [...Array.from({ length: 5 }, () => VERDICT.OK), VERDICT.TRY_LATER])
  })

  test('two purchases of a slot at one moment: the second is told to try later', async () => {
    await using hop = await startHop(createHopDisk())
    const stock = await startClient(createClientDisk(), hop)
    hop.issuer.credit(SLOT, 8, NOON)
    const [one, two] = [askFor(stock, BANDWIDTH, 1), another(stock, BANDWIDTH, 1)]
    const verdicts = await Promise.all([verdictOf(hop, one), verdictOf(hop, two)])
    assert.deepEqual(verdicts, [VERDICT.OK, VERDICT.TRY_LATER])
    assert.equal(await verdictOf(hop, two), VERDICT.OK)
  })

  test('slots are forgotten when nothing is left and their day is over, balances after thirty days', async () => {
    const disk = createHopDisk()
    await using hop = await startHop(disk)
    const stock = await startClient(createClientDisk(), hop)
    const other = new Uint8Array(32).fill(2)
    hop.issuer.credit(SLOT, 4, NOON)
    hop.issuer.credit(other, 5, NOON)
    assert.equal(await verdictOf(hop, askFor(stock, BANDWIDTH, 1)), VERDICT.OK)
    assert.deepEqual([hop.issuer.sweep(NOON + 2 * DAY - 1), hop.issuer.slots], [0, 2])
    assert.deepEqual([hop.issuer.sweep(NOON + 2 * DAY), hop.issuer.slots], [0, 1])
    assert.deepEqual([hop.issuer.sweep(NOON + 30 * DAY), hop.issuer.slots], [5, 0])
    assert.equal(disk.balances.kept.size, 0)
  })
})
