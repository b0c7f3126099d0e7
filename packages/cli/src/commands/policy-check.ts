/** `byway policy check`: asks the exit's very policy about a destination. Connects to nothing. */
import type { Command } from 'commander'
import { runPolicyCheck } from '@byway/node'
import { addCommand, addGroup, contextOf } from '../command.ts'
import { parseChoice } from '../engine/engine-options.ts'
import type { CliIo } from '../io.ts'

type Options = { readonly answers?: string; readonly profile?: string; readonly context?: string }

export function addPolicyCommands(program: Command, io: CliIo): void {
  const group = addGroup(program, 'policy', 'the rules by which an exit connects')
  addCommand(group, {
    usage: 'check <host> <port>',
    summary: 'say whether an exit would connect to a destination, and why',
    details:
      'Without --answers a name is looked up once with the DNS servers of this machine. Nothing is connected to.\n' +
      'Both verdicts end with exit code 0: the answer is in the output.',
    examples: [
      'byway policy check example.com 443',
      'byway policy check rebind.example 80 --answers 93.184.216.34,192.168.1.1 --json',
      'byway policy check 192.0.2.7 22 --profile reduced',
    ],
  })
    .option(
      '--answers <ip,ip>',
      'judge the name as if it resolved to these addresses; look nothing up',
    )
    .option(
      '--profile <name>',
      'ports of the exit: web or reduced',
      (text) => parseChoice(text, '--profile', ['web', 'reduced', 'tor-reduced']),
      'web',
    )
    .option('--context <file>', 'what the exit knows of its own network, as JSON')
    .action(async (host: string, port: string, options: Options, command: Command) => {
      const { output } = contextOf(command, io)
      const result = await runPolicyCheck({ host, port, ...options, signal: io.signal })
      output.result(
        result,
        result.verdict === 'allow' ? `allow, connect to ${result.pin}` : `deny: ${result.reason}`,
      )
    })
}
