/**
 * The chain is away for a while (DESIGN §7.4): no endpoint answers, so nothing can be locked, bound or claimed, and no slot looked at.
 *
 *     client ══ tickets and tokens ══▶ entry ══▶ middle ══▶ exit ──▶ origin      goes on
 *        │                               │          │         │
 *        └──────────────┬────────────────┴──────────┴─────────┘
 *                       ▼
 *                 anvil, stopped by SIGSTOP: takes connections, says nothing, makes no block
 *
 * Pages and downloads go on over it and come whole, wins are kept, and once the chain is back every win is claimed and all books agree to the last unit. Runs
 * with `SLOW=1`, for `AWAY_S` seconds.
 */
import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { writeLocalNetwork } from '../packages/cli/src/engine/local-network.ts'
import { askControl } from '../packages/cli/src/control/control-socket.ts'
import { PROGRAM } from '../packages/cli/test/running-byway.ts'
import { startProcesses, type ProcessNetwork } from '../packages/testnet/src/index.ts'
import { compareBooks, readAllBooks, tableOf, type AllBooks } from './lib/all-books.ts'
import { startBigOrigin, type BigOrigin } from './lib/big-origin.ts'
import { download } from './lib/download.ts'

const AWAY_S = Number(process.env['AWAY_S'] ?? 60)
const SKIP = process.env['SLOW'] === undefined && 'runs with SLOW=1, for AWAY_S seconds'
/** The dearest: a win every few units. */
const PRICE_STEP = 8
const PAGE_BYTES = 20_000
const BODY_BYTES = 50_000_000
/** Over the whole absence. */
const PAGES = 360
const BODIES = 12
/** What the chain said of a slot holds a little longer than the chain is away. */
const REMEMBERED_S = Math.ceil(AWAY_S + AWAY_S / 12) + 60
/** No slot fills: the chain has to be asked about a hop's second next slot. */
const WINS_PER_SLOT = 32
/** An epoch's end would move what is held back. */
const EPOCH_S = 30 * 86_400
/** Of a later win at most, beside the rest of a run: a quarter of the way back of a slot. */
const SETTLE_MS = REMEMBERED_S * 500 + 240_000
const LOOK_MS = 2000
/** A question to the chain that is away. */
const QUESTION_MS = 2000

suite(`the chain is away for ${AWAY_S} s`, { skip: SKIP }, () => {
  const stop = new AbortController()
  const parts = new AsyncDisposableStack()
  let pages: BigOrigin
  let bodies: BigOrigin
  let network: ProcessNetwork
  before(async () => {
    pages = parts.use(await startBigOrigin(PAGE_BYTES))
    bodies = parts.use(await startBigOrigin(BODY_BYTES))
    const starting = startProcesses(
      {
        program: PROGRAM,
        env: process.env,
        writeNetwork: writeLocalNetwork,
        askStatus: (home, program) => askControl(home, program, 'status'),
      },
      {
        hops: 3,
        priceStep: PRICE_STEP,
        winsPerSlot: WINS_PER_SLOT,
        epochS: EPOCH_S,
        delays: {
          lockS: REMEMBERED_S,
          refundDelayS: 2 * REMEMBERED_S,
          closeDelayS: 2 * REMEMBERED_S,
        },
        exitTargets: [pages, bodies].map(({ port }) => ({ address: '127.0.0.1', port })),
        signal: stop.signal,
      },
    )
    network = parts.use(await starting)
  })
  // A start that fails leaves nothing running either, or the file would never end.
  after(async () => {
    stop.abort()
    await parts.disposeAsync()
  })

  test('traffic goes on, and nothing is lost or paid twice', async (t) => {
    do await fetchWhole(network, bodies)
    while ((await winsOf(network)) === 0)
    const winsBefore = await winsOf(network)
    assert.ok(await answers(network))

    process.kill(chainPid(network), 'SIGSTOP')
    const seen = await goOn(network, { pages, bodies }, winsBefore).finally(() =>
      process.kill(chainPid(network), 'SIGCONT'),
    )
    const booksAtMs = performance.now()
    const books = await untilAgreed(network)

    t.diagnostic(seen.words)
    t.diagnostic(`all was claimed ${((performance.now() - booksAtMs) / 1000).toFixed(0)} s later`)
    for (const line of tableOf(books)) t.diagnostic(line)
    assert.ok(books.chain.wins >= seen.wins, 'what was won without the chain was paid')
    const paidBytes = books.nodes.reduce((sum, node) => sum + node.bytes, 0n)
    assert.ok(paidBytes >= 3n * BigInt(seen.bytes), 'each of three hops was paid for all of it')
  })
})

type Seen = { readonly bytes: number; readonly wins: number; readonly words: string }

/** Fetches for as long as the chain is to be away, and longer where luck has given no win yet. */
async function goOn(
  network: ProcessNetwork,
  { pages, bodies }: { readonly pages: BigOrigin; readonly bodies: BigOrigin },
  winsBefore: number,
): Promise<Seen> {
  const startMs = performance.now()
  const passedS = (): number => (performance.now() - startMs) / 1000
  const counts = { pages: 0, bodies: 0 }
  let slowestMs = 0
  let wins = winsBefore
  assert.ok(!(await answers(network)), 'the chain is away')
  while (passedS() < AWAY_S || wins === winsBefore) {
    const fromMs = performance.now()
    await fetchWhole(network, pages)
    slowestMs = Math.max(slowestMs, performance.now() - fromMs)
    counts.pages++
    if (passedS() >= (counts.bodies * AWAY_S) / BODIES) {
      await fetchWhole(network, bodies)
      counts.bodies++
      wins = await winsOf(network)
    }
    const nextS = Math.min((counts.pages * AWAY_S) / PAGES, AWAY_S)
    await delay(Math.max(0, nextS - passedS()) * 1000)
  }
  assert.ok(!(await answers(network)), 'the chain was away all the while')
  const bytes = counts.pages * pages.bytes + counts.bodies * bodies.bytes
  const words = `away for ${passedS().toFixed(0)} s: ${counts.pages} pages, the slowest in ${slowestMs.toFixed(0)} ms, and ${counts.bodies} bodies of ${bodies.bytes / 1_000_000} MB, all whole; ${wins - winsBefore} wins meanwhile, ${winsBefore} before`
  return { bytes, wins, words }
}

async function fetchWhole(network: ProcessNetwork, origin: BigOrigin): Promise<void> {
  const got = await download({
    proxyPort: Number(/:(\d+)$/.exec(network.proxy)?.[1]),
    originPort: origin.port,
    username: 'away',
    path: '/body',
  })
  assert.deepEqual([got.ending, got.bytes], ['end', origin.bytes])
  assert.equal(got.sha256, origin.sha256)
}

/** Of all nodes, by their own words. */
async function winsOf(network: ProcessNetwork): Promise<number> {
  const all = await Promise.all(network.nodes.map((node) => network.statusOf(node)))
  return all.reduce((sum, status) => {
    const { money } = (status ?? {}) as { readonly money?: { readonly wins: number } }
    return sum + (money?.wins ?? 0)
  }, 0)
}

async function answers({ payment }: ProcessNetwork): Promise<boolean> {
  const question = { jsonrpc: '2.0', id: 1, method: 'eth_blockNumber', params: [] }
  return await fetch(payment?.rpcUrls[0] ?? '', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(question),
    signal: AbortSignal.timeout(QUESTION_MS),
  }).then(
    ({ ok }) => ok,
    () => false,
  )
}

/** Never 0, which would be this whole group of processes. */
function chainPid({ chainPid: pid = 0 }: ProcessNetwork): number {
  assert.ok(pid > 0)
  return pid
}

/** Wins that waited for the chain need some time, and so does a chain that has just come back; what stays different, or unanswered, is a fault. */
async function untilAgreed(network: ProcessNetwork): Promise<AllBooks> {
  const endMs = performance.now() + SETTLE_MS
  for (;;) {
    const isOver = performance.now() > endMs
    const books = await readAllBooks(network).catch((error: unknown) => {
      if (isOver) throw error
    })
    const differences = books && compareBooks(books)
    if (books && differences?.length === 0) return books
    if (isOver && books) assert.fail([...(differences ?? []), ...tableOf(books)].join('\n'))
    await delay(LOOK_MS)
  }
}
