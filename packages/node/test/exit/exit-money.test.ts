/** What an exit does for whom it is paid (SPEC §15.4): admission, the count of a tunnel, what waits when the pay is used up. */
import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { suite, test } from 'node:test'
import { classWeight, createCircuitFree } from '@byway/protocol/payment'
import type { ClassWeight, FreeBytes } from '@byway/protocol/payment'
import { CLOSE_REASON, PAY } from '@byway/protocol/wire'
import type { ExitMoney } from '../../src/exit/exit-service.ts'
import type { TakenToken } from '../../src/money/token-intake.ts'
import { createTunnelToll } from '../../src/money/tunnel-toll.ts'
import { createMeterWatch } from '../../src/money/meter-watch.ts'
import { createTestClock } from '../money/test-clock.ts'
import { ADMISSION, BANDWIDTH, createTestTokens, spendOf } from '../money/test-tokens.ts'
import { bytesOf, createWorld, textOf } from './exit-world.ts'
import type { World } from './exit-world.ts'
import { startTarget, until } from './test-target.ts'

const KIB = 1024
const MIB = 1024 * KIB
/** What is free, and the cell that shows its end. */
const WINDOW_BYTES = 256 * KIB + 16 * KIB
const TOKEN_BYTES = MIB

type Counts = { readonly countedBytes: number; readonly paidBytes: number }

function moneyOf(isForgotten?: (nonce: Uint8Array) => boolean, weight?: ClassWeight) {
  const clock = createTestClock()
  const watch = createMeterWatch(clock)
  const tokens = createTestTokens(TOKEN_BYTES, isForgotten)
  const closed: Counts[] = []
  const onClosed = (counts: Counts): void => void closed.push(counts)
  /** What the books are told of. */
  const taken: number[] = []
  const onTaken = ({ bytes }: TakenToken): void => void taken.push(bytes)
  const free = (): FreeBytes => createCircuitFree(0, weight)
  const money: ExitMoney = {
    openTunnel: (position, _terms, host) =>
      position === 1
        ? undefined
        : createTunnelToll({ watch, tokens, free: free(), weight, onTaken, onClosed }, host),
    desk: { open: () => CLOSE_REASON.RESOURCE_LIMIT },
  }
  return { clock, watch, money, closed, taken }
}

/** Waits until nothing moves any more. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 60; turn++) await new Promise((resolve) => setTimeout(resolve, 1))
}

function admit(world: World): void {
  world.client.pay(spendOf(ADMISSION))
}

const dueCount = ({ pays }: World): number => pays.filter(({ kind }) => kind === PAY.DUE).length

const hashOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

suite('an exit that is paid by tokens (SPEC §15.4)', () => {
  for (const begin of ['connect', 'resolve', 'associate'] as const) {
    test(`destroys the circuit with UNPAID when ${begin} comes before an admission token`, async () => {
      await using target = await startTarget((socket) => socket.pipe(socket))
      const { money } = moneyOf()
      using world = createWorld({ targets: [target.port], money, datagramPorts: [53] })
      if (begin === 'connect') world.connect(target.port)
      else if (begin === 'resolve') world.resolve('name.test')
      else world.associate()
      await until(() => world.leg.destroyed !== undefined)
      assert.equal(world.leg.destroyed, CLOSE_REASON.UNPAID)
      assert.deepEqual([target.sockets.length, world.service.status().tunnels], [0, 0])
    })
  }

  test('an admission token in the first cell lets streams begin, and covers all of the tunnel', async () => {
    await using target = await startTarget((socket) => socket.pipe(socket))
    const { money } = moneyOf()
    using world = createWorld({ targets: [target.port], money })
    admit(world)
    for (const word of ['one', 'two']) {
      const stream = world.connect(target.port)
      await world.send(stream.id, Buffer.from(word))
      await until(() => textOf(stream) === word)
    }
  })

  test('a token that was spent before a restart ends the tunnel as soon as the disk has said so', async () => {
    const { money } = moneyOf(() => true)
    using world = createWorld({ targets: [], money })
    admit(world)
    await until(() => world.leg.destroyed !== undefined)
    assert.equal(world.leg.destroyed, CLOSE_REASON.UNPAID)
  })

  test('an admission token that was spent in another tunnel admits nothing here', async () => {
    await using target = await startTarget((socket) => socket.pipe(socket))
    const { money } = moneyOf()
    const token = spendOf(ADMISSION)
    using first = createWorld({ targets: [target.port], money })
    first.client.pay(token)
    using second = createWorld({ targets: [target.port], money })
    second.client.pay(token)
    second.connect(target.port)
    await until(() => second.leg.destroyed !== undefined)
    assert.equal(second.leg.destroyed, CLOSE_REASON.UNPAID)
    assert.equal(first.leg.destroyed, undefined)
  })

  test('a forged token destroys the circuit with PROTOCOL', async () => {
    const { money } = moneyOf()
    using world = createWorld({ targets: [], money })
    world.client.pay(spendOf(ADMISSION, { isGood: false }))
    await until(() => world.leg.destroyed !== undefined)
    assert.equal(world.leg.destroyed, CLOSE_REASON.PROTOCOL)
  })

  test('sends no more than the window without pay, asks once, and goes on where it was when paid', async () => {
    const body = randomBytes(3 * MIB)
    await using target = await startTarget((socket) => void socket.end(body))
    const { money } = moneyOf()
    using world = createWorld({ targets: [target.port], money })
    admit(world)
    const stream = world.connect(target.port)
    await until(() => dueCount(world) === 1)
    await settle()
    const unpaid = bytesOf(stream).length
    assert.ok(unpaid <= WINDOW_BYTES, `${unpaid} bytes were sent unpaid`)
    assert.ok(unpaid >= WINDOW_BYTES * 0.8, 'the window is used')
    world.client.pay(spendOf(BANDWIDTH))
    await until(() => dueCount(world) === 2)
    await settle()
    const paidOnce = bytesOf(stream).length
    assert.ok(paidOnce > unpaid && paidOnce <= WINDOW_BYTES + TOKEN_BYTES)
    for (let i = 0; i < 3; i++) world.client.pay(spendOf(BANDWIDTH))
    await until(() => stream.events.includes('end'))
    assert.equal(hashOf(bytesOf(stream)), hashOf(body))
    assert.equal(dueCount(world), 2)
  })

  test('takes four tokens for what another class has for one, and gives as much for nothing', async () => {
    const body = randomBytes(2 * MIB)
    await using target = await startTarget((socket) => void socket.end(body))
    const { money } = moneyOf(undefined, classWeight({ classStep: 8, priceStep: 4 }))
    using world = createWorld({ targets: [target.port], money })
    admit(world)
    const stream = world.connect(target.port)
    await until(() => dueCount(world) === 1)
    await settle()
    const unpaid = bytesOf(stream).length
    assert.ok(unpaid <= WINDOW_BYTES && unpaid >= WINDOW_BYTES * 0.8, `${unpaid} bytes were free`)
    world.client.pay(spendOf(BANDWIDTH))
    await until(() => dueCount(world) === 2)
    await settle()
    const more = bytesOf(stream).length - unpaid
    assert.ok(more > 0 && more <= TOKEN_BYTES / 4 + WINDOW_BYTES / 10, `${more} bytes for a token`)
    for (let i = 0; i < 9; i++) world.client.pay(spendOf(BANDWIDTH))
    await until(() => stream.events.includes('end'))
    assert.equal(hashOf(bytesOf(stream)), hashOf(body))
  })

  test('gives the target no more than the window without pay, and the rest in order when paid', async () => {
    const body = randomBytes(600 * KIB)
    const got: Uint8Array[] = []
    let hasEnded = false
    await using target = await startTarget((socket) => {
      socket.on('data', (chunk) => void got.push(chunk))
      socket.on('end', () => (hasEnded = true))
    })
    const { money } = moneyOf()
    using world = createWorld({ targets: [target.port], money })
    admit(world)
    const stream = world.connect(target.port)
    void world.send(stream.id, body).then(() => world.end(stream.id))
    await until(() => dueCount(world) === 1)
    await settle()
    const unpaid = Buffer.concat(got).length
    assert.ok(unpaid <= WINDOW_BYTES && unpaid >= WINDOW_BYTES * 0.8, `${unpaid} bytes unpaid`)
    world.client.pay(spendOf(BANDWIDTH))
    await until(() => hasEnded)
    assert.equal(hashOf(Buffer.concat(got)), hashOf(body))
  })

  test('count and pay go with the tunnel when its leg dies, and what is sent again is not counted twice', async () => {
    const body = randomBytes(3 * MIB)
    await using target = await startTarget((socket) => void socket.end(body))
    const { money, closed, taken } = moneyOf()
    using world = createWorld({ targets: [target.port], money })
    admit(world)
    for (let i = 0; i < 3; i++) world.client.pay(spendOf(BANDWIDTH))
    const stream = world.connect(target.port)
    for (const share of [1, 2]) {
      await until(() => bytesOf(stream).length >= share * MIB)
      world.leg.die()
      await until(() => world.service.status().orphans === 1)
      world.rejoin()
    }
    await until(() => stream.events.includes('end') || dueCount(world) > 0)
    world.client.pay(spendOf(BANDWIDTH))
    await until(() => stream.events.includes('end'))
    assert.equal(hashOf(bytesOf(stream)), hashOf(body))
    world.client.close()
    await until(() => closed.length === 1)
    assert.deepEqual(taken, [0, TOKEN_BYTES, TOKEN_BYTES, TOKEN_BYTES, TOKEN_BYTES])
    const counted = closed[0]?.countedBytes ?? 0
    assert.ok(counted > body.length && counted < body.length * 1.2, `${counted} bytes counted`)
  })

  test('destroys the tunnel with UNPAID after 60 s without pay, and resets its targets', async () => {
    const errors: string[] = []
    await using target = await startTarget((socket) => {
      socket.on('error', () => void errors.push('reset'))
      socket.write(new Uint8Array(2 * MIB))
    })
    const { money, clock, watch } = moneyOf()
    using world = createWorld({ targets: [target.port], money })
    admit(world)
    world.connect(target.port)
    await until(() => dueCount(world) === 1)
    clock.pass(59_000)
    assert.equal(world.leg.destroyed, undefined)
    clock.pass(1500)
    await until(() => world.leg.destroyed !== undefined)
    assert.equal(world.leg.destroyed, CLOSE_REASON.UNPAID)
    await until(() => errors.length === 1)
    assert.equal(watch.size, 0)
  })
})
