/** `byway wallet withdraw`: unused slots, what is on the account, what a node has earned. */
import type { Command } from 'commander'
import { formatAddress, parseAddress } from '@byway/purse'
import { cliError } from '../cli-errors.ts'
import { addCommand, contextOf, type CommandContext } from '../command.ts'
import { createProgressLine } from '../display/progress-line.ts'
import type { CliIo } from '../io.ts'
import { parseAmount } from '../wallet/amounts.ts'
import { confirmSending } from '../wallet/confirm.ts'
import { readPaidNetwork, openSender, openWallet, type WalletFlags } from '../wallet/open-wallet.ts'
import { walletError } from '../wallet/wallet-errors.ts'
import { queueWithdrawals, withdrawSlots } from '../wallet/withdraw-slots.ts'
import { addSlotsOption, timeText } from './return-command.ts'
import { addWalletOptions, money } from './wallet-deposit.ts'

const SOURCES = ['slots', 'balance', 'earnings'] as const
type Source = (typeof SOURCES)[number]

type WithdrawFlags = WalletFlags & {
  readonly from: Source
  readonly to?: string | undefined
  readonly amount?: string | undefined
  readonly slots: number
  readonly yes?: boolean | undefined
  readonly direct?: boolean | undefined
}

export function addWithdrawCommand(group: Command, io: CliIo): void {
  const added = addWalletOptions(
    addCommand(group, {
      usage: 'withdraw',
      summary: 'take money out: unused slots, the balance, or earnings',
      details:
        'slots: has slots that were never shown paid out through relayers, each at its own random time once `byway up` runs, less a unit of each. --direct asks from the own account instead,\n' +
        'at once and for gas, and shows the chain that these slots are of one owner; run it again after the delay, and they are paid. Both need a stopped client.\n' +
        'balance: sends tokens from the funds account to --to. earnings: pays what the node won to its payout address; the funds account pays the gas, which shows the chain whose node it is.\n' +
        'An address other than the own one is shown and must be confirmed.',
      examples: [
        'byway wallet withdraw',
        'byway wallet withdraw --direct',
        'byway wallet withdraw --from balance --amount 2.5 --to 0x52908400098527886E0F7030069857D2E4169EE7',
        'byway wallet withdraw --from earnings --json',
      ],
    }),
  )
    .option('--from <source>', 'slots, balance or earnings', parseSource, 'slots')
    .option('--direct', 'slots: send it now from the own account, which shows whose they are')
    .option('--to <address>', 'who receives it (default: the funds account)')
    .option('--amount <tokens>', 'how much of the balance (default: all)')
    .option('--yes', 'send without asking')
  addSlotsOption(added, 'at most so many slots').action((flags: WithdrawFlags, command: Command) =>
    run(flags, contextOf(command, io)),
  )
}

async function run(flags: WithdrawFlags, context: CommandContext): Promise<void> {
  if (flags.from === 'slots') await runSlots(flags, context)
  else if (flags.from === 'balance') await runBalance(flags, context)
  else await runEarnings(flags, context)
}

async function runSlots(flags: WithdrawFlags, { io, output }: CommandContext): Promise<void> {
  const other = flags.to === undefined ? undefined : parseAddress(flags.to)
  if (other) {
    const what = `slots that were never shown, at most ${flags.slots}`
    await confirmSending(io, { what, to: formatAddress(other), isYes: flags.yes === true })
  }
  await using wallet = await openWallet(flags, io, other ? [other] : [])
  const to = other ?? wallet.purse.accounts.funds
  if (!flags.direct) {
    const { nowMs, signal } = io
    const queued = await queueWithdrawals(wallet, { to, most: flags.slots, nowMs, signal })
    output.result(
      { to: formatAddress(to), queued },
      `${queued} slots will be paid out once \`byway up\` runs, each through a relayer at its own time`,
    )
    return
  }
  using progress = createProgressLine(io)
  const result = await withdrawSlots(wallet, {
    to,
    most: flags.slots,
    signal: io.signal,
    nowS: Math.floor(io.nowMs() / 1000),
    onProgress: (done, total) => progress.show(`proving ${total} slots`, done, total),
  })
  const { finished, begun, pending, elsewhere, dueAtS } = result
  const due = dueAtS === undefined ? null : timeText(dueAtS)
  output.result(
    { to: formatAddress(to), finished, begun, pending, elsewhere, dueAt: due },
    `${finished} slots paid, ${begun} asked for${due === null ? '' : `; run it again after ${due}`}`,
  )
  if (elsewhere > 0 && !output.isJson)
    output.hint(`${elsewhere} more were asked for another receiver before: name it with --to`)
}

async function runBalance(flags: WithdrawFlags, { io, output }: CommandContext): Promise<void> {
  if (flags.to === undefined) {
    throw cliError('CLI_USAGE', { problem: 'name who receives it with --to' })
  }
  const to = parseAddress(flags.to)
  const { payment } = await readPaidNetwork(flags, io)
  const asked =
    flags.amount === undefined ? undefined : parseAmount(flags.amount, payment.tokenDecimals)
  const what = asked === undefined ? 'all tokens of the funds account' : money({ payment }, asked)
  await confirmSending(io, { what, to: formatAddress(to), isYes: flags.yes === true })
  await using wallet = await openWallet(flags, io, [to])
  const { view } = wallet.chainOf('funds')
  const have = await view.tokenBalance(wallet.purse.accounts.funds, io.signal)
  const amount = asked ?? have
  if (amount > have) throw walletError('WALLET_AMOUNT', { problem: 'the account holds less' })
  if (amount === 0n) throw walletError('WALLET_NOTHING', { slots: 0 })
  await using sender = await openSender(wallet, 'funds', io.signal)
  const { hash } = await sender.send('transfer', wallet.tokenCalls.transfer(to, amount))
  output.result(
    { to: formatAddress(to), amount: String(amount), transaction: hash },
    `sent ${money(wallet, amount)} to ${formatAddress(to)}`,
  )
}

async function runEarnings(flags: WithdrawFlags, { io, output }: CommandContext): Promise<void> {
  await using wallet = await openWallet(flags, io)
  const { view } = wallet.chainOf('provider')
  const { provider } = wallet.purse.accounts
  const amount = await view.credit(provider, io.signal)
  const registration = await view.registration(provider, io.signal)
  if (amount === 0n || !registration) throw walletError('WALLET_NOTHING', { slots: 0 })
  await using sender = await openSender(wallet, 'funds', io.signal)
  const { hash } = await sender.send('payout', wallet.poolCalls.payout(provider))
  const to = formatAddress(registration.payout)
  output.result(
    { to, amount: String(amount), transaction: hash },
    `paid ${money(wallet, amount)} to ${to}`,
  )
}

function parseSource(text: string): Source {
  const found = SOURCES.find((source) => source === text)
  if (found) return found
  throw cliError('CLI_USAGE', { problem: `--from must be one of ${SOURCES.join(', ')}` })
}
