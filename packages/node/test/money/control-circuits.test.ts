/** Control circuits at a live node (SPEC §15.5, §16.3): slots are shown, tickets taken, tokens sold, and only then, and within limits. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { suite, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { nodeBlindTokens } from '@byway/protocol/node-blind'
import { nodeCrypto } from '@byway/protocol/node-crypto'
import { tokenKeyId, tokenKeysHash, tokenMessage } from '@byway/protocol/payment'
import { unitPrice } from '@byway/protocol/ticket'
import {
  appendHopMessage,
  CELL_HEADER_BYTES,
  cellBytesOfClass,
  CLOSE_REASON,
  HOP_MESSAGE,
  MessageListWriter,
  PAY,
  REDEEM_ANSWER,
  RETURN_KIND,
  SIZE_CLASS,
  TOKEN_KIND,
  VERDICT,
} from '@byway/protocol/wire'
import type { BuyMessage, ReturnRequest, TokenKind } from '@byway/protocol/wire'
import { until } from '../exit/test-target.ts'
import { connectControl } from './control-client.ts'
import type { ControlCircuit, ControlLink } from './control-client.ts'
import { PROVIDER, startLiveNode } from './live-node.ts'
import { TEST_PAYMENT } from '../../../protocol/test/directory/payment-parameters.ts'
import { commitFor, depositSlots, TEST_POOL, ticketOf } from './paying-client.ts'
import type { TestSlot } from './paying-client.ts'

const TERMS = { trafficClass: 'browse', classStep: 0, priceStep: 0 } as const

const PRICE = unitPrice(TEST_POOL, 4)
const ISSUE_DELAY_MS = TEST_PAYMENT.issueDelayS * 1000
/** Of one BUY. */
const MAX_TOKENS = 32
/** Two and a half times what a slot that nobody holds gets at once. */
const TOKENS_A_LINK = 160

/** Shows a slot on a circuit and pays so many units with one ticket; resolves with its index. */
async function payOn(circuit: ControlCircuit, slot: TestSlot, units: number): Promise<number> {
  circuit.send({ kind: PAY.SHOW, opening: slot.opening })
  assert.equal((await circuit.next(PAY.SHOWN))?.verdict, VERDICT.OK)
  const commits = await circuit.next(PAY.COMMITS)
  assert.ok(commits)
  const index = commits.firstIndex
  const amount = BigInt(units) * PRICE
  const commit = commitFor([commits], index)
  circuit.send(ticketOf(slot, { index, commit, amount, provider: PROVIDER }))
  return index
}

/** What a client blinds: so many fresh nonces under the node's key of a kind. */
async function makeOrder(circuit: ControlCircuit, kind: TokenKind, count: number) {
  circuit.send({ kind: PAY.KEYS_GET })
  const keys = await circuit.next(PAY.KEYS)
  const key = keys?.keys.find(({ tokenKind }) => tokenKind === kind)
  assert.ok(keys && key)
  const publicKey = nodeBlindTokens.publicKey(key.publicKey)
  assert.ok(publicKey)
  const keyId = tokenKeyId(nodeCrypto, kind, key.publicKey)
  const nonces = Array.from({ length: count }, () => new Uint8Array(randomBytes(32)))
  const messages = nonces.map((nonce) => tokenMessage(kind, keyId, nonce))
  const blinded = nodeBlindTokens.blind(publicKey, messages, randomBytes)
  assert.ok(blinded)
  const buy = (request: number) =>
    ({ kind: PAY.BUY, request, tokenKind: kind, keyId, elements: blinded.elements }) as const
  return { keys, keyId, publicKey, messages, blinded, buy }
}

async function soldOn(circuit: ControlCircuit): Promise<number | undefined> {
  return (await circuit.next(PAY.SOLD))?.verdict
}

async function openOn(control: ControlLink): Promise<ControlCircuit> {
  return await control.open()
}

suite('control circuits at a live node', () => {
  test('the descriptor says whom to pay, the price and the keys, as KEYS has them', async () => {
    await using live = await startLiveNode()
    await using control = await connectControl(live)
    const circuit = await openOn(control)
    const { keys } = await makeOrder(circuit, TOKEN_KIND.BANDWIDTH, 1)
    const { provider, priceStep, tokenKeysHash: hash } = control.descriptor
    assert.deepEqual(Buffer.from(provider ?? []), Buffer.from(PROVIDER))
    assert.equal(priceStep, 4)
    assert.deepEqual(Buffer.from(hash ?? []), Buffer.from(tokenKeysHash(nodeCrypto, keys.keys)))
  })

  test('tokens are sold for tickets once the issue delay is over, verify, and cost what they cost', async () => {
    await using live = await startLiveNode()
    await using control = await connectControl(live)
    const [slot] = depositSlots(live.chain, 1)
    assert.ok(slot)
    const circuit = await openOn(control)
    const { buy, blinded, publicKey, messages } = await makeOrder(circuit, TOKEN_KIND.BANDWIDTH, 4)
    circuit.send(buy(1))
    assert.equal(await soldOn(circuit), VERDICT.NOT_PAID)
    await payOn(circuit, slot, 16)
    circuit.send(buy(2))
    assert.equal(await soldOn(circuit), VERDICT.TRY_LATER)
    await sleep(ISSUE_DELAY_MS + 50)
    circuit.send(buy(3))
    const sold = await circuit.next(PAY.SOLD)
    assert.equal(sold?.verdict, VERDICT.OK)
    const tokens = nodeBlindTokens.finalise(blinded.secret, sold?.signatures ?? [])
    assert.equal(tokens?.length, 4)
    for (const [i, message] of messages.entries()) {
      assert.ok(nodeBlindTokens.verify(publicKey, message, tokens?.[i] ?? new Uint8Array(0)))
    }
    const again = await makeOrder(circuit, TOKEN_KIND.BANDWIDTH, 1)
    circuit.send(again.buy(4))
    assert.equal(await soldOn(circuit), VERDICT.NOT_PAID)
    assert.equal(live.node.status().money?.tokensSold, 4)
  })

  test('whoever saw an opening, as the chain shows it, buys nothing with what its owner has paid', async () => {
    await using live = await startLiveNode()
    await using control = await connectControl(live)
    const [slot] = depositSlots(live.chain, 1)
    assert.ok(slot)
    live.chain.setSlot(slot.opening.nullifier, 'locked', PROVIDER)
    const owners = await openOn(control)
    await payOn(owners, slot, 8)
    const first = await makeOrder(owners, TOKEN_KIND.BANDWIDTH, 1)
    owners.send(first.buy(1))
    assert.equal(await soldOn(owners), VERDICT.OK)
    await using stranger = await connectControl(live)
    const circuit = await openOn(stranger)
    circuit.send({ kind: PAY.SHOW, opening: slot.opening })
    assert.equal((await circuit.next(PAY.SHOWN))?.verdict, VERDICT.OK)
    for (const kind of [TOKEN_KIND.BANDWIDTH, TOKEN_KIND.ADMISSION]) {
      const { buy } = await makeOrder(circuit, kind, 1)
      circuit.send(buy(2))
      assert.equal(await soldOn(circuit), VERDICT.NOT_PAID)
    }
    circuit.send(first.buy(3))
    assert.equal(
      await soldOn(circuit),
      VERDICT.OK,
      'what was sold is told again to whoever asks for it',
    )
    const back = await openOn(control)
    await payOn(back, slot, 1)
    const second = await makeOrder(back, TOKEN_KIND.BANDWIDTH, 1)
    back.send(second.buy(4))
    assert.equal(await soldOn(back), VERDICT.OK)
  })

  test('a slot that is locked to the node buys at once', async () => {
    await using live = await startLiveNode()
    await using control = await connectControl(live)
    const [slot] = depositSlots(live.chain, 1)
    assert.ok(slot)
    live.chain.setSlot(slot.opening.nullifier, 'locked', PROVIDER)
    const circuit = await openOn(control)
    await payOn(circuit, slot, 4)
    const { buy } = await makeOrder(circuit, TOKEN_KIND.BANDWIDTH, 1)
    circuit.send(buy(1))
    assert.equal(await soldOn(circuit), VERDICT.OK)
  })

  test('a slot shown to many hops buys nothing where another has locked it by the time', async () => {
    await using first = await startLiveNode()
    await using second = await startLiveNode()
    const [slot] = depositSlots(first.chain, 1)
    assert.ok(slot)
    second.chain.publish(slot.opening.root, second.chain.nowS)
    const verdicts: (number | undefined)[] = []
    for (const live of [first, second]) {
      await using control = await connectControl(live)
      const circuit = await openOn(control)
      await payOn(circuit, slot, 16)
      const { buy } = await makeOrder(circuit, TOKEN_KIND.BANDWIDTH, 4)
      circuit.send(buy(1))
      assert.equal(await soldOn(circuit), VERDICT.TRY_LATER, 'nobody sells at once')
      // One of the two wins a ticket meanwhile and locks the slot.
      const holder = live === first ? PROVIDER : randomBytes(20)
      live.chain.setSlot(slot.opening.nullifier, 'locked', holder)
      await sleep(ISSUE_DELAY_MS + 50)
      circuit.send(buy(2))
      verdicts.push(await soldOn(circuit))
    }
    assert.deepEqual(verdicts, [VERDICT.OK, VERDICT.SLOT_TAKEN])
  })

  test('forty admission tokens a day cost nothing; more are paid for', async () => {
    await using live = await startLiveNode()
    await using control = await connectControl(live)
    const [slot] = depositSlots(live.chain, 1)
    assert.ok(slot)
    const circuit = await openOn(control)
    await payOn(circuit, slot, 1)
    await sleep(ISSUE_DELAY_MS + 50)
    const verdicts: (number | undefined)[] = []
    for (const count of [32, 8, 1, 1]) {
      const { buy } = await makeOrder(circuit, TOKEN_KIND.ADMISSION, count)
      circuit.send(buy(count))
      verdicts.push(await soldOn(circuit))
    }
    assert.deepEqual(verdicts, [VERDICT.OK, VERDICT.OK, VERDICT.OK, VERDICT.NOT_PAID])
  })

  test('a payer who takes the deposit back buys nothing more', async () => {
    await using live = await startLiveNode()
    await using control = await connectControl(live)
    const [slot] = depositSlots(live.chain, 1)
    assert.ok(slot)
    const circuit = await openOn(control)
    await payOn(circuit, slot, 16)
    const { buy } = await makeOrder(circuit, TOKEN_KIND.BANDWIDTH, 4)
    live.chain.setSlot(slot.opening.nullifier, 'refunding')
    await sleep(ISSUE_DELAY_MS + 50)
    circuit.send(buy(1))
    assert.equal(await soldOn(circuit), VERDICT.SLOT_TAKEN)
  })

  test('while the chain hangs circuits go on, and what nobody held buys on', async () => {
    await using live = await startLiveNode()
    await using control = await connectControl(live)
    const [slot] = depositSlots(live.chain, 1)
    assert.ok(slot)
    const circuit = await openOn(control)
    await payOn(circuit, slot, 16)
    const { buy } = await makeOrder(circuit, TOKEN_KIND.BANDWIDTH, 4)
    await sleep(ISSUE_DELAY_MS + 50)
    live.chain.mood = 'hangs'
    circuit.send(buy(1))
    circuit.send({ kind: PAY.KEYS_GET })
    assert.ok(await circuit.next(PAY.KEYS), 'what needs no chain is answered meanwhile')
    assert.equal(await soldOn(circuit), VERDICT.OK)
  })

  test('with the chain away a bound slot buys many times what a slot that nobody holds gets, on a new link too', async () => {
    await using live = await startLiveNode()
    const [slot] = depositSlots(live.chain, 1)
    assert.ok(slot)
    const { nullifier, sessionKey } = slot.opening
    const holder = nodeCrypto.sha256(PROVIDER, sessionKey).subarray(0, 20)
    live.chain.setSlot(nullifier, 'bound', holder)
    // A ticket for each link: two win at most, and what was taken before buys on when the slot is full.
    for (const isAway of [false, true]) {
      if (isAway) live.chain.mood = 'fails'
      await using control = await connectControl(live)
      const circuit = await openOn(control)
      await payOn(circuit, slot, 4 * TOKENS_A_LINK)
      live.chain.mood = 'fails'
      for (let sold = 0; sold < TOKENS_A_LINK; sold += MAX_TOKENS) {
        const { buy } = await makeOrder(circuit, TOKEN_KIND.BANDWIDTH, MAX_TOKENS)
        circuit.send(buy(sold))
        assert.equal(await soldOn(circuit), VERDICT.OK)
      }
    }
    assert.equal(live.node.status().money?.tokensSold, 2 * TOKENS_A_LINK)
  })

  test('a node that starts again while the chain is away sells on, no index and no unit twice', async () => {
    await using live = await startLiveNode()
    const slots = depositSlots(live.chain, 2)
    const [open, bound] = slots
    assert.ok(open && bound)
    const { nullifier, sessionKey } = bound.opening
    const holder = nodeCrypto.sha256(PROVIDER, sessionKey).subarray(0, 20)
    live.chain.setSlot(nullifier, 'bound', holder)
    const bought: BuyMessage[] = []
    {
      await using control = await connectControl(live)
      for (const slot of slots) {
        const circuit = await openOn(control)
        assert.equal(await payOn(circuit, slot, 8), 0)
        const { buy } = await makeOrder(circuit, TOKEN_KIND.BANDWIDTH, 1)
        if (slot === open) await sleep(ISSUE_DELAY_MS + 50)
        circuit.send(buy(1))
        assert.equal(await soldOn(circuit), VERDICT.OK)
        bought.push(buy(2))
      }
    }
    live.chain.mood = 'fails'
    await live.restart()
    await using control = await connectControl(live)
    for (const [at, slot] of slots.entries()) {
      const circuit = await openOn(control)
      const before = bought[at]
      assert.ok(before)
      assert.ok((await payOn(circuit, slot, 4)) >= 64, 'commits that may be known are not used')
      circuit.send(before)
      assert.equal(await soldOn(circuit), VERDICT.OK, 'the answer that may have been lost')
      const { buy } = await makeOrder(circuit, TOKEN_KIND.BANDWIDTH, 2)
      if (slot === open) await sleep(ISSUE_DELAY_MS + 50)
      circuit.send(buy(3))
      assert.equal(await soldOn(circuit), VERDICT.OK, 'what was left before, and what was paid now')
      const more = await makeOrder(circuit, TOKEN_KIND.BANDWIDTH, 1)
      circuit.send(more.buy(4))
      assert.equal(await soldOn(circuit), VERDICT.NOT_PAID, 'and not a unit more')
    }
    assert.equal(live.node.status().money?.tokensSold, 4)
  })

  test('a node that is no exit takes no tunnel, and a control circuit no token', async () => {
    await using live = await startLiveNode()
    await using control = await connectControl(live)
    const tunnel = await openOn(control)
    const cell = new Uint8Array(cellBytesOfClass(SIZE_CLASS.SMALL))
    const list = new MessageListWriter().reset(cell.subarray(CELL_HEADER_BYTES))
    appendHopMessage(list, { type: HOP_MESSAGE.OPEN, tunnelId: randomBytes(16), ...TERMS })
    tunnel.seal(cell, SIZE_CLASS.SMALL)
    tunnel.sendCell(cell)
    await until(() => tunnel.destroyed !== undefined)
    assert.equal(tunnel.destroyed, CLOSE_REASON.NOT_EXIT)
    const circuit = await openOn(control)
    const [nonce, token] = [randomBytes(32), randomBytes(256)]
    const keyId = randomBytes(8)
    circuit.send({ kind: PAY.SPEND, tokenKind: TOKEN_KIND.BANDWIDTH, keyId, nonce, token })
    await until(() => circuit.destroyed !== undefined)
    assert.equal(circuit.destroyed, CLOSE_REASON.PROTOCOL)
  })

  test('a control circuit carries 256 KiB and no more', async () => {
    await using live = await startLiveNode()
    await using control = await connectControl(live)
    const circuit = await openOn(control)
    let answers = 0
    for (; answers < 300; answers++) {
      circuit.send({ kind: PAY.KEYS_GET })
      if (!(await circuit.next(PAY.KEYS))) break
    }
    assert.equal(circuit.destroyed, CLOSE_REASON.UNPAID)
    // A question and its answer are two small cells.
    assert.ok(answers <= 128 && answers > 100, `${answers} answers`)
  })

  test('one client link has eight of them at most', async () => {
    await using live = await startLiveNode()
    await using control = await connectControl(live)
    const circuits: ControlCircuit[] = []
    for (let i = 0; i < 9; i++) {
      const circuit = await openOn(control)
      circuit.send({ kind: PAY.KEYS_GET })
      await circuit.next(PAY.KEYS)
      circuits.push(circuit)
    }
    assert.deepEqual(
      circuits.map(({ destroyed }) => destroyed),
      [...Array.from({ length: 8 }, () => undefined), CLOSE_REASON.RESOURCE_LIMIT],
    )
    assert.equal(live.node.status().money?.controlCircuits, 8)
  })

  test('a slot to be sent back goes to the relayer, one a circuit (SPEC §15.8)', async () => {
    const taken: ReturnRequest[] = []
    const relayer = {
      ask: async () => REDEEM_ANSWER.TAKEN,
      take: async (request: ReturnRequest) => {
        taken.push(request)
        return REDEEM_ANSWER.FEE_TOO_LOW
      },
    }
    await using live = await startLiveNode({ relayer })
    await using control = await connectControl(live)
    const circuit = await openOn(control)
    const request = {
      kind: RETURN_KIND.WITHDRAW,
      root: new Uint8Array(randomBytes(32)),
      nullifier: new Uint8Array(randomBytes(32)),
      to: new Uint8Array(randomBytes(20)),
      feeTo: PROVIDER,
      proof: new Uint8Array(randomBytes(256)),
    } as const
    circuit.send({ kind: PAY.RETURN, request: { kind: RETURN_KIND.ASK } })
    assert.equal((await circuit.next(PAY.RETURNED))?.answer, REDEEM_ANSWER.TAKEN)
    circuit.send({ kind: PAY.RETURN, request })
    assert.equal((await circuit.next(PAY.RETURNED))?.answer, REDEEM_ANSWER.FEE_TOO_LOW)
    assert.deepEqual(taken, [request])
    circuit.send({ kind: PAY.RETURN, request })
    assert.equal(await circuit.next(PAY.RETURNED), undefined)
    assert.equal(circuit.destroyed, CLOSE_REASON.PROTOCOL)
    assert.equal(taken.length, 1)
  })

  test('a node that sends nothing back says so', async () => {
    await using live = await startLiveNode()
    await using control = await connectControl(live)
    const circuit = await openOn(control)
    circuit.send({ kind: PAY.RETURN, request: { kind: RETURN_KIND.ASK } })
    assert.equal((await circuit.next(PAY.RETURNED))?.answer, REDEEM_ANSWER.NO_REDEEMER)
  })
})
