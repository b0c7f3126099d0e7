import assert from 'node:assert/strict'
import { test } from 'node:test'
import { untilAborted } from '../../src/engine/abort.ts'

test("what fails after its caller has given up is nobody's unhandled failure", async () => {
  const reason = new Error('given up')
  const late = Promise.withResolvers<void>()
  await assert.rejects(untilAborted(late.promise, AbortSignal.abort(reason)), reason)
  late.reject(new Error('too late'))
  // An unhandled rejection would fail this test.
  await new Promise(setImmediate)
})
