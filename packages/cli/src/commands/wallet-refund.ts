/** `byway wallet refund`: slots that were shown to a hop and not won come back as a fresh deposit. */
import type { Command } from 'commander'
import type { CommandContext } from '../command.ts'
import { openOwnStore } from '../engine/own-store.ts'
import type { CliIo } from '../io.ts'
import { formatAmount } from '../wallet/amounts.ts'
import type { Returnable } from '../wallet/direct-returns.ts'
import { openWallet, type Wallet } from '../wallet/open-wallet.ts'
import { findReturnable, REFUND, refundCostWei } from '../wallet/refund-slots.ts'
import { addReturnCommand, slotFields, timeText, type ReturnFlags } from './return-command.ts'
import { money } from './wallet-deposit.ts'

const COIN_DECIMALS = 18

export function addRefundCommand(group: Command, io: CliIo): void {
  addReturnCommand(group, io, {
    text: {
      usage: 'refund',
      summary: 'have slots back that were shown and not won',
      details:
        'Slots that the client is done with come back as fresh deposits: while it runs it sends each over a circuit of its own, at its own random time, six hours from now on average,\n' +
        'through a relayer that sends those of many owners together and gets a unit of each. It does so by itself; this command has it ask for what is in use too (--all).\n' +
        '--direct asks from the own account instead, at once and for gas, and shows the chain that these slots are of one owner; run it again after the delay. It needs a stopped client.\n' +
        'Until then a hop may still claim what it won. Slots of before a restore, or of records that were lost, count as shown: this command has them back too. --list shows what can come back, when, and what --direct costs.',
      examples: [
        'byway wallet refund --list',
        'byway wallet refund --all',
        'byway wallet refund --direct',
      ],
    },
    listHelp: 'only show what can come back, when, and what it costs',
    directHelp: 'send it now from the own account, which shows whose slots they are',
    way: REFUND,
    list: runList,
    finishedText: (finished) => `${finished} slots came back as a fresh deposit`,
  })
}

async function runList(flags: ReturnFlags, { io, output }: CommandContext): Promise<void> {
  await using wallet = await openWallet(flags, io)
  await using store = await openOwnStore(wallet.home, 'client')
  const found = await findReturnable(wallet, store, io.signal)
  const costWei = await refundCostWei(wallet, found.length, io.signal)
  output.result(
    {
      slots: found.map(slotFields),
      value: String(valueOf(wallet, found)),
      costWei: String(costWei),
    },
    [
      ...found.map(slotText),
      `${found.length} slots can come back: ${money(wallet, valueOf(wallet, found))}, for about ${formatAmount(costWei, COIN_DECIMALS)} coin of gas`,
    ].join('\n'),
  )
}

function slotText({ record, step, isInUse, dueAtS }: Returnable): string {
  const when = dueAtS === undefined ? '' : timeText(dueAtS)
  const state = {
    ask: isInUse ? 'in use; can be asked for with --all' : 'can be asked for now',
    wait: `asked for; comes back after ${when}`,
    finish: 'comes back with the next `byway wallet refund`',
    locked: `held by the hop until ${when} at most`,
  }[step]
  return `shown to ${record.hop.slice(0, 8)}: ${state}`
}

/** All of a slot that nobody has won. */
function valueOf({ pool }: Wallet, found: readonly Returnable[]): bigint {
  return BigInt(found.length) * pool.slotValue
}
