/** `byway node`: carries sealed cells for others; as an exit only with the operator's consent on record. */
import type { Command } from 'commander'
import { addCommand, contextOf, type CommandContext } from '../command.ts'
import { alertFields } from '../display/node-alerts.ts'
import { addScoreCommand } from './node-score.ts'
import {
  addEngineOptions,
  engineSetting,
  parseSocketAddress,
  parseWhole,
  type EngineFlags,
  type EngineSetting,
  type SocketAddress,
} from '../engine/engine-options.ts'
import { runNode, type NodeRun } from '../engine/run-node.ts'
import type { CliIo } from '../io.ts'

type NodeFlags = EngineFlags & {
  readonly listen?: SocketAddress | undefined
  readonly exit?: boolean | undefined
  readonly country?: string | undefined
  readonly asn?: number | undefined
  readonly family?: string | undefined
  readonly price?: number | undefined
  readonly classes?: readonly string[] | undefined
  readonly browsePrice?: number | undefined
  readonly collectPrice?: number | undefined
  readonly redeemer?: boolean | undefined
  readonly mapPort?: boolean | undefined
}

/** A node starts nothing new meanwhile; streams that take longer move to another relay, or end with their exit. */
const DRAIN_S = 30

export function addNodeCommands(program: Command, io: CliIo): void {
  const node = addCommand(program, {
    usage: 'node',
    summary: 'carry traffic for others; a relay unless told otherwise',
    details:
      'A relay carries sealed cells: your address never touches a destination.\n' +
      "Without --listen, and without addresses to advertise in the configuration, the home's router is asked for a port (map_port = false forbids it); where that does not help, the node is reached through relays.",
    examples: [
      'byway node --listen 203.0.113.7:9443',
      'byway exit enable && byway node --exit',
      'byway node --json',
    ],
  })
    .option(
      '--listen <address:port>',
      'listen there and publish it; port 0 lets the system choose',
      (text) => parseSocketAddress(text, '--listen', 0),
    )
    .option('--exit', "let strangers' traffic leave here; needs `byway exit enable` first")
    .option('--country <code>', 'where the node is, two capital letters')
    .option('--asn <number>', 'the AS it is in', (text) =>
      parseWhole(text, '--asn', 0, 999_999_999),
    )
    .option('--family <name>', 'the same at all your nodes: no circuit goes through two')
    .option('--price <step>', 'what a unit costs in a paid network, 0 (free) to 8', (text) =>
      parseWhole(text, '--price', 0, 8),
    )
    .option(
      '--classes <list>',
      'traffic classes that an exit takes, of those you agreed to: browse, collect, or both with a comma',
      (text) => text.split(','),
    )
    .option(
      '--browse-price <step>',
      'price step of the class browse, not below --price (default: the same)',
      (text) => parseWhole(text, '--browse-price', 0, 8),
    )
    .option(
      '--collect-price <step>',
      'price step of the class collect, not below --price (default: the same)',
      (text) => parseWhole(text, '--collect-price', 0, 8),
    )
    .option('--map-port', "ask the home's router for a port in a local network too")
    .option('--redeemer', 'send the claims of nodes without gas, for a fee of each win')
  addScoreCommand(node, io)
  addEngineOptions(node, DRAIN_S).action((flags: NodeFlags, command: Command) =>
    runNodeCommand(flags, contextOf(command, io)),
  )
}

async function runNodeCommand(flags: NodeFlags, { io, output }: CommandContext): Promise<void> {
  const { country, asn, family, price, redeemer, classes, browsePrice, collectPrice } = flags
  const settings = {
    node: { country, asn, family, priceStep: price, redeemer },
    exit: { classes, browsePrice, collectPrice },
  }
  const setting = await engineSetting(flags, settings, io)
  for (const notice of setting.places.notices) output.say(notice)
  try {
    await runNode({
      ...setting,
      ...placeOf(flags, setting),
      isExit: flags.exit === true,
      nowMs: io.nowMs,
      onReady: (ready) => {
        const { id, listen } = ready
        const place = listen === null ? ready.reachText : `listening at ${listen}`
        output.result({ event: 'ready', ...ready }, `node ${id.slice(0, 8)}: ${place}`)
      },
      onAlert: (alert) =>
        output.isJson
          ? output.result({ event: 'alert', ...alertFields(alert) }, '')
          : output.say(`! ${alert.text}`),
      onConsentEnd: () => output.say('the consent to the exit role has ended: stopping'),
    })
  } catch (error) {
    // Stopping before it was up is stopping.
    if (!setting.signal.aborted) throw error
  }
}

/** A flag names one place for both; the configuration may listen at one and publish another. Where neither does, the router may open a port. */
function placeOf(
  { listen: flag, mapPort = false }: NodeFlags,
  { config: { node }, network }: EngineSetting,
): Pick<NodeRun, 'listen' | 'advertise' | 'mapsPort'> {
  if (flag) return { listen: flag, advertise: undefined, mapsPort: false }
  const [first] = node.advertise
  const listen = { host: node.listen, port: node.port }
  if (first !== undefined)
    return { listen, advertise: { host: first, port: node.port }, mapsPort: false }
  const mapsPort = mapPort || (node.mapPort && !network.local)
  return { listen: mapsPort ? listen : undefined, advertise: undefined, mapsPort }
}
