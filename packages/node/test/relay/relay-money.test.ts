import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { suite, test } from 'node:test'
import { createHopLayers, destroyCell } from '@byway/protocol/circuit'
import type { HopLayers } from '@byway/protocol/circuit'
import { nodeCrypto } from '@byway/protocol/node-crypto'
import { createFreeBucket } from '@byway/protocol/payment'
import type { Due, FreeBytes } from '@byway/protocol/payment'
import {
  bodyOf,
  appendHopMessage,
  CELL_HEADER_BYTES,
  cellBytesOfClass,
  CLOSE_REASON,
  COMMAND,
  commandOf,
  decodeHopMessage,
  HOP_MESSAGE,
  MessageListWriter,
  messagesIn,
  PAY,
  readDestroyBody,
  readKind,
  SIZE_CLASS,
} from '@byway/protocol/wire'
import type { HopMessage, PayMessage } from '@byway/protocol/wire'
import { createCellToll } from '../../src/money/held-cells.ts'
import type { CellToll } from '../../src/money/held-cells.ts'
import { createCircuitToll } from '../../src/money/circuit-toll.ts'
import type { TakenToken } from '../../src/money/token-intake.ts'
import { createMeterWatch } from '../../src/money/meter-watch.ts'
import type { RelayMoney } from '../../src/relay/ports.ts'
import { createTestClock } from '../money/test-clock.ts'
import { BANDWIDTH, createTestTokens, spendOf } from '../money/test-tokens.ts'
import { buildReady, makeChain, until } from './relay-chain.ts'
import type { ReadyCircuit, TestChain } from './relay-chain.ts'

const KIB = 1024
/** Small, so that a test runs over it soon. */
const WINDOW_BYTES = 64 * KIB
const TOKEN_BYTES = 256 * KIB

const [ENTRY, MIDDLE, EXIT] = [0, 1, 2] as const

function windowOf(): FreeBytes {
  return createFreeBucket({ capacityBytes: WINDOW_BYTES, bytesPerS: 0 }, 0)
}

function makePaidChain(isForgotten?: (nonce: Uint8Array) => boolean) {
  const clock = createTestClock()
  const watch = createMeterWatch(clock)
  const tokens = createTestTokens(TOKEN_BYTES, isForgotten)
  const linkTolls: CellToll[] = []
  const circuitTolls: CellToll[] = []
  const dues: number[] = []
  /** What the books are told of. */
  const taken: number[] = []
  const onTaken = ({ bytes }: TakenToken): void => void taken.push(bytes)
  const money: RelayMoney = {
    linkToll() {
      const onDue = ({ countedBytes }: Due): void => void dues.push(countedBytes)
      const toll = createCellToll({ watch, free: windowOf(), onDue })
      linkTolls.push(toll)
      return toll
    },
    openCircuit(host) {
      const paid = createCircuitToll(
        { watch, tokens, free: windowOf(), onTaken, onClosed() {} },
        host,
      )
      circuitTolls.push(paid.toll)
      return paid
    },
  }
  return { clock, money, linkTolls, circuitTolls, dues, taken }
}

async function buildAll({ nodes, client }: TestChain): Promise<ReadyCircuit> {
  return await buildReady(
    client,
    nodes.map(({ spec }) => spec),
  )
}

/** The exit's end, to send cells back. */
function exitOf({ nodes }: TestChain, at = 0): { send: (text: string) => void } {
  const terminal = nodes[EXIT].terminals[at]
  assert.ok(terminal)
  const layers: HopLayers = createHopLayers({ provider: nodeCrypto, ...terminal.circuit })
  return {
    send(text) {
      const cell = new Uint8Array(cellBytesOfClass(SIZE_CLASS.LARGE))
      cell.set(Buffer.from(text), CELL_HEADER_BYTES)
      layers.sealOwn(cell, SIZE_CLASS.LARGE)
      terminal.push(cell)
    },
  }
}

/** A cell with this message for a hop. */
function sealMessage({ layers }: ReadyCircuit, message: HopMessage, hop: number): Uint8Array {
  const cell = new Uint8Array(cellBytesOfClass(SIZE_CLASS.SMALL))
  const list = new MessageListWriter().reset(cell.subarray(CELL_HEADER_BYTES))
  assert.ok(appendHopMessage(list, message))
  layers.seal(cell, hop, SIZE_CLASS.SMALL)
  return cell
}

function spend(options?: Parameters<typeof spendOf>[1]): HopMessage {
  return { type: HOP_MESSAGE.PAY, pay: spendOf(BANDWIDTH, options) }
}

/** What comes back on a circuit: texts of the exit, payment messages of the middle, the reason of a DESTROY. */
async function next({ circuit, layers }: ReadyCircuit): Promise<string | PayMessage | number> {
  const cell = await circuit.next()
  if (commandOf(readKind(cell)) === COMMAND.DESTROY) return readDestroyBody(bodyOf(cell))
  const list = layers.open(cell)
  assert.ok(list)
  if (layers.openedFrom === EXIT) return Buffer.from(list.subarray(0, 3)).toString()
  const [message] = messagesIn(list)
  assert.ok(message)
  const decoded = decodeHopMessage(message.type, message.body)
  assert.ok(decoded.type === HOP_MESSAGE.PAY)
  return decoded.pay
}

/** The reason of the next DESTROY; what comes before it is passed over. */
async function nextReason({ circuit }: ReadyCircuit): Promise<number> {
  for (;;) {
    const cell = await circuit.next()
    if (commandOf(readKind(cell)) === COMMAND.DESTROY) return readDestroyBody(bodyOf(cell))
  }
}

const text = (i: number): string => String(i).padStart(3, '0')

suite('a relay that is paid by tokens (SPEC §15.4)', () => {
  test('serves no more than the window and the tokens pay for, says DUE once, and goes on in order when paid', async () => {
    const paid = makePaidChain()
    const chain = makeChain((hop) => (hop === MIDDLE ? paid.money : undefined))
    const ready = await buildAll(chain)
    const exit = exitOf(chain)
    for (let i = 0; i < 10; i++) exit.send(text(i))
    const before: unknown[] = []
    for (let i = 0; i < 6; i++) before.push(await next(ready))
    // 64 KiB are four large cells; the fifth shows that they are used up.
    assert.deepEqual(before, [
      '000',
      '001',
      '002',
      '003',
      { kind: PAY.DUE, countedBytes: 80 * KIB, paidBytes: 64 * KIB },
      '004',
    ])
    const [toll] = paid.circuitTolls
    await until(() => toll?.heldBytes === 5 * 16 * KIB)
    assert.ok((toll?.countedBytes ?? 0) <= WINDOW_BYTES + 17 * KIB, 'DUE itself is one small cell')
    ready.circuit.send(sealMessage(ready, spend(), MIDDLE))
    for (let i = 5; i < 10; i++) assert.equal(await next(ready), text(i))
    assert.equal(toll?.paidBytes, TOKEN_BYTES)
  })

  test('holds what goes forward too, and reads a token that comes behind what waits', async () => {
    const paid = makePaidChain()
    const chain = makeChain((hop) => (hop === MIDDLE ? paid.money : undefined))
    const ready = await buildAll(chain)
    const { cells } = chain.nodes[EXIT]
    for (let i = 0; i < 70; i++) ready.circuit.send(ready.seal(text(i), EXIT))
    await until(() => paid.circuitTolls[0]?.heldBytes === 5 * KIB)
    await until(() => cells.length === 65)
    ready.circuit.send(sealMessage(ready, spend(), MIDDLE))
    ready.circuit.send(ready.seal('last', EXIT))
    await until(() => cells.length === 71)
    const [terminal] = chain.nodes[EXIT].terminals
    assert.ok(terminal)
    const layers = createHopLayers({ provider: nodeCrypto, ...terminal.circuit })
    const texts = cells.map((cell) => {
      const list = layers.openForward(cell)
      return typeof list === 'string' ? list : Buffer.from(list.subarray(0, 3)).toString()
    })
    assert.deepEqual(texts, [...Array.from({ length: 70 }, (_, i) => text(i)), 'las'])
  })

  test('destroys the circuit with UNPAID after 60 s without pay, and no other', async () => {
    const paid = makePaidChain()
    const chain = makeChain((hop) => (hop === MIDDLE ? paid.money : undefined))
    const ready = await buildAll(chain)
    const other = await buildAll(chain)
    for (let i = 0; i < 80; i++) ready.circuit.send(ready.seal('x', EXIT))
    await until(() => paid.circuitTolls[0]?.heldBytes === 15 * KIB)
    await until(() => chain.nodes[EXIT].cells.length === 65)
    paid.clock.pass(61_000)
    // Both circuits are of one link, which has one handler: the last.
    assert.equal(await nextReason(other), CLOSE_REASON.UNPAID)
    await until(() => chain.nodes[EXIT].closed.length === 1)
    other.circuit.send(other.seal('x', EXIT))
    await until(() => chain.nodes[EXIT].cells.length === 66)
    assert.equal(chain.nodes[MIDDLE].relay.circuits.size, 1)
  })

  test('a token spent twice buys nothing the second time', async () => {
    const paid = makePaidChain()
    const chain = makeChain((hop) => (hop === MIDDLE ? paid.money : undefined))
    const ready = await buildAll(chain)
    const nonce = randomBytes(32)
    for (let i = 0; i < 3; i++) ready.circuit.send(sealMessage(ready, spend({ nonce }), MIDDLE))
    ready.circuit.send(ready.seal('x', EXIT))
    await until(() => chain.nodes[EXIT].cells.length === 1)
    assert.equal(paid.circuitTolls[0]?.paidBytes, TOKEN_BYTES)
    assert.deepEqual(paid.taken, [TOKEN_BYTES])
  })

  test('a token that was spent before a restart ends the circuit as soon as the disk has said so', async () => {
    const paid = makePaidChain(() => true)
    const chain = makeChain((hop) => (hop === MIDDLE ? paid.money : undefined))
    const ready = await buildAll(chain)
    ready.circuit.send(sealMessage(ready, spend(), MIDDLE))
    assert.equal(await next(ready), CLOSE_REASON.UNPAID)
  })

  const faults: readonly (readonly [string, HopMessage])[] = [
    ['a token that is not ours', spend({ isGood: false })],
    ['a ticket', ticket()],
    ['a message that is no payment', { type: HOP_MESSAGE.CLOSE }],
  ]
  for (const [what, message] of faults) {
    test(`${what} destroys the circuit with PROTOCOL`, async () => {
      const paid = makePaidChain()
      const chain = makeChain((hop) => (hop === MIDDLE ? paid.money : undefined))
      const ready = await buildAll(chain)
      ready.circuit.send(sealMessage(ready, message, MIDDLE))
      assert.equal(await next(ready), CLOSE_REASON.PROTOCOL)
    })
  }

  test('a relay of an unpaid network refuses payment', async () => {
    const chain = makeChain()
    const ready = await buildAll(chain)
    ready.circuit.send(sealMessage(ready, spend(), MIDDLE))
    assert.equal(await next(ready), CLOSE_REASON.PROTOCOL)
  })

  test('payment messages without end do not go far beyond what was paid', async () => {
    const paid = makePaidChain()
    const chain = makeChain((hop) => (hop === MIDDLE ? paid.money : undefined))
    const ready = await buildAll(chain)
    for (let i = 0; i < 500; i++) {
      ready.circuit.send(
        sealMessage(ready, { type: HOP_MESSAGE.PAY, pay: { kind: PAY.KEYS_GET } }, MIDDLE),
      )
    }
    let answer = await next(ready)
    let answers = 0
    while (typeof answer !== 'number') {
      answers++
      answer = await next(ready)
    }
    assert.equal(answer, CLOSE_REASON.UNPAID)
    assert.ok(answers * 2 * KIB <= WINDOW_BYTES + 64 * KIB + 2 * KIB)
  })
})

suite('an entry that is paid by tickets (SPEC §15.3)', () => {
  test('counts both ways over all circuits of a link, holds them together, and releases them in order', async () => {
    const paid = makePaidChain()
    const chain = makeChain((hop) => (hop === ENTRY ? paid.money : undefined))
    const first = await buildAll(chain)
    for (let i = 0; i < 60; i++) first.circuit.send(first.seal(text(i), EXIT))
    await until(() => chain.nodes[EXIT].cells.length === 60)
    const [toll] = paid.linkTolls
    assert.equal(toll?.countedBytes, 60 * KIB)
    const exit = exitOf(chain)
    exit.send('one')
    assert.equal(await next(first), 'one')
    exit.send('two')
    await until(() => toll?.heldBytes === 16 * KIB)
    first.circuit.send(first.seal('060', EXIT))
    await until(() => toll?.heldBytes === 17 * KIB)
    assert.deepEqual(paid.dues, [76 * KIB])
    assert.equal(chain.nodes[EXIT].cells.length, 60)
    toll?.credit(1024 * KIB)
    assert.equal(await next(first), 'two')
    await until(() => chain.nodes[EXIT].cells.length === 61)
    assert.equal(toll?.countedBytes, 93 * KIB)
  })

  test('destroys what waits with UNPAID after 60 s, and serves the link again once it is paid', async () => {
    const paid = makePaidChain()
    const chain = makeChain((hop) => (hop === ENTRY ? paid.money : undefined))
    const ready = await buildAll(chain)
    for (let i = 0; i < 70; i++) ready.circuit.send(ready.seal('x', EXIT))
    const [toll] = paid.linkTolls
    await until(() => toll?.heldBytes === 5 * KIB && chain.nodes[EXIT].cells.length === 65)
    paid.clock.pass(61_000)
    assert.equal(await next(ready), CLOSE_REASON.UNPAID)
    toll?.credit(1024 * KIB)
    const again = await buildAll(chain)
    again.circuit.send(again.seal('x', EXIT))
    await until(() => chain.nodes[EXIT].cells.length === 66)
  })

  test('what is dropped with its circuit does not count', async () => {
    const paid = makePaidChain()
    const chain = makeChain((hop) => (hop === ENTRY ? paid.money : undefined))
    const ready = await buildAll(chain)
    const [toll] = paid.linkTolls
    for (let i = 0; i < 70; i++) ready.circuit.send(ready.seal('x', EXIT))
    await until(() => toll?.heldBytes === 5 * KIB)
    ready.circuit.send(destroyCell(CLOSE_REASON.FINISHED))
    await until(() => toll?.heldBytes === 0)
    assert.equal(toll?.countedBytes, 65 * KIB)
  })
})

function ticket(): HopMessage {
  const nonce = new Uint8Array(16)
  const signature = new Uint8Array(65)
  return {
    type: HOP_MESSAGE.PAY,
    pay: { kind: PAY.TICKET, index: 0, amount: 1n, nonce, signature },
  }
}
