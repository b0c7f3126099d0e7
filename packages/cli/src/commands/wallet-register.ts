/** `byway wallet register`: puts a node under stake, as its owner. */
import type { Command } from 'commander'
import { createLocalSigner, createRegistryCalls } from '@byway/chain'
import { formatAddress } from '@byway/purse'
import { fromBase64url, fromHex } from '@byway/protocol/base'
import { addCommand, contextOf, type CommandContext } from '../command.ts'
import { cliError } from '../cli-errors.ts'
import type { CliIo } from '../io.ts'
import { parseAmount } from '../wallet/amounts.ts'
import { confirmSending } from '../wallet/confirm.ts'
import { openWallet, senderOver, type WalletFlags } from '../wallet/open-wallet.ts'
import { addOwnerOptions, ownerKey, type OwnerFlags } from '../wallet/owner-key.ts'
import { requireTokens } from '../wallet/require-tokens.ts'
import { money } from './wallet-deposit.ts'

type RegisterFlags = WalletFlags &
  OwnerFlags & { readonly stake: string; readonly yes?: boolean | undefined }

const NODE_ID_BYTES = 32

export function addRegisterCommand(group: Command, io: CliIo): void {
  addOwnerOptions(
    addCommand(group, {
      usage: 'register <node-id>',
      summary: "put this state folder's node under stake, with the owner's key",
      details:
        "The owner's account pays stake and gas, and alone gets the stake back. Earnings go to the owner's address until\n" +
        '`wallet payout set` says otherwise. The node id is what `byway node` prints.',
      examples: ['byway wallet register 36d7… --stake 100 --owner-keystore owner.json'],
    }),
  )
    .requiredOption('--stake <tokens>', 'how much; a network has a least stake')
    .option('--yes', 'send without asking')
    .action((id: string, flags: RegisterFlags, command: Command) =>
      runRegister(id, flags, contextOf(command, io)),
    )
}

async function runRegister(
  id: string,
  flags: RegisterFlags,
  { io, output }: CommandContext,
): Promise<void> {
  const nodeId = id.length === 2 * NODE_ID_BYTES ? fromHex(id) : fromBase64url(id)
  if (nodeId?.length !== NODE_ID_BYTES) {
    throw cliError('CLI_USAGE', { problem: 'a node id has 32 bytes, in base64url or hex' })
  }
  const key = await ownerKey(flags, io)
  const signer = createLocalSigner(key)
  key.fill(0)
  // Its owner may receive what the node earns, also where the purse does not know him.
  await using wallet = await openWallet(flags, io, [signer.address])
  const { purse, payment, chainOf, tokenCalls } = wallet
  const stake = parseAmount(flags.stake, payment.tokenDecimals)
  const [owner, payout] = [signer.address, purse.accounts.owner ?? signer.address]
  const what = `${money(wallet, stake)} as stake, locked until the node has left`
  const to = formatAddress(payment.registry)
  await confirmSending(io, { what, to, isYes: flags.yes === true })
  const signature = await purse.signRegistration({ owner, nodeId, payout })
  const { provider } = purse.accounts
  await using sender = await senderOver(wallet, 'provider', signer, io.signal)
  const { view } = chainOf('provider')
  await requireTokens(wallet, owner, stake, io.signal)
  if ((await view.tokenAllowance(owner, payment.registry, io.signal)) < stake) {
    await sender.send('approve', tokenCalls.approve(payment.registry, stake))
  }
  const calls = createRegistryCalls(payment.registry)
  const node = { provider, nodeId, payout, stake, signature }
  const { hash } = await sender.send('register', calls.register(node))
  const fields = { provider: formatAddress(provider), payout: formatAddress(payout) }
  output.result(
    { ...fields, stake: String(stake), transaction: hash },
    `registered with ${money(wallet, stake)}; earnings go to ${fields.payout}`,
  )
}
