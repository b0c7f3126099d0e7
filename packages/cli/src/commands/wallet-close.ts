/** `byway wallet close`: what is left in slots of which a hop has won a part comes back as a fresh deposit. */
import type { Command } from 'commander'
import type { CommandContext } from '../command.ts'
import { openOwnStore } from '../engine/own-store.ts'
import type { CliIo } from '../io.ts'
import { CLOSE, findClosable, type Closable } from '../wallet/close-slots.ts'
import { openWallet } from '../wallet/open-wallet.ts'
import { addReturnCommand, slotFields, timeText, type ReturnFlags } from './return-command.ts'
import { money } from './wallet-deposit.ts'

export function addCloseCommand(group: Command, io: CliIo): void {
  addReturnCommand(group, io, {
    text: {
      usage: 'close',
      summary: 'have the rest of slots back of which a hop has won a part',
      details:
        'What nobody has won, and the bond, come back as fresh deposits after the delay of the contract. The running client does it by itself for slots that it is done with, each\n' +
        'through a relayer; this command has it do so. --direct asks from the own account instead, at once and for gas, and shows the chain that these slots are of one owner; run it\n' +
        'again after the delay. Until then the hop may claim what else it won. --list shows what is left in which slot.',
      examples: ['byway wallet close --list', 'byway wallet close', 'byway wallet close --direct'],
    },
    listHelp: 'only show what is left, and when it can come back',
    directHelp: 'send it now from the own account; needs a stopped client',
    way: CLOSE,
    list: runList,
    finishedText: (finished) => `the rest of ${finished} slots came back as a fresh deposit`,
  })
}

async function runList(flags: ReturnFlags, { io, output }: CommandContext): Promise<void> {
  await using wallet = await openWallet(flags, io)
  await using store = await openOwnStore(wallet.home, 'client')
  const found = await findClosable(wallet, store, io.signal)
  const value = found.reduce((sum, { rest }) => sum + rest, 0n)
  output.result(
    {
      slots: found.map((slot) => ({ ...slotFields(slot), rest: String(slot.rest) })),
      value: String(value),
    },
    [
      ...found.map((each) => `${slotText(each)}: ${money(wallet, each.rest)} left`),
      `${found.length} slots can be closed: ${money(wallet, value)}`,
    ].join('\n'),
  )
}

function slotText({ record, step, isInUse, dueAtS }: Closable): string {
  const hop = `bound by ${record.hop.slice(0, 8)}`
  if (step === 'finish') return `${hop}, comes back with the next \`byway wallet close --direct\``
  if (dueAtS !== undefined) return `${hop}, asked for; comes back after ${timeText(dueAtS)}`
  return isInUse ? `${hop}, in use (--all)` : hop
}
