/** The command tree of `byway`, and the way from a command line to an exit code. A command that is not built is not here. */
import { Command, CommanderError } from 'commander'
import { addDeployCommand } from './commands/deploy.ts'
import { addExitCommands } from './commands/exit-consent.ts'
import { addLedgerCommand } from './commands/ledger.ts'
import { addNodeCommands } from './commands/node.ts'
import { addPolicyCommands } from './commands/policy-check.ts'
import { addStartCommand } from './commands/start.ts'
import { addTestnetCommand } from './commands/testnet.ts'
import { addClientCommands } from './commands/up.ts'
import { addWalletCommands } from './commands/wallet.ts'
import { cliError } from './cli-errors.ts'
import { JSON_OPTION } from './command.ts'
import { EXIT_CODE, exitCodeOf, type ExitCode } from './exit-codes.ts'
import type { CliIo } from './io.ts'
import { createOutput } from './output.ts'
import { VERSION } from './version.ts'

/** Runs one command line; never throws. `args` are those after the program's name. */
export async function runCli(args: readonly string[], io: CliIo): Promise<ExitCode> {
  try {
    await createProgram(io).parseAsync([...args], { from: 'user' })
    return EXIT_CODE.OK
  } catch (error) {
    if (error instanceof CommanderError) return reportUsage(error, args, io)
    createOutput(io, args.includes('--json')).fail(error)
    return exitCodeOf(error)
  }
}

function createProgram(io: CliIo): Command {
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
  addStartCommand(program, io)
  addClientCommands(program, io)
  addNodeCommands(program, io)
  addExitCommands(program, io)
  addPolicyCommands(program, io)
  addWalletCommands(program, io)
  addLedgerCommand(program, io)
  addTestnetCommand(program, io)
  addDeployCommand(program, io)
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
