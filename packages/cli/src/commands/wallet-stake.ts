/** `byway wallet stake add|leave|withdraw`: the stake behind a node, with the owner's key only, which is not in the purse. */
import type { Command } from 'commander'
import { createLocalSigner, createRegistryCalls, type RegistryCalls } from '@byway/chain'
import type { ContractCall, Registration, TransactionSigner } from '@byway/protocol/payment'
import { formatAddress, readPurseFile } from '@byway/purse'
import { addCommand, addGroup, contextOf, type CommandContext } from '../command.ts'
import type { CliIo } from '../io.ts'
import { parseAmount } from '../wallet/amounts.ts'
import { confirmSending } from '../wallet/confirm.ts'
import {
  openPaidNetwork,
  senderOver,
  type PaidNetwork,
  type Sender,
  type WalletFlags,
} from '../wallet/open-wallet.ts'
import { addOwnerOptions, ownerKey, type OwnerFlags } from '../wallet/owner-key.ts'
import { requireTokens } from '../wallet/require-tokens.ts'
import { walletError } from '../wallet/wallet-errors.ts'
import { timeText } from './return-command.ts'
import { money } from './wallet-deposit.ts'

type StakeFlags = WalletFlags & OwnerFlags & { readonly yes?: boolean | undefined }

export function addStakeCommands(group: Command, io: CliIo): void {
  const stake = addGroup(group, 'stake', 'the stake behind the node of this state folder')
  addOwnerOptions(
    addCommand(stake, {
      usage: 'add <amount>',
      summary: "put more under stake, from the owner's account",
      details:
        'Penalties for locks that lapsed, and fees of locks, come out of a stake: below its least nothing can be locked.',
      examples: ['byway wallet stake add 50 --owner-keystore owner.json'],
    }),
  )
    .option('--yes', 'send without asking')
    .action((amount: string, flags: StakeFlags, command: Command) =>
      runAdd(amount, flags, contextOf(command, io)),
    )
  addOwnerOptions(
    addCommand(stake, {
      usage: 'leave',
      summary: 'have the node leave, so that its stake comes free',
      details:
        'From then on nobody lists the node and it locks nothing more; what it has won is still paid. The stake comes free after the delay of the registry, and `stake withdraw` brings it back.',
      examples: ['byway wallet stake leave --owner-keystore owner.json'],
    }),
  )
    .option('--yes', 'send without asking')
    .action((flags: StakeFlags, command: Command) => runLeave(flags, contextOf(command, io)))
  addOwnerOptions(
    addCommand(stake, {
      usage: 'withdraw',
      summary: "bring a stake that is free back to the owner's account",
      examples: ['byway wallet stake withdraw --owner-keystore owner.json'],
    }),
  ).action((flags: StakeFlags, command: Command) => runWithdraw(flags, contextOf(command, io)))
}

async function runAdd(
  text: string,
  flags: StakeFlags,
  { io, output }: CommandContext,
): Promise<void> {
  const staked = await openStaked(flags, io)
  const { network, calls, registration } = staked
  const { payment, tokenCalls } = network
  const amount = parseAmount(text, payment.tokenDecimals)
  if (registration.stakeFreeS !== undefined) throw walletError('WALLET_STAKE_LEAVES', {})
  const what = `${money(network, amount)} more as stake, locked until the node has left`
  const to = formatAddress(payment.registry)
  await confirmSending(io, { what, to, isYes: flags.yes === true })
  const { view } = network.chainOf('provider')
  const transaction = await asOwner(staked, flags, io, async (sender, { address }) => {
    await requireTokens(network, address, amount, io.signal)
    if ((await view.tokenAllowance(address, payment.registry, io.signal)) < amount)
      await sender.send('approve', tokenCalls.approve(payment.registry, amount))
    return { what: 'add-stake', call: calls.addStake(registration.provider, amount) }
  })
  const stake = registration.stake + amount
  output.result(
    { stake: String(stake), transaction },
    `${money(network, stake)} stand behind the node`,
  )
}

async function runLeave(flags: StakeFlags, { io, output }: CommandContext): Promise<void> {
  const staked = await openStaked(flags, io)
  const { network, calls, registration } = staked
  if (registration.stakeFreeS !== undefined) throw walletError('WALLET_STAKE_LEAVES', {})
  const what = `the node leaves: nobody lists it any more, and ${money(network, registration.stake)} come free after the delay`
  const to = "the owner's account"
  await confirmSending(io, { what, to, isYes: flags.yes === true })
  const transaction = await asOwner(staked, flags, io, async () => {
    return { what: 'unbond', call: calls.unbond(registration.provider) }
  })
  const { stakeFreeS } = await registrationOf(network, registration.provider, io.signal)
  const freeFrom = stakeFreeS === undefined ? null : timeText(stakeFreeS)
  output.result(
    { stake: String(registration.stake), freeFrom, transaction },
    `the node leaves; \`byway wallet stake withdraw\` brings ${money(network, registration.stake)} back from ${freeFrom ?? 'then'} on`,
  )
}

async function runWithdraw(flags: StakeFlags, { io, output }: CommandContext): Promise<void> {
  const staked = await openStaked(flags, io)
  const { network, calls, registration } = staked
  const { stake, stakeFreeS, provider } = registration
  const { timeS } = await network.chain.view.head(io.signal)
  if (stakeFreeS === undefined) throw walletError('WALLET_STAKE_BONDED', {})
  if (timeS < stakeFreeS) {
    const freeFrom = timeText(stakeFreeS)
    output.result(
      { withdrawn: '0', freeFrom },
      `it comes free at ${freeFrom}: run this again after that`,
    )
    return
  }
  const transaction = await asOwner(staked, flags, io, async () => {
    return { what: 'withdraw-stake', call: calls.withdrawStake(provider) }
  })
  output.result(
    { withdrawn: String(stake), freeFrom: null, transaction },
    `${money(network, stake)} are on the owner's account`,
  )
}

type Staked = {
  readonly network: PaidNetwork
  readonly calls: RegistryCalls
  readonly registration: Registration
}

/** @throws WALLET_NO_STAKE, and what network and purse throw */
async function openStaked(flags: WalletFlags, io: CliIo): Promise<Staked> {
  const network = await openPaidNetwork(flags, io)
  const { provider } = await readPurseFile(network.home)
  const registration = await registrationOf(network, provider, io.signal)
  return { network, calls: createRegistryCalls(network.payment.registry), registration }
}

/** @throws WALLET_NO_STAKE where none stands behind the node, and what the chain throws */
async function registrationOf(
  network: PaidNetwork,
  provider: Uint8Array,
  signal: AbortSignal,
): Promise<Registration> {
  const found = await network.chainOf('provider').view.registration(provider, signal)
  if (!found || found.nodeId.every((byte) => byte === 0)) throw walletError('WALLET_NO_STAKE', {})
  return found
}

/** Sends a call with the owner's key; gives its transaction. @throws what key, lane and contract throw */
async function asOwner(
  { network }: Staked,
  flags: OwnerFlags,
  io: CliIo,
  make: (
    sender: Sender,
    signer: TransactionSigner,
  ) => Promise<{ readonly what: string; readonly call: ContractCall }>,
): Promise<string> {
  const key = await ownerKey(flags, io)
  const signer = createLocalSigner(key)
  key.fill(0)
  await using sender = await senderOver(network, 'provider', signer, io.signal)
  const { what, call } = await make(sender, signer)
  return (await sender.send(what, call)).hash
}
