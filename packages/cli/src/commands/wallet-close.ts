/** `byway wallet close`: what is left in slots of which a hop has won a part comes back as a fresh deposit. */
import type { Command } from 'commander'
import { toHex } from '@byway/protocol/base'
import { addCommand, contextOf, type CommandContext } from '../command.ts'
import { parseWhole } from '../engine/engine-options.ts'
import { openOwnStore } from '../engine/own-store.ts'
import type { CliIo } from '../io.ts'
import type { JsonObject } from '../output.ts'
import { closeSlots, findClosable, queueCloses, type Closable } from '../wallet/close-slots.ts'
import { openWallet, type WalletFlags } from '../wallet/open-wallet.ts'
import { addWalletOptions, money } from './wallet-money.ts'
import { askRunning, timeText } from './wallet-refund.ts'

type CloseFlags = WalletFlags & {
  readonly list?: boolean | undefined
  readonly all?: boolean | undefined
  readonly direct?: boolean | undefined
  readonly slots: number
}

/** All of them: no purse has more. */
const MAX_SLOTS = 10_000

export function addCloseCommand(group: Command, io: CliIo): void {
  addWalletOptions(
    addCommand(group, {
      usage: 'close',
      summary: 'have the rest of slots back of which a hop has won a part',
      details:
        'What nobody has won, and the bond, come back as fresh deposits after the delay of the contract. The running client does it by itself for slots that it is done with, each\n' +
        'through a relayer; this command has it do so. --direct asks from the own account instead, at once and for gas, and shows the chain that these slots are of one owner; run it\n' +
        'again after the delay. Until then the hop may claim what else it won. --list shows what is left in which slot.',
      examples: ['byway wallet close --list', 'byway wallet close', 'byway wallet close --direct'],
    }),
  )
    .option('--list', 'only show what is left, and when it can come back')
    .option('--direct', 'send it now from the own account; needs a stopped client')
    .option('--all', 'also slots that the client would go on using')
    .option(
      '--slots <number>',
      'ask for at most so many (default: all)',
      (text) => parseWhole(text, '--slots', 0, MAX_SLOTS),
      MAX_SLOTS,
    )
    .action((flags: CloseFlags, command: Command) => {
      const run = flags.list ? runList : flags.direct ? runDirect : runQueued
      return run(flags, contextOf(command, io))
    })
}

async function runList(flags: CloseFlags, { io, output }: CommandContext): Promise<void> {
  await using wallet = await openWallet(flags, io)
  await using store = await openOwnStore(wallet.home, 'client')
  const found = await findClosable(wallet, store, io.signal)
  const value = found.reduce((sum, { rest }) => sum + rest, 0n)
  output.result(
    { slots: found.map(slotFields), value: String(value) },
    [
      ...found.map((each) => `${slotText(each)}: ${money(wallet, each.rest)} left`),
      `${found.length} slots can be closed: ${money(wallet, value)}`,
    ].join('\n'),
  )
}

async function runQueued(flags: CloseFlags, { io, output }: CommandContext): Promise<void> {
  const isAll = flags.all === true
  const asked = await askRunning(flags, io, isAll)
  const queued = asked ?? (await queueStopped(flags, io, isAll))
  const when = asked === undefined ? 'once `byway up` runs' : 'as the client runs'
  output.result(
    { queued, isRunning: asked !== undefined },
    `${queued} slots will be asked back ${when}, each through a relayer at its own time`,
  )
}

async function queueStopped(flags: CloseFlags, io: CliIo, isAll: boolean): Promise<number> {
  await using wallet = await openWallet(flags, io)
  const { nowMs, signal } = io
  return await queueCloses(wallet, { isAll, most: flags.slots, nowMs, signal })
}

async function runDirect(flags: CloseFlags, { io, output }: CommandContext): Promise<void> {
  await using wallet = await openWallet(flags, io)
  const { nowMs, signal } = io
  const isAll = flags.all === true
  const result = await closeSlots(wallet, { isAll, most: flags.slots, nowMs, signal })
  const { begun, finished, found } = result
  const dueAt = result.dueAtS === undefined ? null : timeText(result.dueAtS)
  const kept = found.filter(({ step, isInUse }) => step === 'ask' && isInUse).length
  const hint = kept > 0 && !isAll ? `; ${kept} more are in use (--all has them too)` : ''
  output.result(
    { begun, finished, inUse: isAll ? 0 : kept, dueAt },
    `the rest of ${finished} slots came back as a fresh deposit, ${begun} asked for${dueAt === null ? '' : `; run it again after ${dueAt}`}${hint}`,
  )
}

function slotFields({ slot, record, step, isInUse, dueAtS, rest }: Closable): JsonObject {
  return {
    slot: toHex(slot.nullifier),
    hop: record.hop,
    step,
    inUse: isInUse,
    rest: String(rest),
    dueAt: dueAtS === undefined ? null : timeText(dueAtS),
  }
}

function slotText({ record, step, isInUse, dueAtS }: Closable): string {
  const hop = `bound by ${record.hop.slice(0, 8)}`
  if (step === 'finish') return `${hop}, comes back with the next \`byway wallet close --direct\``
  if (dueAtS !== undefined) return `${hop}, asked for; comes back after ${timeText(dueAtS)}`
  return isInUse ? `${hop}, in use (--all)` : hop
}
