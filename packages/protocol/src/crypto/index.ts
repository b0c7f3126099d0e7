export { BLIND_TOKEN_BYTES, MAX_BLIND_BATCH } from './blind-token.ts'
export type {
  BlindedMessages,
  BlindingSecret,
  BlindTokenKeyPair,
  BlindTokenPrivateKey,
  BlindTokenPublicKey,
  BlindTokenScheme,
  BlindTokenSigner,
  RandomBytes,
} from './blind-token.ts'
export {
  MESSAGE1_OVERHEAD_BYTES,
  MESSAGE2_OVERHEAD_BYTES,
  peekEphemeral,
  respond,
  startInitiator,
} from './circuit-handshake.ts'
export type {
  HandshakeResult,
  Initiator,
  InitiatorOptions,
  Responder,
  ResponderOptions,
} from './circuit-handshake.ts'
export { deriveCircuitKeys } from './circuit-keys.ts'
export type { CircuitKeys } from './circuit-keys.ts'
export { cryptoError } from './errors.ts'
export type { CryptoError } from './errors.ts'
export { SIGNATURE_TAG, signTagged, verifyTagged } from './identity.ts'
export type { SignatureTag } from './identity.ts'
export { LAYER_RATCHET_BYTES } from './layer.ts'
export type { LayerOpener, LayerSealer } from './layer.ts'
export { Handshake } from './noise-handshake.ts'
export type { FreshSecrets, HandshakeOptions } from './noise-handshake.ts'
export { NK_HFS } from './noise-pattern.ts'
export type { HandshakePattern, Role, Token } from './noise-pattern.ts'
export type { SplitKeys } from './noise-symmetric.ts'
export {
  circuitPrologue,
  mac1,
  MAC1_BYTES,
  mac1Key,
  ONION_KEY_ID_BYTES,
  onionKeyId,
} from './onion-key.ts'
export { pathToken } from './path-token.ts'
export {
  KEM_CIPHERTEXT_BYTES,
  KEM_PUBLIC_KEY_BYTES,
  KEM_SEED_BYTES,
  KEY_BYTES,
  NONCE_BYTES,
  SIGNATURE_BYTES,
  TAG_BYTES,
} from './ports.ts'
export type {
  AeadKey,
  AeadSuite,
  CryptoProvider,
  Encapsulation,
  KemKeyPair,
  KemPrivateKey,
  KemPublicKey,
  SigningKey,
  SigningKeyPair,
  X25519KeyPair,
  X25519PrivateKey,
} from './ports.ts'
export { ADDRESS_BYTES, FIELD_ORDER, RECOVERABLE_SIGNATURE_BYTES } from './ticket-ports.ts'
export type {
  HmacKey,
  LeafTree,
  Poseidon,
  Secp256k1,
  TicketCrypto,
  TreePath,
} from './ticket-ports.ts'
export { ratchetTunnelSecret, tunnelMac } from './tunnel-secret.ts'
