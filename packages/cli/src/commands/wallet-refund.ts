/** `byway wallet refund`: slots that were shown to a hop and not won come back as a fresh deposit. */
import type { Command } from 'commander'
import { isBywayError, toHex } from '@byway/protocol/base'
import { addCommand, contextOf, type CommandContext } from '../command.ts'
import { askControl } from '../control/control-socket.ts'
import { openOwnStore } from '../engine/own-store.ts'
import { parseWhole, stateFolder } from '../engine/engine-options.ts'
import type { CliIo } from '../io.ts'
import type { JsonObject } from '../output.ts'
import { formatAmount } from '../wallet/amounts.ts'
import { openWallet, type Wallet, type WalletFlags } from '../wallet/open-wallet.ts'
import {
  findReturnable,
  queueRefunds,
  refundCostWei,
  refundSlots,
  type Returnable,
} from '../wallet/refund-slots.ts'
import { addWalletOptions, money } from './wallet-money.ts'

type RefundFlags = WalletFlags & {
  readonly list?: boolean | undefined
  readonly all?: boolean | undefined
  readonly direct?: boolean | undefined
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
        'Slots that the client is done with come back as fresh deposits: while it runs it sends each over a circuit of its own, at its own random time, six hours from now on average,\n' +
        'through a relayer that sends those of many owners together and gets a unit of each. It does so by itself; this command has it ask for what is in use too (--all).\n' +
        '--direct asks from the own account instead, at once and for gas, and shows the chain that these slots are of one owner; run it again after the delay. It needs a stopped client.\n' +
        'Until then a hop may still claim what it won. --list shows what can come back, when, and what --direct costs.',
      examples: [
        'byway wallet refund --list',
        'byway wallet refund --all',
        'byway wallet refund --direct',
      ],
    }),
  )
    .option('--list', 'only show what can come back, when, and what it costs')
    .option('--direct', 'send it now from the own account, which shows whose slots they are')
    .option('--all', 'also slots that the client would go on using')
    .option(
      '--slots <number>',
      'ask for at most so many (default: all)',
      (text) => parseWhole(text, '--slots', 0, MAX_SLOTS),
      MAX_SLOTS,
    )
    .action((flags: RefundFlags, command: Command) => {
      const run = flags.list ? runList : flags.direct ? runDirect : runQueued
      return run(flags, contextOf(command, io))
    })
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

async function runQueued(flags: RefundFlags, { io, output }: CommandContext): Promise<void> {
  const isAll = flags.all === true
  const asked = await askRunning(flags, io, isAll)
  const queued = asked ?? (await queueStopped(flags, io, isAll))
  const when = asked === undefined ? 'once `byway up` runs' : 'as the client runs'
  output.result(
    { queued, isRunning: asked !== undefined },
    `${queued} slots will be asked back ${when}, each through a relayer at its own time`,
  )
}

/** Has the running client ask back what it is done with, or all; undefined when none runs. */
export async function askRunning(
  flags: WalletFlags,
  io: CliIo,
  isAll: boolean,
): Promise<number | undefined> {
  try {
    const home = stateFolder(flags, io)
    const answer = await askControl(home, 'client', `give-back ${isAll ? 'all' : 'over'}`)
    return Number(answer['queued'] ?? 0)
  } catch (error) {
    if (isBywayError(error) && error.code === 'CONTROL_NOT_RUNNING') return undefined
    throw error
  }
}

async function queueStopped(flags: RefundFlags, io: CliIo, isAll: boolean): Promise<number> {
  await using wallet = await openWallet(flags, io)
  const { nowMs, signal } = io
  return (await queueRefunds(wallet, { isAll, most: flags.slots, nowMs, signal })).queued
}

async function runDirect(flags: RefundFlags, { io, output }: CommandContext): Promise<void> {
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

/** A time of the chain as people and scripts read it. */
export function timeText(timeS: number): string {
  return new Date(timeS * 1000).toISOString()
}
