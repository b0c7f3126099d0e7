import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  decodeOpening,
  decodePlainProof,
  encodeOpening,
  encodePlainProof,
  type Opening,
  type PlainProof,
} from '@byway/protocol/wire'
import { code, hex } from './hex.ts'

const PROOF: PlainProof = {
  signature: hex('01*65'),
  limit: 10,
  slot: 1,
  pathBits: 2,
  siblings: [hex('02*32'), hex('03*32')],
}
const PROOF_TEXT = '01*65 0000000a 00000001 00000002 02 02*32 03*32'

test('a plain proof is laid out as the table says (SPEC §13.3)', () => {
  assert.deepEqual(encodePlainProof(PROOF), hex(PROOF_TEXT))
  assert.deepEqual(decodePlainProof(hex(PROOF_TEXT)), PROOF)
})

test('a plain proof has at most 26 siblings, and path bits for those alone (SPEC §13.3)', () => {
  const deep = hex('01*65 0000000a 00000001 03ffffff 1a 02*832')
  assert.equal(decodePlainProof(deep).siblings.length, 26)
  const refused: readonly (readonly [string, string, string])[] = [
    ['01*65 0000000a 00000001 00000002 1b 02*864', 'WIRE_VALUE', 'siblings'],
    ['01*65 0000000a 00000001 00000004 02 02*64', 'WIRE_VALUE', 'pathBits'],
    ['01*65 0000000a 00000001 00000001 00', 'WIRE_VALUE', 'pathBits'],
    [`${PROOF_TEXT} 00`, 'WIRE_LENGTH', 'plainProof'],
    ['01*65 0000000a 00000001 00000002 02 02*63', 'WIRE_LENGTH', 'sibling'],
  ]
  for (const [text, expected, field] of refused) {
    assert.throws(() => decodePlainProof(hex(text)), code(expected, field))
  }
  const bad: readonly Partial<PlainProof>[] = [
    { pathBits: 4 },
    { siblings: Array.from({ length: 27 }, () => hex('02*32')) },
    { signature: hex('01*64') },
    { limit: 2 ** 32 },
  ]
  for (const change of bad) {
    assert.throws(() => encodePlainProof({ ...PROOF, ...change }), code('WIRE_ENCODE'))
  }
})

test('an opening is laid out as the table says (SPEC §13.2)', () => {
  const opening: Opening = {
    root: hex('01*32'),
    nullifier: hex('02*32'),
    sessionKey: hex('03*20'),
    receiptKey: hex('04*32'),
    proof: hex('05*2048'),
  }
  const bytes = encodeOpening(opening)
  assert.deepEqual(bytes, hex('01*32 02*32 03*20 04*32 0800 05*2048'))
  assert.deepEqual(decodeOpening(bytes), opening)
  assert.throws(() => decodeOpening(Uint8Array.of(...bytes, 0)), code('WIRE_LENGTH', 'opening'))
})
