/** `byway wallet …`: the keys and the money of this state folder. */
import type { Command } from 'commander'
import { addGroup } from '../command.ts'
import type { CliIo } from '../io.ts'
import { addKeyCommands } from './wallet-keys.ts'

export function addWalletCommands(program: Command, io: CliIo): void {
  const group = addGroup(program, 'wallet', 'the purse: words, keys, deposits, earnings')
  addKeyCommands(group, io)
}
