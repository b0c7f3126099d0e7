/** Runs the client and its proxy until told to stop (`byway up`). What the options are called is in commands/up.ts. */
import {
  createClient,
  createProxy,
  type Client,
  type Dialer,
  type MoneyNotice,
  type PathReport,
  type Proxy,
} from '@byway/client'
import { openControl } from '../control/control-socket.ts'
import { scoresOf } from '../display/score-text.ts'
import { networkField } from '../display/status-text.ts'
import { describeSpending, spendingFields } from '../display/spending.ts'
import { isSystemError } from '../exit-codes.ts'
import type { JsonObject } from '../output.ts'
import { freshPages } from '../ledger/ledger-page.ts'
import type { ClientMoneyRun } from './client-payment.ts'
import { createChainAnswers } from './command-chain.ts'
import { untilAborted, type EngineSetting } from './engine-options.ts'
import { watchOwnNodes } from './own-nodes.ts'
import { runError } from './run-errors.ts'

export type ClientRun = EngineSetting & {
  readonly hops: 1 | 2 | 3
  readonly onPath: (path: PathReport) => void
  /** Something happened to the money that a person should know. */
  readonly onNotice: (notice: MoneyNotice) => void
  readonly onReady: (ready: { readonly host: string; readonly port: number }) => void
}

type Parts = { readonly client: Client; readonly proxy: Proxy; readonly port: number }

/**
 * Starts client and proxy, and resolves when they have stopped.
 * @throws RUN_PORT_TAKEN, CONTROL_ALREADY_RUNNING, and what the client throws
 */
export async function runClient(run: ClientRun): Promise<void> {
  const stop = new AbortController()
  const signal = AbortSignal.any([run.signal, stop.signal])
  await using parts = new AsyncDisposableStack()
  let running: Parts | undefined
  let money: ClientMoneyRun | undefined
  const flushBooks = async (): Promise<void> => running?.client.flushBooks()
  // There before the money is opened, which asks the chain: commands see that a client is about to run, and wait for its circuits.
  const control = await openControl(run.home, 'client', {
    status: () => statusOf(run, running, money),
    ...(run.network.payment && {
      ledger: (after) => freshPages({ flushBooks }, opened(money).ledger)(after),
      giveBack: async (isAll) => ({ queued: (await running?.client.giveBack(isAll)) ?? 0 }),
      chain: createChainAnswers(
        run.network.payment,
        run.config.client.chainThrough === 'direct',
        () => money && running && { ...money.chainParts, seats: running.client.seats },
      ),
    }),
    scores: (prefix) => scoresOf(running?.client.scores() ?? [], prefix, run.network.payment),
    stop: () => {
      stop.abort()
      return { stopping: true }
    },
  })
  parts.use(control)
  money = await openMoney({ ...run, signal }, parts)
  const ownNodes = parts.use(await watchOwnNodes(run.home, run.config.client.ownNodes))
  const client = parts.use(
    createClient({
      network: run.network,
      home: run.home,
      hops: run.hops,
      trafficClass: run.config.client.trafficClass,
      unsafeSingleHop: run.hops === 1,
      ownNodes: () => ownNodes.list(),
      places: run.places.books,
      log: run.log.child('client'),
      onPath: run.onPath,
      payment: money?.payment,
      stakes: money?.stakes,
    }),
  )
  await client.start(signal)
  money?.through.attach(client)
  const { host, port: wanted } = { host: run.config.client.listen, port: run.config.client.port }
  const proxy = parts.use(
    createProxy(
      { dialer: withCountry(client, run.config.client.country), log: run.log.child('proxy') },
      {
        host,
        port: wanted,
        safeSocks: run.config.client.safeSocks,
        allowTargets: run.network.exitTargets.map((each) => ({
          host: each.address,
          port: each.port,
        })),
      },
    ),
  )
  const port = await startProxy(proxy, wanted)
  running = { client, proxy, port }
  run.onReady({ host, port })
  await untilAborted(signal)
  await proxy.drain(AbortSignal.timeout(run.drainMs))
}

/** @throws RUN_STARTING */
function opened(money: ClientMoneyRun | undefined): ClientMoneyRun {
  if (!money) throw runError('RUN_STARTING', {})
  return money
}

/** Undefined in a network where nothing is paid. */
async function openMoney(
  run: ClientRun,
  parts: AsyncDisposableStack,
): Promise<ClientMoneyRun | undefined> {
  const { payment } = run.network
  if (!payment) return undefined
  const { openClientMoney } = await import('./client-payment.ts')
  return parts.use(await openClientMoney(run, payment, run.onNotice))
}

async function startProxy(proxy: Proxy, wanted: number): Promise<number> {
  try {
    return (await proxy.start()).port
  } catch (error) {
    if (!isSystemError(error) || error.code !== 'EADDRINUSE') throw error
    throw runError('RUN_PORT_TAKEN', { port: wanted }, { cause: error })
  }
}

/** Streams whose user name names no country take the configured one. */
function withCountry(dialer: Dialer, country: string): Dialer {
  if (country === '') return dialer
  const fill = <Options extends Parameters<Dialer['resolve']>[1]>(options: Options): Options => ({
    ...options,
    selection: { ...options.selection, country: options.selection.country ?? country },
  })
  return {
    connect: (target, options) => dialer.connect(target, fill(options)),
    resolve: (host, options) => dialer.resolve(host, fill(options)),
    openDatagrams: (options) => dialer.openDatagrams(fill(options)),
  }
}

function statusOf(
  run: ClientRun,
  running: Parts | undefined,
  paid: ClientMoneyRun | undefined,
): JsonObject {
  if (!running) return { pid: process.pid, state: 'starting' }
  const { client, proxy, port } = running
  const { nodes, directoryAgeS, links, stock, tunnels, lost, money } = client.status()
  const { payment } = run.network
  const isPaid = money !== undefined && payment !== undefined
  return {
    pid: process.pid,
    state: run.signal.aborted ? 'stopping' : 'running',
    network: networkField(run.network),
    proxy: `${run.config.client.listen}:${port}`,
    nodes,
    directoryAgeS,
    links,
    stock,
    tunnels: tunnels.map(pathFields),
    lost,
    counters: { ...proxy.counters() },
    money: isPaid ? spendingFields(money, payment) : null,
    chainThrough: paid?.through.route ?? null,
    spending: isPaid ? describeSpending(money, payment) : null,
  }
}

/** A path as scripts see it. */
export function pathFields({
  hops,
  streams,
  terms,
  lastsMs,
  rejoins,
  buildMs,
}: PathReport): JsonObject {
  return {
    hops: hops.map(({ nodeId }) => nodeId),
    countries: hops.map(({ country }) => country),
    streams,
    class: terms.trafficClass,
    // What it costs at its exit, and what another class would at least: steps of SPEC §13.1.
    classPrice: terms.classStep,
    price: terms.priceStep,
    // Chosen among nodes that are likely to stay.
    ...(lastsMs === undefined ? {} : { lastsS: Math.round(lastsMs / 1000) }),
    rejoins,
    buildMs,
  }
}
