import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  CLOSE_REASON,
  closeReasonName,
  parseCloseReason,
  parseResetReason,
  RESET_REASON,
  resetReasonName,
} from '@byway/protocol/wire'

test('close reasons are 16 to 30 and parse to themselves (SPEC §12.1)', () => {
  assert.deepEqual(
    Object.values(CLOSE_REASON),
    Array.from({ length: 15 }, (_, i) => 16 + i),
  )
  for (const [name, reason] of Object.entries(CLOSE_REASON)) {
    assert.equal(parseCloseReason(reason), reason)
    assert.equal(closeReasonName(reason), name)
  }
})

test('reset reasons are 1 to 12 and parse to themselves (SPEC §12.2)', () => {
  assert.deepEqual(
    Object.values(RESET_REASON),
    Array.from({ length: 12 }, (_, i) => 1 + i),
  )
  for (const [name, reason] of Object.entries(RESET_REASON)) {
    assert.equal(parseResetReason(reason), reason)
    assert.equal(resetReasonName(reason), name)
  }
})

test('unknown reasons read as INTERNAL and MISC', () => {
  for (const byte of [0, 15, 31, 255]) assert.equal(parseCloseReason(byte), CLOSE_REASON.INTERNAL)
  for (const byte of [0, 13, 255]) assert.equal(parseResetReason(byte), RESET_REASON.MISC)
})
