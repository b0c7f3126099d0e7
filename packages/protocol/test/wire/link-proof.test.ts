import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  decodeLinkProof,
  encodeClientGreeting,
  encodeLinkCert,
  encodeLinkProof,
  LINK_PROOF_BYTES,
  LINK_ROLE,
  LINK_SIDE,
  linkCertSignedPart,
  linkProofSignedPart,
  readGreetingRole,
} from '@byway/protocol/wire'
import { code, hex } from './hex.ts'

const cert = {
  nodeId: hex('11*32'),
  linkKey: hex('22*32'),
  notBeforeS: 0x100,
  notAfterS: 0x100 + 48 * 3600,
  certSignature: hex('33*64'),
}
const LIFE = '00000000 00000100 00000000 0002a400'
const GREETING = hex(`01 01 11*32 22*32 ${LIFE} 33*64 44*64`)

test('a greeting is 210 bytes in the order of the table (SPEC §3.3)', () => {
  assert.equal(GREETING.length, LINK_PROOF_BYTES)
  assert.deepEqual(encodeLinkProof(cert, hex('44*64')), GREETING)
  assert.deepEqual(encodeLinkCert(cert), GREETING.subarray(0, 146))
  assert.deepEqual(decodeLinkProof(GREETING), { ...cert, proofSignature: hex('44*64') })
})

test('the identity key signs bytes 34..82 (SPEC §3.3)', () => {
  assert.deepEqual(linkCertSignedPart(cert), GREETING.subarray(34, 82))
})

test('the link key signs side, exporter and bytes 0..146 (SPEC §3.3)', () => {
  const exporter = hex('55*32')
  for (const side of [LINK_SIDE.LISTENER, LINK_SIDE.DIALLER]) {
    const expected = Buffer.concat([
      hex(side === LINK_SIDE.LISTENER ? '01' : '00'),
      exporter,
      GREETING.subarray(0, 146),
    ])
    assert.deepEqual(Buffer.from(linkProofSignedPart(GREETING, side, exporter)), expected)
    assert.deepEqual(
      Buffer.from(linkProofSignedPart(encodeLinkCert(cert), side, exporter)),
      expected,
    )
  }
  assert.throws(() => linkProofSignedPart(GREETING, 1, hex('55*31')), code('WIRE_ENCODE'))
})

test('a client greets with 1 0 (SPEC §3.3)', () => {
  assert.deepEqual(encodeClientGreeting(), hex('0100'))
  assert.equal(readGreetingRole(hex('0100')), LINK_ROLE.CLIENT)
  assert.equal(readGreetingRole(GREETING), LINK_ROLE.NODE)
})

test('refuses another version, another role, and too few bytes (SPEC §1.1)', () => {
  assert.throws(() => readGreetingRole(hex('0200')), code('WIRE_VERSION'))
  assert.throws(() => readGreetingRole(hex('0102')), code('WIRE_VALUE', 'role'))
  assert.throws(() => readGreetingRole(hex('01')), code('WIRE_LENGTH'))
  assert.throws(() => decodeLinkProof(hex('0100')), code('WIRE_VALUE', 'role'))
  assert.throws(() => decodeLinkProof(GREETING.subarray(0, 209)), code('WIRE_LENGTH'))
  assert.throws(
    () => decodeLinkProof(hex(`01 01 11*32 22*32 ${LIFE} 33*64 44*64 00`)),
    code('WIRE_LENGTH'),
  )
})

test('refuses a certificate that lives for more than 48 h, or not at all (SPEC §3.3)', () => {
  for (const notAfter of ['0002a401', '00000100', '00000000', 'ffffffff']) {
    const greeting = hex(`01 01 11*32 22*32 00000000 00000100 00000000 ${notAfter} 33*64 44*64`)
    assert.throws(() => decodeLinkProof(greeting), code('WIRE_VALUE', 'notAfter'), notAfter)
  }
})
