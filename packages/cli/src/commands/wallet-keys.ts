/** `byway wallet create|restore|backup|passphrase`: the keys themselves. None of these needs a network. */
import { rm } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { Command } from 'commander'
import { openHome, readPrivateFile } from '@byway/home'
import {
  backUpPurse,
  changePassphrase,
  createPurse,
  formatAddress,
  hasPurse,
  newWords,
  parseWords,
  purseError,
  restoreKeystore,
  sealOwner,
  writeNewPrivateFile,
  type PurseAccounts,
} from '@byway/purse'
import { cliError } from '../cli-errors.ts'
import { addCommand, contextOf, type CommandContext } from '../command.ts'
import { stateFolder } from '../engine/engine-options.ts'
import type { CliIo } from '../io.ts'
import type { JsonObject } from '../output.ts'
import { newPassphrase, passphraseFrom, readPassphrase } from '../wallet/ask-passphrase.ts'
import { showWords } from '../wallet/show-words.ts'
import { walletError } from '../wallet/wallet-errors.ts'

type HomeFlag = { readonly home?: string | undefined }
type CreateFlags = HomeFlag & {
  readonly wordsFile?: string | undefined
  readonly ownerKeystore?: string | undefined
}
type RestoreFlags = HomeFlag & {
  readonly wordsFile?: string | undefined
  readonly keystore?: string | undefined
}
type PassphraseFlags = HomeFlag & { readonly newFile?: string | undefined }

const HOME_OPTION = ['--home <folder>', 'state folder (default: $BYWAY_HOME, or ~/.byway)'] as const

export function addKeyCommands(group: Command, io: CliIo): void {
  addCommand(group, {
    usage: 'create',
    summary: 'make a purse, and show its 24 words once',
    details:
      'Asks for three of the words, then for a passphrase. Without a terminal, or with --json, the words go to --words-file and the\n' +
      'passphrase comes from the file that BYWAY_PASSPHRASE_FILE names.',
    examples: [
      'byway wallet create',
      'byway wallet create --owner-keystore /media/usb/owner.json',
      'BYWAY_PASSPHRASE_FILE=pass byway wallet create --words-file words --json',
    ],
  })
    .option(...HOME_OPTION)
    .option('--words-file <file>', 'write the words there (a new file, mode 0600) and show nothing')
    .option(
      '--owner-keystore <file>',
      "also write a keystore of the owner's key, which alone changes where earnings go",
    )
    .action((flags: CreateFlags, command: Command) => runCreate(flags, contextOf(command, io)))
  addCommand(group, {
    usage: 'restore',
    summary: 'make a purse from its words, or from a keystore',
    details:
      'Asks for the words at a terminal. A keystore of another wallet becomes the funds account.\n' +
      'What was deposited before is not paid with, since nobody knows what was shown of it: `byway wallet refund` has it back as fresh deposits.',
    examples: [
      'byway wallet restore',
      'byway wallet restore --keystore backup.json',
      'byway wallet restore --words-file words --json',
    ],
  })
    .option(...HOME_OPTION)
    .option('--words-file <file>', 'read the words from a private file')
    .option(
      '--keystore <file>',
      'a back-up of a purse, or a keystore (version 3) of another wallet',
    )
    .action((flags: RestoreFlags, command: Command) => runRestore(flags, contextOf(command, io)))
  addCommand(group, {
    usage: 'backup <file>',
    summary: 'copy the purse to a new file, after opening it',
    details:
      'The copy opens with the passphrase of today. The words alone bring back all but redeemed vouchers.',
    examples: ['byway wallet backup /media/usb/purse.json'],
  })
    .option(...HOME_OPTION)
    .action((file: string, flags: HomeFlag, command: Command) =>
      runBackup(file, flags, contextOf(command, io)),
    )
  addCommand(group, {
    usage: 'passphrase',
    summary: 'change the passphrase of the purse',
    details: 'Copies made before still open with the old one.',
    examples: [
      'byway wallet passphrase',
      'BYWAY_PASSPHRASE_FILE=old byway wallet passphrase --new-file new --json',
    ],
  })
    .option(...HOME_OPTION)
    .option('--new-file <file>', 'read the new passphrase from a private file')
    .action((flags: PassphraseFlags, command: Command) =>
      runPassphrase(flags, contextOf(command, io)),
    )
}

async function runCreate(flags: CreateFlags, context: CommandContext): Promise<void> {
  const { io, output } = context
  const home = await emptyHome(flags, io)
  const canShow = io.isInteractive && !output.isJson
  if (flags.wordsFile === undefined && !canShow) throw walletError('WALLET_WORDS_UNSEEN', {})
  const words = newWords()
  if (flags.wordsFile === undefined) await showWords(io, words)
  const passphrase = await newPassphrase(io, 'purse')
  const written: string[] = []
  const write = async (path: string, text: string): Promise<void> => {
    await writeNewPrivateFile(resolve(path), text)
    written.push(resolve(path))
  }
  try {
    if (flags.ownerKeystore !== undefined) {
      await write(flags.ownerKeystore, await ownerKeystore(words, passphrase, io))
    }
    if (flags.wordsFile !== undefined) await write(flags.wordsFile, `${words.join(' ')}\n`)
    report(await createPurse(home, words, { passphrase }), context)
  } catch (error) {
    // Words of a purse that was not made lead nowhere.
    for (const path of written) await rm(path, { force: true })
    throw error
  }
}

async function ownerKeystore(
  words: readonly string[],
  passphrase: string,
  io: CliIo,
): Promise<string> {
  const own = await newPassphrase(io, 'owner')
  if (own === passphrase) throw walletError('WALLET_PASSPHRASE_SHARED', {})
  return await sealOwner(words, { passphrase: own })
}

async function runRestore(flags: RestoreFlags, context: CommandContext): Promise<void> {
  const { io } = context
  const home = await emptyHome(flags, io)
  if (flags.keystore !== undefined) {
    const text = await fileText(flags.keystore)
    const passphrase = await readPassphrase(io, 'purse')
    report(await restoreKeystore(home, text, { passphrase }), context)
    hintAtOld(context)
    return
  }
  const words = parseWords(await typedWords(flags, io))
  const passphrase = await newPassphrase(io, 'purse')
  report(await createPurse(home, words, { passphrase, isRestored: true }), context)
  hintAtOld(context)
}

/** What was shown of deposits of before is not known here. */
function hintAtOld({ output }: CommandContext): void {
  if (output.isJson) return
  output.hint(
    '`byway wallet refund` has back what was deposited before; stop other machines that use these words first',
  )
}

async function typedWords(flags: RestoreFlags, io: CliIo): Promise<string> {
  if (flags.wordsFile !== undefined) return await fileText(flags.wordsFile)
  if (io.isInteractive) return await io.askHidden('the words, in their order (not shown): ')
  throw cliError('CLI_USAGE', {
    problem: 'without a terminal, name --words-file or --keystore',
  })
}

async function runBackup(file: string, flags: HomeFlag, context: CommandContext): Promise<void> {
  const { io, output } = context
  const passphrase = await readPassphrase(io, 'purse')
  await backUpPurse(stateFolder(flags, io), resolve(file), passphrase)
  output.result({ backup: 'written' }, 'back-up written, and it opens with the passphrase')
}

async function runPassphrase(
  flags: PassphraseFlags,
  { io, output }: CommandContext,
): Promise<void> {
  const old = await readPassphrase(io, 'purse')
  const fresh =
    flags.newFile === undefined
      ? await newPassphrase(io, 'purse', { isAsked: true })
      : await passphraseFrom(flags.newFile)
  await changePassphrase(stateFolder(flags, io), { old, fresh })
  output.result({ passphrase: 'changed' }, 'passphrase changed; older copies keep the old one')
}

/** The state folder, with no purse in it yet: found out before anybody types words. */
async function emptyHome(flags: HomeFlag, io: CliIo): Promise<string> {
  const home = stateFolder(flags, io)
  await openHome(home)
  if (await hasPurse(home)) throw purseError('PURSE_EXISTS', {})
  return home
}

async function fileText(path: string): Promise<string> {
  const text = await readPrivateFile(resolve(path))
  if (text === undefined) throw cliError('CLI_USAGE', { problem: 'there is no such file' })
  return text
}

function report(accounts: PurseAccounts, { output }: CommandContext): void {
  const fields = accountFields(accounts)
  output.result(
    { purse: 'ready', ...fields },
    [
      `funds     ${fields.funds}   send money here`,
      `provider  ${fields.provider}   your node's name on the chain`,
      `owner     ${fields.owner ?? 'not known'}   where earnings go`,
    ].join('\n'),
  )
  if (!output.isJson) output.hint('`byway wallet deposit` puts money in')
}

/** Addresses as people read them. */
export function accountFields(accounts: PurseAccounts): JsonObject & {
  readonly funds: string
  readonly provider: string
  readonly owner: string | null
} {
  const { funds, provider, owner } = accounts
  return {
    funds: formatAddress(funds),
    provider: formatAddress(provider),
    owner: owner ? formatAddress(owner) : null,
  }
}
