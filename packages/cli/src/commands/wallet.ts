/** `byway wallet …`: the keys and the money of this state folder. */
import type { Command } from 'commander'
import { addGroup } from '../command.ts'
import type { CliIo } from '../io.ts'
import { addCloseCommand } from './wallet-close.ts'
import { addKeyCommands } from './wallet-keys.ts'
import { addDepositCommand } from './wallet-deposit.ts'
import { addPayoutCommands } from './wallet-payout.ts'
import { addRefundCommand } from './wallet-refund.ts'
import { addRegisterCommand } from './wallet-register.ts'
import { addShowCommand } from './wallet-show.ts'
import { addStakeCommands } from './wallet-stake.ts'
import { addVoucherCommands } from './wallet-vouchers.ts'
import { addWithdrawCommand } from './wallet-withdraw.ts'

export function addWalletCommands(program: Command, io: CliIo): void {
  const group = addGroup(program, 'wallet', 'the purse: words, keys, deposits, earnings')
  addKeyCommands(group, io)
  addShowCommand(group, io)
  addDepositCommand(group, io)
  addWithdrawCommand(group, io)
  addRefundCommand(group, io)
  addCloseCommand(group, io)
  addVoucherCommands(group, io)
  addRegisterCommand(group, io)
  addStakeCommands(group, io)
  addPayoutCommands(group, io)
}
