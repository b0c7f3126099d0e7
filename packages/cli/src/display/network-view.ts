/**
 * What `byway start` shows of its network: nodes with what they carried, the newest paths, what to try. Asks the nodes; writes nothing. Paths are
 * shown to the person who runs all of it, and go into no log.
 */
import {
  DOWNLOAD_PATH,
  type NodeProcess,
  type ProcessNetwork,
  type ProgramEvent,
} from '@byway/testnet'
import type { PaymentParameters } from '@byway/protocol/directory'
import { describeAmount, earningsOf, type Earnings } from './earnings.ts'
import type { JsonObject } from '../output.ts'
import { describeBytes, describeNode, describePath, type HopText } from './path-text.ts'

export interface NetworkView {
  onPath(event: ProgramEvent): void
  onNodeEnded(id: string): void
  /** Asks each node what it has carried. */
  refresh(): Promise<void>
  /** The whole picture, a line each. Where each change is a line of its own, bytes are told by the megabyte: nodes that rest talk to each other too. */
  lines(isRedrawn: boolean): readonly string[]
  /** The ready line of docs/CLI.md. */
  readyFields(): JsonObject
  /** Events since the last call, for scripts. */
  takeEvents(): readonly JsonObject[]
}

/** Paths on the screen; older ones have scrolled out of mind. */
const MAX_PATHS = 5
/** Events that a script has not taken yet; it takes them each second. */
const MAX_EVENTS = 1000

/** Creates the view of a running network. */
export function createNetworkView(
  network: ProcessNetwork,
  { origin }: { readonly origin: string },
): NetworkView {
  const carried = new Map<string, number>()
  const earned = new Map<string, Earnings>()
  const gone = new Set<string>()
  let paths: readonly string[] = []
  let events: readonly JsonObject[] = []
  const note = (event: JsonObject): void => {
    events = [...events, event].slice(-MAX_EVENTS)
  }
  const hopOf = (id: string): HopText => ({
    nodeId: id,
    country: network.nodes.find((node) => node.id === id)?.plan.country ?? '',
  })
  return {
    onPath(event) {
      note(event as JsonObject)
      const { hops, rejoins } = event
      if (!Array.isArray(hops)) return
      const moved = typeof rejoins === 'number' && rejoins > 0 ? '  (moved)' : ''
      const text = `you → ${describePath(hops.map((id) => hopOf(String(id))))} → web${moved}`
      paths = [...paths, text].slice(-MAX_PATHS)
    },
    onNodeEnded(id) {
      gone.add(id)
      note({ event: 'node-ended', id })
    },
    async refresh() {
      await Promise.all(
        network.nodes.map(async (node) => {
          const status = await network.statusOf(node)
          if (!status) return
          carried.set(node.id, numberOf(status, 'forwardBytes') + numberOf(status, 'backwardBytes'))
          const earnings = network.payment && earningsOf(status, network.payment)
          if (!earnings || earned.get(node.id)?.units === earnings.units) return
          earned.set(node.id, earnings)
          note(earningsEvent(node.id, earnings))
        }),
      )
    },
    lines: (isRedrawn) => [
      '',
      `nodes                       role         carried${network.payment ? '      earned          wins' : ''}`,
      ...network.nodes.map((node) => {
        const bytes = carried.get(node.id) ?? 0
        const text = isRedrawn ? describeBytes(bytes) : describeMegabytes(bytes)
        const line = nodeLine(node, gone.has(node.id) ? 'gone' : text)
        return (line + earningsText(earned.get(node.id), network.payment)).trimEnd()
      }),
      '',
      'paths of your traffic',
      ...paths.map((text) => `  ${text}`),
      '',
      `try:  curl -x ${network.proxy} ${origin}`,
      `      chromium --proxy-server=${network.proxy.replace('socks5h', 'socks5')} --proxy-bypass-list='<-loopback>' ${origin}`,
      `earn: curl -x ${network.proxy} -o /dev/null ${new URL(DOWNLOAD_PATH, origin).href}`,
      ...booksOf(network),
      'stop: Ctrl-C',
    ],
    readyFields: () => readyFieldsOf(network, origin),
    takeEvents() {
      const taken = events
      events = []
      return taken
    },
  }
}

/** How to see the books of both sides; nothing where nothing is paid. */
function booksOf({ payment, networkFile, clientHome, nodes: [node] }: ProcessNetwork): string[] {
  if (!payment) return []
  const ledger = (home: string): string =>
    `npx byway ledger --chain --network ${networkFile} --home ${home}`
  return [`books: ${ledger(clientHome)}`, ...(node ? [`       ${ledger(node.home)}`] : [])]
}

/** The ready line that scripts rely on (docs/CLI.md). What is not built is null. */
function readyFieldsOf(network: ProcessNetwork, origin: string): JsonObject {
  return {
    event: 'ready',
    proxy: network.proxy,
    httpProxy: network.httpProxy,
    dashboard: null,
    chain: network.payment?.rpcUrls[0] ?? null,
    origin,
    nodes: network.nodes.map(({ id, pid, roles, listen }) => ({ id, pid, roles, listen })),
    client: { pid: network.clientPid, home: network.clientHome },
  }
}

/** Amounts are digits in JSON: they do not fit in its numbers. */
function earningsEvent(id: string, { units, wins, openWins, expected, won }: Earnings): JsonObject {
  return {
    event: 'earnings',
    id,
    units,
    wins,
    openWins,
    expected: expected.toString(),
    won: won.toString(),
  }
}

function earningsText(
  earnings: Earnings | undefined,
  payment: PaymentParameters | undefined,
): string {
  if (!earnings || !payment) return ''
  const { wins, won, openWins } = earnings
  const open = openWins > 0 ? `, ${openWins} on the way` : ''
  const paid = wins > 0 ? ` (${describeAmount(won, payment)}${open})` : ''
  return `${describeAmount(earnings.expected, payment).padStart(16)}  ${String(wins).padStart(4)}${paid}`
}

function nodeLine({ id, plan, roles, listen }: NodeProcess, carried: string): string {
  const name = `  ${describeNode({ nodeId: id, country: plan.country })}`
  const role = roles.includes('exit') ? 'exit' : 'relay'
  const place = listen === null ? ' (no port)' : ''
  return `${name}          ${(role + place).padEnd(16)} ${carried.padEnd(10)}`
}

function describeMegabytes(bytes: number): string {
  return bytes < 1e6 ? 'below 1 MB' : `${Math.floor(bytes / 1e6)} MB`
}

function numberOf(status: ProgramEvent, name: string): number {
  const value = status[name]
  return typeof value === 'number' ? value : 0
}
