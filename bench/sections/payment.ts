/** What payment costs: the same download through two networks of real programs, one of which pays every hop. */
import { bodySha256 } from '../lib/body.ts'
import { startTestnet, type Testnet } from '../byway/testnet.ts'
import type { BenchContext } from '../lib/fleet.ts'
import { readLoopbackBytes } from '../lib/loopback.ts'
import { cpuBetween, sampleCpu } from '../lib/process-stats.ts'
import type { WorldSection } from './section.ts'

const BYTES = { quick: 200e6, full: 1e9 } as const
const CHECKED_BYTES = 24_000_013
const NODES = 4
const HOPS = 3

/** The metrics that goals look at. */
export const PAYMENT_METRICS = { cpu: 'CPU of all programs', bytes: 'bytes on all links' } as const

/** Creates the section. */
export function createPayment(): WorldSection {
  return {
    name: 'payment',
    title: `One stream of bulk over ${HOPS} hops of \`byway testnet\`, beside the same network with \`--unpaid\`: CPU of the client, the nodes and their signers, and what the loopback carried beyond the application's own bytes`,
    missing: () => undefined,
    measure: async (context) => {
      const network = { nodes: NODES, hops: HOPS, originPort: context.origin.port }
      const unpaid = await startTestnet({ ...network, isPaid: false })
      try {
        const paid = await startTestnet({ ...network, isPaid: true })
        try {
          // Twice each, there and back: what drifts meanwhile falls on both.
          for (const isPaid of [false, true, true, false]) {
            await measure(
              context,
              isPaid ? paid : unpaid,
              isPaid ? 'byway-3 paid' : 'byway-3 unpaid',
            )
          }
        } finally {
          await paid.stop()
        }
      } finally {
        await unpaid.stop()
      }
    },
  }
}

async function measure(context: BenchContext, testnet: Testnet, system: string): Promise<void> {
  const total = BYTES[context.isQuick ? 'quick' : 'full']
  const job = {
    route: { kind: 'socks5', port: testnet.proxyPort } as const,
    originPort: context.origin.port,
    streams: 1,
    repeat: 1,
    isolations: ['bench0'],
  }
  const checked = await context.downloader.run({ ...job, bytesEach: CHECKED_BYTES, isHashed: true })
  if (checked.streams[0]?.sha256 !== bodySha256(CHECKED_BYTES))
    throw new Error('a download has the wrong hash')
  const pids = testnet.pids()
  const [before, carriedBefore] = [sampleCpu(pids), readLoopbackBytes()]
  const { wallMs } = await context.downloader.run({ ...job, bytesEach: total, isHashed: false })
  const [after, carriedAfter] = [sampleCpu(pids), readLoopbackBytes()]
  const megabytes = total / 1e6
  const cpuMs = pids.reduce((sum, pid) => sum + cpuBetween(before, after, pid), 0)
  // The origin's bytes and those that the proxy hands on cross the loopback too.
  const linkBytes = carriedAfter - carriedBefore - 2 * total
  const record = (metric: string, unit: string, value: number): void => {
    context.recorder.add({ section: 'payment', metric, system, unit, value })
    context.log(`  ${system}, ${metric}: ${value.toFixed(3)} ${unit}`)
  }
  record('speed', 'MB/s', total / wallMs / 1e3)
  record(PAYMENT_METRICS.cpu, 'ms/MB', cpuMs / megabytes)
  record(PAYMENT_METRICS.bytes, 'MB/MB', linkBytes / total)
}
