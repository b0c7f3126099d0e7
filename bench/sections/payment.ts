/** What payment costs: the same download through two networks of real programs, one of which pays every hop. */
import { setTimeout as delay } from 'node:timers/promises'
import { bodySha256 } from '../lib/body.ts'
import { startTestnet, type Testnet } from '../byway/testnet.ts'
import type { BenchContext } from '../lib/fleet.ts'
import { readLoopbackBytes } from '../lib/loopback.ts'
import { readFamilyCpuMs } from '../lib/process-stats.ts'
import type { WorldSection } from './section.ts'

const BYTES = { quick: 200e6, full: 1e9 } as const
const WARM_BYTES = 300e6
const CHECKED_BYTES = 24_000_013
const NODES = 4
const LOOK_MS = 3000
const MAX_LOOKS = 60
/** Of one core: nodes look at their chain now and then. */
const REST_SHARE = 0.15
const HOPS = 3

/** The metrics that goals look at. */
export const PAYMENT_METRICS = { cpu: 'CPU of all programs', bytes: 'bytes on all links' } as const

/** Creates the section. */
export function createPayment(): WorldSection {
  return {
    name: 'payment',
    title: `One stream of bulk over ${HOPS} hops of \`byway testnet\`, beside the same network with \`--unpaid\`, both warm and in turn: CPU of the client, the nodes and their signers, and what the loopback carried beyond the application's own bytes`,
    missing: () => undefined,
    async open(context) {
      const network = { nodes: NODES, hops: HOPS, originPort: context.origin.port }
      const open = async (isPaid: boolean): Promise<Measured> => {
        const testnet = await startTestnet({ ...network, isPaid })
        return { testnet, system: isPaid ? 'byway-3 paid' : 'byway-3 unpaid' }
      }
      const unpaid = await open(false)
      const paid = await open(true)
      const both = [unpaid, paid]
      // The first hundreds of megabytes are slower: compilers, full windows, the first tokens and the lock of the slot.
      for (const each of both) await download(context, each, WARM_BYTES)
      // Slots are proved ahead in the background, once: that is no cost of what is measured.
      await untilAtRest(paid.testnet)
      return {
        async measure(run) {
          for (const each of run % 2 === 0 ? both : both.toReversed()) await measure(context, each)
        },
        async close() {
          for (const { testnet } of both) await testnet.stop()
        },
      }
    },
  }
}

type Measured = { readonly testnet: Testnet; readonly system: string }

function download(
  { downloader, origin }: BenchContext,
  { testnet }: Measured,
  bytesEach: number,
  isHashed = false,
): ReturnType<BenchContext['downloader']['run']> {
  return downloader.run({
    route: { kind: 'socks5', port: testnet.proxyPort },
    originPort: origin.port,
    streams: 1,
    repeat: 1,
    isolations: ['bench0'],
    bytesEach,
    isHashed,
  })
}

async function untilAtRest(testnet: Testnet): Promise<void> {
  for (let look = 0; look < MAX_LOOKS; look++) {
    const before = readFamilyCpuMs(testnet.pids())
    await delay(LOOK_MS)
    if (readFamilyCpuMs(testnet.pids()) - before < REST_SHARE * LOOK_MS) return
  }
  throw new Error('a network without work does not come to rest')
}

async function measure(context: BenchContext, measured: Measured): Promise<void> {
  const total = BYTES[context.isQuick ? 'quick' : 'full']
  const checked = await download(context, measured, CHECKED_BYTES, true)
  if (checked.streams[0]?.sha256 !== bodySha256(CHECKED_BYTES))
    throw new Error('a download has the wrong hash')
  const { testnet } = measured
  const [before, carriedBefore] = [readFamilyCpuMs(testnet.pids()), readLoopbackBytes()]
  const { wallMs } = await download(context, measured, total)
  const [after, carriedAfter] = [readFamilyCpuMs(testnet.pids()), readLoopbackBytes()]
  const megabytes = total / 1e6
  // The origin's bytes and those that the proxy hands on cross the loopback too.
  const linkBytes = carriedAfter - carriedBefore - 2 * total
  const record = (metric: string, unit: string, value: number): void => {
    context.recorder.add({ section: 'payment', metric, system: measured.system, unit, value })
    context.log(`  ${measured.system}, ${metric}: ${value.toFixed(3)} ${unit}`)
  }
  record('speed', 'MB/s', total / wallMs / 1e3)
  record(PAYMENT_METRICS.cpu, 'ms/MB', (after - before) / megabytes)
  record(PAYMENT_METRICS.bytes, 'MB/MB', linkBytes / total)
}
