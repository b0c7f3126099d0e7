/** `byway up`, `down`, `status`: the client with its proxy, the way to stop it, and what runs on this machine. */
import type { Command } from 'commander'
import type { MoneyNotice, PathReport } from '@byway/client'
import { addCommand, contextOf, type CommandContext } from '../command.ts'
import { isBywayError } from '@byway/protocol/base'
import { TRAFFIC_CLASSES } from '@byway/protocol/wire'
import { askControl, type ControlledProgram } from '../control/control-socket.ts'
import {
  addEngineOptions,
  engineSetting,
  parseChoice,
  parseWhole,
  stateFolder,
  type EngineFlags,
} from '../engine/engine-options.ts'
import { pathFields, runClient } from '../engine/run-client.ts'
import { runError } from '../engine/run-errors.ts'
import type { CliIo } from '../io.ts'
import type { JsonObject } from '../output.ts'
import { describePath } from '../display/path-text.ts'
import { describeNotice } from '../display/spending.ts'
import { clientText, networkTexts, nodeTexts } from '../display/status-text.ts'

type UpFlags = EngineFlags & {
  readonly port?: number | undefined
  readonly hops?: number | undefined
  readonly country?: string | undefined
  readonly class?: string | undefined
  readonly budget?: string | undefined
  readonly maxPrice?: number | undefined
}

type StatusFlags = Pick<EngineFlags, 'home'> & { readonly check?: boolean | undefined }

/** A browser's downloads end sooner or are worth a second Ctrl-C. */
const DRAIN_S = 10

export function addClientCommands(program: Command, io: CliIo): void {
  const up = addCommand(program, {
    usage: 'up',
    summary: 'run the client: a SOCKS5 and HTTP proxy on this machine',
    details:
      'Stays up until Ctrl-C or `byway down`; the first Ctrl-C lets open connections end, the second does not wait.',
    examples: [
      'byway up',
      'byway up --country DE --hops 3',
      'byway up --budget 2.5',
      'curl -x socks5h://127.0.0.1:1080 https://example.com/',
    ],
  })
    .option('--port <port>', "the proxy's port; 0 lets the system choose (default: 1080)", (text) =>
      parseWhole(text, '--port', 0, 65_535),
    )
    .option('--hops <number>', 'least number of hops, 2 or 3 (default: 2)', (text) =>
      parseWhole(text, '--hops', 1, 3),
    )
    .option('--country <code>', 'country of the exit, two capital letters (default: any)')
    .option(
      '--class <name>',
      'what exits are told the traffic is: browse or collect (default: browse)',
      (text) => parseChoice(text, '--class', TRAFFIC_CLASSES),
    )
    .option(
      '--budget <amount>',
      'the most to spend in a calendar month, in whole tokens such as 2.5 (default: no limit)',
    )
    .option('--max-price <step>', 'the dearest price step to pay, 0 to 8 (default: 8)', (text) =>
      parseWhole(text, '--max-price', 0, 8),
    )
  addEngineOptions(up, DRAIN_S).action((flags: UpFlags, command: Command) =>
    runUp(flags, contextOf(command, io)),
  )
  addCommand(program, {
    usage: 'down',
    summary: 'stop the client that runs with this state folder',
    examples: ['byway down'],
  })
    .option('--home <folder>', 'state folder (default: $BYWAY_HOME, or ~/.byway)')
    .action(async (flags: Pick<EngineFlags, 'home'>, command: Command) => {
      const { output } = contextOf(command, io)
      await askControl(stateFolder(flags, io), 'client', 'stop')
      output.result({ client: 'stopping' }, 'stopping')
    })
  addCommand(program, {
    usage: 'status',
    summary: 'show the client and the node that run with this state folder',
    details:
      'A line for each, and one for each thing that the node needs of its operator. What does not run is null; the exit code is 0 all the same,\n' +
      'but with --check: then it is 77 while the node needs something.',
    examples: ['byway status', 'byway status --json', 'byway status --check'],
  })
    .option('--home <folder>', 'state folder (default: $BYWAY_HOME, or ~/.byway)')
    .option('--check', 'fail while the node needs something of its operator')
    .action((flags: StatusFlags, command: Command) => showStatus(flags, contextOf(command, io)))
}

async function runUp(flags: UpFlags, { io, output }: CommandContext): Promise<void> {
  const client = {
    port: flags.port,
    country: flags.country,
    trafficClass: flags.class,
    hops: flags.hops === 1 ? undefined : flags.hops,
    budget: flags.budget,
    maxPrice: flags.maxPrice,
  }
  const setting = await engineSetting(flags, { client }, io)
  for (const notice of setting.places.notices) output.say(notice)
  if (flags.hops === 1 && !setting.network.local) throw runError('RUN_SINGLE_HOP', {})
  const hops = flags.hops === 1 ? 1 : setting.config.client.hops === 3 ? 3 : 2
  const onPath = (path: PathReport): void =>
    output.isJson
      ? output.result({ event: 'path', ...pathFields(path) }, '')
      : output.say(`path: ${describePath(path.hops)}${classNote(path.terms)}`)
  const onNotice = (notice: MoneyNotice): void => {
    const text = describeNotice(notice)
    if (text === undefined) return
    if (output.isJson)
      output.result({ event: 'money', notice: notice.type, slots: slotsOf(notice) }, '')
    else output.say(text)
  }
  try {
    await runClient({
      ...setting,
      hops,
      onPath,
      onNotice,
      onReady: ({ host, port }) => {
        const [proxy, httpProxy] = [`socks5h://${host}:${port}`, `http://${host}:${port}`]
        const text = `proxy for your applications: ${proxy} or ${httpProxy}`
        output.result({ event: 'ready', proxy, httpProxy, pid: process.pid }, text)
      },
    })
  } catch (error) {
    // Stopping before it was up is stopping.
    if (!setting.signal.aborted) throw error
  }
}

/** What is not browsing says so, and what it costs where that is more. */
function classNote({ trafficClass, classStep, priceStep }: PathReport['terms']): string {
  if (trafficClass === 'browse' && classStep === priceStep) return ''
  return classStep === priceStep
    ? ` (${trafficClass})`
    : ` (${trafficClass}, price step ${classStep})`
}

/** What the notice counts. */
function slotsOf(notice: MoneyNotice): number | undefined {
  if (notice.type === 'depositLow') return notice.unshown
  if (notice.type === 'slotsUnknown') return notice.slots
  return notice.type === 'proving' ? notice.proved : undefined
}

async function showStatus(flags: StatusFlags, { io, output }: CommandContext): Promise<void> {
  const home = stateFolder(flags, io)
  const [client, node] = [await statusOf(home, 'client'), await statusOf(home, 'node')]
  const lines = [...networkTexts(client ?? node), clientText(client), ...nodeTexts(node)]
  output.result({ client, node }, lines.join('\n'))
  const { alerts } = node ?? {}
  if (flags.check && Array.isArray(alerts) && alerts.length > 0)
    throw runError('RUN_ALERTS', { alerts: alerts.length })
}

async function statusOf(home: string, program: ControlledProgram): Promise<JsonObject | null> {
  try {
    return await askControl(home, program, 'status')
  } catch (error) {
    if (isBywayError(error) && error.code === 'CONTROL_NOT_RUNNING') return null
    throw error
  }
}
