/** `byway wallet payout set`: where a node's earnings go. With the owner's key only, which is not in the purse. */
import type { Command } from 'commander'
import { createLocalSigner, createRegistryCalls } from '@byway/chain'
import { formatAddress, parseAddress, readPurseFile } from '@byway/purse'
import { toHex } from '@byway/protocol/base'
import { addCommand, addGroup, contextOf, type CommandContext } from '../command.ts'
import type { CliIo } from '../io.ts'
import { confirmSending } from '../wallet/confirm.ts'
import {
  openPaidNetwork,
  senderOver,
  type PaidNetwork,
  type WalletFlags,
} from '../wallet/open-wallet.ts'
import { addOwnerOptions, ownerKey, type OwnerFlags } from '../wallet/owner-key.ts'

type PayoutFlags = WalletFlags & OwnerFlags & { readonly yes?: boolean | undefined }

/** The selector of `payoutDelay()`. */
const PAYOUT_DELAY = '0xcaaf683c'

export function addPayoutCommands(group: Command, io: CliIo): void {
  const payout = addGroup(group, 'payout', "where the node's earnings go")
  addOwnerOptions(
    addCommand(payout, {
      usage: 'set <address>',
      summary: "change where earnings go, with the owner's key",
      details:
        "The purse cannot do this: it takes the owner's keystore, or the words. The registry lets the change wait, so that you\n" +
        'can see it (`wallet show`; the node tells of it too) and take it back, by setting the old address again, if it was not you.',
      examples: [
        'byway wallet payout set 0x52908400098527886E0F7030069857D2E4169EE7 --owner-keystore owner.json',
        'byway wallet payout set 0x52908400098527886E0F7030069857D2E4169EE7',
      ],
    }),
  )
    .option('--yes', 'send without asking')
    .action((address: string, flags: PayoutFlags, command: Command) =>
      runSet(address, flags, contextOf(command, io)),
    )
}

async function runSet(
  text: string,
  flags: PayoutFlags,
  { io, output }: CommandContext,
): Promise<void> {
  const payout = parseAddress(text)
  const network = await openPaidNetwork(flags, io)
  const { provider } = await readPurseFile(network.home)
  const to = formatAddress(payout)
  await confirmSending(io, {
    what: 'all earnings of this node',
    to,
    isYes: flags.yes === true,
    warning:
      'It takes effect after a delay; until then the present address, set again, takes it back.',
  })
  const key = await ownerKey(flags, io)
  await using sender = await senderOver(network, 'provider', createLocalSigner(key), io.signal)
  const calls = createRegistryCalls(network.payment.registry)
  const { hash } = await sender.send('payout', calls.changePayout(provider, payout))
  key.fill(0)
  const fromS = (await delayS(network, io.signal)) + Math.floor(io.nowMs() / 1000)
  const from = new Date(fromS * 1000).toISOString()
  output.result(
    { payout: to, from, transaction: hash },
    `earnings go to ${to} from about ${from} on`,
  )
}

async function delayS({ chain, payment }: PaidNetwork, signal: AbortSignal): Promise<number> {
  const head = await chain.view.head(signal)
  const registry = `0x${toHex(payment.registry)}` as const
  return Number(BigInt(await chain.reader.call(registry, PAYOUT_DELAY, head, signal)))
}
