/** The option of every command that asks the chain: nobody but the running client's nodes shall be asked. */
import type { Command } from 'commander'

/** Adds it. */
export function addViaClient(command: Command): Command {
  return command.option(
    '--via-client',
    'ask the chain only through the client that runs (`byway up`); without one, fail',
  )
}
