/** What every command shares: the option `--json`, examples in its help, and what its action works with. */
import type { Command } from 'commander'
import type { CliIo } from './io.ts'
import { createOutput, type Output } from './output.ts'

/** What a command works with. */
export type CommandContext = { readonly io: CliIo; readonly output: Output }

export type CommandSpec = {
  /** Name and arguments, in commander's notation: `check <host> <port>`. */
  readonly usage: string
  readonly summary: string
  /** Command lines as a user could type them. At least one. */
  readonly examples: readonly [string, ...string[]]
  /** More than the summary: what it does not do, what it waits for. */
  readonly details?: string | undefined
}

export const JSON_OPTION = [
  '--json',
  'print one JSON object per line on stdout, for scripts',
] as const

/** Adds a command below `parent`; options and the action are the caller's. */
export function addCommand(parent: Command, spec: CommandSpec): Command {
  return parent
    .command(spec.usage)
    .summary(spec.summary)
    .description(spec.details === undefined ? spec.summary : `${spec.summary}\n\n${spec.details}`)
    .option(...JSON_OPTION)
    .addHelpText('after', `\nExamples:\n${spec.examples.map((line) => `  $ ${line}`).join('\n')}`)
}

/** Adds a command that only groups others. */
export function addGroup(parent: Command, name: string, summary: string): Command {
  return parent.command(name).summary(summary).description(summary).helpCommand(false)
}

/** What a command's action works with, from its options and the outside. */
export function contextOf(command: Command, io: CliIo): CommandContext {
  const { json } = command.optsWithGlobals<{ readonly json?: boolean }>()
  return { io, output: createOutput(io, json === true) }
}
