/** What a relayer does for a request, given where its slot is. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RETURN_KIND, type JoinRequest, type ReturnRequest } from '@byway/protocol/wire'
import { isSameSlot } from '../../src/redemption/return-steps.ts'

const name = (number: number): Uint8Array => new Uint8Array(32).fill(number)
const NONE = name(0)
const head = { root: name(9), feeTo: new Uint8Array(20), proof: new Uint8Array(256) }
const join = (...rests: readonly Uint8Array[]): JoinRequest => ({
  ...head,
  kind: RETURN_KIND.JOIN,
  rests,
  units: 5,
  idc: name(8),
})
const withdraw = (nullifier: Uint8Array): ReturnRequest => ({
  ...head,
  kind: RETURN_KIND.WITHDRAW,
  nullifier,
  to: new Uint8Array(20),
})

test('joinings are of the same leaf where any of their rests is, wherever it stands; places not used are none', () => {
  const one = join(name(1), name(2), NONE, NONE)
  for (const [other, expected] of [
    [join(name(3), name(2), NONE, NONE), true],
    [join(name(3), name(4), name(5), name(1)), true],
    [join(name(3), name(4), NONE, NONE), false],
    [withdraw(name(2)), true],
    [withdraw(name(3)), false],
  ] as const) {
    assert.equal(isSameSlot(one, other), expected)
    assert.equal(isSameSlot(other, one), expected)
  }
  assert.equal(isSameSlot(withdraw(name(1)), withdraw(name(1))), true)
})
