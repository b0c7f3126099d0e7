/** A network of real processes, whose nodes are killed and started again as they were: with their folder, at their address. */
import { writeLocalNetwork } from '../../packages/cli/src/engine/local-network.ts'
import { askControl } from '../../packages/cli/src/control/control-socket.ts'
import { PROGRAM } from '../../packages/cli/test/running-byway.ts'
import { createLauncher } from '../../packages/testnet/src/launcher.ts'
import {
  startProcesses,
  type NodeProcess,
  type ProcessNetwork,
} from '../../packages/testnet/src/index.ts'

export interface ChurningNetwork extends AsyncDisposable {
  readonly nodes: readonly NodeProcess[]
  readonly networkFile: string
  readonly proxyPort: number
  /** The nodes of the newest path, entry first. */
  readonly currentPath: () => readonly NodeProcess[]
  isUp(node: NodeProcess): boolean
  /** With SIGKILL: nobody is told. */
  kill(node: NodeProcess): void
  /** Resolves when it is ready. */
  startAgain(node: NodeProcess): Promise<void>
}

const GRACE_MS = 25_000

/** Starts so many nodes and a client. */
export async function startChurningNetwork(
  nodes: number,
  originPort: number,
  signal: AbortSignal,
  isPaid = false,
): Promise<ChurningNetwork> {
  let path: readonly string[] = []
  const network = await startProcesses(
    {
      program: PROGRAM,
      env: process.env,
      writeNetwork: writeLocalNetwork,
      askStatus: (home, program) => askControl(home, program, 'status'),
    },
    {
      nodes,
      isPaid,
      exitTargets: [{ address: '127.0.0.1', port: originPort }],
      onPath: ({ hops }) => void (path = Array.isArray(hops) ? hops.map(String) : path),
      signal,
    },
  )
  const launcher = createLauncher({
    program: PROGRAM,
    sharedArgs: ['--json', '--stop-with-stdin', '--drain', '2'],
    env: process.env,
    graceMs: GRACE_MS,
    signal,
  })
  const pids = new Map(network.nodes.map(({ id, pid }) => [id, pid]))
  return {
    nodes: network.nodes,
    networkFile: network.networkFile,
    proxyPort: Number(/:(\d+)$/.exec(network.proxy)?.[1]),
    currentPath: () => path.flatMap((id) => network.nodes.find((node) => node.id === id) ?? []),
    isUp: ({ id }) => pids.has(id),
    kill({ id }) {
      const pid = pids.get(id)
      pids.delete(id)
      if (pid !== undefined) process.kill(pid, 'SIGKILL')
    },
    async startAgain(node) {
      const { program } = await launcher.launch(node.plan.name, argsOf(node, network))
      pids.set(node.id, program.pid)
    },
    async [Symbol.asyncDispose]() {
      await network[Symbol.asyncDispose]()
      await launcher[Symbol.asyncDispose]()
    },
  }
}

/** As the network started it, but at the port that it had. */
function argsOf({ plan, home, listen }: NodeProcess, { networkFile }: ProcessNetwork): string[] {
  const args = ['node', '--network', networkFile, '--home', home]
  args.push('--country', plan.country, '--asn', String(plan.asn))
  if (listen !== null) args.push('--listen', listen)
  if (plan.isExit) args.push('--exit')
  if (plan.isRedeemer) args.push('--redeemer')
  return args
}
