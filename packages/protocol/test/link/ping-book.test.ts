import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createLinkMachine, type LinkMachine } from '@byway/protocol/link'
import { COMMAND, LINK_MESSAGE, readKind } from '@byway/protocol/wire'

function makeMachine(random: () => number, isDialler = true): LinkMachine {
  const handler = { onCell() {}, onMessage() {}, onClose() {} }
  return createLinkMachine(0, { isDialler, isClientLink: false, random, handler: () => handler })
}

/** Different at each call and never predictable from the call before, as far as a test goes. */
function draws(seed: number): () => number {
  let state = seed
  return () => (state = (state * 0.754_877 + 0.569_84) % 1)
}

function carry(from: LinkMachine, to: LinkMachine, nowMs: number): void {
  for (let cell = from.next(nowMs); cell; cell = from.next(nowMs)) to.onCell(cell, nowMs)
}

test('tells the time from a PING to its PONG, each question its own (SPEC §4.4)', () => {
  const [a, b] = [makeMachine(draws(0.1)), makeMachine(draws(0.2), false)]
  const told: (number | undefined)[] = []
  a.ping(100, (rttMs) => told.push(rttMs))
  carry(a, b, 120)
  a.ping(130, (rttMs) => told.push(rttMs))
  carry(b, a, 141)
  assert.deepEqual(told, [41])
  carry(a, b, 142)
  carry(b, a, 150)
  assert.deepEqual(told, [41, 20])
})

test('believes no PONG with a token that is not open, and no PONG twice', () => {
  const [a, b] = [makeMachine(draws(0.3)), makeMachine(draws(0.4), false)]
  const told: (number | undefined)[] = []
  a.ping(0, (rttMs) => told.push(rttMs))
  const ping = a.next(0)
  assert.ok(ping)
  for (let token = 0n; token < 64n; token++) {
    b.send({ type: LINK_MESSAGE.PONG, token }, 0)
    carry(b, a, 1)
  }
  assert.deepEqual(told, [])
  b.onCell(ping, 5)
  const pong = b.next(5)
  assert.ok(pong && (readKind(pong) & 0x3f) === COMMAND.LINK)
  const again = pong.slice()
  a.onCell(pong, 9)
  a.onCell(again, 10)
  assert.deepEqual(told, [9])
})

test('a close tells everybody who waits that no answer will come, and who asks later', () => {
  const machine = makeMachine(draws(0.5))
  const told: (number | undefined)[] = []
  for (let count = 0; count < 3; count++) machine.ping(0, (rttMs) => told.push(rttMs))
  machine.close('dead')
  machine.ping(1, (rttMs) => told.push(rttMs))
  assert.deepEqual(told, [undefined, undefined, undefined, undefined])
})

test('keeps eight questions open and gives the oldest up for the ninth', () => {
  const machine = makeMachine(() => 0.25)
  const told: number[] = []
  for (let count = 0; count < 10; count++) machine.ping(0, () => told.push(count))
  assert.deepEqual(told, [0, 1])
})
