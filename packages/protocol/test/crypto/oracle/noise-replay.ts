/** Replays published Noise handshakes, with all basic patterns, on the interpreter that runs NKhfs in production. */
import assert from 'node:assert/strict'
import { Handshake, type HandshakePattern, type Role, type SplitKeys } from '@byway/protocol/crypto'
import { nodeCrypto as provider } from '@byway/protocol/node-crypto'

/** The fields of cacophony's format that are read here, values in hexadecimal digits. */
export type NoiseCase = {
  readonly protocol_name: string
  readonly handshake_hash?: string
  readonly messages: readonly (readonly [payload: string, ciphertext: string])[]
  readonly init_prologue: string
  readonly resp_prologue: string
  /** `init_` and `resp_` with `static`, `ephemeral` and `remote_static`, as the pattern needs them. */
  readonly [key: string]: unknown
}

/**
 * Who writes the transport messages: both in turn with the handshake's messages (only the initiator in one-way patterns),
 * or the two keys in turn beginning with the initiator's, whoever ended the handshake and whatever the pattern.
 */
export type TransportOrder = 'by turn' | 'initiator first'

/** Noise revision 34 §7.4 and §7.5. */
export const BASIC_PATTERNS: Readonly<Record<string, HandshakePattern>> = {
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

export function patternNameOf(one: NoiseCase): string {
  return one.protocol_name.split('_')[1] ?? ''
}

/** Both sides give the published bytes, message by message, and the published end. */
export function replay(one: NoiseCase, order: TransportOrder): void {
  const pattern = patternOf(one)
  const sides = bothSides(one)
  const count = pattern.messages.length
  for (let turn = 0; turn < count; turn++) play(one, sides, turn)
  const [initiator, responder] = [sides[0].handshake.finish(), sides[1].handshake.finish()]
  assert.deepEqual(initiator, responder)
  if (one.handshake_hash) assert.deepEqual(initiator.handshakeHash, hex(one.handshake_hash))
  for (let turn = count; turn < one.messages.length; turn++) {
    assertTransport(one, initiator, turn, order)
  }
}

/** A handshake message changed in its last byte is refused at once, or where it carried nothing sealed yet by the next. */
export function assertChangesRefused(one: NoiseCase): number {
  const { messages } = patternOf(one)
  for (const changed of messages.keys()) {
    const sides = bothSides(one)
    for (let turn = 0; turn < changed; turn++) play(one, sides, turn)
    const [writer, reader] = inTurn(sides, changed)
    const message = write(one, writer, changed)
    const last = message.length - 1
    assert.throws(
      () => {
        reader.handshake.read(message.with(last, (message[last] ?? 0) ^ 1))
        writer.handshake.read(write(one, reader, changed + 1))
      },
      { code: 'CRYPTO_HANDSHAKE_REFUSED' },
      `${one.protocol_name}, message ${changed}`,
    )
  }
  return messages.length
}

type Side = { readonly role: Role; readonly handshake: Handshake }
type Sides = readonly [initiator: Side, responder: Side]

function play(one: NoiseCase, sides: Sides, turn: number): void {
  const [writer, reader] = inTurn(sides, turn)
  const [payload, ciphertext] = messageAt(one, turn)
  const message = write(one, writer, turn)
  assert.deepEqual(message, ciphertext, `${one.protocol_name}, message ${turn}`)
  assert.deepEqual(reader.handshake.read(message), payload)
}

function write(one: NoiseCase, writer: Side, turn: number): Uint8Array {
  const [payload] = messageAt(one, turn)
  return writer.handshake.write(payload, {
    ephemeralSecret: secret(one, writer.role, 'ephemeral'),
  })
}

/** Each key has a counter of its own. */
function assertTransport(
  one: NoiseCase,
  keys: SplitKeys,
  turn: number,
  order: TransportOrder,
): void {
  const handshakeMessages = patternOf(one).messages.length
  const earlier = turn - handshakeMessages
  const isOneWay = order === 'by turn' && handshakeMessages === 1
  const isInitiators = isOneWay || (order === 'by turn' ? turn : earlier) % 2 === 0
  const counter = isOneWay ? earlier : Math.floor(earlier / 2)
  const nonce = new Uint8Array(12).with(4, counter)
  const key = provider.aeadKey(isInitiators ? keys.k1 : keys.k2)
  const [payload, ciphertext] = messageAt(one, turn)
  const none = new Uint8Array(0)
  const sealed = provider.aeadSeal('chacha20-poly1305', key, nonce, none, payload)
  assert.deepEqual(sealed, ciphertext, `${one.protocol_name}, transport message ${turn}`)
  assert.deepEqual(provider.aeadOpen('chacha20-poly1305', key, nonce, none, sealed), payload)
}

function inTurn(
  [initiator, responder]: Sides,
  turn: number,
): readonly [writer: Side, reader: Side] {
  return turn % 2 === 0 ? [initiator, responder] : [responder, initiator]
}

function messageAt(one: NoiseCase, turn: number): readonly [Uint8Array, Uint8Array] {
  const message = one.messages[turn]
  assert.ok(message, `${one.protocol_name} has a message ${turn}`)
  return [hex(message[0]), hex(message[1])]
}

function patternOf(one: NoiseCase): HandshakePattern {
  const pattern = BASIC_PATTERNS[patternNameOf(one)]
  assert.ok(pattern, one.protocol_name)
  return pattern
}

function bothSides(one: NoiseCase): Sides {
  return [side(one, 'initiator'), side(one, 'responder')]
}

function side(one: NoiseCase, role: Role): Side {
  const pattern = patternOf(one)
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
