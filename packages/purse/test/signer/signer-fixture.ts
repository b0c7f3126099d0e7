/** A purse, rules and transactions to ask the signer about. */
import type { UnsignedTransaction } from '@byway/protocol/payment'
import { encodeFunctionData, parseAbi } from 'viem/utils'
import type { CreateOptions } from '../../src/create-purse.ts'
import { parseWords } from '../../src/words.ts'
import type { SignerRules } from '../../src/signer/rules.ts'

export const WORDS: readonly string[] = parseWords(`${'test '.repeat(11)}junk`)
export const PASSPHRASE = 'correct horse battery'
export const CHEAP: CreateOptions = { passphrase: PASSPHRASE, cost: 'local' }

export const RULES: SignerRules = {
  chainId: 31_337,
  pool: address(1),
  registry: address(2),
  token: address(3),
  winValue: 1000n,
}

export const STRANGER: Uint8Array = address(0xee)

const ABI = parseAbi([
  'function deposit(uint256 idc, uint32 limit)',
  'function approve(address spender, uint256 amount)',
  'function transfer(address to, uint256 amount)',
  'function transferFrom(address from, address to, uint256 amount)',
  'function withdrawUnused((uint256 root, uint256 nullifier, bytes proof)[] slots, address to)',
  'function payout(address provider)',
  'function snapshot()',
  'function changePayout(address provider, address payout)',
  'function withdrawStake(address provider)',
  'function unbond(address provider)',
  'function settle(address provider, uint32 epoch)',
  'function challenge(address provider, uint32 epoch)',
])

/** A call to one of the functions above. */
export function call(functionName: string, args: readonly unknown[] = []): Uint8Array {
  const encode = encodeFunctionData as (call: object) => string
  return Buffer.from(encode({ abi: ABI, functionName, args }).slice(2), 'hex')
}

export function address(byte: number): Uint8Array {
  return new Uint8Array(20).fill(byte)
}

export function hex(bytes: Uint8Array): string {
  return `0x${Buffer.from(bytes).toString('hex')}`
}

/** A deposit into the pool, changed at will. */
export function transaction(change: Partial<UnsignedTransaction> = {}): UnsignedTransaction {
  return {
    chainId: RULES.chainId,
    nonce: 0,
    to: RULES.pool,
    data: call('deposit', [7n, 5]),
    value: 0n,
    gas: 300_000n,
    maxFeePerGas: 1_000_000_000n,
    maxPriorityFeePerGas: 1n,
    ...change,
  }
}
