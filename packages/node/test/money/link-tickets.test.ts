/** Tickets at a live node's client links (SPEC §15.2, §15.3): what is good pays, and every other kind is refused and pays nothing. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { suite, test } from 'node:test'
import { equalBytes, toHex } from '@byway/protocol/base'
import { createPool, unitPrice } from '@byway/protocol/ticket'
import { nodeTicketCrypto } from '@byway/protocol/node-ticket'
import { PAY, VERDICT } from '@byway/protocol/wire'
import type { CommitsMessage, TicketMessage } from '@byway/protocol/wire'
import { until } from '../exit/test-target.ts'
import { TEST_PAYMENT } from '../../../protocol/test/directory/payment-parameters.ts'
import { PROVIDER, startLiveNode } from './live-node.ts'
import type { LiveNode, TestClient } from './live-node.ts'
import { commitFor, depositSlots, secretOf, TEST_POOL, ticketOf } from './paying-client.ts'
import type { TestSlot, TicketChoice } from './paying-client.ts'

const PRICE = unitPrice(TEST_POOL, 4)

type Shown = {
  readonly client: TestClient
  readonly slot: TestSlot
  readonly commits: CommitsMessage[]
  readonly ticket: (choice: Partial<TicketChoice> & { readonly index: number }) => TicketMessage
}

async function show(live: LiveNode, client: TestClient, slot: TestSlot): Promise<Shown> {
  client.send({ kind: PAY.SHOW, opening: slot.opening })
  const shown = await client.next(PAY.SHOWN)
  assert.equal(shown.verdict, VERDICT.OK)
  assert.deepEqual(Buffer.from(shown.provider), Buffer.from(PROVIDER))
  assert.equal(shown.priceStep, 4)
  const commits = [await commitsOf(client, slot)]
  const ticket: Shown['ticket'] = ({ index, ...choice }) =>
    ticketOf(slot, {
      index,
      commit: choice.commit ?? commitFor(commits, index),
      amount: PRICE,
      provider: PROVIDER,
      ...choice,
    })
  void live
  return { client, slot, commits, ticket }
}

/** Those of the slot before may still come. */
async function commitsOf(client: TestClient, { opening }: TestSlot): Promise<CommitsMessage> {
  for (;;) {
    const commits = await client.next(PAY.COMMITS)
    if (equalBytes(commits.nullifier, opening.nullifier)) return commits
  }
}

async function showFirst(live: LiveNode): Promise<Shown> {
  const client = await live.connect()
  const [slot] = depositSlots(live.chain, 2)
  assert.ok(slot)
  return await show(live, client, slot)
}

async function refusal(client: TestClient): Promise<readonly [number, number]> {
  const { verdict, index } = await client.next(PAY.REFUSED)
  return [verdict, index]
}

const unitsPaid = ({ node }: LiveNode): number => node.status().money?.unitsPaid ?? -1

suite('tickets at a live node', () => {
  test('tickets of several units pay for their units, with gaps between their indices', async () => {
    await using live = await startLiveNode()
    const { client, ticket } = await showFirst(live)
    client.send(
      ticket({ index: 0 }),
      ticket({ index: 5, amount: 16n * PRICE }),
      ticket({ index: 6 }),
    )
    await until(() => unitsPaid(live) === 18)
    assert.equal(live.node.status().money?.refusedTickets, 0)
    client.link.close('local')
  })

  test('new commits go out before the old are used up, and are on disk before', async () => {
    await using live = await startLiveNode()
    const shown = await showFirst(live)
    const { client, commits, ticket } = shown
    assert.deepEqual([commits[0]?.firstIndex, commits[0]?.commits.length], [0, 64])
    client.send(ticket({ index: 0 }))
    const more = await client.next(PAY.COMMITS)
    assert.equal(more.firstIndex, 64)
    assert.equal([...live.store.shown.values()][0]?.floor, 128)
    client.link.close('local')
  })

  const other = createPool(nodeTicketCrypto, {
    ...TEST_PAYMENT,
    faceValue: TEST_PAYMENT.winValue,
    pool: new Uint8Array(20).fill(9),
  })
  const bad: readonly (readonly [string, (shown: Shown) => TicketMessage, number])[] = [
    [
      'above V',
      ({ ticket }) => ticket({ index: 1, amount: TEST_PAYMENT.winValue + PRICE }),
      VERDICT.BAD_AMOUNT,
    ],
    [
      'no multiple of the price',
      ({ ticket }) => ticket({ index: 1, amount: PRICE + 1n }),
      VERDICT.BAD_AMOUNT,
    ],
    ['over nothing', ({ ticket }) => ticket({ index: 1, amount: 0n }), VERDICT.BAD_AMOUNT],
    [
      'for an index without a commit',
      ({ ticket }) => ticket({ index: 64, commit: randomBytes(32) }),
      VERDICT.BAD_INDEX,
    ],
    [
      'over another commit',
      ({ ticket }) => ticket({ index: 1, commit: randomBytes(32) }),
      VERDICT.BAD_SIGNATURE,
    ],
    [
      'signed by another key',
      ({ ticket }) => ticket({ index: 1, signer: secretOf() }),
      VERDICT.BAD_SIGNATURE,
    ],
    [
      'made out to another provider',
      ({ ticket }) => ticket({ index: 1, provider: randomBytes(20) }),
      VERDICT.BAD_SIGNATURE,
    ],
    ['of another pool', ({ ticket }) => ticket({ index: 1, pool: other }), VERDICT.BAD_SIGNATURE],
    [
      'with a signature of the upper half',
      ({ ticket }) => highS(ticket({ index: 1 })),
      VERDICT.BAD_SIGNATURE,
    ],
    [
      'with a nonce that was not signed',
      ({ ticket }) => ({ ...ticket({ index: 1 }), nonce: randomBytes(16) }),
      VERDICT.BAD_SIGNATURE,
    ],
  ]
  for (const [what, make, verdict] of bad) {
    test(`a ticket ${what} is refused and pays nothing`, async () => {
      await using live = await startLiveNode()
      const shown = await showFirst(live)
      const message = make(shown)
      shown.client.send(message)
      assert.deepEqual(await refusal(shown.client), [verdict, message.index])
      assert.equal(unitsPaid(live), 0)
      // The index is as good as before.
      shown.client.send(shown.ticket({ index: 1 }))
      await until(() => unitsPaid(live) === 1)
      shown.client.link.close('local')
    })
  }

  test('a ticket that comes twice, or late, is refused', async () => {
    await using live = await startLiveNode()
    const { client, ticket } = await showFirst(live)
    const [third, first] = [ticket({ index: 3 }), ticket({ index: 1 })]
    client.send(third, third, first)
    assert.deepEqual(await refusal(client), [VERDICT.BAD_INDEX, 3])
    assert.deepEqual(await refusal(client), [VERDICT.BAD_INDEX, 1])
    assert.equal(unitsPaid(live), 1)
    client.link.close('local')
  })

  test('who sends bad tickets without end loses the link', async () => {
    await using live = await startLiveNode()
    const { client, ticket } = await showFirst(live)
    for (let i = 0; i < 80; i++) client.send(ticket({ index: 1, signer: secretOf() }))
    await until(() => client.closed !== undefined)
  })

  test('a winning ticket is on disk with all that a claim needs; after K of them the slot is full', async () => {
    await using live = await startLiveNode()
    const { client, slot, ticket, commits } = await showFirst(live)
    // Over V every ticket wins.
    client.send(ticket({ index: 2, amount: TEST_PAYMENT.winValue }))
    await until(() => live.wins.length === 1)
    const [win] = live.store.won
    assert.ok(win)
    assert.deepEqual([win.index, win.amount], [2, TEST_PAYMENT.winValue])
    assert.deepEqual(nodeTicketCrypto.sha256(win.reveal), commitFor(commits, 2))
    client.send(ticket({ index: 4, amount: TEST_PAYMENT.winValue }))
    const full = await client.next(PAY.SLOT_FULL)
    assert.deepEqual(
      full.reveals.map(({ index }) => index),
      [2, 4],
    )
    assert.equal(live.store.won.length, 2)
    // It was under way: passed over, and held against nobody.
    client.send(ticket({ index: 5 }))
    client.send({ kind: PAY.SHOW, opening: slot.opening })
    assert.equal((await client.next(PAY.SHOWN)).verdict, VERDICT.SLOT_USED)
    const money = live.node.status().money
    assert.deepEqual([money?.wins, money?.tickets, money?.refusedTickets], [2, 2, 0])
    client.link.close('local')
  })

  test('the slot that will follow a bulk one is judged before it is shown, and locked when one win is left of the one before', async () => {
    await using live = await startLiveNode()
    const [slot, next] = depositSlots(live.chain, 2)
    assert.ok(slot && next)
    const [first, second] = [slot, next].map(({ opening }) => toHex(opening.nullifier))
    const client = await live.connect()
    const { ticket } = await show(live, client, slot)
    client.send({ kind: PAY.NEXT, opening: next.opening })
    await until(() => live.store.shown.size === 2)
    assert.deepEqual(live.judged, [first, second])
    // As little as may be: by luck it could win.
    client.send(ticket({ index: 0 }))
    await until(() => unitsPaid(live) === 1)
    assert.deepEqual(live.lockedAhead, [], 'neither pays in bulk yet')
    // Over V a ticket wins, and is half a slot of units.
    client.send(ticket({ index: 1, amount: TEST_PAYMENT.winValue }))
    await until(() => live.lockedAhead.length === 2)
    assert.deepEqual(live.lockedAhead, [first, second])
    client.send(ticket({ index: 2, amount: TEST_PAYMENT.winValue }))
    await client.next(PAY.SLOT_FULL)
    const after = await show(live, client, next)
    client.send(after.ticket({ index: 0 }))
    await until(() => unitsPaid(live) > 2 * 1024 + 1)
    assert.deepEqual(live.judged, [first, second], 'its proof was judged once')
    assert.deepEqual(live.lockedAhead, [first, second])
    client.link.close('local')
  })

  test('a false slot said to follow is passed over, and so is a second one, and one that follows nothing', async () => {
    await using live = await startLiveNode()
    const [slot, next, third] = depositSlots(live.chain, 3)
    assert.ok(slot && next && third)
    const client = await live.connect()
    client.send({ kind: PAY.NEXT, opening: next.opening })
    const { ticket } = await show(live, client, slot)
    const proof = next.opening.proof.map((byte, i) => (i === 10 ? byte ^ 1 : byte))
    client.send({ kind: PAY.NEXT, opening: { ...next.opening, proof } })
    client.send({ kind: PAY.NEXT, opening: third.opening })
    client.send(ticket({ index: 0, amount: TEST_PAYMENT.winValue }))
    await until(() => live.wins.length === 1)
    client.send(ticket({ index: 1, amount: TEST_PAYMENT.winValue }))
    await client.next(PAY.SLOT_FULL)
    assert.deepEqual(live.lockedAhead, [toHex(slot.opening.nullifier)])
    assert.equal(live.store.shown.size, 1)
    await show(live, client, next)
    client.link.close('local')
  })

  test('a provider that restarts between commit and ticket takes no old index again, and reveals as it committed', async () => {
    await using live = await startLiveNode()
    const before = await showFirst(live)
    before.client.send(before.ticket({ index: 0 }))
    await until(() => unitsPaid(live) === 1)
    const late = before.ticket({ index: 1, amount: TEST_PAYMENT.winValue })
    await live.restart()
    const client = await live.connect()
    const after = await show(live, client, before.slot)
    assert.equal(after.commits[0]?.firstIndex, 128, 'the second batch had gone out too')
    client.send(late)
    assert.deepEqual(await refusal(client), [VERDICT.BAD_INDEX, 1])
    client.send(after.ticket({ index: 128, amount: TEST_PAYMENT.winValue }))
    await until(() => live.store.won.length === 1)
    client.link.close('local')
  })

  test('a slot moves to a newer carrier with the first good ticket there, and is under one session key', async () => {
    await using live = await startLiveNode()
    const { client, slot, ticket } = await showFirst(live)
    const second = await live.connect()
    second.send({ kind: PAY.SHOW, opening: slot.again().opening })
    assert.equal((await second.next(PAY.SHOWN)).verdict, VERDICT.SLOT_USED)
    // The first link may be dead without the node's knowing: its client must not lose the slot for that.
    const after = await show(live, second, slot)
    assert.ok((after.commits[0]?.firstIndex ?? 0) >= 64, 'no index is given out twice')
    // Openings become public: who only shows one takes nothing away.
    second.send(after.ticket({ index: after.commits[0]?.firstIndex ?? 0, signer: secretOf() }))
    await refusal(second)
    client.send(ticket({ index: 0 }))
    await until(() => unitsPaid(live) === 1)
    second.send(after.ticket({ index: after.commits[0]?.firstIndex ?? 0 }))
    await until(() => unitsPaid(live) === 2)
    client.send(ticket({ index: 1 }))
    assert.deepEqual(await refusal(client), [VERDICT.SLOT_USED, 1])
    client.link.close('local')
    second.send(after.ticket({ index: (after.commits[0]?.firstIndex ?? 0) + 1 }))
    await until(() => unitsPaid(live) === 3)
    second.link.close('local')
  })

  test('a false proof costs the link', async () => {
    await using live = await startLiveNode()
    const [slot, next] = depositSlots(live.chain, 2)
    assert.ok(slot && next)
    const proof = slot.opening.proof.slice()
    proof[10] = (proof[10] ?? 0) ^ 1
    for (const change of [{ proof }, { nullifier: next.opening.nullifier }]) {
      const client = await live.connect()
      client.send({ kind: PAY.SHOW, opening: { ...slot.opening, ...change } })
      await until(() => client.closed !== undefined)
    }
  })

  test('an opening of an unknown root is refused, and one when the chain fails', async () => {
    await using live = await startLiveNode()
    const client = await live.connect()
    const [slot] = depositSlots(live.chain, 1)
    assert.ok(slot)
    const verdictOf = async (opening: typeof slot.opening): Promise<number> => {
      client.send({ kind: PAY.SHOW, opening })
      return (await client.next(PAY.SHOWN)).verdict
    }
    live.chain.publish(new Uint8Array(32).fill(9), live.chain.nowS)
    live.chain.nowS += 10_000
    assert.equal(await verdictOf(slot.opening), VERDICT.UNKNOWN_ROOT)
    live.chain.nowS -= 10_000
    live.chain.mood = 'fails'
    assert.equal(await verdictOf(slot.opening), VERDICT.TRY_LATER)
    client.link.close('local')
  })

  test('tickets before a slot is shown are refused; payment that is not for a link closes it', async () => {
    await using live = await startLiveNode()
    const [slot] = depositSlots(live.chain, 1)
    assert.ok(slot)
    const client = await live.connect()
    client.send(
      ticketOf(slot, { index: 0, commit: randomBytes(32), amount: PRICE, provider: PROVIDER }),
    )
    assert.deepEqual(await refusal(client), [VERDICT.BAD_INDEX, 0])
    client.send({ kind: PAY.DUE, countedBytes: 0, paidBytes: 0 })
    await until(() => client.closed !== undefined)
  })

  test('while the disk is full or failed every ticket is refused unjudged, however many come; then it goes on', async () => {
    await using live = await startLiveNode()
    const { client, ticket } = await showFirst(live)
    for (const health of ['full', 'failed'] as const) {
      live.store.health = health
      // More than bad tickets are borne, and each would win.
      const winning = ticket({ index: 1, amount: TEST_PAYMENT.winValue })
      for (let i = 0; i < 40; i++) {
        client.send(winning)
        assert.deepEqual(await refusal(client), [VERDICT.TRY_LATER, 1])
      }
    }
    assert.deepEqual([live.wins.length, unitsPaid(live)], [0, 0])
    live.store.health = 'ok'
    client.send(ticket({ index: 1, amount: TEST_PAYMENT.winValue }))
    await until(() => live.wins.length === 1)
    client.link.close('local')
  })

  test('a payer that empties its deposit in the middle of a session pays with nothing more (T22)', async (t) => {
    t.mock.timers.enable({ apis: ['setInterval'] })
    await using live = await startLiveNode()
    const { client, slot, ticket } = await showFirst(live)
    client.send(ticket({ index: 0 }))
    await until(() => unitsPaid(live) === 1)
    live.chain.setSlot(slot.opening.nullifier, 'refunding')
    const asked = live.chain.asked
    // What was said of the slot at its showing holds for a second.
    await until(() => {
      t.mock.timers.tick(20_000)
      return live.chain.asked > asked
    })
    client.send(ticket({ index: 1 }), ticket({ index: 2 }))
    assert.deepEqual(await refusal(client), [VERDICT.SLOT_TAKEN, 1])
    assert.deepEqual(await refusal(client), [VERDICT.SLOT_TAKEN, 2])
    assert.equal(unitsPaid(live), 1)
    client.link.close('local')
  })

  test('a store that fails means TRY_LATER for a showing', async () => {
    await using live = await startLiveNode()
    const [slot] = depositSlots(live.chain, 1)
    assert.ok(slot)
    const client = await live.connect()
    live.store.isBroken = true
    client.send({ kind: PAY.SHOW, opening: slot.opening })
    assert.equal((await client.next(PAY.SHOWN)).verdict, VERDICT.TRY_LATER)
    client.link.close('local')
    live.store.isBroken = false
  })
})

/** The same signature with the other s. */
function highS(ticket: TicketMessage): TicketMessage {
  const order =
    0xff_ff_ff_ff_ff_ff_ff_ff_ff_ff_ff_ff_ff_ff_ff_fe_ba_ae_dc_e6_af_48_a0_3b_bf_d2_5e_8c_d0_36_41_41n
  const signature = ticket.signature.slice()
  const s = BigInt(`0x${Buffer.from(signature.subarray(32, 64)).toString('hex')}`)
  signature.set(Buffer.from((order - s).toString(16).padStart(64, '0'), 'hex'), 32)
  signature[64] = (signature[64] ?? 27) === 27 ? 28 : 27
  return { ...ticket, signature }
}
