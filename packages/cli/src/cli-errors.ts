/** What is wrong with a command line. */
import { errorBuilder, type ErrorBuilder, type ErrorOf } from '@byway/protocol/base'

type CliErrors = {
  /** A command, option or argument is unknown, missing or malformed. */
  CLI_USAGE: { problem: string }
}

export type CliError = ErrorOf<CliErrors>

export const cliError: ErrorBuilder<CliErrors> = errorBuilder<CliErrors>({
  CLI_USAGE: ['config', 'cannot understand the command line'],
})
