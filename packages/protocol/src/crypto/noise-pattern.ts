/**
 * Handshake patterns as data (Noise revision 34 §7, noise_hfs_spec §4). The interpreter runs any pattern of these tokens;
 * Byway uses {@link NK_HFS} and nothing else. Tests run public vectors of other patterns through the same interpreter.
 * @module
 */

/** Tokens that put something into a message: Noise §5.3, and of hfs an ephemeral KEM key and a secret sealed to it. */
export type FieldToken = 'e' | 's' | 'e1' | 'ekem1'

/** Tokens that mix in a shared secret: the first letter names the initiator's key, the second the responder's. */
export type AgreementToken = 'ee' | 'es' | 'se' | 'ss'

export type Token = FieldToken | AgreementToken

export type HandshakePattern = {
  /** Who is known to the other beforehand: their static keys are hashed first, the initiator's before the responder's. */
  readonly knownStatics: readonly Role[]
  /** The messages in turn; the initiator writes the first. */
  readonly messages: readonly (readonly Token[])[]
}

export type Role = 'initiator' | 'responder'

/** SPEC §5.1: `<- s … -> e, es, e1 / <- e, ee, ekem1`. */
export const NK_HFS: HandshakePattern = {
  knownStatics: ['responder'],
  messages: [
    ['e', 'es', 'e1'],
    ['e', 'ee', 'ekem1'],
  ],
}
