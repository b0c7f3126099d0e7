/** `byway wallet refund`: slots that were shown to a hop and not won come back as a fresh deposit. */
import type { Command } from 'commander'
import { toHex } from '@byway/protocol/base'
import { addCommand, contextOf, type CommandContext } from '../command.ts'
import { openOwnStore } from '../engine/own-store.ts'
import { parseWhole } from '../engine/engine-options.ts'
import type { CliIo } from '../io.ts'
import type { JsonObject } from '../output.ts'
import { formatAmount } from '../wallet/amounts.ts'
import { openWallet, type Wallet, type WalletFlags } from '../wallet/open-wallet.ts'
import {
  findReturnable,
  refundCostWei,
  refundSlots,
  type Returnable,
} from '../wallet/refund-slots.ts'
import { addWalletOptions, money } from './wallet-money.ts'

type RefundFlags = WalletFlags & {
  readonly list?: boolean | undefined
  readonly all?: boolean | undefined
  readonly slots: number
}

/** All of them: no purse has more. */
const MAX_SLOTS = 10_000
const COIN_DECIMALS = 18

export function addRefundCommand(group: Command, io: CliIo): void {
  addWalletOptions(
    addCommand(group, {
      usage: 'refund',
      summary: 'have slots back that were shown and not won',
      details:
        'Asks for slots that the client is done with, and run again after the delay has what is left in them as a fresh deposit.\n' +
        'Until then a hop may still claim what it won. --list shows what can come back, when, and what it costs. Needs a stopped client.',
      examples: ['byway wallet refund --list', 'byway wallet refund', 'byway wallet refund --all'],
    }),
  )
    .option('--list', 'only show what can come back, when, and what it costs')
    .option('--all', 'also slots that the client would go on using')
    .option(
      '--slots <number>',
      'ask for at most so many (default: all)',
      (text) => parseWhole(text, '--slots', 0, MAX_SLOTS),
      MAX_SLOTS,
    )
    .action((flags: RefundFlags, command: Command) =>
      flags.list
        ? runList(flags, contextOf(command, io))
        : runRefund(flags, contextOf(command, io)),
    )
}

async function runList(flags: RefundFlags, { io, output }: CommandContext): Promise<void> {
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

async function runRefund(flags: RefundFlags, { io, output }: CommandContext): Promise<void> {
  await using wallet = await openWallet(flags, io)
  const result = await refundSlots(wallet, {
    isAll: flags.all === true,
    most: flags.slots,
    nowMs: io.nowMs,
    signal: io.signal,
  })
  const { begun, finished, dueAtS, found } = result
  const due = dueAtS === undefined ? null : timeText(dueAtS)
  const kept = found.filter(({ step, isInUse }) => step === 'ask' && isInUse).length
  const hint = kept > 0 && !flags.all ? `; ${kept} more are in use (--all has them too)` : ''
  output.result(
    { begun, finished, inUse: flags.all ? 0 : kept, dueAt: due },
    `${finished} slots came back as a fresh deposit, ${begun} asked for${due === null ? '' : `; run it again after ${due}`}${hint}`,
  )
}

function slotFields({ slot, record, step, isInUse, dueAtS }: Returnable): JsonObject {
  return {
    slot: toHex(slot.nullifier),
    hop: record.hop,
    step,
    inUse: isInUse,
    dueAt: dueAtS === undefined ? null : timeText(dueAtS),
  }
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

function timeText(timeS: number): string {
  return new Date(timeS * 1000).toISOString()
}
