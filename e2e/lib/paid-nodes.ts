/** Nodes of a paid network, as real processes with a chain of their own, and no client: nobody proves slots. */
import assert from 'node:assert/strict'
import { writeLocalNetwork } from '../../packages/cli/src/engine/local-network.ts'
import { askControl } from '../../packages/cli/src/control/control-socket.ts'
import { PROGRAM } from '../../packages/cli/test/running-byway.ts'
import { fromHex } from '../../packages/protocol/src/base/index.ts'
import type {
  NetworkParameters,
  PaymentParameters,
} from '../../packages/protocol/src/directory/index.ts'
import { createLauncher } from '../../packages/testnet/src/launcher.ts'
import { startLocalMoney } from '../../packages/testnet/src/money/local-money.ts'
import { planNetwork, withBootstrap } from '../../packages/testnet/src/plan.ts'
import type { ProcessOptions } from '../../packages/testnet/src/index.ts'
import {
  startLateNode,
  startNodes,
  type NodeProcess,
} from '../../packages/testnet/src/start-nodes.ts'
import { createTemporaryFolder } from '../../packages/testnet/src/temporary-folder.ts'

export interface PaidNodes extends AsyncDisposable {
  readonly nodes: readonly NodeProcess[]
  readonly networkFile: string
  readonly payment: PaymentParameters
  /** With its first contact. */
  readonly network: NetworkParameters
  /** Makes a purse in the state folder of a client, and a deposit for it. */
  fundClient(home: string): Promise<void>
  /** One more node, once; resolves when it is ready. */
  startLate(): Promise<NodeProcess>
  /** How many nodes it knows; undefined when it no longer runs. */
  knownTo(node: NodeProcess): Promise<number | undefined>
}

const GRACE_MS = 25_000

/** What may be chosen of them; as `byway testnet` has it where it is not named. */
export type PaidNodesOptions = Pick<ProcessOptions, 'exitTargets' | 'oneOwner' | 'priceStep'>

/** Starts so many; resolves when each knows all. */
export async function startPaidNodes(
  count: number,
  signal: AbortSignal,
  options: PaidNodesOptions = {},
): Promise<PaidNodes> {
  await using parts = new AsyncDisposableStack()
  const folder = parts.use(await createTemporaryFolder())
  const money = parts.use(await startLocalMoney(signal))
  const launcher = parts.use(
    createLauncher({
      program: PROGRAM,
      sharedArgs: ['--json', '--stop-with-stdin', '--drain', '0'],
      env: process.env,
      graceMs: GRACE_MS,
      signal,
    }),
  )
  const askStatus = (home: string, program: 'client' | 'node') =>
    askControl(home, program, 'status')
  const deps = { program: PROGRAM, env: process.env, writeNetwork: writeLocalNetwork, askStatus }
  const plan = planNetwork({ nodes: count, ...options })
  // Of a larger network the first that this one does not have.
  const late = planNetwork({ nodes: count + 2 }).nodes[count]
  assert.ok(late)
  const start = {
    deps,
    options: { ...options, signal },
    folder: folder.path,
    launcher,
    money,
    signal,
  }
  const { nodes, networkFile } = await startNodes(start, plan)
  const [address = '', port] = nodes[0]?.listen?.split(':') ?? []
  const nodeId = fromHex(nodes[0]?.id ?? '') ?? new Uint8Array(32)
  const contact = { nodeId, address, port: Number(port) }
  const network = withBootstrap({ ...plan.network, payment: money.payment }, contact)
  const owned = parts.move()
  return {
    nodes,
    networkFile,
    payment: money.payment,
    network,
    startLate: () => startLateNode(start, late, { network, file: networkFile }),
    fundClient: (home) => money.fundClient(home),
    async knownTo({ home }) {
      const { descriptors } = await askStatus(home, 'node').catch(() => ({
        descriptors: undefined,
      }))
      return typeof descriptors === 'number' ? descriptors : undefined
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}
