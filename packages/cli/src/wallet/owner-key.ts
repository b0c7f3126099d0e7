/** The owner's key, for the few commands that need it: from its keystore, or from the words. It is not in the purse. */
import type { Command } from 'commander'
import { readPrivateFile } from '@byway/home'
import { openOwner, parseWords } from '@byway/purse'
import { cliError } from '../cli-errors.ts'
import type { CliIo } from '../io.ts'
import { readPassphrase } from './ask-passphrase.ts'
import { addViaClient } from './via-client.ts'

export type OwnerFlags = {
  readonly ownerKeystore?: string | undefined
  readonly wordsFile?: string | undefined
}

/** The options that say where the owner's key is. */
export function addOwnerOptions(command: Command): Command {
  return addViaClient(command)
    .option('--home <folder>', 'state folder (default: $BYWAY_HOME, or ~/.byway)')
    .option('--network <file>', 'the network file (default: network.toml in the state folder)')
    .option('--owner-keystore <file>', 'the keystore that `wallet create --owner-keystore` wrote')
    .option('--words-file <file>', 'read the words from a private file')
}

/**
 * The owner's key, 32 bytes; the caller's to overwrite.
 * @throws CLI_USAGE when nobody can be asked and no file is named; what keystore and words throw
 */
export async function ownerKey(flags: OwnerFlags, io: CliIo): Promise<Uint8Array> {
  if (flags.ownerKeystore !== undefined) {
    const keystore = await textOf(flags.ownerKeystore)
    return await openOwner({ keystore, passphrase: await readPassphrase(io, 'owner') })
  }
  if (flags.wordsFile !== undefined) {
    return await openOwner({ words: parseWords(await textOf(flags.wordsFile)) })
  }
  if (io.isInteractive) {
    const typed = await io.askHidden('the words, in their order (not shown): ')
    return await openOwner({ words: parseWords(typed) })
  }
  throw cliError('CLI_USAGE', {
    problem: 'without a terminal, name --owner-keystore or --words-file',
  })
}

async function textOf(path: string): Promise<string> {
  const text = await readPrivateFile(path)
  if (text === undefined) throw cliError('CLI_USAGE', { problem: 'there is no such file' })
  return text
}
