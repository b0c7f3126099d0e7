/** What payment costs: the same download through networks of real programs: without money, for nothing, and at three prices. */
import { setTimeout as delay } from 'node:timers/promises'
import { bodySha256 } from '../lib/body.ts'
import { childrenOf, startTestnet, type Testnet } from '../byway/testnet.ts'
import type { BenchContext } from '../lib/fleet.ts'
import { readLoopbackBytes } from '../lib/loopback.ts'
import { readEndedChildrenCpuMs, readFamilyCpuMs } from '../lib/process-stats.ts'
import type { WorldSection } from './section.ts'

const BYTES = { quick: 200e6, full: 1e9 } as const
/** More than a hop waits for before it locks a slot (512 units), so that it is locked or bound by then, which takes 43 s at the pace of one that is not. Right before each measure too: a stream that rested may have got another path, whose hops know nobody yet. */
const WARM_BYTES = 800_000_013
const NODES = 4
const LOOK_MS = 3000
const MAX_LOOKS = 60
/** Of one core: nodes look at their chain now and then. */
const REST_SHARE = 0.15
const HOPS = 3

/** The metrics that goals look at. */
export const PAYMENT_METRICS = {
  cpu: 'CPU of all programs',
  proving: 'of it, slot proofs',
  bytes: 'bytes on all links',
} as const

type Row = { readonly system: string; readonly step: number | undefined; readonly wins?: number }

/**
 * SPEC §13.1. Unpaid: without a chain, a registry and gossip. Free: with all of them, and nothing is asked for: beside it payment alone is seen. The usual: DESIGN's start values, $0.10 a GiB, where one ticket of a MiB in 1024 wins and a slot pays 2 GiB on average. Bulk: DESIGN's bulk profile, whose slots pay eight wins, by the
 * network's file (ADR-0030). The dearest: four times the usual price.
 */
const PRICES: readonly Row[] = [
  { system: 'byway-3 unpaid', step: undefined },
  { system: 'byway-3 free', step: 0 },
  { system: 'byway-3 paid', step: 4 },
  { system: 'byway-3 paid, bulk', step: 4, wins: 8 },
  { system: 'byway-3 paid, dearest', step: 8 },
]

/** Creates the section. */
export function createPayment(): WorldSection {
  return {
    name: 'payment',
    title: `One stream of bulk over ${HOPS} hops of \`byway testnet\`, beside the same network at the price 0 (\`free\`) and one without a chain, a registry and gossip (\`unpaid\`), all warm, in turn, and started anew for each run: CPU of the client, the nodes and their children, what of it were slot proofs, and what the loopback carried beyond the application's own bytes. \`paid\` is the price of DESIGN's start values, at which a slot pays 2 GiB of one hop on average, \`bulk\` the same in a network whose slots pay eight wins, thus 8 GiB, \`dearest\` the highest, at which it pays 512 MiB`,
    missing: () => undefined,
    async open(context) {
      const network = { nodes: NODES, hops: HOPS, originPort: context.origin.port }
      return {
        // New networks for each run: what a compiler makes of a process differs by as much as payment costs.
        async measure(run) {
          const all: Measured[] = []
          try {
            for (const { system, step, wins } of PRICES)
              all.push({
                testnet: await startTestnet({ ...network, priceStep: step, wins }),
                system,
              })
            // The first hundreds of megabytes are slower: compilers, full windows, the first tokens and the lock of the slot.
            for (const each of all) await download(context, each, WARM_BYTES)
            // Slots are proved ahead in the background, once: that is no cost of what is measured.
            for (const { testnet } of all) await untilAtRest(testnet)
            for (const each of run % 2 === 0 ? all : all.toReversed()) await measure(context, each)
          } finally {
            for (const { testnet } of all) await testnet.stop()
          }
        },
        close: async () => {},
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
  const checked = await download(context, measured, WARM_BYTES, true)
  if (checked.streams[0]?.sha256 !== bodySha256(WARM_BYTES))
    throw new Error('a download has the wrong hash')
  const { testnet } = measured
  const [before, carriedBefore] = [readCpu(testnet), readLoopbackBytes()]
  const { wallMs } = await download(context, measured, total)
  const [after, carriedAfter] = [readCpu(testnet), readLoopbackBytes()]
  // Slots that were used up are proved anew a little later: that is a cost of this run, and resting is none.
  if (before.proving > 0) await untilAtRest(testnet)
  const proving = readCpu(testnet).proving - before.proving
  const megabytes = total / 1e6
  // The origin's bytes and those that the proxy hands on cross the loopback too.
  const linkBytes = carriedAfter - carriedBefore - 2 * total
  const record = (metric: string, unit: string, value: number): void => {
    context.recorder.add({ section: 'payment', metric, system: measured.system, unit, value })
    context.log(`  ${measured.system}, ${metric}: ${value.toFixed(3)} ${unit}`)
  }
  record('speed', 'MB/s', total / wallMs / 1e3)
  record(PAYMENT_METRICS.cpu, 'ms/MB', (after.other - before.other + proving) / megabytes)
  record(PAYMENT_METRICS.proving, 'ms/MB', proving / megabytes)
  record(PAYMENT_METRICS.bytes, 'MB/MB', linkBytes / total)
}

type Cpu = { readonly proving: number; readonly other: number }

/** CPU milliseconds until now: of the client's children that prove, and of all other programs. */
function readCpu(testnet: Testnet): Cpu {
  const { clientPid } = testnet
  const proving = readEndedChildrenCpuMs(clientPid) + readFamilyCpuMs(childrenOf(clientPid))
  return { proving, other: readFamilyCpuMs(testnet.pids()) - proving }
}
