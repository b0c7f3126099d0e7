/** Starts the nodes of a network of processes: each has its stake on the chain while it begins, and knows nobody but a first contact. */
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { openIdentity, writeLocalConsent } from '@byway/node'
import { fromHex, isBywayError } from '@byway/protocol/base'
import type { NetworkParameters } from '@byway/protocol/directory'
import { testnetError } from './errors.ts'
import type { Launcher } from './launcher.ts'
import type { LocalMoney } from './money/local-money.ts'
import { withBootstrap, type NetworkPlan, type NodePlan } from './plan.ts'
import type { ProcessDeps, ProcessOptions } from './process-options.ts'
import type { ProgramEvent } from './program.ts'
import { waitUntil, type WaitOptions } from './wait.ts'

/** A node as it says it is. */
export type NodeProcess = {
  readonly plan: NodePlan
  readonly id: string
  readonly pid: number
  readonly roles: readonly string[]
  readonly listen: string | null
  readonly home: string
}

/** What a start is made of. */
export type Start = {
  readonly deps: ProcessDeps
  readonly options: ProcessOptions
  readonly folder: string
  readonly launcher: Launcher
  readonly money: LocalMoney | undefined
  readonly signal: AbortSignal
}

/** Eight processes and the first proofs take some eight seconds; on a loaded machine ten or twenty times that. */
export const START_TIMEOUT_MS = 300_000
/** Each takes a second or two of a core until it is ready; with a hundred at once none would be for minutes. */
const STARTED_AT_ONCE = 10
/** Each look asks every process: more often would take the time that they start in. */
const LOOK_EVERY_MS = 100
/** And longer where there are more of them. */
const LOOK_MS_A_NODE = 10

/** As in one process: the first contact alone, then the relays, then the node that attaches to them. @throws what `startProcesses` throws */
export async function startNodes(
  start: Start,
  { network: unpaid, nodes: plans }: NetworkPlan,
): Promise<{ nodes: readonly NodeProcess[]; networkFile: string }> {
  const unconnected = { ...unpaid, payment: start.money?.payment }
  const [firstPlan, ...rest] = plans
  if (!firstPlan) throw testnetError('TESTNET_SIZE', { nodes: 0, least: 1, most: 1 })
  const alone = await writeNetwork(start, 'alone.toml', unconnected)
  const homes = await Promise.all(plans.map((plan) => prepareHome(start, plan)))
  const staked = Promise.all(
    homes.map(async ({ home, nodeId, staker }) => {
      await start.money?.registerNode(home, nodeId, staker)
    }),
  )
  // Waited for below, unless a node fails before.
  staked.catch(() => {})
  const first = await startNode(start, firstPlan, { network: unconnected, file: alone })
  const network = withBootstrap(unconnected, contactOf(first))
  const file = await writeNetwork(start, 'network.toml', network)
  const startAll = async (some: readonly NodePlan[]): Promise<NodeProcess[]> => {
    const all: NodeProcess[] = []
    for (let at = 0; at < some.length; at += STARTED_AT_ONCE) {
      const next = some.slice(at, at + STARTED_AT_ONCE)
      all.push(
        ...(await Promise.all(next.map((plan) => startNode(start, plan, { network, file })))),
      )
    }
    return all
  }
  const open = [first, ...(await startAll(rest.filter(({ host }) => host !== undefined)))]
  await staked
  await untilAllKnow(start, open)
  const nodes = [...open, ...(await startAll(rest.filter(({ host }) => host === undefined)))]
  await untilAllKnow(start, nodes)
  return { nodes, networkFile: file }
}

/** One more node, in a network that stands: its stake first, then the process. @throws what `startProcesses` throws */
export async function startLateNode(
  start: Start,
  plan: NodePlan,
  where: { readonly network: NetworkParameters; readonly file: string },
): Promise<NodeProcess> {
  const { home, nodeId, staker } = await prepareHome(start, plan)
  await start.money?.registerNode(home, nodeId, staker)
  return await startNode(start, plan, where)
}

/** Looks at processes until they are as they should be, or the start has no time left. */
export function waitingOf({ signal }: Pick<Start, 'signal'>): WaitOptions {
  return { timeoutMs: START_TIMEOUT_MS, everyMs: LOOK_EVERY_MS, signal }
}

/** '' for a field that is no text. */
export function textField(event: ProgramEvent, name: string): string {
  const value = event[name]
  return typeof value === 'string' ? value : ''
}

/** With its identity and its purse: a stake names both. */
async function prepareHome(
  start: Start,
  plan: NodePlan,
): Promise<{ home: string; nodeId: Uint8Array; staker: number }> {
  const home = homeOf(start, plan)
  await mkdir(home, { mode: 0o700 })
  await start.money?.preparePurse(home, plan.hasGas)
  return { home, nodeId: await openIdentity(home), staker: plan.staker }
}

async function startNode(
  start: Start,
  plan: NodePlan,
  { network, file }: { readonly network: NetworkParameters; readonly file: string },
): Promise<NodeProcess> {
  const { options, launcher } = start
  const home = homeOf(start, plan)
  if (plan.isExit) await writeLocalConsent(home, Date.now(), network, plan.classes)
  const args = ['node', '--network', file, '--home', home]
  args.push('--country', plan.country, '--asn', String(plan.asn))
  if (plan.host !== undefined) args.push('--listen', `${plan.host}:0`)
  // The others' routers do not answer, which a node is sure of after eight seconds.
  if (plan.nat === 'upnp' || plan.nat === 'nat-pmp') args.push('--map-port')
  if (plan.isExit) args.push('--exit')
  if (plan.isRedeemer) args.push('--redeemer')
  if (plan.classes.includes('collect') && options.collectPrice !== undefined)
    args.push('--collect-price', String(options.collectPrice))
  if (options.priceStep !== undefined) args.push('--price', String(options.priceStep))
  const { program, ready } = await launcher.launch(plan.name, args)
  const id = textField(ready, 'id')
  void program.ended.then(() => options.onNodeEnded?.(id))
  const { roles, listen } = ready
  return {
    plan,
    id,
    pid: program.pid,
    roles: Array.isArray(roles) ? roles.map(String) : [],
    listen: typeof listen === 'string' ? listen : null,
    home,
  }
}

function homeOf({ folder }: Start, { name }: NodePlan): string {
  return join(folder, name)
}

/** Asks those that do not know all yet; each look costs every one of them a message, and a hundred that begin together are late with their answers. */
async function untilAllKnow(start: Start, nodes: readonly NodeProcess[]): Promise<void> {
  let left = nodes
  const knowsAll = async ({ home }: NodeProcess): Promise<boolean> => {
    try {
      return (await start.deps.askStatus(home, 'node'))['descriptors'] === nodes.length
    } catch (error) {
      if (isBywayError(error) && error.code === 'CONTROL_NO_ANSWER') return false
      throw error
    }
  }
  const look = async (): Promise<boolean> => {
    const known = await Promise.all(left.map(knowsAll))
    left = left.filter((_node, at) => !known[at])
    return left.length === 0
  }
  const everyMs = Math.max(LOOK_EVERY_MS, LOOK_MS_A_NODE * nodes.length)
  await waitUntil('every node to know the others', look, { ...waitingOf(start), everyMs })
}

async function writeNetwork(
  { deps, folder }: Start,
  name: string,
  network: NetworkParameters,
): Promise<string> {
  const path = join(folder, name)
  await deps.writeNetwork(path, network)
  return path
}

function contactOf({ id, listen }: NodeProcess): NetworkParameters['bootstrap'][number] {
  const [address = '', port = ''] = listen?.split(':') ?? []
  return { nodeId: fromHex(id) ?? new Uint8Array(32), address, port: Number(port) }
}
