import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  assert as invariant,
  BywayError,
  errorBuilder,
  isBywayError,
  unreachable,
  type ErrorBuilder,
} from '@byway/protocol/base'

type SampleErrors = {
  SAMPLE_LENGTH: { want: number; have: number }
  SAMPLE_EMPTY: Record<string, never>
}
const sampleError: ErrorBuilder<SampleErrors> = errorBuilder<SampleErrors>({
  SAMPLE_LENGTH: ['peer', 'a length is wrong'],
  SAMPLE_EMPTY: ['local', 'nothing there'],
})

test('a built error carries code, kind, frozen context, cause and a sentence with the context', () => {
  const cause = new Error('below')
  const error = sampleError('SAMPLE_LENGTH', { want: 2, have: 1 }, { cause })
  assert.ok(error instanceof BywayError)
  assert.equal(error.code, 'SAMPLE_LENGTH')
  assert.equal(error.kind, 'peer')
  assert.deepEqual(error.context, { want: 2, have: 1 })
  assert.ok(Object.isFrozen(error.context))
  assert.equal(error.cause, cause)
  assert.equal(error.message, 'a length is wrong (want: 2, have: 1)')
  assert.equal(sampleError('SAMPLE_EMPTY', {}).message, 'nothing there')
})

test('isBywayError sees an error of another loaded copy and no other value', () => {
  const foreign = Object.assign(new Error('x'), { isBywayError: true })
  assert.equal(isBywayError(sampleError('SAMPLE_EMPTY', {})), true)
  assert.equal(isBywayError(foreign), true)
  assert.equal(isBywayError(new Error('x')), false)
  assert.equal(isBywayError({ isBywayError: true }), false)
  assert.equal(isBywayError(undefined), false)
})

test('assert lets what holds pass and throws kind bug otherwise', () => {
  assert.doesNotThrow(() => invariant(true, 'holds'))
  assert.throws(() => invariant(false, 'must hold'), { code: 'ASSERTION', kind: 'bug' })
  assert.throws(() => unreachable('x' as never, 'no such case'), { code: 'ASSERTION', kind: 'bug' })
})
