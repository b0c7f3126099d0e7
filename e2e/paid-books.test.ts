/**
 * Every megabyte paid, to the last unit: a download over three hops of a network of real processes with a chain of its own, and then the books of everybody
 * side by side. What the client says it sent is what the nodes say they took, what the nodes say they won is what the contract says it paid.
 * `SLOW=1` moves 10 GB, `BOOKS_MB` any other number of megabytes.
 */
import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { startProcesses, type ProcessNetwork } from '../packages/testnet/src/index.ts'
import { writeLocalNetwork } from '../packages/cli/src/engine/local-network.ts'
import { askControl } from '../packages/cli/src/control/control-socket.ts'
import { PROGRAM } from '../packages/cli/test/running-byway.ts'
import { startBigOrigin, type BigOrigin } from './lib/big-origin.ts'
import { compareBooks, readAllBooks, tableOf, type AllBooks } from './lib/all-books.ts'
import { download } from './lib/download.ts'

const MEGABYTES = Number(
  process.env['BOOKS_MB'] ?? (process.env['SLOW'] === undefined ? 60 : 10_000),
)
/** The dearest: a win every few units, so that a short run has some. */
const PRICE_STEP = 8
/** Locks, binds and later claims wait for company, half a minute each here. */
const SETTLE_MS = 240_000
const LOOK_MS = 2000

suite(`books of a paid download of ${MEGABYTES} MB`, () => {
  const stop = new AbortController()
  const parts = new AsyncDisposableStack()
  let origin: BigOrigin
  let network: ProcessNetwork
  before(async () => {
    origin = parts.use(await startBigOrigin(MEGABYTES * 1_000_000))
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
        exitTargets: [{ address: '127.0.0.1', port: origin.port }],
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

  test('client, nodes and contract agree to the last unit', async (t) => {
    const startedMs = performance.now()
    let bytes = 0
    // Luck may leave a short run without a win, and then it would show nothing of the contract.
    do bytes += await downloadOnce(network, origin)
    while (!(await hasWin(network)))
    const tookS = (performance.now() - startedMs) / 1000
    const books = await untilAgreed(network)
    t.diagnostic(`${bytes / 1_000_000} MB in ${tookS.toFixed(1)} s`)
    for (const line of tableOf(books)) t.diagnostic(line)
    const paidBytes = books.nodes.reduce((sum, node) => sum + node.bytes, 0n)
    assert.ok(paidBytes >= 3n * BigInt(bytes), 'each of three hops was paid for all of it')
    assert.ok(books.chain.wins > 0)
  })
})

/** Resolves with the bytes of the body. */
async function downloadOnce(network: ProcessNetwork, origin: BigOrigin): Promise<number> {
  const got = await download({
    proxyPort: Number(/:(\d+)$/.exec(network.proxy)?.[1]),
    originPort: origin.port,
    username: 'books',
    path: '/body',
  })
  assert.deepEqual([got.ending, got.bytes], ['end', origin.bytes])
  assert.equal(got.sha256, origin.sha256)
  return got.bytes
}

async function hasWin(network: ProcessNetwork): Promise<boolean> {
  const all = await Promise.all(network.nodes.map((node) => network.statusOf(node)))
  return all.some((status) => {
    const { money } = (status ?? {}) as { readonly money?: { readonly wins: number } }
    return money !== undefined && money.wins > 0
  })
}

/** Counts under way between two programs, and wins that wait for the chain, need some time; what stays different is a fault. */
async function untilAgreed(network: ProcessNetwork): Promise<AllBooks> {
  const endMs = performance.now() + SETTLE_MS
  for (;;) {
    const books = await readAllBooks(network)
    const differences = compareBooks(books)
    if (differences.length === 0) return books
    if (performance.now() > endMs) {
      assert.fail([...differences, ...tableOf(books)].join('\n'))
    }
    await delay(LOOK_MS)
  }
}
