/** `byway testnet`: a whole network on this machine for scripts (docs/CLI.md). */
import type { Command } from 'commander'
import type { ExitTarget } from '@byway/protocol/directory'
import { MAX_PRICE_STEP } from '@byway/protocol/wire'
import {
  DEFAULT_NODES,
  LEAST_NAT_NODES,
  LEAST_NODES,
  MOST_NODES,
  startProcesses,
  type ProcessNetwork,
  type ProgramEvent,
} from '@byway/testnet'
import { addCommand, contextOf, type CommandContext } from '../command.ts'
import { parseExitTarget, parseWhole, untilAborted } from '../engine/engine-options.ts'
import { processDeps } from '../engine/local-network.ts'
import type { CliIo } from '../io.ts'
import type { JsonObject } from '../output.ts'

type TestnetFlags = {
  readonly nodes: number
  readonly hops: number
  readonly allowTarget: readonly ExitTarget[]
  readonly nat?: boolean | undefined
  readonly unpaid?: boolean | undefined
  readonly epoch?: number | undefined
  readonly price?: number | undefined
  readonly collectors?: number | undefined
  readonly collectPrice?: number | undefined
  readonly wins?: number | undefined
  readonly gasless?: number | undefined
  readonly oneOwner?: readonly number[] | undefined
}

/** A node looks every quarter of a minute, and hashes what it commits to: it wants two minutes after an epoch. */
const LEAST_EPOCH_S = 120
const MOST_EPOCH_S = 604_800
/** As a network file may have. */
const MOST_WINS = 255

export function addTestnetCommand(program: Command, io: CliIo): void {
  addCommand(program, {
    usage: 'testnet',
    summary: 'run a whole network on this machine, for scripts',
    details:
      'Relays, exits and a client, each a process of its own on addresses 127.N.0.1. Prints one line when it is ready, and then\n' +
      'a line for each path. Stays up until SIGTERM or Ctrl-C, and leaves no process behind.',
    examples: [
      'byway testnet --json',
      'byway testnet --nodes 8 --hops 3 --allow-target 127.0.0.1:8080 --json',
      'byway testnet --nodes 20 --nat --json',
    ],
  })
    .option(
      '--nodes <number>',
      `nodes, ${LEAST_NODES} to ${MOST_NODES}; the last is an exit without a public port`,
      (text) => parseWhole(text, '--nodes', LEAST_NODES, MOST_NODES),
      DEFAULT_NODES,
    )
    .option(
      '--hops <number>',
      'least number of hops, 1 to 3; 1 hides nothing',
      (text) => parseWhole(text, '--hops', 1, 3),
      2,
    )
    .option(
      '--allow-target <address:port>',
      'loopback origin that the exits may reach; may be repeated',
      (text, before: readonly ExitTarget[]) => [...before, parseExitTarget(text)],
      [],
    )
    .option(
      '--nat',
      `each node in a network namespace of its own, the last half behind routers of all kinds; from ${LEAST_NAT_NODES} nodes, as root on Linux`,
    )
    .option('--unpaid', 'a network without money: no chain, nothing is paid')
    .option(
      '--epoch <seconds>',
      'how long an epoch of service proofs is (default: half an hour)',
      (text) => parseWhole(text, '--epoch', LEAST_EPOCH_S, MOST_EPOCH_S),
    )
    .option('--price <step>', 'what a unit costs at every node, 0 (free) to 8', (text) =>
      parseWhole(text, '--price', 0, MAX_PRICE_STEP),
    )
    .option(
      '--collectors <number>',
      'exits, the first ones, that take the class collect beside browse (default: 0)',
      (text) => parseWhole(text, '--collectors', 0, MOST_NODES),
    )
    .option(
      '--collect-price <step>',
      'what a unit of that class costs there, not below --price (default: the same)',
      (text) => parseWhole(text, '--collect-price', 0, MAX_PRICE_STEP),
    )
    .option('--wins <number>', 'wins that a slot pays for (default: 2)', (text) =>
      parseWhole(text, '--wins', 1, MOST_WINS),
    )
    .option(
      '--gasless <number>',
      'nodes, the last ones, without coin for gas (default: 1)',
      (text) => parseWhole(text, '--gasless', 0, MOST_NODES),
    )
    .option(
      '--one-owner <numbers>',
      'nodes whose stakes one account puts down, such as 2,6: no circuit has two of them',
      parseNumbers,
    )
    .action((flags: TestnetFlags, command: Command) => runTestnet(flags, contextOf(command, io)))
}

function parseNumbers(text: string): readonly number[] {
  return text.split(',').map((part) => parseWhole(part, '--one-owner', 1, MOST_NODES))
}

async function runTestnet(flags: TestnetFlags, { io, output }: CommandContext): Promise<void> {
  const { nodes, allowTarget: exitTargets } = flags
  const hops = flags.hops === 1 ? 1 : flags.hops === 3 ? 3 : 2
  try {
    await using network = await startProcesses(processDeps(io), {
      nodes,
      hops,
      exitTargets,
      hasRouters: flags.nat === true,
      isPaid: flags.unpaid !== true,
      epochS: flags.epoch,
      priceStep: flags.price,
      collectors: flags.collectors,
      collectPrice: flags.collectPrice,
      winsPerSlot: flags.wins,
      nodesWithoutGas: flags.gasless,
      oneOwner: flags.oneOwner,
      signal: io.signal,
      onPath: (event) => output.result({ ...fieldsOf(event) }, `path ${JSON.stringify(event)}`),
      onNodeEnded: (id) => {
        if (!io.signal.aborted) output.result({ event: 'node-ended', id }, `node ended: ${id}`)
      },
    })
    output.result(readyFields(network), readyText(network))
    await untilStopped(network, io.signal)
  } catch (error) {
    // Stopping before it was up is stopping.
    if (!io.signal.aborted) throw error
  }
}

/** Resolves when the signal aborts. @throws TESTNET_PROCESS_ENDED when the client ends before */
export async function untilStopped(network: ProcessNetwork, signal: AbortSignal): Promise<void> {
  const error = await Promise.race([untilAborted(signal), network.clientLost])
  if (error && !signal.aborted) throw error
}

/** The ready line that scripts rely on (docs/CLI.md). What is not built is null. */
function readyFields(network: ProcessNetwork): JsonObject {
  return {
    event: 'ready',
    proxy: network.proxy,
    httpProxy: network.httpProxy,
    dashboard: null,
    chain: network.payment?.rpcUrls[0] ?? null,
    nodes: network.nodes.map(({ id, pid, roles, listen, plan }) => ({
      id,
      pid,
      roles,
      listen,
      country: plan.country,
      nat: plan.nat ?? null,
    })),
    client: { pid: network.clientPid, home: network.clientHome },
  }
}

function readyText({ nodes, proxy }: ProcessNetwork): string {
  return `${nodes.length} nodes, proxy ${proxy}`
}

/** Events of our own programs are JSON by construction. */
function fieldsOf(event: ProgramEvent): JsonObject {
  return event as JsonObject
}
