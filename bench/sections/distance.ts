/** Builds, first bytes and PINGs over links of 50 ms, in namespaces: a world of its own, started anew for each run. */
import { setTimeout as delay } from 'node:timers/promises'

import { missingPrivileges } from '../../e2e/lib/network-lab.ts'
import { LINK_DELAY_MS, startDistanceLab, type DistanceLab } from '../byway/distance-lab.ts'
import type { DownloadJob } from '../lib/downloader.ts'
import type { BenchContext } from '../lib/fleet.ts'
import type { Route } from '../lib/route.ts'
import { median, percentile } from '../lib/stats.ts'
import { worldOf, type WorldSection } from './section.ts'

/** `bbr` is what many Linux servers set, `cubic` what the others have. */
export const CONGESTION_CONTROLS = ['cubic', 'bbr'] as const

const BUILDS = { quick: 5, full: 12 } as const
const REQUESTS = { quick: 5, full: 12 } as const
const PINGS = { quick: 12, full: 25 } as const
const PING_EVERY_MS = 150
/** The line of a home: ten megabits, and a modem that holds almost a second of them. */
const BULK_MBIT = 10
const BULK_QUEUE_BYTES = 1_000_000
/** Slow start is over, and what it overfilled has drained. */
const BULK_SETTLE_MS = 3_000
/** Longer than settling and all PINGs at 1.25 MB/s; the rest of the download is cut off with the lab. */
const BULK_BYTES = { quick: 7e6, full: 10e6 } as const

type Record = (metric: string, value: number, unit?: string) => void

/** Creates the section. */
export function createDistance(): WorldSection {
  return {
    name: 'distance',
    title: `Three hops in namespaces, each of the three links ${2 * LINK_DELAY_MS} ms there and back; the origin at the exit, \`direct\` a plain connection over the same links; PINGs on the link between client and entry, then limited to ${BULK_MBIT} Mbit/s with ${BULK_QUEUE_BYTES / 1e6} MB of queue, idle and under a bulk download; \`bulk\` is that download whole, its start included, over the limited line, and \`direct\` the plain connection's`,
    missing: missingPrivileges,
    open: (context) =>
      worldOf(async () => {
        for (const congestionControl of CONGESTION_CONTROLS) {
          context.log(`  links of ${2 * LINK_DELAY_MS} ms, ${congestionControl}`)
          const lab = await startDistanceLab({ congestionControl })
          try {
            await measureLab(context, lab, congestionControl)
          } finally {
            await lab.stop()
          }
        }
      }),
  }
}

async function measureLab(context: BenchContext, lab: DistanceLab, name: string): Promise<void> {
  const recordFor =
    (system: string): Record =>
    (metric, value, unit = 'ms') => {
      context.recorder.add({ section: 'distance', metric, system, unit, value })
      context.log(`  ${system}, ${metric}: ${value.toFixed(1)} ${unit}`)
    }
  const own = recordFor(`byway-3 ${name}`)
  const direct = recordFor(`direct ${name}`)
  const { port } = lab.origin
  const directRoute: Route = { kind: 'tcp', host: lab.directHost, port }
  const bywayRoute: Route = { kind: 'socks5', port: lab.network.client.proxyPort }

  // A TCP connection takes one round trip to open: the path's.
  const [opens, firsts] = await measureRequests(context, lab, directRoute)
  direct('path round trip', median(opens))
  direct('first byte', median(firsts))
  own('first byte', median((await measureRequests(context, lab, bywayRoute))[1]))
  await measureBuilds(context, lab, own)
  await measurePings(context, lab, bywayRoute, own)
  const { wallMs } = await lab.downloader.run(bulkOf(context, lab, directRoute))
  direct('bulk', bulkBytes(context) / wallMs / 1e3, 'MB/s')
  lab.network.assertPinned()
}

async function measureRequests(
  context: BenchContext,
  lab: DistanceLab,
  route: Route,
): Promise<[opens: number[], firsts: number[]]> {
  const job = {
    route,
    originPort: lab.origin.port,
    streams: 1,
    bytesEach: 64,
    isHashed: false,
    isolations: ['bench0'],
  }
  await lab.downloader.run({ ...job, repeat: 2 })
  const { streams } = await lab.downloader.run({
    ...job,
    repeat: REQUESTS[context.isQuick ? 'quick' : 'full'],
  })
  return [streams.map(({ openMs }) => openMs), streams.map(({ firstByteMs }) => firstByteMs)]
}

async function measureBuilds(context: BenchContext, lab: DistanceLab, own: Record): Promise<void> {
  const times: number[] = []
  for (let count = 0; count < BUILDS[context.isQuick ? 'quick' : 'full']; count++) {
    times.push(await lab.network.build())
  }
  own('build, warm links', median(times))
  own('build, one cold link', lab.coldBuildMs)
}

async function measurePings(
  context: BenchContext,
  lab: DistanceLab,
  route: Route,
  own: Record,
): Promise<void> {
  const size = context.isQuick ? 'quick' : 'full'
  await lab.firstLink.change({ rateMbit: BULK_MBIT, queueBytes: BULK_QUEUE_BYTES })
  const idle = await takePings(lab, PINGS[size])
  const bulk = lab.downloader.run(bulkOf(context, lab, route))
  await delay(BULK_SETTLE_MS)
  const loaded = await takePings(lab, PINGS[size])
  const { wallMs } = await bulk
  own('PING, idle link', median(idle))
  own('PING under bulk, median', median(loaded))
  own('PING under bulk, p95', percentile(loaded, 0.95))
  own('PING under bulk, median beyond idle', median(loaded) - median(idle))
  own('PING under bulk, p95 beyond idle', percentile(loaded, 0.95) - median(idle))
  own('bulk', bulkBytes(context) / wallMs / 1e3, 'MB/s')
}

const bulkBytes = ({ isQuick }: BenchContext): number => BULK_BYTES[isQuick ? 'quick' : 'full']

/** One download, from its request to its last byte. */
function bulkOf(context: BenchContext, lab: DistanceLab, route: Route): DownloadJob {
  return {
    route,
    originPort: lab.origin.port,
    streams: 1,
    repeat: 1,
    bytesEach: bulkBytes(context),
    isHashed: false,
    isolations: ['bench0'],
  }
}

async function takePings(lab: DistanceLab, count: number): Promise<number[]> {
  const times: number[] = []
  while (times.length < count) {
    times.push(await lab.network.ping())
    await delay(PING_EVERY_MS)
  }
  return times
}
