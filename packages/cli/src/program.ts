/** The command tree of `byway`, and the way from a command line to an exit code. A command that is not built is not here. */
import { Command, CommanderError } from 'commander'
import { cliError } from './cli-errors.ts'
import { JSON_OPTION } from './command.ts'
import { EXIT_CODE, exitCodeOf, type ExitCode } from './exit-codes.ts'
import type { CliIo } from './io.ts'
import { createOutput } from './output.ts'
import { VERSION } from './version.ts'

/** Runs one command line; never throws. `args` are those after the program's name. */
export async function runCli(args: readonly string[], io: CliIo): Promise<ExitCode> {
  try {
    const program = await createProgram(args, io)
    await program.parseAsync([...args], { from: 'user' })
    return EXIT_CODE.OK
  } catch (error) {
    if (error instanceof CommanderError) return reportUsage(error, args, io)
    createOutput(io, args.includes('--json')).fail(error)
    return exitCodeOf(error)
  }
}

/** Adds one or more commands. */
type AddCommands = (program: Command, io: CliIo) => void

/** Where each command is, in the order of the help. Only that of the command line is loaded: an engine's libraries take longer to load than most commands to run. */
const COMMANDS: Readonly<Record<string, () => Promise<AddCommands>>> = {
  start: async () => (await import('./commands/start.ts')).addStartCommand,
  up: async () => (await import('./commands/up.ts')).addClientCommands,
  node: async () => (await import('./commands/node.ts')).addNodeCommands,
  exit: async () => (await import('./commands/exit-consent.ts')).addExitCommands,
  policy: async () => (await import('./commands/policy-check.ts')).addPolicyCommands,
  wallet: async () => (await import('./commands/wallet.ts')).addWalletCommands,
  ledger: async () => (await import('./commands/ledger.ts')).addLedgerCommand,
  proof: async () => (await import('./commands/proof.ts')).addProofCommands,
  testnet: async () => (await import('./commands/testnet.ts')).addTestnetCommand,
  network: async () => (await import('./commands/network.ts')).addNetworkCommands,
  deploy: async () => (await import('./commands/deploy.ts')).addDeployCommand,
}

/** Commands that are in another's file. */
const BESIDE: Readonly<Record<string, string>> = { down: 'up', status: 'up' }

/** What the command line needs; all of them for help and for words that are no command. */
async function commandsFor(args: readonly string[]): Promise<readonly AddCommands[]> {
  const word = args.find((arg) => !arg.startsWith('-')) ?? ''
  const name = Object.hasOwn(BESIDE, word) ? (BESIDE[word] ?? word) : word
  const own = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined
  return Promise.all((own ? [own] : Object.values(COMMANDS)).map((load) => load()))
}

async function createProgram(args: readonly string[], io: CliIo): Promise<Command> {
  const program = new Command('byway')
    .description('Carries your traffic through the homes of others, and theirs through yours.')
    .version(VERSION, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'show help')
    .option(...JSON_OPTION)
    .helpCommand(false)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => io.writeOut(text),
      writeErr: (text) => io.writeErr(text),
      // Errors are reported once, by runCli, in the voice of every other error.
      outputError: () => {},
    })
    .addHelpText('after', PROGRAM_HELP)
  for (const add of await commandsFor(args)) add(program, io)
  return program
}

/** Help that was asked for is a success; help shown because the command is missing is not. */
function reportUsage(error: CommanderError, args: readonly string[], io: CliIo): ExitCode {
  if (error.exitCode === 0) return EXIT_CODE.OK
  const problem =
    error.code === 'commander.help'
      ? 'a command is missing'
      : error.message.replace(/^error: /, '').replaceAll('\n', ' ')
  createOutput(io, args.includes('--json')).fail(cliError('CLI_USAGE', { problem }))
  return EXIT_CODE.USAGE
}

const PROGRAM_HELP = `
Data goes to stdout, everything else to stderr; --json makes the data one JSON object per line.
State is kept in $BYWAY_HOME (default ~/.byway), settings in config.toml there.

Examples:
  $ byway start
  $ byway up --country DE
  $ byway policy check example.com 443 --json
  $ byway exit disable`
