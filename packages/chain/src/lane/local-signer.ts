/** Signs with a key in this process: for deployments and for local networks, whose money is worth nothing. */
import { privateKeyToAccount } from 'viem/accounts'
import type { TransactionSigner } from '@byway/protocol/payment'
import { bytesOf, hexOf } from '../contracts/bytes.ts'

/** Creates a signer over a secp256k1 key of 32 bytes. */
export function createLocalSigner(key: Uint8Array): TransactionSigner {
  const account = privateKeyToAccount(hexOf(key))
  return {
    address: bytesOf(account.address.toLowerCase()),
    signTransaction: ({ to, data, ...fields }) =>
      account.signTransaction({
        type: 'eip1559',
        ...fields,
        data: hexOf(data),
        ...(to ? { to: hexOf(to) } : {}),
      }),
  }
}
