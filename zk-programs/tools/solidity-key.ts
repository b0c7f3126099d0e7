/**
 * The verification key as Solidity constants, for the contract that checks proofs in batches.
 */

/** What snarkjs exports of a key. */
export type VerificationKey = {
  readonly vk_alpha_1: readonly string[]
  readonly vk_beta_2: readonly (readonly string[])[]
  readonly vk_gamma_2: readonly (readonly string[])[]
  readonly vk_delta_2: readonly (readonly string[])[]
  readonly IC: readonly (readonly string[])[]
}

/** Writes the library `SlotKey`. Of G2's coordinates `…1` is the imaginary part, which EIP-197 wants first. */
export function soliditySlotKey(key: VerificationKey, isDevelopment: boolean): string {
  const lines = [
    ...g1('ALPHA', key.vk_alpha_1),
    ...g2('BETA', key.vk_beta_2),
    ...g2('GAMMA', key.vk_gamma_2),
    ...g2('DELTA', key.vk_delta_2),
    ...key.IC.flatMap((point, i) => g1(`IC${i}`, point)),
  ]
  return `// SPDX-License-Identifier: GPL-3.0-or-later
// Made by \`npm run zk\`. Do not edit.
pragma solidity 0.8.37;

/// @dev Verification key of the slot program.
library SlotKey {
    bool internal constant IS_DEVELOPMENT = ${isDevelopment};
${lines.map(([name, value]) => `    uint256 internal constant ${name} = ${value};`).join('\n')}
}
`
}

type Constant = readonly [name: string, value: string]

function g1(name: string, [x = '0', y = '0']: readonly string[]): readonly Constant[] {
  return [
    [`${name}_X`, x],
    [`${name}_Y`, y],
  ]
}

function g2(name: string, [x = [], y = []]: readonly (readonly string[])[]): readonly Constant[] {
  return [
    [`${name}_X0`, x[0] ?? '0'],
    [`${name}_X1`, x[1] ?? '0'],
    [`${name}_Y0`, y[0] ?? '0'],
    [`${name}_Y1`, y[1] ?? '0'],
  ]
}
