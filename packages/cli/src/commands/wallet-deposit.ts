/** `byway wallet deposit`: putting money in. */
import type { Command } from 'commander'
import { renderUnicodeCompact } from 'uqr'
import { formatAddress } from '@byway/purse'
import { addCommand, contextOf, type CommandContext } from '../command.ts'
import { parseWhole } from '../engine/engine-options.ts'
import type { CliIo } from '../io.ts'
import type { JsonObject } from '../output.ts'
import { formatAmount } from '../wallet/amounts.ts'
import { fillFromFaucet } from '../wallet/faucet.ts'
import {
  coinNeeded,
  costOf,
  makeDeposit,
  untilUsable,
  type DepositProgress,
} from '../wallet/make-deposit.ts'
import { openWallet, type Wallet, type WalletFlags } from '../wallet/open-wallet.ts'
import { addViaClient } from '../wallet/via-client.ts'

export type DepositFlags = WalletFlags & {
  readonly slots: number
  readonly local?: boolean | undefined
  readonly wait: boolean
  readonly timeout: number
}

// Local limits (tunable): docs/LIMITS.md.
/** At $0.25 a slot: what a month of ordinary use takes (DESIGN §7.2), rounded up. */
const DEFAULT_SLOTS = 20
/** A slot of the start values is five units; a leaf holds 65 535 of them. */
const MAX_SLOTS = 10_000
/** A bank or an exchange may take its time; the command can be run again. */
const MAX_TIMEOUT_S = 86_400
const DEFAULT_TIMEOUT_S = 3600

const COIN_DECIMALS = 18

export function addDepositCommand(group: Command, io: CliIo): void {
  addDepositOptions(
    addCommand(group, {
      usage: 'deposit',
      summary: 'put money in: shows where to send it, waits, and deposits it',
      details:
        'Shows chain, token, amount and address, waits until tokens and coin for gas are there, then pays them into the pool.\n' +
        'Ctrl-C loses nothing: what arrives later is found by the next `deposit`. --local makes test money on a chain of this machine.\n' +
        'While `byway up` runs, the chain is asked and told through its circuits. Without it the endpoints of the network file are asked directly: they see this machine and what it deposits.',
      examples: [
        'byway wallet deposit',
        'byway wallet deposit --slots 40 --no-wait',
        'byway wallet deposit --slots 4 --local --json',
      ],
    }),
  ).action((flags: DepositFlags, command: Command) => runDeposit(flags, contextOf(command, io)))
}

/** The options of every command that needs purse and network. */
export function addWalletOptions(command: Command): Command {
  return addViaClient(command)
    .option('--home <folder>', 'state folder (default: $BYWAY_HOME, or ~/.byway)')
    .option('--network <file>', 'the network file (default: network.toml in the state folder)')
}

/** Those of commands that deposit. */
export function addDepositOptions(command: Command, slots: number = DEFAULT_SLOTS): Command {
  return addWalletOptions(command)
    .option(
      '--slots <number>',
      'how many slots; each pays one hop at a time',
      (text) => parseWhole(text, '--slots', 1, MAX_SLOTS),
      slots,
    )
    .option('--local', 'make test money first; on a chain of this machine only')
    .option('--no-wait', 'do not wait until it can be spent')
    .option(
      '--timeout <seconds>',
      'how long to wait for the money',
      (text) => parseWhole(text, '--timeout', 0, MAX_TIMEOUT_S),
      DEFAULT_TIMEOUT_S,
    )
}

async function runDeposit(flags: DepositFlags, context: CommandContext): Promise<void> {
  await using wallet = await openWallet(flags, context.io)
  await depositFor(wallet, flags, 'deposit', context)
}

/** Told the number of its owner once it is in the chain; the root that holds it may be hours away. */
type OnDeposited = (number: number) => Promise<void>

/** The whole way of a deposit, with what is said on it. */
export async function depositFor(
  wallet: Wallet,
  flags: DepositFlags,
  kind: 'deposit' | 'voucher',
  { io, output }: CommandContext,
  onDeposited?: OnDeposited,
): Promise<void> {
  const { payment, purse, tokenCalls } = wallet
  const { slots } = flags
  const { signal } = io
  const amount = costOf(wallet, slots)
  const onNew = async (): Promise<void> => {
    await sayWhere(wallet, slots, { io, output })
    if (flags.local)
      await fillFromFaucet({ payment, tokenCalls }, purse.accounts.funds, amount, signal)
  }
  const result = await makeDeposit(wallet, {
    slots,
    kind,
    waitMs: flags.timeout * 1000,
    onNew,
    signal,
    onProgress: progressOf(wallet, { io, output }),
  })
  const { leafIndex, number } = result
  const paid = costOf(wallet, result.slots)
  output.result(
    { event: 'deposited', slots: result.slots, leaf: leafIndex, amount: String(paid) },
    `deposited ${money(wallet, paid)}: ${result.slots} slots`,
  )
  await onDeposited?.(number)
  if (!flags.wait) return
  if (!output.isJson) output.say('waiting for the root that holds it: then it can be spent')
  const atS = await untilUsable(wallet, result, signal)
  output.result({ event: 'usable', atS }, 'it can be spent now')
}

async function sayWhere(
  wallet: Wallet,
  slots: number,
  { io, output }: CommandContext,
): Promise<void> {
  const { payment, purse } = wallet
  const address = formatAddress(purse.accounts.funds)
  const amount = costOf(wallet, slots)
  const coinWei = await coinNeeded(wallet, io.signal)
  if (output.isJson) {
    const token = formatAddress(payment.token)
    const { chainId, tokenSymbol, tokenDecimals } = payment
    const coin = { coinWei: String(coinWei) }
    const what = { chainId, token, tokenSymbol, tokenDecimals, amount: String(amount) }
    output.result({ event: 'send', ...what, ...coin, address }, '')
    return
  }
  io.writeErr(`
  network  ${wallet.name} (chain id ${payment.chainId}; no other chain)
  token    ${payment.tokenSymbol}, ${formatAddress(payment.token)}
  amount   ${money(wallet, amount)} for ${slots} slots
  and      ${formatAmount(coinWei, COIN_DECIMALS)} of the chain's own coin for gas, about
  to       ${address}

${renderUnicodeCompact(address)}
`)
}

function progressOf(
  wallet: Wallet,
  { output }: CommandContext,
): (progress: DepositProgress) => void {
  let said = ''
  const say = (text: string, event: JsonObject): void => {
    if (said === text) return
    said = text
    if (output.isJson) output.result(event, '')
    else output.say(text)
  }
  return (progress) => {
    switch (progress.step) {
      case 'resumed': {
        const { slots } = progress
        say(`going on with a deposit of ${slots} slots that was under way`, {
          event: 'resumed',
          slots,
        })
        return
      }
      case 'waiting': {
        const [tokens, coin] = [progress.tokens, progress.coinWei]
        const fields = { event: 'waiting', tokens: String(tokens), coinWei: String(coin) }
        const lacking = [
          ...(tokens > 0n ? [money(wallet, tokens)] : []),
          ...(coin > 0n ? [`${formatAmount(coin, COIN_DECIMALS)} coin`] : []),
        ]
        say(`waiting for ${lacking.join(' and ')}`, fields)
        return
      }
      case 'arrived':
        say('the money is there', { event: 'arrived' })
        return
      case 'sent':
        say('depositing', { event: 'depositing' })
    }
  }
}

/** An amount with the token's name. */
export function money({ payment }: Pick<Wallet, 'payment'>, amount: bigint): string {
  return `${formatAmount(amount, payment.tokenDecimals)} ${payment.tokenSymbol}`
}
