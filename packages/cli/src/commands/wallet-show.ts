/** `byway wallet show`: what the purse has. */
import type { Command } from 'commander'
import type { Registration } from '@byway/protocol/payment'
import { formatAddress } from '@byway/purse'
import { addCommand, contextOf, type CommandContext } from '../command.ts'
import type { CliIo } from '../io.ts'
import type { JsonObject } from '../output.ts'
import { formatAmount } from '../wallet/amounts.ts'
import { openWallet, type Wallet, type WalletFlags } from '../wallet/open-wallet.ts'
import { countStates, depositsOf, type WalletDeposit } from '../wallet/slots-of.ts'
import { freeRest, smallDepositsOf, smallFields, smallTexts } from '../wallet/small-deposits.ts'
import { timeText } from './return-command.ts'
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
  const [own, provided] = [chainOf('funds').view, chainOf('provider').view]
  const { signal } = io
  const { funds, provider } = purse.accounts
  const deposits = await depositsOf(wallet, signal)
  const registration = await provided.registration(provider, signal)
  const sums = {
    tokens: await own.tokenBalance(funds, signal),
    coinWei: await own.gasBalance(funds, signal),
    providerCoinWei: await provided.gasBalance(provider, signal),
    credit: await provided.credit(provider, signal),
    unused: unusedValue(wallet, deposits),
  }
  const small = await smallDepositsOf(wallet, deposits)
  const payout = registration ? formatAddress(registration.payout) : null
  const node = registration && nodeFields(registration)
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
      payoutNext: node?.payoutNext ?? null,
      stake: node?.stake ?? null,
      small: smallFields(small),
      deposits: deposits.map(depositFields),
    },
    [
      `funds      ${accounts.funds}   ${money(wallet, sums.tokens)}, ${coinText(sums.coinWei)}`,
      `provider   ${accounts.provider}   ${coinText(sums.providerCoinWei)}`,
      `owner      ${accounts.owner ?? 'not known here'}   pays for stake and payout changes, with a key that is not in this purse`,
      `earned     ${money(wallet, sums.credit)}, paid out to ${payout ?? 'nobody: not registered'}`,
      ...(registration ? nodeTexts(wallet, registration) : []),
      `unused     ${money(wallet, sums.unused)} in slots that were never shown`,
      ...smallTexts(small, payment),
      ...deposits.filter(isLeft).map((each) => depositText(wallet, each)),
    ].join('\n'),
  )
}

/** What the registry has of the node, for scripts. */
function nodeFields({ nextPayout, stake, stakeFreeS }: Registration): {
  readonly payoutNext: JsonObject | null
  readonly stake: JsonObject
} {
  const freeFrom = stakeFreeS === undefined ? null : timeText(stakeFreeS)
  return {
    payoutNext: nextPayout
      ? { to: formatAddress(nextPayout.to), from: timeText(nextPayout.fromS) }
      : null,
    stake: { amount: String(stake), freeFrom },
  }
}

/** The same for people. */
function nodeTexts(
  wallet: Wallet,
  { nextPayout, stake, stakeFreeS }: Registration,
): readonly string[] {
  const free = stakeFreeS === undefined ? '' : `, free from ${timeText(stakeFreeS)} on`
  return [
    ...(nextPayout
      ? [
          `change     earnings go to ${formatAddress(nextPayout.to)} from ${timeText(nextPayout.fromS)} on: was that you? \`byway wallet payout set\` takes it back`,
        ]
      : []),
    `stake      ${money(wallet, stake)}${free}`,
  ]
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
