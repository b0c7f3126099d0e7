import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createLinkMachine, type LinkMachine } from '@byway/protocol/link'

const HOUR_MS = 3_600_000
const STEP_MS = 100

/** A fixed sequence that looks uniform: the test is the same each time. */
function sequence(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}

function idleHour(isClientLink: boolean): { bytes: number[]; largestGapMs: number[] } {
  const handler = { onCell: () => {}, onMessage: () => {}, onClose: () => {} }
  const make = (isDialler: boolean, seed: number): LinkMachine =>
    createLinkMachine(0, {
      isDialler,
      isClientLink,
      random: sequence(seed),
      handler: () => handler,
    })
  const sides = [make(true, 1), make(false, 2)] as const
  const bytes = [0, 0]
  const lastAtMs = [0, 0]
  const largestGapMs = [0, 0]
  for (let nowMs = 0; nowMs < HOUR_MS; nowMs += STEP_MS) {
    for (const side of sides) side.onTick(nowMs, 0)
    for (const from of [0, 1, 0, 1] as const) {
      for (let cell = sides[from].next(nowMs); cell; cell = sides[from].next(nowMs)) {
        bytes[from] = (bytes[from] ?? 0) + cell.length
        largestGapMs[from] = Math.max(largestGapMs[from] ?? 0, nowMs - (lastAtMs[from] ?? 0))
        lastAtMs[from] = nowMs
        sides[from === 0 ? 1 : 0].onCell(cell, nowMs)
      }
    }
  }
  assert.ok(sides.every(({ isClosed }) => !isClosed))
  return { bytes, largestGapMs }
}

test('SPEC §4.5: an idle client link is never silent for 10 s in either direction and costs at most 420 B/s', () => {
  const { bytes, largestGapMs } = idleHour(true)
  assert.ok(
    largestGapMs.every((gapMs) => gapMs < 10_000),
    String(largestGapMs),
  )
  for (const sent of bytes) assert.ok(sent / 3600 <= 420 / 2, `${sent / 3600} B/s in one direction`)
})

test('SPEC §4.5: an idle node link only asks every 15 s whether the other side is there', () => {
  const { bytes } = idleHour(false)
  for (const sent of bytes)
    assert.ok(sent / 3600 <= 1024 / 7, `${sent / 3600} B/s in one direction`)
})
