/** `byway testnet` as a user runs it, for measures that need the programs whole: purses, signers, stores and a chain. */
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

import { startChild, waitForLine } from '../lib/child.ts'
import { parseLine } from './line-protocol.ts'

/** A running network. */
export interface Testnet {
  readonly proxyPort: number
  /** The client alone: what its children use are its slot proofs, but for a signer's moments. */
  readonly clientPid: number
  /** Its nodes and its client, with the processes that these have started: signers. The chain is nobody's. */
  pids(): readonly number[]
  stop(): Promise<void>
}

const START_TIMEOUT_MS = 240_000
const STOP_GRACE_MS = 15_000
const MAIN = fileURLToPath(new URL('../../packages/cli/src/main.ts', import.meta.url))

/** Starts a network whose exits reach one origin; resolves when its proxy listens. */
export async function startTestnet(options: {
  /** SPEC §13.1; undefined: nothing is paid. */
  readonly priceStep: number | undefined
  /** That a slot pays for. @default 2 */
  readonly wins?: number | undefined
  readonly nodes: number
  readonly hops: number
  readonly originPort: number
}): Promise<Testnet> {
  const { priceStep, wins, nodes, hops, originPort } = options
  const target = `127.0.0.1:${originPort}`
  const flags = ['--nodes', String(nodes), '--hops', String(hops), '--allow-target', target]
  // As this program was started: with the flags of a user's.
  const args = [...process.execArgv, MAIN, 'testnet', '--json', ...flags]
  // A node without coin locks nothing ahead and serves at 12.5 MB/s until a win: a path through it would measure that.
  args.push('--gasless', '0')
  const isPaid = priceStep !== undefined
  const name = isPaid ? `paid-${priceStep}-${wins ?? 'default'}` : 'unpaid'
  args.push(...(isPaid ? ['--price', String(priceStep)] : ['--unpaid']))
  if (wins !== undefined) args.push('--wins', String(wins))
  const child = await startChild(name, process.execPath, args)
  const ready = await waitForLine(child, START_TIMEOUT_MS, (text) => {
    const line = parseLine(text)
    return line?.['event'] === 'ready' ? line : undefined
  })
  const clientPid = (ready['client'] as { pid: number }).pid
  const main = [clientPid, ...(ready['nodes'] as { pid: number }[]).map(({ pid }) => pid)]
  return {
    proxyPort: Number(new URL(String(ready['httpProxy'])).port),
    clientPid,
    pids: () => main.flatMap((pid) => [pid, ...childrenOf(pid)]),
    stop: () => child.stop(STOP_GRACE_MS),
  }
}

/** The processes that a process has started and that run. */
export function childrenOf(pid: number): number[] {
  return readdirSync(`/proc/${pid}/task`).flatMap((task) =>
    readFileSync(`/proc/${pid}/task/${task}/children`, 'latin1')
      .split(' ')
      .filter((child) => child !== '')
      .map(Number),
  )
}
