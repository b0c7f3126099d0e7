/** `byway proof make|verify`: what a node carried, shown to anybody (SPEC §17). */
import { open, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Command } from 'commander'
import { fromHex, toHex } from '@byway/protocol/base'
import type { NetworkParameters, PaymentParameters } from '@byway/protocol/directory'
import { bytesOf, elementOf, u256Bytes } from '@byway/protocol/ticket'
import { readPurseFile } from '@byway/purse'
import { assertMade, encodeServiceProof } from '@byway/zk'
import { addCommand, addGroup, contextOf, type CommandContext } from '../command.ts'
import { cliError } from '../cli-errors.ts'
import { loadConfig } from '../config/load-config.ts'
import { loadNetworkFile } from '../config/network-file.ts'
import { parseWhole, stateFolder } from '../engine/engine-options.ts'
import type { CliIo } from '../io.ts'
import type { JsonObject } from '../output.ts'
import { endedEpoch, hashReceipts, proveReceipts, type Commitment } from '../proof/make-proof.ts'
import { openReceipts } from '../proof/own-receipts.ts'
import { proofError } from '../proof/proof-errors.ts'
import { CHAIN_CHECKS, verifyProof, type Verified } from '../proof/verify-proof.ts'
import { walletError } from '../wallet/wallet-errors.ts'

type Flags = { readonly home?: string | undefined; readonly network?: string | undefined }
type MakeFlags = Flags & {
  readonly epoch?: string | undefined
  readonly beacon?: string | undefined
}
type VerifyFlags = Flags & { readonly chain: boolean }

/** A u32. */
const MAX_EPOCH = 2 ** 32 - 1

export function addProofCommands(program: Command, io: CliIo): void {
  const group = addGroup(
    program,
    'proof',
    'service proofs: what a node carried, for anybody to check',
  )
  addMake(group, io)
  addVerify(group, io)
}

function addMake(group: Command, io: CliIo): void {
  const make = addCommand(group, {
    usage: 'make [file]',
    summary: "prove what this folder's node carried in an epoch",
    details:
      'Without --beacon it prints what the node commits to before the beacon is drawn: the root of its receipts and their units.\n' +
      'With it, it writes the proof to a new file: a minute or less of all cores and a gigabyte of memory. It shows twelve of the slots, and no client, time or destination.\n' +
      'The program and its key are made once, in some minutes: npm run zk -- service-audit.',
    examples: [
      'byway proof make --epoch 2969 --json',
      'byway proof make week-2969.proof --epoch 2969 --beacon 0x0f3a…',
    ],
  })
  addPlaces(make)
    .option('--epoch <number>', 'which epoch (default: the last one that has ended)')
    .option('--beacon <number>', 'what was drawn, as 0x and hexadecimal digits')
    .action((file: string | undefined, flags: MakeFlags, command: Command) =>
      runMake(file, flags, contextOf(command, io)),
    )
}

function addVerify(group: Command, io: CliIo): void {
  const verify = addCommand(group, {
    usage: 'verify <file>',
    summary: "check anybody's service proof",
    details:
      'Needs the network file only. Asks the chain for the roots of the shown slots, the commitment and the beacon, unless --no-chain is given or it does not answer: then the answer says so.\n' +
      'A proof that does not hold is an error, with exit code 76.',
    examples: [
      'byway proof verify week-2969.proof',
      'byway proof verify week-2969.proof --no-chain --json',
    ],
  })
  addPlaces(verify)
    .option('--no-chain', 'ask nobody')
    .action((file: string, flags: VerifyFlags, command: Command) =>
      runVerify(file, flags, contextOf(command, io)),
    )
}

function addPlaces(command: Command): Command {
  return command
    .option('--home <folder>', 'state folder (default: $BYWAY_HOME, or ~/.byway)')
    .option('--network <file>', 'the network file (default: network.toml in the state folder)')
}

async function runMake(
  file: string | undefined,
  flags: MakeFlags,
  { io, output }: CommandContext,
): Promise<void> {
  if ((file === undefined) !== (flags.beacon === undefined))
    throw cliError('CLI_USAGE', { problem: 'a file and --beacon go together' })
  const beacon = flags.beacon === undefined ? undefined : parseBeacon(flags.beacon)
  const asked =
    flags.epoch === undefined ? undefined : parseWhole(flags.epoch, '--epoch', 0, MAX_EPOCH)
  const { home, payment } = await settingOf(flags, io)
  const epoch = endedEpoch(payment, asked, io.nowMs())
  const { provider } = await readPurseFile(home)
  const setting = { payment, provider, say: (text: string) => output.say(text) }
  await using source = await openReceipts(home)
  // Nothing is worth a minute of work that cannot be proved or written.
  if (beacon !== undefined) await assertMade('service-audit')
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
  file: string,
  flags: VerifyFlags,
  { io, output }: CommandContext,
): Promise<void> {
  const { network, payment } = await settingOf(flags, io)
  const options = { withChain: flags.chain, signal: io.signal }
  const verified = await verifyProof(file, network, payment, options)
  output.result(verifiedJson(verified), verifiedText(verified))
  const missed = notChecked(verified)
  if (missed.length > 0) output.say(`not checked, since only the chain knows: ${missed.join(', ')}`)
}

function notChecked({ checked }: Verified): readonly string[] {
  return CHAIN_CHECKS.filter((each) => !checked.includes(each))
}

type Setting = {
  readonly home: string
  readonly network: NetworkParameters
  readonly payment: PaymentParameters
}

async function settingOf(flags: Flags, io: CliIo): Promise<Setting> {
  const home = stateFolder(flags, io)
  const env = { ...io.env, BYWAY_HOME: home }
  const settings = { networkFile: flags.network }
  const config = await loadConfig({ env, configPath: undefined, flags: settings })
  const network = await loadNetworkFile(config.networkFile || join(home, 'network.toml'))
  const { payment } = network
  if (!payment) throw walletError('WALLET_NO_PAYMENT', {})
  return { home, network, payment }
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

function verifiedJson(verified: Verified): JsonObject {
  const { proof, checked } = verified
  const { provider, epoch, root, total, maxUnits, beacon, openings } = proof
  return {
    holds: true,
    provider: `0x${toHex(provider)}`,
    epoch,
    root: `0x${toHex(u256Bytes(root))}`,
    total: Number(total),
    maxUnits: Number(maxUnits),
    beacon: `0x${toHex(u256Bytes(beacon))}`,
    slots: openings.map(({ nullifier }) => toHex(nullifier)),
    checked: ['receipts', 'slots', ...checked],
    notChecked: notChecked(verified),
  }
}

function verifiedText({ proof }: Verified): string {
  const { provider, epoch, total } = proof
  return `holds: provider 0x${toHex(provider)} was paid for ${total} units in epoch ${epoch}, as the clients of its slots signed`
}
