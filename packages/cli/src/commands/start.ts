/** `byway start`, which `npm start` runs: a network on this machine with a page of its own, to see Byway work without the internet. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Command } from 'commander'
import type { ExitTarget } from '@byway/protocol/directory'
import {
  DEFAULT_NODES,
  LEAST_NODES,
  MOST_NODES,
  startDemoOrigin,
  startProcesses,
  type ProcessNetwork,
} from '@byway/testnet'
import { addCommand, contextOf, type CommandContext } from '../command.ts'
import { createNetworkView, type NetworkView } from '../display/network-view.ts'
import { createScreen } from '../display/screen.ts'
import { fetchThroughProxy, type Fetched } from '../engine/fetch-through-proxy.ts'
import { parseExitTarget, parseWhole } from '../engine/engine-options.ts'
import { processDeps } from '../engine/local-network.ts'
import { runError } from '../engine/run-errors.ts'
import type { CliIo } from '../io.ts'
import { isPortFree } from '../engine/port-free.ts'

type StartFlags = {
  readonly nodes: number
  readonly hops: number
  readonly port: number
  readonly allowTarget: readonly ExitTarget[]
}

/** Often enough to look live, seldom enough to cost nothing. */
const REFRESH_MS = 1000
const DEFAULT_PORT = 1080

export function addStartCommand(program: Command, io: CliIo): void {
  addCommand(program, {
    usage: 'start',
    summary: 'see it work: a network on this machine, and a page through it',
    details:
      'Starts relays, exits and a client as processes of this machine, fetches a page of its own through them, and shows who\n' +
      'carries what. Nothing leaves the machine but what you ask for through the proxy. Stays up until Ctrl-C.',
    examples: [
      'byway start',
      'byway start --hops 3',
      'byway start --port 0 --json',
      'byway start --allow-target 127.0.0.1:8080',
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
      'least number of hops, 2 or 3',
      (text) => parseWhole(text, '--hops', 2, 3),
      3,
    )
    .option(
      '--port <port>',
      "the proxy's port; 0 lets the system choose",
      (text) => parseWhole(text, '--port', 0, 65_535),
      DEFAULT_PORT,
    )
    .option(
      '--allow-target <address:port>',
      'loopback origin that the exits may reach too; may be repeated',
      (text, before: readonly ExitTarget[]) => [...before, parseExitTarget(text)],
      [],
    )
    .action((flags: StartFlags, command: Command) => runStart(flags, contextOf(command, io)))
}

async function runStart(flags: StartFlags, { io, output }: CommandContext): Promise<void> {
  // Before seven processes are started for nothing.
  if (!(await isPortFree(flags.port))) throw runError('RUN_PORT_TAKEN', { port: flags.port })
  try {
    await using origin = await startDemoOrigin()
    if (!output.isJson) output.say(`starting ${flags.nodes} nodes and a client`)
    let view: NetworkView | undefined
    await using network = await startProcesses(processDeps(io), {
      nodes: flags.nodes,
      hops: flags.hops === 2 ? 2 : 3,
      exitTargets: [{ address: '127.0.0.1', port: origin.port }, ...flags.allowTarget],
      proxyPort: flags.port,
      onProving: (proved, wanted) => {
        if (!output.isJson)
          output.say(
            `the client proves slots and pays its first hops: ${proved} of ${wanted} proved`,
          )
      },
      signal: io.signal,
      onPath: (event) => view?.onPath(event),
      onNodeEnded: (id) => view?.onNodeEnded(id),
    })
    view = createNetworkView(network, { origin: origin.url })
    const page = await fetchThroughProxy(network.httpProxy, origin.url, io.signal)
    const picture = await fetchThroughProxy(
      network.httpProxy,
      `${origin.url}picture.svg`,
      io.signal,
    )
    if (output.isJson) output.result({ ...view.readyFields(), page, picture }, '')
    else io.writeOut(`${pageText(origin.url, page, picture)}\n`)
    await showUntilStopped(network, view, { io, output })
  } catch (error) {
    // Stopping before it was up is stopping.
    if (!io.signal.aborted) throw error
  }
  if (!output.isJson) output.say('stopped: no process is left')
}

async function showUntilStopped(
  network: ProcessNetwork,
  view: NetworkView,
  { io, output }: CommandContext,
): Promise<void> {
  const isRedrawn = process.stdout.isTTY && !output.isJson
  const screen = createScreen(io, isRedrawn)
  const lost = new AbortController()
  void network.clientLost.then((error) => lost.abort(error))
  const signal = AbortSignal.any([io.signal, lost.signal])
  while (!signal.aborted) {
    await view.refresh()
    if (output.isJson) view.takeEvents().forEach((event) => output.result(event, ''))
    else screen.show(view.lines(isRedrawn))
    await sleep(REFRESH_MS, undefined, { signal }).catch(() => {})
  }
  if (!io.signal.aborted) lost.signal.throwIfAborted()
}

function pageText(url: string, page: Fetched, picture: Fetched): string {
  return [
    `a page through the network: ${url}`,
    `  ${page.bytes} bytes, first byte after ${page.firstByteMs.toFixed(0)} ms; its picture: ${picture.bytes} bytes in ${picture.totalMs.toFixed(0)} ms`,
  ].join('\n')
}
