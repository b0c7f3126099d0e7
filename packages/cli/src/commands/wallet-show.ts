/** `byway wallet show`: what the purse has. */
import type { Command } from 'commander'
import { formatAddress } from '@byway/purse'
import { addCommand, contextOf, type CommandContext } from '../command.ts'
import type { CliIo } from '../io.ts'
import type { JsonObject } from '../output.ts'
import { formatAmount } from '../wallet/amounts.ts'
import { openWallet, type Wallet, type WalletFlags } from '../wallet/open-wallet.ts'
import { countStates, depositsOf, type WalletDeposit } from '../wallet/slots-of.ts'
import { freeRest, smallDepositsOf, smallFields, smallTexts } from '../wallet/small-deposits.ts'
import { accountFields } from './wallet-keys.ts'
import { addWalletOptions, money } from './wallet-deposit.ts'

const COIN_DECIMALS = 18

export function addShowCommand(group: Command, io: CliIo): void {
  addWalletOptions(
    addCommand(group, {
      usage: 'show',
      summary: 'show accounts, balances, deposits, and what can be withdrawn',
      examples: ['byway wallet show', 'byway wallet show --json'],
    }),
  ).action((flags: WalletFlags, command: Command) => runShow(flags, contextOf(command, io)))
}

async function runShow(flags: WalletFlags, { io, output }: CommandContext): Promise<void> {
  await using wallet = await openWallet(flags, io)
  const { purse, chainOf, payment } = wallet
  const [own, node] = [chainOf('funds').view, chainOf('provider').view]
  const { signal } = io
  const { funds, provider } = purse.accounts
  const deposits = await depositsOf(wallet, signal)
  const registration = await node.registration(provider, signal)
  const sums = {
    tokens: await own.tokenBalance(funds, signal),
    coinWei: await own.gasBalance(funds, signal),
    providerCoinWei: await node.gasBalance(provider, signal),
    credit: await node.credit(provider, signal),
    unused: unusedValue(wallet, deposits),
  }
  const small = await smallDepositsOf(wallet, deposits)
  const payout = registration ? formatAddress(registration.payout) : null
  const amounts = Object.fromEntries(
    Object.entries(sums).map(([name, value]) => [name, String(value)]),
  )
  const accounts = accountFields(purse.accounts)
  output.result(
    {
      chainId: payment.chainId,
      tokenSymbol: payment.tokenSymbol,
      tokenDecimals: payment.tokenDecimals,
      ...accounts,
      ...amounts,
      payout,
      small: smallFields(small),
      deposits: deposits.map(depositFields),
    },
    [
      `funds      ${accounts.funds}   ${money(wallet, sums.tokens)}, ${coinText(sums.coinWei)}`,
      `provider   ${accounts.provider}   ${coinText(sums.providerCoinWei)}`,
      `earned     ${money(wallet, sums.credit)}, paid out to ${payout ?? 'nobody: not registered'}`,
      `unused     ${money(wallet, sums.unused)} in slots that were never shown`,
      ...smallTexts(small, payment),
      ...deposits.filter(isLeft).map((each) => depositText(wallet, each)),
    ].join('\n'),
  )
}

function unusedValue({ pool }: Wallet, deposits: readonly WalletDeposit[]): bigint {
  const unused = deposits.flatMap(({ slots }) => slots.filter(({ state }) => state === 'none'))
  return BigInt(unused.length) * pool.slotValue
}

/** What was joined is in another deposit now. */
function isLeft(one: WalletDeposit): boolean {
  return one.slots.length > 0 || freeRest(one) > 0
}

function depositFields({ deposit, slots, rest }: WalletDeposit): JsonObject {
  const { kind, number, leafIndex, limit, isPastKnown } = deposit
  return {
    kind,
    number,
    leaf: leafIndex,
    limit,
    isPastKnown,
    slots: slots.length,
    states: countStates(slots),
    rest: rest?.state ?? null,
  }
}

function depositText(wallet: Wallet, { deposit, slots }: WalletDeposit): string {
  if (slots.length === 0) {
    const value = money(wallet, BigInt(deposit.limit) * wallet.pool.unit)
    return `${deposit.kind.padEnd(10)} ${deposit.number}: ${value}, smaller than a slot`
  }
  const states = Object.entries(countStates(slots)).map(([state, count]) => `${count} ${state}`)
  const past = deposit.isPastKnown || deposit.kind === 'voucher' ? '' : ', of before a restore'
  return `${deposit.kind.padEnd(10)} ${deposit.number}: ${slots.length} slots, ${states.join(', ')}${past}`
}

function coinText(wei: bigint): string {
  return `${formatAmount(wei, COIN_DECIMALS)} coin`
}
