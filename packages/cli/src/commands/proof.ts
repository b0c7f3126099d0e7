/** `byway proof make|verify`: what a node carried, shown to anybody (SPEC §17). */
import { open, rm } from 'node:fs/promises'
import type { Command } from 'commander'
import { fromHex, toHex } from '@byway/protocol/base'
import type { NetworkParameters, PaymentParameters } from '@byway/protocol/directory'
import { bytesOf, elementOf, u256Bytes } from '@byway/protocol/ticket'
import { readPurseFile } from '@byway/purse'
import { assertMade, encodeServiceProof } from '@byway/zk'
import { addCommand, addGroup, contextOf, type CommandContext } from '../command.ts'
import { cliError } from '../cli-errors.ts'
import { loadConfig } from '../config/load-config.ts'
import { createProgressLine, showProof } from '../display/progress-line.ts'
import { stateFolder } from '../engine/engine-options.ts'
import type { CliIo } from '../io.ts'
import { readActiveStakes } from '../network/active-stakes.ts'
import { openNetwork } from '../network/open-network.ts'
import type { JsonObject } from '../output.ts'
import { findProof, parseEpoch, parseWhose, readProofFile, type Shown } from '../proof/get-proof.ts'
import { endedEpoch, hashReceipts, proveReceipts, type Commitment } from '../proof/make-proof.ts'
import { openReceipts } from '../proof/own-receipts.ts'
import { proofError } from '../proof/proof-errors.ts'
import {
  drawnBeacon,
  verifyProof,
  type OpenProofChain,
  type VerifyOptions,
} from '../proof/verify-proof.ts'
import { addViaClient } from '../wallet/via-client.ts'
import { walletError } from '../wallet/wallet-errors.ts'
import { addChallengeCommands } from './proof-challenge.ts'
import { missedText, verifiedJson, verifiedText } from './proof-text.ts'

type Flags = {
  readonly home?: string | undefined
  readonly network?: string | undefined
  readonly viaClient?: boolean | undefined
}
type MakeFlags = Flags & {
  readonly epoch?: string | undefined
  readonly beacon?: string | undefined
}
type VerifyFlags = Flags & {
  readonly epoch?: string | undefined
  readonly save?: string | undefined
  readonly chain: boolean
}

export function addProofCommands(program: Command, io: CliIo): void {
  const group = addGroup(
    program,
    'proof',
    'service proofs: what a node carried, for anybody to check',
  )
  addMake(group, io)
  addVerify(group, io)
  addChallengeCommands(group, io)
}

function addMake(group: Command, io: CliIo): void {
  const make = addCommand(group, {
    usage: 'make [file]',
    summary: "prove what this folder's node carried in an epoch",
    details:
      'Without a file it prints what the node commits to before the beacon is drawn: the root of its receipts and their units.\n' +
      'With one, it asks the chain for the beacon and writes the proof there: a minute or less of all cores and a gigabyte of memory. It shows twelve of the slots, and no client, time or\n' +
      'destination. A node that runs does all of this by itself. The program and its key are made once, in some minutes: npm run zk -- service-audit.',
    examples: [
      'byway proof make --epoch 2969 --json',
      'byway proof make week-2969.proof --epoch 2969',
    ],
  })
  addPlaces(make)
    .option('--epoch <number>', 'which epoch (default: the last one that has ended)')
    .option(
      '--beacon <number>',
      'what was drawn, as 0x and hexadecimal digits (default: the chain is asked)',
    )
    .action((file: string | undefined, flags: MakeFlags, command: Command) =>
      runMake(file, flags, contextOf(command, io)),
    )
}

function addVerify(group: Command, io: CliIo): void {
  const verify = addCommand(group, {
    usage: 'verify <node-or-file>',
    summary: "check anybody's service proof",
    details:
      'A node is named by its id or its account, in hexadecimal digits; it is asked for its newest proof, or that of --epoch, and those with which it has left it, when it sleeps. Whoever is\n' +
      'asked sees who asks for what. A file is named by its path (./NAME where the name could be an id).\n' +
      'Needs the network file only. Asks the chain for the roots of the shown slots, the commitment and the beacon, unless --no-chain is given or it does not answer: then the answer says so.\n' +
      'A proof that does not hold is an error, with exit code 76.',
    examples: [
      'byway proof verify 36d7… --epoch 2969',
      'byway proof verify week-2969.proof',
      'byway proof verify week-2969.proof --no-chain --json',
    ],
  })
  addPlaces(verify)
    .option('--epoch <number>', "which epoch of a node's (default: the newest that it shows)")
    .option('--save <file>', "write a node's proof to a new file")
    .option('--no-chain', 'do not ask the chain')
    .action((what: string, flags: VerifyFlags, command: Command) =>
      runVerify(what, flags, contextOf(command, io)),
    )
}

function addPlaces(command: Command): Command {
  return addViaClient(command)
    .option('--home <folder>', 'state folder (default: $BYWAY_HOME, or ~/.byway)')
    .option('--network <file>', 'the network file (default: network.toml in the state folder)')
}

async function runMake(
  file: string | undefined,
  flags: MakeFlags,
  { io, output }: CommandContext,
): Promise<void> {
  if (file === undefined && flags.beacon !== undefined)
    throw cliError('CLI_USAGE', { problem: '--beacon needs a file to write the proof to' })
  const given = flags.beacon === undefined ? undefined : parseBeacon(flags.beacon)
  const { home, payment, openChain } = await settingOf(flags, { io, output })
  const epoch = endedEpoch(payment, parseEpoch(flags.epoch), io.nowMs())
  const { provider } = await readPurseFile(home)
  using progress = createProgressLine(io)
  const setting = { payment, provider, onProgress: showProof(progress) }
  await using source = await openReceipts(home)
  // Nothing is worth a minute of work that cannot be proved or written.
  if (file !== undefined) await assertMade('service-audit')
  const beacon =
    given ??
    (file === undefined ? undefined : await drawnBeacon(openChain, payment, epoch, io.signal))
  await using to = file === undefined ? undefined : await openNew(file)
  const committed = await hashReceipts(setting, source, epoch, io.signal)
  if (!committed) throw proofError('PROOF_NO_RECEIPTS', { epoch })
  const { commitment } = committed
  if (beacon !== undefined && to) {
    const proof = await proveReceipts(setting, source, committed, beacon, io.signal)
    await to.write(encodeServiceProof(proof))
  }
  const where = file === undefined ? {} : { file }
  output.result({ ...commitmentJson(provider, commitment), ...where }, commitmentText(commitment))
}

/** A new file, which goes away again when nothing was written. */
async function openNew(
  path: string,
): Promise<AsyncDisposable & { write(bytes: Uint8Array): Promise<void> }> {
  const file = await open(path, 'wx')
  let isWritten = false
  return {
    async write(bytes) {
      await file.writeFile(bytes)
      isWritten = true
    },
    async [Symbol.asyncDispose]() {
      await file.close()
      if (!isWritten) await rm(path)
    },
  }
}

async function runVerify(
  what: string,
  flags: VerifyFlags,
  { io, output }: CommandContext,
): Promise<void> {
  const whose = parseWhose(what)
  const epoch = parseEpoch(flags.epoch)
  if (!whose && (epoch !== undefined || flags.save !== undefined))
    throw cliError('CLI_USAGE', { problem: '--epoch and --save are for the proof of a node' })
  const { network, payment, openChain } = await settingOf(flags, { io, output })
  const options = { openChain: flags.chain ? openChain : undefined, signal: io.signal }
  await using to = flags.save === undefined ? undefined : await openNew(flags.save)
  const onAway = (): void =>
    output.say('the chain does not answer: what first contacts show is held against no stake')
  const { verified, bytes } = whose
    ? await findProof({
        network,
        payment,
        stakes: flags.chain
          ? await readActiveStakes({ network, openChain, onAway, signal: io.signal })
          : undefined,
        whose,
        epoch: epoch ?? 0,
        nowMs: io.nowMs,
        ...options,
      })
    : await verifyFile(what, payment, options)
  await to?.write(bytes)
  output.result(verifiedJson(verified), verifiedText(verified, payment))
  const missed = missedText(verified)
  if (missed !== undefined) output.say(missed)
}

async function verifyFile(
  path: string,
  payment: PaymentParameters,
  options: VerifyOptions,
): Promise<Shown> {
  const bytes = await readProofFile(path)
  return { bytes, verified: await verifyProof(bytes, payment, options) }
}

type Setting = {
  readonly home: string
  readonly network: NetworkParameters
  readonly payment: PaymentParameters
  /** Through the client that runs with this state folder, or at the endpoints; says which. Once. */
  readonly openChain: OpenProofChain
}

async function settingOf(
  flags: Flags,
  { io, output }: Pick<CommandContext, 'io' | 'output'>,
): Promise<Setting> {
  const home = stateFolder(flags, io)
  const env = { ...io.env, BYWAY_HOME: home }
  const settings = { networkFile: flags.network }
  const config = await loadConfig({ env, configPath: undefined, flags: settings })
  const network = await openNetwork({ home, config }, io)
  const { payment } = network
  if (!payment) throw walletError('WALLET_NO_PAYMENT', {})
  let opened: ReturnType<OpenProofChain> | undefined
  const openOnce: OpenProofChain = async () => {
    const { openPurseChain } = await import('../wallet/purse-chain.ts')
    const say = (line: string): void => output.say(line)
    const viaClient = flags.viaClient === true
    const told = { say, shows: 'which proof is looked at', viaClient }
    const isLocal = network.local
    return await openPurseChain({ home, payment, isLocal, ...told, signal: io.signal })
  }
  return { home, network, payment, openChain: () => (opened ??= openOnce()) }
}

function parseBeacon(text: string): bigint {
  const bytes = /^0x[0-9a-f]{1,64}$/.test(text)
    ? fromHex(text.slice(2).padStart(64, '0'))
    : undefined
  const beacon = bytes && elementOf(bytes)
  if (beacon === undefined)
    throw cliError('CLI_USAGE', {
      problem: '--beacon must be 0x and hexadecimal digits, a field element',
    })
  return beacon
}

function commitmentJson(provider: Uint8Array, commitment: Commitment): JsonObject {
  const { epoch, root, total, maxUnits, receipts } = commitment
  return {
    provider: `0x${toHex(provider)}`,
    epoch,
    root: `0x${toHex(u256Bytes(root))}`,
    total: Number(total),
    maxUnits: Number(maxUnits),
    receipts,
  }
}

function commitmentText({ epoch, root, total, maxUnits, receipts }: Commitment): string {
  return [
    `epoch ${epoch}: ${total} units in ${receipts} slots, at most ${maxUnits} a slot`,
    `root 0x${toHex(bytesOf(root, 32))}`,
  ].join('\n')
}
