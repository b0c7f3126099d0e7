/**
 * Prints `vectors/noise-nkhfs.json` from fixed seeds, with the oracle alone. The file is frozen with protocol version 1:
 * a change of its content is a change of the wire.
 */
import { x25519 } from '@noble/curves/ed25519.js'
import { oracleInitiator, oracleResponder } from './noble-nkhfs.ts'
import { below, seeded } from './seeded.ts'

export type NkhfsVector = Readonly<Record<string, string>>

/** Vector number `index`. */
export function makeNkhfsVector(index: number): NkhfsVector {
  const random = seeded(`byway noise-nkhfs vector ${index}`)
  const inputs = {
    prologue: random(below(random, 64)),
    staticSecret: random(32),
    initiatorEphemeral: random(32),
    kemSeed: random(64),
    payload1: random(below(random, 300)),
    responderEphemeral: random(32),
    encapsulationSeed: random(32),
    payload2: random(below(random, 300)),
  }
  const staticPublic = x25519.getPublicKey(inputs.staticSecret)
  const client = oracleInitiator(
    inputs.prologue,
    staticPublic,
    inputs.initiatorEphemeral,
    inputs.kemSeed,
    inputs.payload1,
  )
  const hop = oracleResponder(inputs.prologue, inputs.staticSecret, client.message1)
  const answer = hop.answer(inputs.payload2, inputs.responderEphemeral, inputs.encapsulationSeed)
  const { message1 } = client
  const all: Record<string, Uint8Array> = { ...inputs, staticPublic, message1, ...answer }
  return Object.fromEntries(
    Object.entries(all).map(([name, bytes]) => [name, Buffer.from(bytes).toString('hex')]),
  )
}

if (import.meta.main) {
  const vectors = Array.from({ length: 20 }, (_, index) => makeNkhfsVector(index))
  const file = {
    source: 'own, made by packages/protocol/test/crypto/oracle/make-nkhfs-vectors.ts on @noble/*',
    section: 'SPEC §5.1 and §5.5',
    licence: 'GPL-3.0-or-later',
    vectors,
  }
  console.log(JSON.stringify(file, undefined, 1))
}
