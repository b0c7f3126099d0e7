/** The numbers of DESIGN §13 that this bench can judge. Ratios are taken within each run; their median counts. */
import type { Goal } from './lib/results.ts'

/** Tor as the numbers were set: `Schedulers Vanilla` and a consensus without congestion control. */
const TOR = 'tor-vanilla'
/** Tor with the congestion control of the public network, faster on one stream: shown, so that no figure flatters us. */
const TOR_VEGAS = 'tor-vegas'
/** Tor as relays of the public network run it. Its CPU per megabyte is the highest, so it is the easiest goal: shown beside. */
const TOR_KIST = 'tor-kist'
const NGINX = 'nginx-stream'
const BYWAY = 'byway-3'

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
]

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
