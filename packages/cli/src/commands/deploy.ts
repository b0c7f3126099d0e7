/** `byway deploy`: puts the contracts on a chain and says where they are (docs/CLI.md). */
import type { Command } from 'commander'
import type { DeploymentRecord } from '@byway/chain'
import { parseAddress } from '@byway/purse'
import { cliError } from '../cli-errors.ts'
import { LOCAL_CHAIN_ID } from '../config/payment-table.ts'
import { parseWhole } from '../engine/engine-options.ts'
import { addCommand, contextOf, type CommandContext } from '../command.ts'
import type { CliIo } from '../io.ts'
import type { JsonObject } from '../output.ts'

type DeployFlags = {
  readonly rpc: readonly string[]
  readonly keyFile?: string | undefined
  readonly record: string
  readonly token?: string | undefined
  readonly confirmations?: number | undefined
}

/** A day of the slowest chain in use is more; who waits so long has mistyped. */
const MAX_CONFIRMATIONS = 1000

const KEY_VARIABLE = 'BYWAY_DEPLOY_KEY_FILE'

export function addDeployCommand(program: Command, io: CliIo): void {
  addCommand(program, {
    usage: 'deploy',
    summary: 'put the contracts on a chain, and write down where they are',
    details:
      'Deploys registry, pool and proof checkers over a token that is there (--token), writes a record of all addresses, and prints the [payment] table of\n' +
      'a network file. While the keys of zero-knowledge proofs come of a development set-up, with which anybody could forge money, any chain but a local\n' +
      'one (chain id 31337) is refused: docs/CEREMONY.md. On a local one a test token is made. Real chains need two endpoints, of two owners.\n' +
      'Outside a local network the file with that table has to be signed: `byway network sign`.\n' +
      `The key comes from a file (mode 0600, 64 hexadecimal digits) that --key-file or ${KEY_VARIABLE} names, never from the command line.`,
    examples: [
      'byway deploy --rpc http://127.0.0.1:8545 --key-file deployer.key',
      'byway deploy --rpc https://one.example --rpc https://two.example --key-file deployer.key --token 0x…',
    ],
  })
    .option(
      '--rpc <url>',
      'JSON-RPC endpoint of the chain; may be repeated',
      (url: string, before: readonly string[]) => [...before, url],
      [],
    )
    .option('--key-file <file>', "holds the deployer's key")
    .option('--token <address>', 'the token to pay in; needed on any chain but a local one')
    .option(
      '--confirmations <number>',
      'blocks until a transaction counts as settled (default: 12, on a local chain 1)',
      (text) => parseWhole(text, '--confirmations', 1, MAX_CONFIRMATIONS),
    )
    .option('--record <file>', 'the record to write; never overwritten', 'deployment.json')
    .action((flags: DeployFlags, command: Command) => run(flags, contextOf(command, io)))
}

async function run(flags: DeployFlags, { io, output }: CommandContext): Promise<void> {
  const { rpc: rpcUrls } = flags
  if (rpcUrls.length === 0) throw cliError('CLI_USAGE', { problem: '--rpc is missing' })
  if (!rpcUrls.every((url) => /^https?:/.test(url) && URL.canParse(url))) {
    throw cliError('CLI_USAGE', { problem: '--rpc must be an http or https URL' })
  }
  const keyFile = flags.keyFile ?? io.env[KEY_VARIABLE]
  if (!keyFile) throw cliError('CLI_USAGE', { problem: `--key-file or ${KEY_VARIABLE} is missing` })
  // The chain's library takes its time, and no other command of this file needs it.
  const { PROOF_CONTRACTS } = await import('@byway/chain')
  const { runDeploy } = await import('../engine/run-deploy.ts')
  const deployed = await runDeploy({
    rpcUrls,
    keyFile,
    recordFile: flags.record,
    token: flags.token === undefined ? undefined : parseAddress(flags.token),
    confirmations: flags.confirmations,
    proofContracts: PROOF_CONTRACTS,
    signal: io.signal,
  })
  const { record, recordFile, table } = deployed
  output.result({ ...fieldsOf(record), record: recordFile }, table)
  for (const step of nextSteps(record, recordFile)) output.say(step)
}

/** What is left to do. */
export function nextSteps(
  { chainId }: Pick<DeploymentRecord, 'chainId'>,
  recordFile: string,
): readonly string[] {
  const first = `deployed; the record is in ${recordFile}, and this table belongs in the network file`
  if (chainId === LOCAL_CHAIN_ID) return [first]
  return [
    first,
    'members take that file only when it is signed: `byway network keygen` makes a key, `byway network sign` signs with it',
  ]
}

/** Records are JSON by construction. */
function fieldsOf(record: DeploymentRecord): JsonObject {
  return { ...record }
}
