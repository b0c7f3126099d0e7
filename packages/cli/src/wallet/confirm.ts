/** Asks a person whether money may go to an address. */
import type { CliIo } from '../io.ts'
import { walletError } from './wallet-errors.ts'

/**
 * Shows what would be sent and wants `yes`; `--yes` stands for it where nobody can be asked. `warning`: where it is not that nobody can take it back.
 * @throws WALLET_NOT_CONFIRMED
 */
export async function confirmSending(
  io: CliIo,
  {
    what,
    to,
    isYes,
    warning = 'Nobody can take this back.',
  }: {
    readonly what: string
    readonly to: string
    readonly isYes: boolean
    readonly warning?: string
  },
): Promise<void> {
  if (isYes) return
  if (!io.isInteractive) throw walletError('WALLET_NOT_CONFIRMED', {})
  io.writeErr(
    `\n  ${what}\n  to  ${to}\n\n${warning} Compare the address with the one you meant, letter by letter.\n`,
  )
  if ((await io.ask('Type yes to send: ')).trim() !== 'yes') {
    throw walletError('WALLET_NOT_CONFIRMED', {})
  }
}
