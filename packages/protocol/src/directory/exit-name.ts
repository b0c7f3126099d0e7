/** How an exit record names an address, and how long its pages are (SPEC §10.6). @module */
import { toHex, utf8Bytes } from '@byway/protocol/base'
import type { CryptoProvider } from '@byway/protocol/crypto'
import { type Descriptor, type IpBytes, ROLE } from '@byway/protocol/wire'
import type { NetworkParameters } from './network-parameters.ts'

/** SPEC §10.6: the salt of an address that its node's descriptor names. */
export const NO_SALT: Uint8Array = new Uint8Array(32)

/** Names an address; 32 bytes. Who does not know a salt cannot find the address by trying. */
export function exitNameOf(
  crypto: Pick<CryptoProvider, 'sha256'>,
  { family, bytes }: IpBytes,
  salt: Uint8Array = NO_SALT,
): Uint8Array {
  return crypto.sha256(utf8Bytes('byway exit address v1'), salt, Uint8Array.of(family), bytes)
}

/** The addresses under which a descriptor says that its node is an exit, each once. */
export function exitAddressesOf({ roles, addresses }: Descriptor): readonly IpBytes[] {
  if ((roles & ROLE.EXIT) === 0) return []
  const byText = new Map(addresses.map((each) => [`${each.family} ${toHex(each.bytes)}`, each]))
  return [...byText.values()]
}

/** SPEC §10.6: seconds of a page. A local network lives for minutes. */
export function exitPageS({ local }: Pick<NetworkParameters, 'local'>): number {
  return local ? 10 : 86_400
}
