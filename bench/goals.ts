/** The goals that this bench judges. Ratios are taken within each run; their median counts. */
import { LINK_DELAY_MS } from './byway/distance-lab.ts'
import type { Goal } from './lib/results.ts'
import { STREAMS } from './sections/concurrent.ts'
import { CONGESTION_CONTROLS } from './sections/distance.ts'
import { DIRECTORY_METRICS, DIRECTORY_SYSTEM } from './sections/directory.ts'
import { LOADED_METRIC } from './sections/memory.ts'
import { PAYMENT_METRICS } from './sections/payment.ts'
import { STALLED_PLACES } from './sections/stalled.ts'
import { LOADS_GIB } from '../contracts/tools/play-browsing.ts'
import { GAS_METRICS, GAS_SYSTEM } from './sections/gas.ts'
import { GOSSIP_METRICS, GOSSIP_SYSTEM } from './sections/gossip.ts'
import { FULL_COUNTS, SPREAD_METRICS, SPREAD_SYSTEM } from './sections/spread.ts'
import { CHECKED_METRIC } from './sections/tickets.ts'
import { ZK_METRICS, ZK_SYSTEM } from './sections/zk.ts'
import { ZK_AUDIT_METRICS, ZK_AUDIT_SYSTEM } from './sections/zk-audit.ts'

/** Tor as the numbers were set: `Schedulers Vanilla` and a consensus without congestion control. */
const TOR = 'tor-vanilla'
/** Tor with the congestion control of the public network, faster on one stream: shown, so that no figure flatters us. */
const TOR_VEGAS = 'tor-vegas'
/** Tor as relays of the public network run it. Its CPU per megabyte is the highest, so it is the easiest goal: shown beside. */
const TOR_KIST = 'tor-kist'
const NGINX = 'nginx-stream'
const BYWAY = 'byway-3'

/** The lab's path: three links, there and back. */
const LINK_ROUND_TRIP_MS = 2 * LINK_DELAY_MS
const PATH_ROUND_TRIP_MS = 3 * LINK_ROUND_TRIP_MS
const BUILD_ALLOWANCE_MS = 3 * 5

/** Bulk shapes in which CPU per megabyte is judged. */
const BULK = ['1 stream', '8 streams, 8 circuits'] as const

/** Every goal, in the order of the table. */
export const GOALS: readonly Goal[] = [
  ...BULK.flatMap((shape) => cpuGoals(shape)),
  ...[TOR, TOR_VEGAS].flatMap((tor) => [
    speedGoal('1 stream', tor, 6),
    speedGoal('8 streams, 1 circuit', tor, 1.8),
    speedGoal('8 streams, 8 circuits', tor, 1.8),
  ]),
  {
    title: 'first byte on loopback, beyond a direct connection (ms)',
    section: 'first-byte',
    metric: 'median',
    system: BYWAY,
    compare: 'difference',
    beside: 'direct',
    sense: 'at most',
    limit: 5,
  },
  {
    title: 'circuit build on loopback, 5 ms a hop (ms)',
    section: 'circuit-build',
    metric: 'median',
    system: BYWAY,
    compare: 'value',
    sense: 'at most',
    limit: 15,
  },
  {
    title: 'memory of an entry at rest (MB)',
    section: 'memory',
    metric: 'at rest, entry',
    system: BYWAY,
    compare: 'value',
    sense: 'at most',
    limit: 150,
  },
  {
    title: 'memory of an entry per idle client link (KB)',
    section: 'memory',
    metric: 'per idle client link, entry',
    system: BYWAY,
    compare: 'value',
    sense: 'at most',
    limit: 60,
  },
  {
    title: `memory of an entry ${LOADED_METRIC.replace(', entry', '')} (MB)`,
    section: 'memory',
    metric: LOADED_METRIC,
    system: BYWAY,
    compare: 'value',
    sense: 'at most',
    limit: 400,
  },
  {
    title: 'concurrent streams with the right hash',
    section: 'concurrent',
    metric: 'whole',
    system: BYWAY,
    compare: 'value',
    sense: 'at least',
    limit: STREAMS,
  },
  ...STALLED_PLACES.map((place): Goal => ({
    title: `speed kept beside clients that never read, on ${place} (%)`,
    section: 'stalled',
    metric: `kept, stalled ones on ${place}`,
    system: BYWAY,
    compare: 'value',
    sense: 'at least',
    limit: 80,
  })),
  ...CONGESTION_CONTROLS.flatMap((name) => distanceGoals(name)),
  {
    title: 'tickets checked per second and core',
    section: 'tickets',
    metric: CHECKED_METRIC,
    system: 'byway-ticket',
    compare: 'value',
    sense: 'at least',
    limit: 12_000,
  },
  paymentGoal('CPU of payment, all programs (ratio)', PAYMENT_METRICS.cpu, 1.05),
  paymentGoal('CPU of payment with bulk slots (ratio)', PAYMENT_METRICS.cpu, 1.05, 'paid, bulk'),
  paymentGoal('bytes of payment, all links (ratio)', PAYMENT_METRICS.bytes, 1.005),
  gasGoal('gas of a win over browsing, batches full', GAS_METRICS.browsing, 115_000),
  gasGoal('gas of a win over browsing, each lock alone', GAS_METRICS.browsingAlone, 115_000),
  ...LOADS_GIB.map((load) =>
    gasGoal(
      `gas of a win over browsing, played, ${load} GiB a day`,
      GAS_METRICS.played(load),
      115_000,
    ),
  ),
  gasGoal('gas of a win of a full bulk slot', GAS_METRICS.full, 36_000),
  zkGoal('a slot proof on one core (ms)', ZK_METRICS.proof, 1500),
  zkGoal('a verification (ms)', ZK_METRICS.verification, 12),
  zkGoal('loop delay while proving, p99 (ms)', ZK_METRICS.delayProving, 20),
  zkGoal('loop delay while verifying, p99 (ms)', ZK_METRICS.delayVerifying, 20),
  zkGoal('loop delay of a client that reads 20 000 leaves, p99 (ms)', ZK_METRICS.delayReading, 20),
  zkGoal('loop delay of a client that fills its stock, p99 (ms)', ZK_METRICS.delayStocking, 20),
  auditGoal('a service proof over 100 000 receipts on two cores (s)', ZK_AUDIT_METRICS.proof, 30),
  auditGoal('memory of a service proof (MB)', ZK_AUDIT_METRICS.memory, 1500),
  auditGoal('loop delay during a service proof, p99 (ms)', ZK_AUDIT_METRICS.delay, 20),
  directoryGoal('a whole directory of 10 000 nodes (MB)', DIRECTORY_METRICS.whole, 5),
  directoryGoal('a directory of 10 000 nodes, an hour in step (KB)', DIRECTORY_METRICS.hour, 400),
  directoryGoal('a descriptor read (ms)', DIRECTORY_METRICS.read, 1),
  directoryGoal('a mutated descriptor refused (ms)', DIRECTORY_METRICS.refused, 1),
  gossipGoal('memory that libp2p adds (MB)', GOSSIP_METRICS.memory, 90),
  gossipGoal('CPU of libp2p at rest (%)', GOSSIP_METRICS.idle, 2),
  spreadGoal('one more node known to 99 others (s)', SPREAD_METRICS.known(FULL_COUNTS.known), 10),
  spreadGoal('a cut network grown together again (s)', SPREAD_METRICS.healed(FULL_COUNTS.cut), 60),
]

function gasGoal(title: string, metric: string, limit: number): Goal {
  const what = { section: 'gas', metric, system: GAS_SYSTEM }
  return { title, ...what, compare: 'value', sense: 'at most', limit }
}

function directoryGoal(title: string, metric: string, limit: number): Goal {
  const what = { section: 'directory', metric, system: DIRECTORY_SYSTEM }
  return { title, ...what, compare: 'value', sense: 'at most', limit }
}

function gossipGoal(title: string, metric: string, limit: number): Goal {
  const what = { section: 'gossip', metric, system: GOSSIP_SYSTEM }
  return { title, ...what, compare: 'value', sense: 'at most', limit }
}

function spreadGoal(title: string, metric: string, limit: number): Goal {
  const what = { section: 'spread', metric, system: SPREAD_SYSTEM }
  return { title, ...what, compare: 'value', sense: 'at most', limit }
}

function auditGoal(title: string, metric: string, limit: number): Goal {
  const what = { section: 'zk-audit', metric, system: ZK_AUDIT_SYSTEM }
  return { title, ...what, compare: 'value', sense: 'at most', limit }
}

function zkGoal(title: string, metric: string, limit: number): Goal {
  const what = { section: 'zk', metric, system: ZK_SYSTEM }
  return { title, ...what, compare: 'value', sense: 'at most', limit }
}

function paymentGoal(title: string, metric: string, limit: number, row = 'paid'): Goal {
  return {
    title,
    section: 'payment',
    metric,
    system: `${BYWAY} ${row}`,
    compare: 'ratio',
    beside: `${BYWAY} free`,
    sense: 'at most',
    limit,
  }
}

function distanceGoals(congestionControl: string): Goal[] {
  const system = `${BYWAY} ${congestionControl}`
  const beyond = (title: string, metric: string, besideMetric: string, limit: number): Goal => ({
    title: `${title}, ${congestionControl}`,
    section: 'distance',
    metric,
    system,
    compare: 'difference',
    beside: `direct ${congestionControl}`,
    besideMetric,
    sense: 'at most',
    limit,
  })
  const value = (title: string, metric: string, sense: Goal['sense'], limit: number): Goal => ({
    title: `${title}, ${congestionControl}`,
    section: 'distance',
    metric,
    system,
    compare: 'value',
    sense,
    limit,
  })
  const [warm, cold] = ['build, warm links', 'build, one cold link']
  const [allowance, trip] = [BUILD_ALLOWANCE_MS, 'path round trip']
  return [
    beyond('build over warm links of 50 ms, beyond a round trip (ms)', warm, trip, allowance),
    beyond(
      'build with one cold link of 50 ms, beyond a round trip (ms)',
      cold,
      trip,
      allowance + 3 * LINK_ROUND_TRIP_MS,
    ),
    beyond(
      'first byte over links of 50 ms, beyond a direct connection (ms)',
      'first byte',
      'first byte',
      PATH_ROUND_TRIP_MS + 5,
    ),
    value('PING under bulk beyond idle (ms)', 'PING under bulk, median beyond idle', 'at most', 30),
    value(
      'PING under bulk beyond idle, p95 (ms)',
      'PING under bulk, p95 beyond idle',
      'at most',
      30,
    ),
    // A link that is not full proves nothing about PING: 80 % of 10 Mbit/s.
    value('bulk meanwhile (MB/s)', 'bulk', 'at least', 1),
  ]
}

function cpuGoals(shape: string): Goal[] {
  const goal = (role: string, beside: string, besideRole: string, limit: number): Goal => ({
    title: `CPU per MB of ${role === 'path' ? 'the whole path' : `the ${role}`} beside ${beside}, ${shape}`,
    section: 'throughput',
    metric: `${shape}: CPU ${role}`,
    system: BYWAY,
    compare: 'ratio',
    beside,
    besideMetric: `${shape}: CPU ${besideRole}`,
    sense: 'at most',
    limit,
  })
  return [
    goal('entry', NGINX, 'relay', 1.7),
    goal('middle', NGINX, 'relay', 2.4),
    ...[TOR, TOR_KIST].flatMap((tor) => [
      goal('entry', tor, 'entry', 0.25),
      goal('middle', tor, 'middle', 0.36),
      goal('path', tor, 'path', 0.5),
    ]),
  ]
}

function speedGoal(shape: string, beside: string, limit: number): Goal {
  return {
    title: `speed beside ${beside}, ${shape}`,
    section: 'throughput',
    metric: `${shape}: speed`,
    system: BYWAY,
    compare: 'ratio',
    beside,
    sense: 'at least',
    limit,
  }
}
