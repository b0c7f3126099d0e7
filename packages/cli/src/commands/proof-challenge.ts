/** `byway proof challenge|answer`: a doubt about a service proof, taken to the chain, and what ends it (SPEC §17.5). */
import type { Command } from 'commander'
import { isBywayError, toHex } from '@byway/protocol/base'
import type { NetworkParameters } from '@byway/protocol/directory'
import { formatAddress } from '@byway/purse'
import { addCommand, contextOf, type CommandContext } from '../command.ts'
import { cliError } from '../cli-errors.ts'
import { loadConfig } from '../config/load-config.ts'
import { stateFolder } from '../engine/engine-options.ts'
import type { CliIo } from '../io.ts'
import { readActiveStakes } from '../network/active-stakes.ts'
import { openNetwork } from '../network/open-network.ts'
import {
  nextStep,
  providerOf,
  sendAnswer,
  sendStep,
  type ChallengeStep,
} from '../proof/challenge.ts'
import {
  findProof,
  parseEpoch,
  parseWhose,
  readProofFile,
  type FindOptions,
  type Shown,
} from '../proof/get-proof.ts'
import { proofError } from '../proof/proof-errors.ts'
import { verifyProof, type OpenProofChain } from '../proof/verify-proof.ts'
import { confirmSending } from '../wallet/confirm.ts'
import { openWallet, type Wallet, type WalletFlags } from '../wallet/open-wallet.ts'
import { addWalletOptions, money } from './wallet-deposit.ts'

type ChallengeFlags = WalletFlags & {
  readonly epoch?: string | undefined
  readonly yes?: boolean | undefined
  readonly anyway?: boolean | undefined
}
type AnswerFlags = WalletFlags & { readonly epoch?: string | undefined }

export function addChallengeCommands(group: Command, io: CliIo): void {
  addWalletOptions(
    addCommand(group, {
      usage: 'challenge <node>',
      summary: 'make a node prove an epoch on the chain, for a bond',
      details:
        'For who sees no proof of a node, or a false one. Its bond and the gas are paid from the purse; a node that runs answers by itself.\n' +
        'When it answers in time, the bond is its. When it does not, run this again after the answer window: the node loses its whole stake, of which a tenth comes here with the bond,\n' +
        'and what was held back of its wins is burned. A node whose published proof holds is not challenged, unless --anyway is given: the bond would be lost.',
      examples: ['byway proof challenge 36d7…', 'byway proof challenge 0x5290… --epoch 2969 --yes'],
    }),
  )
    .option('--epoch <number>', 'which epoch (default: the newest that can be challenged)')
    .option('--anyway', 'do not look for the published proof first')
    .option('--yes', 'send without asking')
    .action((node: string, flags: ChallengeFlags, command: Command) =>
      runChallenge(node, flags, contextOf(command, io)),
    )
  addWalletOptions(
    addCommand(group, {
      usage: 'answer <node-or-file>',
      summary: 'give a published proof as the answer to a challenge',
      details:
        'For who wants to help a node that is away: anybody may answer for it. The gas, about 1.5 million, is paid from the purse; the bond goes to the node.',
      examples: ['byway proof answer week-2969.proof', 'byway proof answer 36d7… --epoch 2969'],
    }),
  )
    .option('--epoch <number>', "which epoch of a node's (default: the newest that is shown)")
    .action((what: string, flags: AnswerFlags, command: Command) =>
      runAnswer(what, flags, contextOf(command, io)),
    )
}

async function runChallenge(
  node: string,
  flags: ChallengeFlags,
  { io, output }: CommandContext,
): Promise<void> {
  const whose = parseWhose(node)
  if (!whose) throw cliError('CLI_USAGE', { problem: 'a node is named by its id or its account' })
  const asked = parseEpoch(flags.epoch)
  const network = await networkOf(flags, io)
  await using wallet = await openWallet(flags, io, [], { mayChallenge: true })
  let read: Promise<Directory> | undefined
  // Who names an account and looks for no proof needs none.
  const directory = (): Promise<Directory> =>
    (read ??= directoryOf(network, wallet, { io, output }))
  const provider = await providerOf(whose, directory)
  const step = await nextStep(wallet, provider, asked, io.signal)
  const { epoch } = step
  if (step.step === 'challenge') {
    const isSure =
      flags.anyway === true || !(await isShown(await directory(), wallet, provider, epoch))
    if (!isSure) throw proofError('PROOF_HOLDS', { epoch })
    const what = `${money(wallet, step.bond)} as a bond: the node's, if it proves epoch ${epoch} in time`
    const to = formatAddress(wallet.payment.proofs?.contract ?? provider)
    await confirmSending(io, { what, to, isYes: flags.yes === true })
  }
  const transaction = await sendStep(wallet, provider, step, io.signal)
  const done = step.step === 'slash' ? 'slashed' : 'challenged'
  const fields = { provider: `0x${toHex(provider)}`, epoch, done, transaction }
  output.result({ ...fields, bond: bondOf(step) }, doneText(wallet, step))
}

function bondOf(step: ChallengeStep): string | null {
  return step.step === 'challenge' ? String(step.bond) : null
}

function doneText(wallet: Wallet, step: ChallengeStep): string {
  const epoch = `epoch ${step.epoch}`
  return step.step === 'slash'
    ? `${epoch} was not proved in time: the stake is taken, and a tenth of it and the bond are in the purse`
    : `${epoch} is challenged with ${money(wallet, step.bond)}; if the node does not answer, run this again after the answer window`
}

/** Whom a command asks for what a node shows, and what that is held against. */
type Directory = Pick<FindOptions, 'network' | 'stakes' | 'nowMs' | 'signal'>

async function directoryOf(
  network: NetworkParameters,
  wallet: Wallet,
  { io: { nowMs, signal }, output }: CommandContext,
): Promise<Directory> {
  const openChain: OpenProofChain = async () => wallet
  const onAway = (): void =>
    output.say('the chain does not answer: what first contacts show is held against no stake')
  const stakes = await readActiveStakes({ network, openChain, onAway, signal })
  return { network, stakes, nowMs, signal }
}

/** Whether its proof can be had, and holds: then the chain would say the same. @throws DIRECTORY_INCOMPLETE: who hides nodes may hide those that have it, and the bond would be lost */
async function isShown(
  directory: Directory,
  wallet: Wallet,
  whose: Uint8Array,
  epoch: number,
): Promise<boolean> {
  const { payment } = wallet
  try {
    const openChain: OpenProofChain = async () => wallet
    await findProof({ ...directory, payment, whose, epoch, openChain })
    return true
  } catch (error) {
    if (isBywayError(error) && UNSHOWN.has(error.code)) return false
    throw error
  }
}

const UNSHOWN: ReadonlySet<string> = new Set([
  'PROOF_FALSE',
  'PROOF_FILE',
  'PROOF_NOT_SHOWN',
  'ENTRY_UNREACHABLE',
])

async function runAnswer(
  what: string,
  flags: AnswerFlags,
  { io, output }: CommandContext,
): Promise<void> {
  const network = await networkOf(flags, io)
  await using wallet = await openWallet(flags, io)
  const { proof } = (await shownOf(what, flags, network, wallet, { io, output })).verified
  const transaction = await sendAnswer(wallet, proof, io.signal)
  const { provider, epoch } = proof
  output.result(
    { provider: `0x${toHex(provider)}`, epoch, done: 'answered', transaction },
    `the challenge of epoch ${epoch} is answered: its bond went to the node`,
  )
}

async function shownOf(
  what: string,
  flags: AnswerFlags,
  network: NetworkParameters,
  wallet: Wallet,
  context: CommandContext,
): Promise<Shown> {
  const { payment } = wallet
  const whose = parseWhose(what)
  const epoch = parseEpoch(flags.epoch)
  const openChain: OpenProofChain = async () => wallet
  if (whose) {
    const directory = await directoryOf(network, wallet, context)
    return await findProof({ ...directory, payment, whose, epoch: epoch ?? 0, openChain })
  }
  if (epoch !== undefined) throw cliError('CLI_USAGE', { problem: '--epoch is for a node' })
  const bytes = await readProofFile(what)
  const { signal } = context.io
  return { bytes, verified: await verifyProof(bytes, payment, { openChain, signal }) }
}

async function networkOf(flags: WalletFlags, io: CliIo): Promise<NetworkParameters> {
  const home = stateFolder(flags, io)
  const env = { ...io.env, BYWAY_HOME: home }
  const config = await loadConfig({ env, flags: { networkFile: flags.network } })
  return await openNetwork({ home, config }, io)
}
