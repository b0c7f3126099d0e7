/**
 * Groth16 proofs as 256 bytes: A, B and C as big-endian coordinates in the order that the EVM's pairing wants (EIP-197: of G2's coordinates the
 * imaginary part first). One encoding only: a coordinate at or above the field's modulus is refused, so that no proof has two forms.
 * @module
 */

/** Bytes of a proof. */
export const PROOF_BYTES = 256
/** Of BN254's scalar field: public inputs are below it. */
export const SCALAR_ORDER: bigint =
  21888242871839275222246405745257275088548364400416034343698204186575808495617n
/** Of BN254's base field: coordinates are below it. */
export const COORDINATE_MODULUS: bigint =
  21888242871839275222246405745257275088696311157297823662689037894645226208583n
