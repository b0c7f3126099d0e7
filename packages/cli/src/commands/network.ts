/** `byway network keygen|sign|verify`: for who publishes a network's file, and for who wants to look at one (SPEC §18). */
import { writeFile } from 'node:fs/promises'
import { basename, resolve } from 'node:path'
import type { Command } from 'commander'
import { checkPassphrase } from '@byway/purse'
import { addCommand, addGroup, contextOf, type CommandContext } from '../command.ts'
import { loadConfig } from '../config/load-config.ts'
import { stateFolder } from '../engine/engine-options.ts'
import type { CliIo } from '../io.ts'
import { formatPublicKey, keyIdText, type PublicKey } from '../minisign/signature.ts'
import { judgeFile, parseBytes, type SignedFacts } from '../network/judge-file.ts'
import { makeKeyFiles, publicPath, readKeyPair, readPublicKey } from '../network/key-files.ts'
import { countContacts, LEAST_CONTACTS } from '../network/member-rules.ts'
import { readSigned, signaturePath } from '../network/open-network.ts'
import { readBelieved } from '../network/believed.ts'
import { signNetwork } from '../network/sign-network.ts'
import type { JsonObject } from '../output.ts'
import { newPassphrase, readPassphrase } from '../wallet/ask-passphrase.ts'

type KeygenFlags = { readonly unencrypted?: boolean | undefined }
type SignFlags = { readonly key: string }
type VerifyFlags = { readonly publisher?: string | undefined; readonly home?: string | undefined }

const DEFAULT_KEY = 'publisher.key'

export function addNetworkCommands(program: Command, io: CliIo): void {
  const group = addGroup(
    program,
    'network',
    'network files: who publishes them, and who signed one',
  )
  addCommand(group, {
    usage: 'keygen [file]',
    summary: "make the key with which a network's file is signed",
    details:
      `Writes a secret key (${DEFAULT_KEY} where no file is named) and beside it the public key, in the format of minisign, and overwrites neither. The passphrase is asked for, or read from the file\n` +
      'that BYWAY_PUBLISHER_PASSPHRASE_FILE names. Keep the secret key off machines that run nodes; who has it decides whom every member meets first.',
    examples: ['byway network keygen', 'byway network keygen main.key --unencrypted'],
  })
    .option('--unencrypted', 'without a passphrase: whoever reads the file can sign')
    .action((file: string | undefined, flags: KeygenFlags, command: Command) =>
      runKeygen(file ?? DEFAULT_KEY, flags, contextOf(command, io)),
    )
  addCommand(group, {
    usage: 'sign <file>',
    summary: 'sign a network file',
    details:
      'Writes FILE.minisig beside it, in place of an earlier one. Refuses a file that no member would take: without sequence and publisher, with another publisher than this key,\n' +
      `past its end, or with fewer than ${LEAST_CONTACTS} first contacts in a network that is no test network. The file stays as it is: raise its sequence before each signing.`,
    examples: ['byway network sign network.toml --key publisher.key'],
  })
    .requiredOption('--key <file>', "the publisher's secret key")
    .action((file: string, flags: SignFlags, command: Command) =>
      runSign(file, flags, contextOf(command, io)),
    )
  addCommand(group, {
    usage: 'verify <file>',
    summary: 'say who signed a network file, and whether this state folder would take it',
    details:
      'Holds it against the key that --publisher names, else against what this state folder knows of the network, else against the key that the file itself names, and says which.\n' +
      'Remembers nothing. A file that would not be taken is an error, with exit code 78.',
    examples: [
      'byway network verify network.toml',
      'byway network verify network.toml --publisher publisher.pub --json',
    ],
  })
    .option('--publisher <key>', 'public key, 56 characters, or the file that holds it')
    .option('--home <folder>', 'state folder (default: $BYWAY_HOME, or ~/.byway)')
    .action((file: string, flags: VerifyFlags, command: Command) =>
      runVerify(file, flags, contextOf(command, io)),
    )
}

async function runKeygen(
  file: string,
  flags: KeygenFlags,
  { io, output }: CommandContext,
): Promise<void> {
  const path = resolve(file)
  const passphrase = flags.unencrypted === true ? undefined : await newPassphrase(io, 'publisher')
  if (passphrase !== undefined) checkPassphrase(passphrase, 'standard')
  const key = await makeKeyFiles(path, passphrase)
  output.result(
    { ...keyFields(key), secretKey: path, publicKey: publicPath(path) },
    `publisher = "${formatPublicKey(key)}"`,
  )
  output.say(
    `the secret key is in ${path}, the public one in ${publicPath(path)}; the line above belongs into the network file`,
  )
  if (passphrase === undefined) output.say('the key is not encrypted: whoever reads it can sign')
}

async function runSign(
  file: string,
  flags: SignFlags,
  { io, output }: CommandContext,
): Promise<void> {
  const path = resolve(file)
  const { bytes } = await readSigned(path)
  // What is wrong with the file is said before a passphrase is asked for.
  parseBytes(bytes)
  const pair = await readKeyPair(resolve(flags.key), () => readPassphrase(io, 'publisher'))
  const fileName = basename(path)
  const { network, signature } = signNetwork({ bytes, pair, fileName, nowMs: io.nowMs() })
  const to = signaturePath(path)
  await writeFile(to, signature)
  const { sequence } = network.edition
  output.result(
    { network: network.name, sequence, ...keyFields(pair.publicKey), signature: to },
    `signed edition ${sequence} of network ${network.name}: ${to}`,
  )
  output.say('give out both files together')
}

async function runVerify(
  file: string,
  flags: VerifyFlags,
  { io, output }: CommandContext,
): Promise<void> {
  const home = stateFolder(flags, io)
  const { bytes, signature } = await readSigned(resolve(file))
  const network = parseBytes(bytes)
  const named = flags.publisher === undefined ? undefined : await readPublicKey(flags.publisher)
  const config = await loadConfig({ env: { ...io.env, BYWAY_HOME: home } })
  const given = named ? formatPublicKey(named) : config.publisher || undefined
  // Who names a key asks about that key, whatever was used here before.
  const believed = named ? undefined : await readBelieved(home, network.name)
  const { signed } = judgeFile({ network, bytes, signature, believed, given, nowMs: io.nowMs() })
  if (signed) {
    output.result(signedFields(signed), signedText(signed))
    return
  }
  const fields = { network: network.name, local: true, signed: false }
  output.result(fields, `network ${network.name} is on this machine alone: nobody need sign it`)
}

function keyFields(key: PublicKey): JsonObject {
  return { publisher: formatPublicKey(key), keyId: keyIdText(key.id) }
}

function signedFields({ network, publisher, trust, trustedComment }: SignedFacts): JsonObject {
  const { name, local, bootstrap, edition } = network
  const { sequence, expiresAtMs, isTest, nextPublisher } = edition
  return {
    network: name,
    local,
    signed: true,
    test: isTest,
    sequence,
    expires: expiresAtMs === undefined ? null : new Date(expiresAtMs).toISOString(),
    contacts: bootstrap.length,
    contactsCounted: countContacts(network),
    ...keyFields(publisher),
    nextPublisher: nextPublisher ?? null,
    trust,
    trustedComment,
  }
}

const TRUST_TEXT = {
  known: 'the publisher that this state folder knows',
  given: 'the key that you named',
  'first-use': 'the key that the file itself names, which nothing vouches for yet',
} as const

function signedText(facts: SignedFacts): string {
  const { network, publisher, trust, trustedComment } = facts
  const { expiresAtMs, isTest, sequence, nextPublisher } = network.edition
  const rows: readonly (readonly [string, string])[] = [
    ['network', `${network.name}${isTest ? ' (a test network)' : ''}`],
    ['edition', String(sequence)],
    ['taken until', expiresAtMs === undefined ? 'no end' : new Date(expiresAtMs).toISOString()],
    ['first contacts', `${network.bootstrap.length}, of which ${countContacts(network)} count`],
    ['signed by', `${formatPublicKey(publisher)} (key ${keyIdText(publisher.id)})`],
    ...(nextPublisher === undefined ? [] : [['hands over to', nextPublisher] as const]),
    ['which is', TRUST_TEXT[trust]],
    ['signed comment', trustedComment],
  ]
  return rows.map(([name, value]) => `${name.padEnd(15)} ${value}`).join('\n')
}
