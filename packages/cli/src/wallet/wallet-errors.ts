/** What goes wrong between a person and the purse. No context holds an address, a word or a passphrase. */
import { errorBuilder, type ErrorBuilder, type ErrorOf } from '@byway/protocol/base'

type WalletErrors = {
  /** A passphrase is needed, and there is nobody to ask and no file that holds it. */
  WALLET_PASSPHRASE_MISSING: { variable: string }
  /** The second time another passphrase was typed. */
  WALLET_PASSPHRASE_UNEQUAL: Record<string, never>
  /** The owner's keystore would open with the purse's passphrase: who finds one would have both. */
  WALLET_PASSPHRASE_SHARED: Record<string, never>
  /** The words are shown to a person at a terminal, or written to a file that was named; they are not printed elsewhere. */
  WALLET_WORDS_UNSEEN: Record<string, never>
  /** Three words were asked for and not answered: nothing was made. */
  WALLET_WORDS_UNCONFIRMED: { tries: number }
  /** Somebody has to say yes, by typing or with `--yes`. */
  WALLET_NOT_CONFIRMED: Record<string, never>
  /** The network file says nothing of payment. */
  WALLET_NO_PAYMENT: Record<string, never>
  /** Test money is made on a chain of this machine only. */
  WALLET_NOT_LOCAL: { chainId: number }
  /** The money did not arrive in time; what arrives later is there with the next call. */
  WALLET_NO_FUNDS: { waitedS: number }
  /** There is nothing to withdraw: slots were shown, are in use, or there are none. */
  WALLET_NOTHING: { slots: number }
  /** The amount is no amount of the token, or makes no whole slot. */
  WALLET_AMOUNT: { problem: string }
  /** No unused deposit of the purse holds what the voucher is to be worth; or it has been used. */
  WALLET_VOUCHER_USED: { shown: number; slots: number }
  /** The chain does not know the voucher's deposit. */
  WALLET_VOUCHER_UNKNOWN: Record<string, never>
  /** No stake stands behind the node of this state folder. */
  WALLET_NO_STAKE: Record<string, never>
  /** The node leaves already: nothing can be added, and it cannot leave twice. */
  WALLET_STAKE_LEAVES: Record<string, never>
  /** The node has not left: its stake stays until it does. */
  WALLET_STAKE_BONDED: Record<string, never>
  /** A client runs with this state folder, and has no circuits yet through which the chain could be asked. */
  WALLET_CLIENT_STARTING: Record<string, never>
  /** `--via-client` was said, and no client can be asked: why in words. */
  WALLET_NO_CLIENT: { why: string }
  /** The command would ask for slots by name, which it does not do through nodes. */
  WALLET_CLIENT_RUNS: Record<string, never>
}

export type WalletError = ErrorOf<WalletErrors>

export const walletError: ErrorBuilder<WalletErrors> = errorBuilder<WalletErrors>({
  WALLET_PASSPHRASE_MISSING: ['config', 'a passphrase is needed and nobody can be asked'],
  WALLET_PASSPHRASE_UNEQUAL: ['config', 'the passphrases are not the same'],
  WALLET_PASSPHRASE_SHARED: ['config', 'the owner’s keystore needs a passphrase of its own'],
  WALLET_WORDS_UNSEEN: ['config', 'nobody would see the words'],
  WALLET_WORDS_UNCONFIRMED: ['config', 'the words were not confirmed, so nothing was made'],
  WALLET_NOT_CONFIRMED: ['config', 'not confirmed, so nothing was sent'],
  WALLET_NO_PAYMENT: ['config', 'nothing is paid in this network'],
  WALLET_NOT_LOCAL: ['config', 'test money is made on a chain of this machine only'],
  WALLET_NO_FUNDS: ['chain', 'the money has not arrived'],
  WALLET_NOTHING: ['payment', 'there is nothing to withdraw'],
  WALLET_AMOUNT: ['config', 'not a usable amount'],
  WALLET_VOUCHER_USED: ['payment', 'the voucher was used'],
  WALLET_VOUCHER_UNKNOWN: ['payment', 'the chain knows no deposit of this voucher'],
  WALLET_NO_STAKE: ['payment', 'no stake stands behind this node'],
  WALLET_STAKE_LEAVES: ['payment', 'the node leaves already'],
  WALLET_STAKE_BONDED: ['payment', 'the node has not left, so its stake stays'],
  WALLET_CLIENT_STARTING: ['network', 'the running client has no circuits yet'],
  WALLET_NO_CLIENT: ['local', 'the chain cannot be asked through a running client'],
  WALLET_CLIENT_RUNS: ['local', 'this needs a stopped client'],
})
