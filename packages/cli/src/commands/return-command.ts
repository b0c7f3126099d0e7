/** The frame of the commands that ask slots back: listed, left to the running client, or sent from the own account. */
import type { Command } from 'commander'
import { isBywayError, toHex } from '@byway/protocol/base'
import { addCommand, contextOf, type CommandContext, type CommandSpec } from '../command.ts'
import { askControl } from '../control/control-socket.ts'
import { parseWhole, stateFolder } from '../engine/engine-options.ts'
import type { CliIo } from '../io.ts'
import type { JsonObject } from '../output.ts'
import { queueWay, sendReturns, type Returnable, type ReturnWay } from '../wallet/direct-returns.ts'
import { openWallet, type WalletFlags } from '../wallet/open-wallet.ts'
import { addWalletOptions } from './wallet-deposit.ts'

export type ReturnFlags = WalletFlags & {
  readonly list?: boolean | undefined
  readonly all?: boolean | undefined
  readonly direct?: boolean | undefined
  readonly slots: number
}

export type ReturnCommand<Slot extends Returnable> = {
  readonly text: CommandSpec
  /** Help of `--list` and `--direct`. */
  readonly listHelp: string
  readonly directHelp: string
  readonly way: ReturnWay<Slot>
  readonly list: (flags: ReturnFlags, context: CommandContext) => Promise<void>
  /** `3 slots came back as …` */
  readonly finishedText: (finished: number) => string
}

/** All of them: no purse has more. */
const MAX_SLOTS = 10_000

/** Adds a command that asks slots back in one of the three ways. */
export function addReturnCommand<Slot extends Returnable>(
  group: Command,
  io: CliIo,
  command: ReturnCommand<Slot>,
): void {
  const added = addWalletOptions(addCommand(group, command.text))
    .option('--list', command.listHelp)
    .option('--direct', command.directHelp)
    .option('--all', 'also slots that the client would go on using')
  addSlotsOption(added, 'ask for at most so many').action((flags: ReturnFlags, own: Command) => {
    const context = contextOf(own, io)
    if (flags.list) return command.list(flags, context)
    return flags.direct ? runDirect(command, flags, context) : runQueued(command, flags, context)
  })
}

/** `--slots`, at most so many. */
export function addSlotsOption(command: Command, what: string): Command {
  return command.option(
    '--slots <number>',
    `${what} (default: all)`,
    (text) => parseWhole(text, '--slots', 0, MAX_SLOTS),
    MAX_SLOTS,
  )
}

async function runQueued<Slot extends Returnable>(
  { way }: ReturnCommand<Slot>,
  flags: ReturnFlags,
  { io, output }: CommandContext,
): Promise<void> {
  const asked = await askRunning(flags, io)
  const queued = asked ?? (await queueStopped(way, flags, io))
  const when = asked === undefined ? 'once `byway up` runs' : 'as the client runs'
  output.result(
    { queued, isRunning: asked !== undefined },
    `${queued} slots will be asked back ${when}, each through a relayer at its own time`,
  )
}

/** Has the running client ask back what it is done with, or all; undefined when none runs. */
async function askRunning(flags: ReturnFlags, io: CliIo): Promise<number | undefined> {
  try {
    const home = stateFolder(flags, io)
    const answer = await askControl(home, 'client', `give-back ${flags.all ? 'all' : 'over'}`)
    return Number(answer['queued'] ?? 0)
  } catch (error) {
    if (isBywayError(error) && error.code === 'CONTROL_NOT_RUNNING') return undefined
    throw error
  }
}

async function queueStopped(
  way: Pick<ReturnWay<Returnable>, 'find'>,
  flags: ReturnFlags,
  io: CliIo,
): Promise<number> {
  await using wallet = await openWallet(flags, io)
  return await queueWay(wallet, way, optionsOf(flags, io))
}

async function runDirect<Slot extends Returnable>(
  { way, finishedText }: ReturnCommand<Slot>,
  flags: ReturnFlags,
  { io, output }: CommandContext,
): Promise<void> {
  await using wallet = await openWallet(flags, io)
  const { begun, finished, dueAtS, found } = await sendReturns(wallet, way, optionsOf(flags, io))
  const dueAt = dueAtS === undefined ? null : timeText(dueAtS)
  const kept = found.filter(({ step, isInUse }) => step === 'ask' && isInUse).length
  const hint = kept > 0 && !flags.all ? `; ${kept} more are in use (--all has them too)` : ''
  output.result(
    { begun, finished, inUse: flags.all ? 0 : kept, dueAt },
    `${finishedText(finished)}, ${begun} asked for${dueAt === null ? '' : `; run it again after ${dueAt}`}${hint}`,
  )
}

function optionsOf(flags: ReturnFlags, { nowMs, signal }: CliIo) {
  return { isAll: flags.all === true, most: flags.slots, nowMs, signal }
}

/** What scripts read of a slot. */
export function slotFields({ slot, record, step, isInUse, dueAtS }: Returnable): JsonObject {
  return {
    slot: toHex(slot.nullifier),
    hop: record.hop,
    step,
    inUse: isInUse,
    dueAt: dueAtS === undefined ? null : timeText(dueAtS),
  }
}

/** A time of the chain as people and scripts read it. */
export function timeText(timeS: number): string {
  return new Date(timeS * 1000).toISOString()
}
