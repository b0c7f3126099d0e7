/** A publisher for tests, and network files of theirs. */
import { writeFile } from 'node:fs/promises'
import type { NetworkEdition, NetworkParameters } from '@byway/protocol/directory'
import { formatNetworkFile } from '../../src/config/network-file.ts'
import { keyPairOf } from '../../src/minisign/secret-key.ts'
import { formatPublicKey, type KeyPair, signFile } from '../../src/minisign/signature.ts'
import { signaturePath } from '../../src/network/open-network.ts'

/** Publisher `number`, the same in every run. */
export function publisherNumber(number: number): KeyPair {
  return keyPairOf(new Uint8Array(8).fill(number), new Uint8Array(32).fill(number))
}

export function keyText({ publicKey }: KeyPair): string {
  return formatPublicKey(publicKey)
}

/** `count` first contacts, each of a /16 of its own. */
export function contacts(count: number): NetworkParameters['bootstrap'] {
  return Array.from({ length: count }, (_, i) => ({
    nodeId: new Uint8Array(32).fill(i + 1),
    address: `5.${i}.0.1`,
    port: 9443,
  }))
}

/** A public network with twenty first contacts. */
export const MAIN: NetworkParameters = {
  name: 'main',
  local: false,
  reachablePrefixes: [],
  asnTable: [],
  bootstrap: contacts(20),
  exitTargets: [],
}

/** An edition by this publisher, the first one where nothing else is said. */
export function editionBy(pair: KeyPair, changes: Partial<NetworkEdition> = {}): NetworkEdition {
  return { sequence: 1, publisher: keyText(pair), isTest: false, ...changes }
}

export type WrittenFile = { readonly bytes: Buffer; readonly signature: string }

/** The text of a network's file, and its signature; nothing is checked. */
export function signedFile(network: NetworkParameters, by: KeyPair): WrittenFile {
  const bytes = Buffer.from(formatNetworkFile(network))
  return { bytes, signature: signFile(by, bytes, 'timestamp:1\tfile:network.toml\thashed') }
}

/** Writes both. */
export async function writeSigned(
  path: string,
  network: NetworkParameters,
  by: KeyPair,
): Promise<void> {
  const { bytes, signature } = signedFile(network, by)
  await writeFile(path, bytes)
  await writeFile(signaturePath(path), signature)
}
