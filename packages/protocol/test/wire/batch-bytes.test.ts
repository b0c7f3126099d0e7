import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  encodeBatches,
  encodeClaimSlots,
  encodeLockSlots,
  type RevealedTicket,
} from '@byway/protocol/wire'
import { code, hex } from './hex.ts'

const A = hex('aa*32')
const B = hex('ab*32')
const ticket = (index: number): RevealedTicket => ({
  index,
  amount: 258n,
  reveal: hex('cc*32'),
  nonce: hex('dd*16'),
  signature: hex('ee*65'),
})
const TICKET = '00*10 0102 cc*32 dd*16 ee*65'
const win = (nullifier: Uint8Array, index: number) => ({ nullifier, ticket: ticket(index) })

test('a slot stands once for its wins that are neighbours, and the order stays (SPEC §14.8)', () => {
  assert.deepEqual(
    encodeClaimSlots([win(A, 1), win(A, 2), win(B, 3), win(A, 4)]),
    hex(
      `aa*32 02 00000001 ${TICKET} 00000002 ${TICKET} ab*32 01 00000003 ${TICKET} aa*32 01 00000004 ${TICKET}`,
    ),
  )
  assert.deepEqual(encodeClaimSlots([]), new Uint8Array(0))
})

test('batches follow each other, the sender’s own with three bytes of head, signed ones with 108 (SPEC §14.8)', () => {
  const terms = {
    provider: hex('11*20'),
    fee: 772n,
    deadlineS: 1_800_000_000,
    signature: hex('22*65'),
  }
  assert.deepEqual(
    encodeBatches([
      { slots: encodeLockSlots([A, B]) },
      { slots: encodeLockSlots([B]), terms },
      { slots: encodeClaimSlots([win(A, 7)]), terms },
    ]),
    hex(
      `00 0040 aa*32 ab*32
      01 0020 11*20 00*10 0304 00000000 6b49d200 22*65 ab*32
      01 00a2 11*20 00*10 0304 00000000 6b49d200 22*65 aa*32 01 00000007 ${TICKET}`,
    ),
  )
})

test('what no batch can hold is not made', () => {
  const wins = Array.from({ length: 256 }, (_, i) => win(A, i + 1))
  assert.throws(() => encodeClaimSlots(wins), code('WIRE_ENCODE'))
  assert.equal(encodeClaimSlots(wins.slice(1)).length, 33 + 255 * 129)
  assert.throws(() => encodeBatches([{ slots: new Uint8Array(65_536) }]), code('WIRE_ENCODE'))
  assert.equal(encodeBatches([{ slots: new Uint8Array(65_535) }]).length, 65_538)
  for (const nullifier of [hex('aa*31'), hex('aa*33')]) {
    assert.throws(() => encodeLockSlots([nullifier]), code('WIRE_ENCODE'))
    assert.throws(() => encodeClaimSlots([win(nullifier, 1)]), code('WIRE_ENCODE'))
  }
})
