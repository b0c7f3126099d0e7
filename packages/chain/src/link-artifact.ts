/**
 * Puts the addresses of deployed libraries into a contract's creation code.
 * @module
 */
import type { Hex } from '@byway/protocol/payment'

/** A contract as `npm run contracts` leaves it in `artifacts/`. */
export type Artifact = {
  readonly name: string
  readonly bytecode: Hex
  /** Library → byte offsets at which its 20-byte address belongs. */
  readonly links: Readonly<Record<string, readonly number[]>>
}

/** Hexadecimal digits of a byte, and of the `0x` before them. */
const DIGITS = 2

/**
 * Creation code that can be deployed. `libraries` holds an address for every library that the contract links.
 * @throws RangeError when one is missing or is no address.
 */
export function linkArtifact(
  artifact: Artifact,
  libraries: Readonly<Record<string, string | undefined>>,
): Hex {
  let code: string = artifact.bytecode
  for (const [library, offsets] of Object.entries(artifact.links)) {
    const address = libraries[library]
    if (address === undefined || !/^0x[0-9a-fA-F]{40}$/.test(address))
      throw new RangeError(`${artifact.name} needs the address of ${library}`)
    for (const offset of offsets) {
      const start = DIGITS + offset * DIGITS
      code = code.slice(0, start) + address.slice(DIGITS).toLowerCase() + code.slice(start + 40)
    }
  }
  return code as Hex
}
