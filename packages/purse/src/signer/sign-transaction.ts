/** Signs a type-2 transaction (EIP-1559) with a key that stays bytes. */
import { fromHex, toHex } from '@byway/protocol/base'
import type { Hex, UnsignedTransaction } from '@byway/protocol/payment'
import type { TransactionSerializableEIP1559 } from 'viem'
import { keccak256, serializeTransaction } from 'viem/utils'

const R_END = 32
const S_END = 64
const V_AT = 64
const V_ODD = 28

/** `sign` gives 65 bytes `r ‖ s ‖ v` for a 32-byte digest. */
export function signTransaction(
  transaction: UnsignedTransaction,
  sign: (digest: Uint8Array) => Uint8Array,
): Hex {
  const { chainId, nonce, value, gas, maxFeePerGas, maxPriorityFeePerGas, to, data } = transaction
  const fields: TransactionSerializableEIP1559 = {
    type: 'eip1559',
    chainId,
    nonce,
    value,
    gas,
    maxFeePerGas,
    maxPriorityFeePerGas,
    data: `0x${toHex(data)}`,
    ...(to && { to: `0x${toHex(to)}` as const }),
  }
  const unsigned = fromHex(serializeTransaction(fields).slice(2)) ?? new Uint8Array()
  const signature = sign(keccak256(unsigned, 'bytes'))
  return serializeTransaction(fields, {
    r: `0x${toHex(signature.subarray(0, R_END))}`,
    s: `0x${toHex(signature.subarray(R_END, S_END))}`,
    yParity: signature[V_AT] === V_ODD ? 1 : 0,
  })
}
