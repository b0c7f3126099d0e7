/** Test money on a chain of this machine: mints tokens as their deployer and gives coin for gas. Real chains have none of these calls. */
import type { PaymentParameters } from '@byway/protocol/directory'
import { toHex } from '@byway/protocol/base'
import { LOCAL_CHAIN_ID, openChain, type TokenCalls } from '@byway/chain'
import { walletError } from './wallet-errors.ts'

/** Enough for thousands of calls. */
const COIN_WEI = 10n ** 18n
/** Room for one call. */
const MINT_GAS = 200_000
/** The selector of `minter()`. */
const MINTER = '0x07546172'

/**
 * Gives an account tokens and coin.
 * @throws WALLET_NOT_LOCAL on any chain but one of this machine, CHAIN_UNREACHABLE
 */
export async function fillFromFaucet(
  { payment, tokenCalls }: FaucetDeps,
  account: Uint8Array,
  amount: bigint,
  signal: AbortSignal,
): Promise<void> {
  if (payment.chainId !== LOCAL_CHAIN_ID) {
    throw walletError('WALLET_NOT_LOCAL', { chainId: payment.chainId })
  }
  // No node of the network is asked for what only this machine's chain can do.
  const chain = openChain({ payment, isLocal: true, onAlert: () => {} })
  const ask = async (method: string, ...params: readonly unknown[]): Promise<unknown> => {
    const [answer] = await chain.reader.quorum.askAll(method, params, signal)
    if (answer?.type === 'result') return answer.result
    throw walletError('WALLET_NOT_LOCAL', { chainId: payment.chainId })
  }
  const token = hexOf(payment.token)
  const head = await chain.view.head(signal)
  const word = await chain.reader.call(token, MINTER, head, signal)
  const minter = `0x${word.slice(-40)}`
  const { data } = tokenCalls.mint(account, amount)
  const call = { from: minter, to: token, data: hexOf(data), gas: `0x${MINT_GAS.toString(16)}` }
  await ask('anvil_setBalance', hexOf(account), `0x${COIN_WEI.toString(16)}`)
  await ask('anvil_impersonateAccount', minter)
  await ask('eth_sendTransaction', call)
}

export type FaucetDeps = {
  readonly payment: PaymentParameters
  readonly tokenCalls: TokenCalls
}

function hexOf(bytes: Uint8Array): `0x${string}` {
  return `0x${toHex(bytes)}`
}
