/**
 * The verification keys as Solidity, for the contracts that check proofs.
 */

/** What snarkjs exports of a key. */
export type VerificationKey = {
  readonly vk_alpha_1: readonly string[]
  readonly vk_beta_2: readonly (readonly string[])[]
  readonly vk_gamma_2: readonly (readonly string[])[]
  readonly vk_delta_2: readonly (readonly string[])[]
  readonly IC: readonly (readonly string[])[]
}

/** Which program's key, the library that holds it, and whether its set-up is one under which anybody can forge. */
export type KeyLibrary = {
  readonly program: string
  readonly library: string
  readonly isDevelopment: boolean
}

/** A library of constants, for the batches of slot proofs. Of G2's coordinates `…1` is the imaginary part, which EIP-197 wants first. */
export function solidityConstants(names: KeyLibrary, key: VerificationKey): string {
  const lines = [
    ...g1('ALPHA', key.vk_alpha_1),
    ...g2('BETA', key.vk_beta_2),
    ...g2('GAMMA', key.vk_gamma_2),
    ...g2('DELTA', key.vk_delta_2),
    ...key.IC.flatMap((point, i) => g1(`IC${i}`, point)),
  ]
  return libraryOf(
    names,
    '',
    lines.map(([name, value]) => `    uint256 internal constant ${name} = ${value};`),
  )
}

/** A library with the key as a value, for proofs that come alone and have many public inputs. */
export function solidityKey(names: KeyLibrary, key: VerificationKey): string {
  const inputs = key.IC.map(([x = '0', y = '0']) => `        hex"${word(x)}${word(y)}"`)
  const [alphaX = '0', alphaY = '0'] = key.vk_alpha_1
  const group2 = (name: string, point: readonly (readonly string[])[]): string =>
    `            ${name}: [${g2('', point)
      .map(([, value], i) => (i === 0 ? `uint256(${value})` : value))
      .join(', ')}]`
  const swapped = (point: readonly (readonly string[])[]): readonly (readonly string[])[] =>
    point.map(([real = '0', imaginary = '0']) => [imaginary, real])
  return libraryOf(names, 'import {Groth16} from "./Groth16.sol";\n\n', [
    `    bytes private constant INPUTS =\n${inputs.join('\n')};\n`,
    '    function key() internal pure returns (Groth16.Key memory) {',
    '        return Groth16.Key({',
    [
      `            alpha: [uint256(${alphaX}), ${alphaY}]`,
      group2('beta', swapped(key.vk_beta_2)),
      group2('gamma', swapped(key.vk_gamma_2)),
      group2('delta', swapped(key.vk_delta_2)),
      '            inputs: INPUTS',
    ].join(',\n'),
    '        });',
    '    }',
  ])
}

function libraryOf(
  { program, library, isDevelopment }: KeyLibrary,
  imports: string,
  lines: readonly string[],
): string {
  return `// SPDX-License-Identifier: GPL-3.0-or-later
// Made by \`npm run zk\`. Do not edit.
pragma solidity 0.8.37;

${imports}/// @dev Verification key of the ${program} program.
library ${library} {
    bool internal constant IS_DEVELOPMENT = ${isDevelopment};
${lines.join('\n')}
}
`
}

function word(value: string): string {
  return BigInt(value).toString(16).padStart(64, '0')
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
