/** secp256k1 keys, made from names so that a test's run is the same each time. */
import secp256k1 from 'secp256k1'
import { type Address, bytesToHex, concat, getAddress, type Hex, hexToBytes, keccak256 } from 'viem'
import { hash, text, uint } from './bytes.ts'

export type Key = {
  readonly address: Address
  /** The 65-byte form of SPEC §13.4. */
  sign(digest: Hex): Hex
}

/** The same key for the same name. */
export function keyOf(name: string): Key {
  const secret = hexToBytes(hash(text(`test key ${name}`)))
  const publicKey = secp256k1.publicKeyCreate(secret, false)
  return {
    address: getAddress(`0x${keccak256(publicKey.subarray(1)).slice(-40)}`),
    sign(digest) {
      const { signature, recid } = secp256k1.ecdsaSign(hexToBytes(digest), secret)
      return concat([bytesToHex(signature), uint(27 + recid, 8)])
    },
  }
}
