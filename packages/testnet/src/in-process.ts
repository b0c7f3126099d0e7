/**
 * A whole network in one process, for tests: the very engines that the programs run, over real TLS links on the loopback. What only separate
 * processes show (a killed relay, memory of each) is `startProcesses`.
 */
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import {
  createClient,
  createProxy,
  type Client,
  type ClientPayment,
  type PathReport,
} from '@byway/client'
import { createNode, type NodePaymentOptions, type RunningNode } from '@byway/node'
import { NO_LOG, type Logger } from '@byway/protocol/base'
import type { ExitTarget, NetworkParameters, PaymentParameters } from '@byway/protocol/directory'
import { testnetError } from './errors.ts'
import { planNetwork, withBootstrap, type NetworkPlan, type NodePlan } from './plan.ts'
import { createTemporaryFolder } from './temporary-folder.ts'
import { waitUntil } from './wait.ts'

/** A start takes about a second; a loaded machine some. */
const START_TIMEOUT_MS = 30_000

/** What a paid network needs besides its nodes and its client. */
export type TestnetPayment = {
  readonly parameters: PaymentParameters
  /** How a node is paid. */
  readonly nodeOf: (plan: NodePlan) => NodePaymentOptions | Promise<NodePaymentOptions>
  /** With what the client pays. */
  readonly client: ClientPayment
}

export type TestnetOptions = {
  /** @default 6 */
  readonly nodes?: number | undefined
  /** Hops of the client's circuits; 1 hides nothing. @default as few as the exit allows, at least 2 */
  readonly hops?: 1 | 2 | 3 | undefined
  /** Loopback origins that the exits may reach. @default none */
  readonly exitTargets?: readonly ExitTarget[] | undefined
  /** So many exits take the class collect beside browse. @default 0 */
  readonly collectors?: number | undefined
  /** How the network is paid, and with what. @default it is not */
  readonly payment?: TestnetPayment | undefined
  readonly onPath?: ((path: PathReport) => void) | undefined
  readonly log?: Logger | undefined
  readonly signal?: AbortSignal | undefined
}

/** A node with what was planned for it. */
export type TestnetNode = { readonly plan: NodePlan; readonly node: RunningNode }

/** A running network. Disposing leaves neither sockets nor files. */
export interface Testnet extends AsyncDisposable {
  readonly network: NetworkParameters
  readonly nodes: readonly TestnetNode[]
  readonly client: Client
  readonly proxyPort: number
}

/**
 * Starts nodes, a client and its proxy; resolves when the client knows every node.
 * @throws TESTNET_SIZE, TESTNET_TIMEOUT, and what the engines throw
 */
export async function testnet(options: TestnetOptions = {}): Promise<Testnet> {
  const limit = AbortSignal.timeout(START_TIMEOUT_MS)
  const signal = options.signal ? AbortSignal.any([options.signal, limit]) : limit
  const parts = new AsyncDisposableStack()
  try {
    const folder = parts.use(await createTemporaryFolder())
    const plan = planNetwork({ ...options, payment: options.payment?.parameters })
    const { nodes, network } = await startNodes(plan, { ...options, signal }, folder.path, parts)
    const client = parts.use(
      createClient({
        network,
        hops: options.hops,
        unsafeSingleHop: options.hops === 1,
        payment: options.payment?.client,
        onPath: options.onPath,
        log: options.log,
      }),
    )
    await client.start(signal)
    const proxy = parts.use(
      createProxy(
        { dialer: client, log: options.log ?? NO_LOG },
        { port: 0, allowTargets: proxyTargets(network) },
      ),
    )
    const { port } = await proxy.start()
    const waiting = { timeoutMs: START_TIMEOUT_MS, signal }
    await waitUntil('the directory', () => client.status().nodes === plan.nodes.length, waiting)
    const owned = parts.move()
    return {
      network,
      nodes,
      client,
      proxyPort: port,
      [Symbol.asyncDispose]: () => owned.disposeAsync(),
    }
  } catch (error) {
    await parts.disposeAsync()
    throw error
  }
}

/** The targets as the proxy names them. */
export function proxyTargets({
  exitTargets,
}: Pick<NetworkParameters, 'exitTargets'>): { host: string; port: number }[] {
  return exitTargets.map(({ address, port }) => ({ host: address, port }))
}

/** The first contact starts alone, since the others need its port; the node without a port when there are relays to attach to. */
async function startNodes(
  { network: unconnected, nodes: plans }: NetworkPlan,
  options: Pick<TestnetOptions, 'log' | 'payment'> & { readonly signal: AbortSignal },
  folder: string,
  parts: AsyncDisposableStack,
): Promise<{ nodes: readonly TestnetNode[]; network: NetworkParameters }> {
  const { signal, log } = options
  const start = async (plan: NodePlan, network: NetworkParameters): Promise<TestnetNode> => {
    const home = join(folder, plan.name)
    await mkdir(home, { mode: 0o700 })
    const { host, country, asn, classes } = plan
    const listen = host === undefined ? undefined : { host, port: 0 }
    const exit = plan.isExit ? ({ profile: 'web', classes } as const) : undefined
    const payment = await options.payment?.nodeOf(plan)
    const node = parts.use(createNode({ network, home, listen, exit, country, asn, payment, log }))
    await node.start(signal)
    return { plan, node }
  }
  const [firstPlan, ...rest] = plans
  const first = firstPlan && (await start(firstPlan, unconnected))
  const listen = first?.node.listen
  if (!first || !listen) throw testnetError('TESTNET_SIZE', { nodes: 0, least: 1, most: 1 })
  const network = withBootstrap(unconnected, {
    nodeId: first.node.nodeId,
    address: listen.host,
    port: listen.port,
  })
  const open = rest.filter(({ host }) => host !== undefined)
  const others = await Promise.all(open.map((plan) => start(plan, network)))
  const known = [first, ...others]
  const waiting = { timeoutMs: START_TIMEOUT_MS, signal }
  const knowAll = (count: number) => (): boolean =>
    known.every(({ node }) => node.status().descriptors === count)
  await waitUntil('the relays', knowAll(known.length), waiting)
  const closed = rest.filter(({ host }) => host === undefined)
  for (const plan of closed) known.push(await start(plan, network))
  await waitUntil('every descriptor', knowAll(plans.length), waiting)
  return { nodes: known, network }
}
