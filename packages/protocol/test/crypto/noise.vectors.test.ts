/** Public Noise vectors of every basic pattern, NK among them, on the interpreter that runs NKhfs in production. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Handshake, type HandshakePattern, type Role, type SplitKeys } from '@byway/protocol/crypto'
import { nodeCrypto as provider } from '@byway/protocol/node-crypto'
import { readPublicVectors } from './oracle/public-vectors.ts'

type NoiseCase = {
  readonly protocol_name: string
  readonly handshake_hash?: string
  readonly messages: readonly (readonly [payload: string, ciphertext: string])[]
  readonly init_prologue: string
  readonly resp_prologue: string
  readonly [key: string]: unknown
}

/** Noise revision 34 §7.4 and §7.5. */
const PATTERNS: Readonly<Record<string, HandshakePattern>> = {
  N: { knownStatics: ['responder'], messages: [['e', 'es']] },
  K: { knownStatics: ['initiator', 'responder'], messages: [['e', 'es', 'ss']] },
  X: { knownStatics: ['responder'], messages: [['e', 'es', 's', 'ss']] },
  NN: { knownStatics: [], messages: [['e'], ['e', 'ee']] },
  NK: {
    knownStatics: ['responder'],
    messages: [
      ['e', 'es'],
      ['e', 'ee'],
    ],
  },
  NX: { knownStatics: [], messages: [['e'], ['e', 'ee', 's', 'es']] },
  XN: { knownStatics: [], messages: [['e'], ['e', 'ee'], ['s', 'se']] },
  XK: {
    knownStatics: ['responder'],
    messages: [
      ['e', 'es'],
      ['e', 'ee'],
      ['s', 'se'],
    ],
  },
  XX: { knownStatics: [], messages: [['e'], ['e', 'ee', 's', 'es'], ['s', 'se']] },
  KN: { knownStatics: ['initiator'], messages: [['e'], ['e', 'ee', 'se']] },
  KK: {
    knownStatics: ['initiator', 'responder'],
    messages: [
      ['e', 'es', 'ss'],
      ['e', 'ee', 'se'],
    ],
  },
  KX: { knownStatics: ['initiator'], messages: [['e'], ['e', 'ee', 'se', 's', 'es']] },
  IN: {
    knownStatics: [],
    messages: [
      ['e', 's'],
      ['e', 'ee', 'se'],
    ],
  },
  IK: {
    knownStatics: ['responder'],
    messages: [
      ['e', 'es', 's', 'ss'],
      ['e', 'ee', 'se'],
    ],
  },
  IX: {
    knownStatics: [],
    messages: [
      ['e', 's'],
      ['e', 'ee', 'se', 's', 'es'],
    ],
  },
}

for (const source of ['cacophony', 'snow']) {
  const cases = readPublicVectors(`noise-${source}`) as readonly NoiseCase[] | undefined
  const skip = cases ? false : 'vectors/public is not here, see vectors/README.md'
  test(`${source}: all 15 basic patterns give the published bytes on both sides`, { skip }, () => {
    const seen = new Set(cases?.map((one) => one.protocol_name.split('_')[1]))
    assert.deepEqual(seen, new Set(Object.keys(PATTERNS)))
    for (const one of cases ?? []) replay(one)
  })
}

function replay(one: NoiseCase): void {
  const pattern = PATTERNS[one.protocol_name.split('_')[1] ?? '']
  assert.ok(pattern)
  const sides = [side(one, 'initiator', pattern), side(one, 'responder', pattern)] as const
  const ends: (SplitKeys & { handshakeHash: Uint8Array })[] = []
  for (const [turn, [payload, ciphertext]] of one.messages.entries()) {
    const [writer, reader] = turn % 2 === 0 ? sides : [sides[1], sides[0]]
    if (turn < pattern.messages.length) {
      const fresh = { ephemeralSecret: secret(one, writer.role, 'ephemeral') }
      const message = writer.handshake.write(hex(payload), fresh)
      assert.deepEqual(message, hex(ciphertext), `${one.protocol_name}, message ${turn}`)
      assert.deepEqual(reader.handshake.read(message), hex(payload))
      continue
    }
    if (ends.length === 0) ends.push(...sides.map(({ handshake }) => handshake.finish()))
    const [initiator, responder] = ends
    assert.ok(initiator && responder)
    assert.deepEqual(initiator, responder)
    if (one.handshake_hash) assert.deepEqual(initiator.handshakeHash, hex(one.handshake_hash))
    assertTransport(initiator, pattern, turn, payload, ciphertext)
  }
}

/** Transport messages: the initiator's key first, each key with its own counter; one-way patterns use the first only. */
function assertTransport(
  keys: SplitKeys,
  pattern: HandshakePattern,
  turn: number,
  payload: string,
  ciphertext: string,
): void {
  const isOneWay = pattern.messages.length === 1
  const isInitiators = isOneWay || turn % 2 === 0
  const earlier = turn - pattern.messages.length
  const counter = isOneWay ? earlier : Math.floor(earlier / 2)
  const nonce = new Uint8Array(12).with(4, counter)
  const key = provider.aeadKey(isInitiators ? keys.k1 : keys.k2)
  const none = new Uint8Array(0)
  const sealed = provider.aeadSeal('chacha20-poly1305', key, nonce, none, hex(payload))
  assert.deepEqual(sealed, hex(ciphertext), `transport message ${turn}`)
}

function side(one: NoiseCase, role: Role, pattern: HandshakePattern) {
  const staticSecret = secret(one, role, 'static')
  const known = pattern.knownStatics.some((other) => other !== role)
  const handshake = new Handshake({
    provider,
    protocolName: one.protocol_name,
    pattern,
    role,
    prologue: hex(role === 'initiator' ? one.init_prologue : one.resp_prologue),
    staticKey: staticSecret && provider.x25519KeyPair(staticSecret),
    remoteStatic: known ? secret(one, role, 'remote_static') : undefined,
  })
  return { role, handshake }
}

function secret(one: NoiseCase, role: Role, name: string): Uint8Array | undefined {
  const value = one[`${role === 'initiator' ? 'init' : 'resp'}_${name}`]
  return typeof value === 'string' ? hex(value) : undefined
}

function hex(digits: string): Uint8Array {
  return Uint8Array.from(Buffer.from(digits, 'hex'))
}
