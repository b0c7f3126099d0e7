/** `byway node score`: what the running client makes of a node, and why. */
import type { Command } from 'commander'
import { addCommand, contextOf, type CommandContext } from '../command.ts'
import { cliError } from '../cli-errors.ts'
import { askControl } from '../control/control-socket.ts'
import { stateFolder } from '../engine/engine-options.ts'
import type { CliIo } from '../io.ts'

type Flags = { readonly home?: string | undefined }

export function addScoreCommand(node: Command, io: CliIo): void {
  addCommand(node, {
    usage: 'score [node]',
    summary: 'why the client chooses a node as often as it does: each addition and deduction',
    details:
      'Asks the client that runs with this state folder. A node is named by its id or the first digits of it; without one\n' +
      'every node is listed, the most chosen first. What is measured is what this client saw itself; stakes are the chain’s.',
    examples: ['byway node score', 'byway node score 36d7', 'byway node score 36d7 --json'],
  })
    .option('--home <folder>', 'state folder (default: $BYWAY_HOME, or ~/.byway)')
    // The group has options of the same names, and takes them first.
    .action((id: string | undefined, _: Flags, command: Command) =>
      showScore(id, command.optsWithGlobals<Flags>(), contextOf(command, io)),
    )
}

async function showScore(
  id: string | undefined,
  flags: Flags,
  { io, output }: CommandContext,
): Promise<void> {
  if (id !== undefined && !/^[0-9a-f]{1,64}$/.test(id)) {
    throw cliError('CLI_USAGE', { problem: `${id} is no node id: up to 64 hexadecimal digits` })
  }
  const answer = await askControl(stateFolder(flags, io), 'client', `score ${id ?? 'all'}`)
  const { scores, text } = answer as { readonly scores?: readonly object[]; readonly text?: string }
  if (!scores || scores.length === 0) {
    throw cliError('CLI_USAGE', { problem: 'the client knows no such node' })
  }
  output.result({ scores: answer['scores'] }, text ?? '')
}
