/**
 * A download survives the death of a relay, and never passes for whole when the exit dies.
 *
 *   downloader ─► client ═► guard ═► [relay ✗] ═► exit ─► origin        kill -9 at a seeded moment; the tunnel joins by another way
 *
 * Each process is a real one. `SLOW=1` runs sixty rounds of 100 MB; `SEED=n` repeats a run.
 */
import assert from 'node:assert/strict'
import { randomInt } from 'node:crypto'
import { after, before, suite, test } from 'node:test'
import {
  startByway,
  type JsonEvent,
  type RunningByway,
} from '../packages/cli/test/running-byway.ts'
import { askControl } from '../packages/cli/src/control/control-socket.ts'
import { pollUntil } from '../bench/lib/wait.ts'
import { startBigOrigin, type BigOrigin } from './lib/big-origin.ts'
import { download } from './lib/download.ts'
import { seededRandom } from './lib/seeded.ts'

const isSlow = process.env['SLOW'] === '1'
const ROUNDS = isSlow ? 60 : 3
const BODY_BYTES = (isSlow ? 100 : 10) * 1_000_000
/** Held to in the long run only, which has the machine to itself; the short one, among other tests, prints what it saw. */
const MAX_STALL_MS = isSlow ? 1000 : Infinity
/** A client that has just begun proves slots and buys tokens for where its tunnel would move: seconds, or many times that beside other work. */
const PROVIDED_LIMIT_MS = 120_000
/** One isolation key: the same tunnel each time. */
const DOWNLOADER = { username: 'downloader', path: '/' }
/** Its report passes two pipes. */
const MOVE_LIMIT_MS = 60_000
const seed = Number(process.env['SEED'] ?? randomInt(2 ** 31))

type Node = { readonly id: string; readonly pid: number }
type Client = { readonly home: string }

/** A network of its own for each round, since a round costs it a node. */
async function startNetwork(origin: BigOrigin, hops: number, isPaid: boolean): Promise<Network> {
  const paths: string[][] = []
  const onEvent = (event: JsonEvent): void => {
    if (event['event'] === 'path') paths.push(event['hops'] as string[])
  }
  const target = `127.0.0.1:${origin.port}`
  const args = ['testnet', '--json', '--nodes', '8', '--hops', String(hops)]
  if (!isPaid) args.push('--unpaid')
  const running = startByway([...args, '--allow-target', target], {}, onEvent)
  const ready = await running.event('ready')
  const pids = new Map((ready['nodes'] as Node[]).map(({ id, pid }) => [id, pid]))
  return {
    running,
    proxyPort: Number(/:(\d+)$/.exec(ready['proxy'] as string)?.[1]),
    clientHome: (ready['client'] as Client).home,
    currentPath: () => paths.at(-1) ?? [],
    pidOf: (id) => pids.get(id) ?? 0,
  }
}

type Network = {
  readonly running: RunningByway
  readonly proxyPort: number
  readonly clientHome: string
  readonly currentPath: () => readonly string[]
  readonly pidOf: (id: string) => number
}

suite('a node killed during a download', () => {
  const random = seededRandom(seed)
  let origin: BigOrigin
  before(async () => {
    origin = await startBigOrigin(BODY_BYTES)
  })
  after(() => origin[Symbol.asyncDispose]())

  /** Opens the tunnel of the downloads, and lets the client pay ahead for where it would move. */
  const openTunnel = async ({ proxyPort, clientHome }: Network): Promise<void> => {
    const first = await download({ ...DOWNLOADER, proxyPort, originPort: origin.port })
    assert.equal(first.ending, 'end')
    await pollUntil('a client that has paid ahead', PROVIDED_LIMIT_MS, async () => {
      const { money } = await askControl(clientHome, 'client', 'status')
      return (money as { isProvided?: boolean }).isProvided === true ? true : undefined
    })
  }

  /** Downloads, and kills the node at `place` of the path once so many bytes have come. */
  const downloadAndKill = async (network: Network, place: (path: readonly string[]) => string) => {
    const strikeAtBytes = Math.floor(random() * 0.6 * origin.bytes)
    let victim: string | undefined
    const result = await download({
      ...DOWNLOADER,
      proxyPort: network.proxyPort,
      originPort: origin.port,
      onProgress: (bytes) => {
        if (victim !== undefined || bytes < strikeAtBytes) return
        victim = place(network.currentPath())
        process.kill(network.pidOf(victim), 'SIGKILL')
      },
    })
    return { ...result, victim, strikeAtBytes }
  }

  for (let round = 1; round <= ROUNDS; round++) {
    for (const isPaid of [true, false]) {
      test(`round ${round}, ${isPaid ? 'paid' : 'unpaid'}: the download completes by another way (seed ${seed})`, async (t) => {
        const hops = random() < 0.5 ? 2 : 3
        const network = await startNetwork(origin, hops, isPaid)
        try {
          if (isPaid) await openTunnel(network)
          const pick = random()
          const relayOf = (path: readonly string[]): string =>
            path[Math.floor(pick * (path.length - 1))] ?? ''
          const { longestStallMs, ...result } = await downloadAndKill(network, relayOf)
          t.diagnostic(
            `${hops} hops, struck at ${result.strikeAtBytes}, stall ${longestStallMs.toFixed(0)} ms`,
          )
          const { lost, counters } = await askControl(network.clientHome, 'client', 'status')
          t.diagnostic(`tunnels lost: ${JSON.stringify(lost)}, proxy: ${JSON.stringify(counters)}`)
          assert.deepEqual(
            [result.ending, result.bytes, result.sha256],
            ['end', origin.bytes, origin.sha256],
          )
          assert.ok(result.victim, 'nobody was killed')
          // Else the download had come through before the relay died, and the round shows nothing.
          await pollUntil('a path without the killed relay', MOVE_LIMIT_MS, () =>
            network.currentPath().includes(result.victim ?? '') ? undefined : true,
          )
          const isShort = longestStallMs <= MAX_STALL_MS
          assert.ok(isShort, `stalled for ${longestStallMs.toFixed(0)} ms`)
        } finally {
          await network.running.stop()
        }
      })
    }
  }

  test(`a download whose exit dies ends in a reset, never as if it were whole (seed ${seed})`, async () => {
    const network = await startNetwork(origin, 2, true)
    try {
      const result = await downloadAndKill(network, (path) => path.at(-1) ?? '')
      assert.equal(result.ending, 'error')
      assert.ok(result.bytes < origin.bytes)
    } finally {
      await network.running.stop()
    }
  })
})
