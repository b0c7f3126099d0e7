/** Runs a node until told to stop (`byway node`). What the options are called is in commands/node.ts. */
import {
  consentCovers,
  consentError,
  createNode,
  readConsent,
  untilConsentEnds,
  type NodeOptions,
  type OwnOrigin,
  type ReachStatus,
  type RunningNode,
} from '@byway/node'
import { toHex } from '@byway/protocol/base'
import type { TrafficClass } from '@byway/protocol/wire'
import { openControl } from '../control/control-socket.ts'
import { createRouterPortMap } from '@byway/host'
import { alertFields, type NodeAlert } from '../display/node-alerts.ts'
import { originText } from '../display/origin-text.ts'
import { placeText, reachText } from '../display/reach-text.ts'
import { networkField } from '../display/status-text.ts'
import { freshPages } from '../ledger/ledger-page.ts'
import type { JsonObject } from '../output.ts'
import { exitClasses, exitPrices, exitRole } from './exit-classes.ts'
import type { NodeMoneyRun } from './node-payment.ts'
import { shareNode, type NodeShare } from './node-share.ts'
import { untilAborted, type EngineSetting, type SocketAddress } from './engine-options.ts'

/** What a node says when it is ready. */
export type NodeIdentity = {
  readonly id: string
  readonly pid: number
  readonly roles: readonly string[]
  readonly listen: string | null
  /** How others reach it, in words. */
  readonly reachText: string
}

export type NodeRun = EngineSetting & {
  readonly listen: SocketAddress | undefined
  readonly advertise: SocketAddress | undefined
  /** Asks the home's router for a port. */
  readonly mapsPort: boolean
  readonly isExit: boolean
  readonly nowMs: () => number
  readonly onReady: (ready: NodeIdentity) => void
  readonly onConsentEnd: () => void
  /** Something happened that the operator may have to act on. */
  readonly onAlert: (alert: NodeAlert) => void
}

/**
 * Starts a node, and resolves when it has stopped. An exit stops within seconds once the consent is withdrawn.
 * @throws CONSENT_MISSING, CONSENT_CLASS, CONTROL_ALREADY_RUNNING, and what the node throws
 */
export async function runNode(run: NodeRun): Promise<void> {
  const stop = new AbortController()
  const signal = AbortSignal.any([run.signal, stop.signal])
  const classes = run.isExit ? await requireConsent(run) : undefined
  const consentEnds = classes && watchConsent(run, classes, signal)
  await using parts = new AsyncDisposableStack()
  const money = await openMoney(run, parts)
  const node = parts.use(
    createNode({
      ...nodeOptions(run, classes),
      payment: money?.payment,
      stakes: money?.stakes,
      exits: money?.exits,
      onDoubleEditions: money?.onDoubleEditions,
      onReach: reachWatch(run),
      onOrigin: (status) => originAlerts(status).forEach(run.onAlert),
    }),
  )
  money?.attach(node)
  let share: NodeShare | undefined
  const control = await openControl(run.home, 'node', {
    status: () => {
      const status = node.status()
      const paid = money?.status(status.money)
      const alerts = [...originAlerts(status.origin), ...(money?.alerts() ?? [])]
      const shared = { share: share?.status() ?? null, alerts: alerts.map(alertFields) }
      const offer = { network: networkField(run.network), classes: classesField(run, classes) }
      return { ...identityOf(run, node), ...status, ...offer, ...paid, ...shared }
    },
    ledger: money && freshPages(node, money.ledger),
    proofs: money?.proofs,
    stop: () => {
      stop.abort()
      return { stopping: true }
    },
  })
  parts.use(control)
  await node.start(signal)
  share = parts.use(await shareNode(run, node))
  run.onReady(identityOf(run, node))
  money?.watchStake(node.nodeId)
  const withdrawn = consentEnds?.then(() => 'withdrawn' as const)
  const failed = money?.failure.then((error) => {
    throw error
  })
  const ends = [withdrawn, failed].filter((end) => end !== undefined)
  const why = await Promise.race([untilAborted(signal), ...ends])
  await money?.leave()
  // Whoever withdraws the consent wants no stranger's stream to run on.
  if (why === 'withdrawn') run.onConsentEnd()
  else await node.drain(run.drainMs / 1000)
  // What was won while streams ended.
  await money?.leave()
  stop.abort()
}

/** Undefined in a network where nothing is paid. */
async function openMoney(
  run: NodeRun,
  parts: AsyncDisposableStack,
): Promise<NodeMoneyRun | undefined> {
  const { payment } = run.network
  if (!payment) return undefined
  const { openNodeMoney } = await import('./node-payment.ts')
  return parts.use(await openNodeMoney(run, payment, run.onAlert))
}

function nodeOptions(
  { config, network, home, listen, advertise, mapsPort, log, places }: NodeRun,
  classes: readonly TrafficClass[] | undefined,
): NodeOptions {
  return {
    network,
    home,
    listen,
    advertise,
    portMap: mapsPort ? createRouterPortMap(home) : undefined,
    exit: classes && exitRole(config, classes),
    country: config.node.country || undefined,
    asn: config.node.asn || undefined,
    family: config.node.family || undefined,
    places: places.books,
    log: log.child('node'),
  }
}

/** What stands while clients hold the node's claim against it. */
function originAlerts(status: OwnOrigin | undefined): readonly NodeAlert[] {
  const text = status && originText(status)
  return text === undefined ? [] : [{ alert: 'place-differs', text }]
}

/** Tells the operator when others stop reaching the node, once each time. */
function reachWatch({ listen, onAlert }: NodeRun): (status: ReachStatus) => void {
  let last: ReachStatus['state'] = 'claimed'
  return (status) => {
    const isNews = status.state !== last
    last = status.state
    if (isNews && status.state === 'unreachable')
      onAlert({ alert: 'not-reached', text: reachText(status, listen?.port) })
  }
}

function identityOf(run: NodeRun, node: RunningNode): NodeIdentity {
  const { address, listen } = node
  const { reach } = node.status()
  const roles = [...(address ? ['relay'] : []), ...(run.isExit ? ['exit'] : [])]
  return {
    id: toHex(node.nodeId),
    pid: process.pid,
    roles,
    listen: address ? placeText(address) : null,
    reachText: reach ? reachText(reach, listen?.port) : '',
  }
}

/** What an exit takes, with the price step of each where nodes are paid; null at a node that is none. */
function classesField(
  { config, network }: NodeRun,
  classes: readonly TrafficClass[] | undefined,
): JsonObject | null {
  if (!classes) return null
  const prices = exitPrices(config, classes, network.payment !== undefined)
  return Object.fromEntries(classes.map((each) => [each, prices[each] ?? null]))
}

/** Gives the classes that may leave. @throws CONSENT_MISSING, CONSENT_CLASS */
async function requireConsent({
  home,
  network,
  config,
  nowMs,
}: NodeRun): Promise<readonly TrafficClass[]> {
  const found = await readConsent(home, nowMs())
  if (found.state !== 'given' || !consentCovers(found, network))
    throw consentError('CONSENT_MISSING', { state: found.state })
  return exitClasses(config.exit, found.consent)
}

/** Resolves when the consent has ended; never rejects. */
async function watchConsent(
  { home, network, nowMs }: NodeRun,
  classes: readonly TrafficClass[],
  signal: AbortSignal,
): Promise<void> {
  try {
    await untilConsentEnds(home, network, { nowMs, signal, classes })
  } catch {
    // Stopping ends the watch; a record that can no longer be read is no consent.
    if (signal.aborted) await new Promise<never>(() => {})
  }
}
