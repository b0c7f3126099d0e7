/** `byway wallet voucher create|redeem`: a small deposit for a friend, in one line of text. */
import type { Command } from 'commander'
import { keepVoucher, parseVoucher, voucherText } from '@byway/purse'
import { nodeTicketCrypto } from '@byway/protocol/node-ticket'
import {
  depositSecret,
  identityCommitment,
  slotCount,
  slotNullifier,
  u256Bytes,
} from '@byway/protocol/ticket'
import { readPrivateFile } from '@byway/home'
import { addCommand, addGroup, contextOf, type CommandContext } from '../command.ts'
import { cliError } from '../cli-errors.ts'
import { parseWhole } from '../engine/engine-options.ts'
import type { CliIo } from '../io.ts'
import type { Output } from '../output.ts'
import { openWallet, type Wallet, type WalletFlags } from '../wallet/open-wallet.ts'
import { depositsOf } from '../wallet/slots-of.ts'
import { walletError } from '../wallet/wallet-errors.ts'
import {
  addDepositOptions,
  addWalletOptions,
  depositFor,
  type DepositFlags,
} from './wallet-deposit.ts'

type RedeemFlags = WalletFlags & { readonly file?: string | undefined }

/** More than anybody makes. */
const MAX_NUMBER = 999_999_999
/** $2.50 at the start values: a week of trying it out. */
const DEFAULT_SLOTS = 10

export function addVoucherCommands(group: Command, io: CliIo): void {
  const vouchers = addGroup(group, 'voucher', 'small deposits for friends')
  addDepositOptions(
    addCommand(vouchers, {
      usage: 'create',
      summary: 'deposit some slots and print them as one line for a friend',
      details:
        'Whoever has the line can spend it; so can you, who can take it back. Your friend uses it best soon and has to trust you.\n' +
        'The line is printed as soon as the deposit is in the chain; `voucher show` prints it again.',
      examples: [
        'byway wallet voucher create --slots 10',
        'byway wallet voucher create --local --json',
      ],
    }),
    DEFAULT_SLOTS,
  ).action((flags: DepositFlags, command: Command) => runCreate(flags, contextOf(command, io)))
  addWalletOptions(
    addCommand(vouchers, {
      usage: 'show <number>',
      summary: 'print the line of a voucher again that was made here',
      details:
        'For one whose line was lost: `byway wallet show` has its number. Nothing is paid with it here; `voucher redeem` takes it back.',
      examples: ['byway wallet voucher show 0'],
    }),
  ).action((number: string, flags: WalletFlags, command: Command) =>
    runShow(parseWhole(number, '<number>', 0, MAX_NUMBER), flags, contextOf(command, io)),
  )
  addWalletOptions(
    addCommand(vouchers, {
      usage: 'redeem',
      summary: "put a friend's voucher into this purse",
      details:
        'Asks for it at a terminal, or reads --file; an argument would be seen by other programs. Refused when a slot of it was used.',
      examples: [
        'byway wallet voucher redeem',
        'byway wallet voucher redeem --file voucher.txt --json',
      ],
    }),
  )
    .option('--file <file>', 'read the voucher from a private file')
    .action((flags: RedeemFlags, command: Command) => runRedeem(flags, contextOf(command, io)))
}

async function runCreate(flags: DepositFlags, context: CommandContext): Promise<void> {
  await using wallet = await openWallet(flags, context.io)
  // The line is there before the root that holds the deposit is waited for: who stops meanwhile has it.
  await depositFor(wallet, flags, 'voucher', context, (number) =>
    tell(wallet, number, context.output),
  )
}

async function runShow(number: number, flags: WalletFlags, context: CommandContext): Promise<void> {
  await using wallet = await openWallet(flags, context.io)
  const deposits = await depositsOf(wallet, context.io.signal)
  const made = deposits.find(
    ({ deposit }) => deposit.kind === 'voucher' && deposit.number === number,
  )
  if (!made) throw walletError('WALLET_VOUCHER_UNKNOWN', {})
  await tell(wallet, number, context.output)
}

/** Prints the line of a voucher that was made here. */
async function tell(
  { home, payment, passphrase }: Wallet,
  number: number,
  output: Output,
): Promise<void> {
  const voucher = await voucherText(home, passphrase, { index: number, network: payment })
  output.result({ event: 'voucher', number, voucher }, voucher)
  if (output.isJson) return
  output.say(
    'whoever has this line can spend it; `byway wallet voucher redeem` takes it back while nobody has',
  )
  output.hint('send it over a channel that nobody else reads')
}

async function runRedeem(flags: RedeemFlags, context: CommandContext): Promise<void> {
  const { io, output } = context
  await using wallet = await openWallet(flags, io)
  const key = parseVoucher(await voucherLine(flags, io), wallet.payment)
  try {
    const limit = await checkUnused(wallet, key, io.signal)
    const isNew = await keepVoucher(wallet.home, key, wallet.passphrase)
    const slots = slotCount(wallet.pool, limit)
    output.result(
      { event: 'redeemed', slots, isNew },
      isNew
        ? `redeemed: ${slots} slots are yours to spend`
        : 'this voucher is in the purse already',
    )
    if (!output.isJson) output.hint('whoever made it can still spend it: use it soon')
  } finally {
    key.fill(0)
  }
}

async function voucherLine({ file }: RedeemFlags, io: CliIo): Promise<string> {
  if (file !== undefined) {
    const text = await readPrivateFile(file)
    if (text === undefined) throw cliError('CLI_USAGE', { problem: 'there is no such file' })
    return text
  }
  if (io.isInteractive) return await io.askHidden('the voucher (not shown): ')
  throw cliError('CLI_USAGE', { problem: 'without a terminal, name the voucher’s --file' })
}

/** The limit of the voucher's deposit. @throws WALLET_VOUCHER_UNKNOWN, WALLET_VOUCHER_USED when a slot of it was shown to the contract */
async function checkUnused(
  { chain, pool, slotStates }: Wallet,
  key: Uint8Array,
  signal: AbortSignal,
): Promise<number> {
  const secret = depositSecret(nodeTicketCrypto, key)
  const idc = identityCommitment(nodeTicketCrypto, secret)
  const leaves = await chain.view.leaves(0, signal)
  const limits = leaves.filter((leaf) => leaf.idc === idc).map(({ limit }) => limit)
  if (limits.length === 0) throw walletError('WALLET_VOUCHER_UNKNOWN', {})
  const limit = Math.max(...limits)
  const slots = slotCount(pool, limit)
  const nullifiers = Array.from({ length: slots }, (_, number) =>
    u256Bytes(slotNullifier(nodeTicketCrypto, pool, secret, number)),
  )
  const shown = (await slotStates(nullifiers, signal)).filter((state) => state !== 'none').length
  if (shown > 0) throw walletError('WALLET_VOUCHER_USED', { shown, slots })
  return limit
}
