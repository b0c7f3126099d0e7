/**
 * A whole network of real processes on this machine (docs/CLI.md): each node and the client run the program `byway`, as a user would run it.
 * Leaves no process and no file behind. What is printed is the caller's business.
 */
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { PaymentParameters } from '@byway/protocol/directory'
import { testnetError, type TestnetError } from './errors.ts'
import { startLocalMoney, type LocalMoney } from './money/local-money.ts'
import { CLIENT, createNatWorld, routerKinds, type NatWorld } from './nat/nat-world.ts'
import { createLauncher, processEnded, type Launcher } from './launcher.ts'
import { planNetwork, type NetworkPlan } from './plan.ts'
import type { ProgramEvent } from './program.ts'
import {
  START_TIMEOUT_MS,
  startNodes,
  textField,
  waitingOf,
  type NodeProcess,
  type Start,
} from './start-nodes.ts'
import { createTemporaryFolder } from './temporary-folder.ts'
import { waitUntil } from './wait.ts'
import type { ProcessDeps, ProcessOptions } from './process-options.ts'

/** A running network; disposing stops all of it. */
export interface ProcessNetwork extends AsyncDisposable {
  readonly nodes: readonly NodeProcess[]
  readonly clientPid: number
  /** The client's state folder. */
  readonly clientHome: string
  readonly proxy: string
  readonly httpProxy: string
  readonly networkFile: string
  /** How it is paid, with its chain's endpoint; undefined in a network where nothing is. */
  readonly payment: PaymentParameters | undefined
  /** Of the chain's process; undefined in a network where nothing is paid. */
  readonly chainPid: number | undefined
  /** What a node says of itself, or `undefined` when it no longer runs. */
  statusOf(node: NodeProcess): Promise<ProgramEvent | undefined>
  /** Resolves when the client has ended by itself, with what to throw: there is no network without it. */
  readonly clientLost: Promise<TestnetError>
}

/** Three proofs and a purchase take some seconds; on a loaded machine ten or twenty times that. */
const PAYABLE_TIMEOUT_MS = 90_000
const DEFAULT_HOPS = 2
/** A client lets open connections end before it stops; then they are reset. */
const DRAIN_S = 2
/** Longer than draining takes, and leaving claims with redeemers before; what has not ended by then hangs. */
const STOP_GRACE_MS = 25_000

/**
 * Starts the network; resolves when the client knows every node, can pay for its first path, and its proxy listens.
 * @throws TESTNET_SIZE, TESTNET_NAT_UNAVAILABLE, TESTNET_PROCESS_ENDED, TESTNET_TIMEOUT, or the signal's reason
 */
export async function startProcesses(
  deps: ProcessDeps,
  options: ProcessOptions,
): Promise<ProcessNetwork> {
  const routers = options.hasRouters === true ? routerKinds() : undefined
  const plan = planNetwork({ ...options, routers })
  const parts = new AsyncDisposableStack()
  const timeout = AbortSignal.timeout(START_TIMEOUT_MS)
  try {
    const folder = parts.use(await createTemporaryFolder())
    const signal = AbortSignal.any([options.signal, timeout])
    const { isPaid = true } = options
    const money = isPaid ? parts.use(await startLocalMoney(signal, options)) : undefined
    const world = routers && parts.use(await createWorld(plan, money, signal))
    const nodeLauncher = parts.use(launcherOf(deps, signal, world))
    const start: Start = {
      deps,
      options,
      folder: folder.path,
      launcher: nodeLauncher,
      money,
      signal,
    }
    const funded = fundClient(start)
    // Waited for below, unless the nodes fail before.
    funded.catch(() => {})
    const { nodes, networkFile } = await startNodes(start, plan)
    await funded
    // Disposed first, so that the nodes still carry what the client lets end.
    const launcher = parts.use(launcherOf(deps, signal, world))
    const client = await startClient({ ...start, launcher }, networkFile, world)
    const knowsAll = async (): Promise<boolean> => {
      const { nodes: known } = await deps.askStatus(client.home, 'client')
      return known === nodes.length
    }
    await waitUntil('the client to know every node', knowsAll, waitingOf(start))
    if (money) await untilPayable(start, client.home)
    const owned = parts.move()
    return {
      nodes,
      networkFile,
      payment: money?.payment,
      chainPid: money?.chainPid,
      clientPid: client.program.pid,
      clientHome: client.home,
      proxy: textField(client.ready, 'proxy'),
      httpProxy: textField(client.ready, 'httpProxy'),
      clientLost: Promise.race([
        client.program.ended.then((how) => processEnded('client', client.program, how)),
        ...(world ? [world.proxyLost] : []),
      ]),
      statusOf: (node) => deps.askStatus(node.home, 'node').catch(() => undefined),
      [Symbol.asyncDispose]: () => owned.disposeAsync(),
    }
  } catch (error) {
    await parts.disposeAsync()
    if (!timeout.aborted || options.signal.aborted) throw error
    // Whatever was cut off, this is why.
    throw testnetError('TESTNET_TIMEOUT', {
      waitedFor: 'the network to start',
      timeoutMs: START_TIMEOUT_MS,
    })
  }
}

/** Until the first page waits for no proof and no purchase. A machine on which they take very long has a network all the same. */
async function untilPayable({ deps, options, signal }: Start, home: string): Promise<void> {
  const wanted = options.hops ?? DEFAULT_HOPS
  let told: number | undefined
  const look = async (): Promise<boolean> => {
    const { proved, canBegin } = moneyOf(await deps.askStatus(home, 'client'))
    const some = Math.min(wanted, proved)
    if (some !== told) options.onProving?.((told = some), wanted)
    return canBegin
  }
  const waiting = { ...waitingOf({ signal }), timeoutMs: PAYABLE_TIMEOUT_MS }
  await waitUntil('the client to be able to pay', look, waiting).catch(() =>
    signal.throwIfAborted(),
  )
}

/** What a client's status says of its money. */
function moneyOf({ money }: ProgramEvent): { proved: number; canBegin: boolean } {
  const { slots, canBegin = false } = (money ?? {}) as {
    readonly slots?: { readonly ready: number; readonly inUse: number }
    readonly canBegin?: boolean
  }
  return { proved: slots ? slots.ready + slots.inUse : 0, canBegin }
}

function createWorld(
  { nodes, network }: NetworkPlan,
  money: LocalMoney | undefined,
  signal: AbortSignal,
): Promise<NatWorld> {
  const shared = (money?.payment.rpcUrls ?? []).map((url) => {
    const { hostname: host, port } = new URL(url)
    return { host, port: Number(port) }
  })
  const targets = network.exitTargets.map(({ address: host, port }) => ({ host, port }))
  return createNatWorld({ nodes, shared, targets, signal })
}

function launcherOf(
  { program, env }: ProcessDeps,
  signal: AbortSignal,
  world: NatWorld | undefined,
): Launcher {
  const sharedArgs = ['--json', '--stop-with-stdin', '--drain', String(DRAIN_S)]
  const wrap = world && ((...run: Parameters<NatWorld['wrap']>) => world.wrap(...run))
  return createLauncher({ program, sharedArgs, env, wrap, graceMs: STOP_GRACE_MS, signal })
}

/** While the nodes start. */
async function fundClient({ folder, money }: Start): Promise<void> {
  const home = clientHome(folder)
  await mkdir(home, { mode: 0o700 })
  await money?.fundClient(home)
}

function clientHome(folder: string): string {
  return join(folder, 'client')
}

async function startClient(
  { options, folder, launcher }: Start,
  file: string,
  world: NatWorld | undefined,
) {
  const home = clientHome(folder)
  const port = world?.proxyPort ?? options.proxyPort ?? 0
  const args = ['up', '--network', file, '--home', home, '--port', String(port)]
  args.push('--hops', String(options.hops ?? DEFAULT_HOPS))
  const launched = await launcher.launch(CLIENT, args, (event) => {
    if (event['event'] === 'path') options.onPath?.(event)
  })
  await world?.openProxy()
  return { home, ...launched }
}
