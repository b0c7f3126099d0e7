import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { nodeCrypto } from '@byway/protocol/node-crypto'
import {
  type ClientPayMessage,
  CLOSE_REASON,
  encodeHopMessage,
  HOP_MESSAGE,
  type HopPayMessage,
  MessageListWriter,
  PAY,
  type PayMessage,
  VERDICT,
} from '@byway/protocol/wire'
import { createControlClient, createControlHop } from '../../src/circuit/control-end.ts'
import { createExitTunnels } from '../../src/circuit/exit-tunnel.ts'
import { isControlList, takePayCell, takePayList } from '../../src/circuit/pay-cells.ts'
import { createPayQueue } from '../../src/circuit/pay-queue.ts'
import { plainLeg, quietHandler } from './plain-leg.ts'
import { createWorld, received } from './tunnel-harness.ts'

const TERMS = { trafficClass: 'browse', classStep: 0, priceStep: 0 } as const

const SPEND: ClientPayMessage = {
  kind: PAY.SPEND,
  tokenKind: 2,
  keyId: new Uint8Array(8),
  nonce: new Uint8Array(32),
  token: new Uint8Array(256),
}
const KEYS_GET: ClientPayMessage = { kind: PAY.KEYS_GET }
const DUE: HopPayMessage = { kind: PAY.DUE, countedBytes: 2, paidBytes: 1 }
const BUY: ClientPayMessage = {
  kind: PAY.BUY,
  request: 1,
  tokenKind: 1,
  keyId: new Uint8Array(8),
  elements: Array.from({ length: 32 }, () => new Uint8Array(384)),
}
const request = { host: 'a.example', port: 80, flags: 1 }

function listOf(...messages: readonly PayMessage[]): Uint8Array {
  const list = new MessageListWriter().reset(new Uint8Array(4087))
  for (const pay of messages) {
    const message = { type: HOP_MESSAGE.PAY, pay } as const
    assert.ok(list.append(message.type, encodeHopMessage(message)))
  }
  list.finish()
  return list.region
}

describe('payment messages in a tunnel', () => {
  it('go before what is begun after them, in the first cell too (SPEC §15.4)', () => {
    const world = createWorld()
    world.client.pay(SPEND)
    world.client.connect(request, world.nowMs)
    world.settle()
    assert.deepEqual(world.atExit.events, ['pay 11 end', 'begin 1 a.example:80'])
  })

  it('go before a BEGIN even when they do not fit into its cell', () => {
    const world = createWorld({ preferredClass: () => 0 })
    for (let i = 0; i < 5; i++) world.client.pay(SPEND)
    world.client.connect(request, world.nowMs)
    world.settle()
    const pays = Array.from({ length: 5 }, () => 'pay 11 end')
    assert.deepEqual(world.atExit.events, [...pays, 'begin 1 a.example:80'])
  })

  it('take as large a cell as the largest of them needs, whatever the link prefers', () => {
    const world = createWorld({ hops: 3, preferredClass: () => 0 })
    world.client.pay(BUY)
    world.settle()
    assert.deepEqual(world.atExit.events, ['pay 9 end'])
  })

  it('go in both directions while streams carry data, the largest too', () => {
    const world = createWorld({ hops: 3 })
    const id = world.client.connect(request, world.nowMs)
    world.client.write(id, new Uint8Array(100_000).fill(3), world.nowMs)
    world.client.pay(BUY)
    world.settle()
    assert.equal(world.exit().pay(DUE), true)
    world.settle()
    assert.deepEqual(world.atExit.events, ['pay 9 end', `begin 1 a.example:80`])
    assert.ok(world.atClient.events.includes('pay 12 end'))
    assert.equal(received(world.atExit, id).length, 100_000)
  })

  it('for the other end wait for the next leg; those for a relay go with theirs', () => {
    const world = createWorld({ hops: 3 })
    world.client.connect(request, world.nowMs)
    world.settle()
    const lists: number[] = []
    world.onRelayList = (_list, hop) => lists.push(hop) > 0
    world.client.pay(KEYS_GET)
    world.client.payHop(1, KEYS_GET)
    world.rejoin()
    assert.equal(world.atExit.events.includes('pay 7 end'), false)
    world.settle()
    assert.deepEqual(world.atExit.events.slice(1), ['pay 7 end'])
    assert.deepEqual(lists, [])
  })

  it('are not taken without a leg for a relay, nor by a tunnel that is over', () => {
    const world = createWorld()
    world.client.detachLeg()
    assert.equal(world.client.payHop(0, KEYS_GET), false)
    assert.equal(world.client.pay(KEYS_GET), true)
    world.client.giveUp()
    assert.equal(world.client.pay(KEYS_GET), false)
    assert.equal(world.client.heldBytes, 0)
  })

  it('are bounded: 64 KiB wait, and no more', () => {
    const world = createWorld({ roomBytes: 0 })
    let count = 0
    while (world.client.pay(BUY)) assert.ok(++count < 10)
    assert.equal(count, 5)
    assert.ok(world.client.heldBytes <= 64 * 1024)
  })

  it('that only the other side sends end the tunnel (SPEC §15.1)', () => {
    const toExit = createWorld()
    toExit.client.connect(request, toExit.nowMs)
    toExit.settle()
    toExit.client.pay(DUE)
    toExit.settle()
    assert.deepEqual(toExit.leg().closedBy, { end: 'exit', reason: CLOSE_REASON.PROTOCOL })
    const toClient = createWorld()
    toClient.client.connect(request, toClient.nowMs)
    toClient.settle()
    toClient.exit().pay(KEYS_GET)
    toClient.settle()
    assert.deepEqual(toClient.leg().closedBy, { end: 'client', reason: CLOSE_REASON.PROTOCOL })
  })

  it('that the handler refuses end the tunnel: so does a network without payment (SPEC §13)', () => {
    const world = createWorld()
    world.client.connect(request, world.nowMs)
    world.settle()
    world.acceptsPay = false
    world.client.pay(KEYS_GET)
    world.settle()
    assert.deepEqual(world.leg().closedBy, { end: 'exit', reason: CLOSE_REASON.PROTOCOL })
    assert.ok(world.atExit.events.includes('over'))
  })
})

describe('payment messages between a client and a relay in the middle', () => {
  for (const entryLayer of [false, true]) {
    it(`reach the relay and it alone, ${entryLayer ? 'with' : 'without'} a layer at the entry`, () => {
      const world = createWorld({ hops: 3, entryLayer })
      world.client.connect(request, world.nowMs)
      world.settle()
      const taken: string[] = []
      world.onRelayList = (list, hop) =>
        takePayList(list, (pay) => taken.push(`${pay.kind} at ${hop}`) > 0)
      assert.equal(world.client.payHop(1, SPEND), true)
      assert.equal(world.client.payHop(1, KEYS_GET), true)
      world.settle()
      assert.deepEqual(taken, ['11 at 1', '7 at 1'])
      assert.equal(world.leg().isAlive, true)
      world.fromRelay(1, DUE)
      assert.deepEqual(world.atClient.events.slice(-1), ['pay 12 1'])
      world.fromRelay(0, DUE)
      assert.deepEqual(world.atClient.events.slice(-1), ['pay 12 0'])
      world.client.write(1, new Uint8Array(5000), world.nowMs)
      world.settle()
      assert.equal(received(world.atExit, 1).length, 5000)
    })
  }

  it('a relay that says what only a client says loses the leg, not the tunnel', () => {
    const world = createWorld({ hops: 3 })
    world.client.connect(request, world.nowMs)
    world.settle()
    world.fromRelay(1, KEYS_GET)
    assert.deepEqual(world.leg().closedBy, { end: 'client', reason: CLOSE_REASON.PROTOCOL })
    assert.equal(world.client.isOver, false)
  })

  it('a list with anything but PAY is refused, and what came before the fault was taken', () => {
    const taken: number[] = []
    const take = (list: Uint8Array): boolean => takePayList(list, (pay) => taken.push(pay.kind) > 0)
    assert.equal(take(listOf(KEYS_GET, DUE)), false)
    assert.deepEqual(taken, [PAY.KEYS_GET])
    assert.equal(take(Uint8Array.of(HOP_MESSAGE.CLOSE, 0, 0)), false)
    assert.equal(take(Uint8Array.of(HOP_MESSAGE.PAY, 0, 1, 99)), false)
    assert.equal(take(Uint8Array.of(HOP_MESSAGE.PAY, 0, 9, 7)), false)
    assert.equal(take(new Uint8Array(20)), true)
    assert.equal(
      takePayList(listOf(KEYS_GET), () => false),
      false,
    )
  })
})

describe('cells of payment messages', () => {
  const layers = { listBytes: (size: number) => [900, 4000, 16_000][size] ?? 0, seal: () => {} }

  it('are of the smallest class that holds what waits', () => {
    const queue = createPayQueue()
    queue.push(KEYS_GET)
    assert.equal(takePayCell(queue, layers)?.length, 1024)
    for (let i = 0; i < 5; i++) queue.push(SPEND)
    assert.equal(takePayCell(queue, layers)?.length, 4096)
    for (let i = 0; i < 2; i++) queue.push(BUY)
    assert.equal(takePayCell(queue, layers)?.length, 16_384)
    assert.equal(queue.length, 1)
    assert.equal(takePayCell(queue, layers)?.length, 16_384)
    assert.equal(takePayCell(queue, layers), undefined)
    assert.equal(queue.bytes, 0)
  })
})

describe('a control circuit (SPEC §15.5)', () => {
  it('is known by its first message', () => {
    assert.equal(isControlList(listOf(KEYS_GET)), true)
    assert.equal(isControlList(new Uint8Array(20)), false)
    const open = { type: HOP_MESSAGE.OPEN, tunnelId: new Uint8Array(16), ...TERMS } as const
    assert.equal(isControlList(Uint8Array.of(open.type, 0, 19, ...encodeHopMessage(open))), false)
  })

  it('carries payment messages both ways', () => {
    const [atHop, atClient]: [string[], string[]] = [[], []]
    const hopLeg = plainLeg()
    const clientLeg = plainLeg()
    const hop = createControlHop(hopLeg.leg, {
      onPay: (message) => {
        atHop.push(`pay ${message.kind}`)
        return hop.pay({ kind: PAY.KEYS, keys: [] })
      },
    })
    const client = createControlClient(clientLeg.leg, {
      onPay: (message, from) => atClient.push(`pay ${message.kind} ${from ?? 'last'}`) > 0,
      onDraining: (seconds) => void atClient.push(`draining ${seconds}`),
    })
    client.pay(KEYS_GET)
    assert.equal(client.pump(), 1)
    const first = clientLeg.sent[0]
    assert.ok(first)
    const list = hopLeg.leg.layers.open(first)
    assert.ok(list && isControlList(list))
    assert.equal(hop.onList(list), true)
    assert.equal(hop.pump(), 1)
    assert.equal(hop.pump(), 0)
    const answer = hopLeg.sent[0]
    assert.ok(answer && client.onCell(answer))
    assert.deepEqual(atHop, ['pay 7'])
    assert.deepEqual(atClient, ['pay 8 last'])
  })

  it('ends with anything else, at both ends', () => {
    const hop = createControlHop(plainLeg().leg, { onPay: () => true })
    const refused = { kind: PAY.REFUSED, verdict: VERDICT.SPENT, index: 0 } as const
    assert.equal(hop.onList(listOf(refused)), false)
    assert.equal(hop.onList(Uint8Array.of(HOP_MESSAGE.CLOSE, 0, 0)), false)
    const client = createControlClient(plainLeg().leg, { onPay: () => true, onDraining: () => {} })
    const queue = createPayQueue()
    queue.push(KEYS_GET)
    const cell = takePayCell(queue, { listBytes: () => 900, seal: () => {} })
    assert.ok(cell)
    assert.equal(client.onCell(cell), false)
  })

  it('waits for room on the link', () => {
    const { leg, sent } = plainLeg()
    let roomBytes = 0
    const client = createControlClient(
      { ...leg, link: { ...leg.link, roomBytes: () => roomBytes } },
      { onPay: () => true, onDraining: () => {} },
    )
    client.pay(KEYS_GET)
    assert.equal(client.pump(), 0)
    roomBytes = 1
    assert.equal(client.pump(), 1)
    assert.equal(sent.length, 1)
  })

  it('is no tunnel: an exit that looks at the first list itself may still open one', () => {
    const tunnels = createExitTunnels({ provider: nodeCrypto })
    const { leg } = plainLeg()
    const open = { type: HOP_MESSAGE.OPEN, tunnelId: new Uint8Array(16).fill(1), ...TERMS } as const
    const list = new Uint8Array(900)
    list.set([open.type, 0, 19, ...encodeHopMessage(open)])
    const first = tunnels.onFirstList(leg, list, 0, () => quietHandler([]))
    assert.equal(first.type, 'opened')
    const control = tunnels.onFirstList(leg, listOf(KEYS_GET), 0, () => quietHandler([]))
    assert.deepEqual(control, { type: 'refused', reason: CLOSE_REASON.PROTOCOL })
  })
})
