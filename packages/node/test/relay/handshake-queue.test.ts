import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CLOSE_REASON } from '@byway/protocol/wire'
import type { CloseReason } from '@byway/protocol/wire'
import { createHandshakeQueue } from '../../src/relay/handshake-queue.ts'
import type { WaitingCreate } from '../../src/relay/handshake-queue.ts'

const PER_TURN = 4
const MAX_WAITING = 256
const MAX_WAIT_MS = 1750
const CROWDED = 128

/** A queue whose turns and clock are the test's. */
function makeWorld() {
  let nowMs = 0
  const deferred: (() => void)[] = []
  const queue = createHandshakeQueue({
    nowMs: () => nowMs,
    defer: (run) => void deferred.push(run),
  })
  const done: string[] = []
  const refused: (readonly [string, CloseReason])[] = []
  return {
    queue,
    done,
    refused,
    deferred,
    add(name: string, source = 'a'): WaitingCreate {
      const create = {
        source,
        run: () => void done.push(name),
        refuse: (reason: CloseReason) => void refused.push([name, reason]),
      }
      queue.add(create, nowMs)
      return create
    },
    turn(): void {
      deferred.shift()?.()
    },
    passTime(ms: number): void {
      nowMs += ms
    },
  }
}

test('does nothing in the turn in which a CREATE comes, and four a turn after it, oldest first (THREAT-MODEL T33)', () => {
  const world = makeWorld()
  for (let n = 0; n < 10; n++) world.add(`${n}`)
  assert.deepEqual([world.done.length, world.deferred.length], [0, 1])
  for (const count of [PER_TURN, 2 * PER_TURN, 10]) {
    world.turn()
    assert.equal(world.done.length, count)
  }
  assert.deepEqual(
    world.done,
    Array.from({ length: 10 }, (_, n) => `${n}`),
  )
  assert.deepEqual([world.queue.length, world.deferred.length], [0, 0])
})

test('sources take turns: whoever sends two hundred holds up nobody who sends one', () => {
  const world = makeWorld()
  for (let n = 0; n < 200; n++) world.add(`flood ${n}`, 'flood')
  world.add('one', 'b')
  world.add('other', 'c')
  world.turn()
  assert.deepEqual(world.done, ['flood 0', 'one', 'other', 'flood 1'])
})

test('holds 256: then the oldest of the longest row gives way', () => {
  const world = makeWorld()
  world.add('quiet', 'b')
  for (let n = 0; n < MAX_WAITING + 9; n++) world.add(`${n}`)
  assert.equal(world.queue.length, MAX_WAITING)
  assert.deepEqual(
    world.refused,
    Array.from({ length: 10 }, (_, n) => [`${n}`, CLOSE_REASON.RESOURCE_LIMIT]),
  )
})

test('gives up what waited longer than 1.75 s while half of its places are taken', () => {
  const world = makeWorld()
  for (let n = 0; n < 20; n++) world.add(`old ${n}`)
  world.passTime(MAX_WAIT_MS + 1)
  for (let n = 0; n < CROWDED; n++) world.add(`new ${n}`)
  world.turn()
  assert.equal(world.refused.length, 20)
  assert.ok(
    world.refused.every(
      ([name, reason]) => name.startsWith('old') && reason === CLOSE_REASON.RESOURCE_LIMIT,
    ),
  )
  assert.deepEqual(world.done, ['new 0', 'new 1', 'new 2', 'new 3'])
})

test('after a stall those who are few are served all the same', () => {
  const world = makeWorld()
  for (let n = 0; n < CROWDED - 1; n++) world.add(`${n}`)
  world.passTime(60_000)
  while (world.deferred.length > 0) world.turn()
  assert.deepEqual([world.done.length, world.refused.length], [CROWDED - 1, 0])
})

test('a cancelled CREATE is neither served nor refused, and cancelling twice changes nothing', () => {
  const world = makeWorld()
  const gone = world.add('gone')
  world.add('stays')
  world.queue.cancel(gone)
  world.queue.cancel(gone)
  assert.equal(world.queue.length, 1)
  world.turn()
  world.queue.cancel(gone)
  assert.deepEqual([world.done, world.refused, world.queue.length], [['stays'], [], 0])
})

test('refuses all with the reason that it is given', () => {
  const world = makeWorld()
  world.add('1')
  world.add('2', 'b')
  world.queue.refuseAll(CLOSE_REASON.DRAINING)
  world.turn()
  assert.deepEqual(world.refused, [
    ['1', CLOSE_REASON.DRAINING],
    ['2', CLOSE_REASON.DRAINING],
  ])
  assert.deepEqual([world.done, world.queue.length], [[], 0])
})
