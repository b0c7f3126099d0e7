/**
 * Two exits of a network of real processes: one takes browsing alone, the other collecting too, at four times the price. The same download through each class, and then the
 * books of everybody side by side: what a class costs is on both sides the same, to the last token.
 *
 *   client ── two relays ── exit (browse 4, collect 8)          price steps: 4 is 4 parts, 8 is 16
 *                       └── exit without a port (browse 4)
 */
import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { writeLocalNetwork } from '../packages/cli/src/engine/local-network.ts'
import { askControl } from '../packages/cli/src/control/control-socket.ts'
import { PROGRAM } from '../packages/cli/test/running-byway.ts'
import { startProcesses, type ProcessNetwork } from '../packages/testnet/src/index.ts'
import { connectSocks } from '../packages/testnet/test/support/socks-client.ts'
import { startBigOrigin, type BigOrigin } from './lib/big-origin.ts'
import { compareBooks, readAllBooks, tableOf, type AllBooks } from './lib/all-books.ts'
import { download } from './lib/download.ts'

const BODY_BYTES = 8 * 2 ** 20
const TOKEN_BYTES = 4 * 2 ** 20
/** 16 parts over 4. */
const RATIO = 4
/** SOCKS5: network unreachable, as for every request that no exit fits. */
const NO_EXIT = 3
/** A few cells that one side had under way when a circuit ended, weighed: a part of a unit. */
const SLACK_BYTES = 256n * 1024n
/** Locks, binds and later claims wait for company, half a minute each here. */
const SETTLE_MS = 240_000
const LOOK_MS = 2000

suite('two classes of traffic', () => {
  const stop = new AbortController()
  const parts = new AsyncDisposableStack()
  const paths: Path[] = []
  let origin: BigOrigin
  let network: ProcessNetwork
  before(async () => {
    origin = parts.use(await startBigOrigin(BODY_BYTES))
    network = parts.use(
      await startProcesses(
        {
          program: PROGRAM,
          env: process.env,
          writeNetwork: writeLocalNetwork,
          askStatus: (home, program) => askControl(home, program, 'status'),
        },
        {
          nodes: 4,
          collectors: 1,
          collectPrice: 8,
          exitTargets: [{ address: '127.0.0.1', port: origin.port }],
          onPath: (event) => void paths.push(event as Path),
          signal: stop.signal,
        },
      ),
    )
  })
  // A start that fails leaves nothing running either, or the file would never end.
  after(async () => {
    stop.abort()
    await parts.disposeAsync()
  })

  const both = () => {
    const [, , collector, browser] = network.nodes
    assert.ok(collector && browser)
    return { collector, browser }
  }
  const fetchAs = async (username: string): Promise<Path> => {
    const from = paths.length
    const got = await download({
      proxyPort: Number(/:(\d+)$/.exec(network.proxy)?.[1]),
      originPort: origin.port,
      username,
      path: '/body',
    })
    assert.deepEqual([got.ending, got.bytes, got.sha256], ['end', BODY_BYTES, origin.sha256])
    const path = paths.slice(from).at(-1)
    assert.ok(path, 'a tunnel of its own')
    return path
  }

  test('the exits say what they take and ask for it', async () => {
    const { collector, browser } = both()
    const classesOf = async (node: (typeof network.nodes)[number]) =>
      (await network.statusOf(node))?.['classes']
    assert.deepEqual(await classesOf(collector), { browse: 4, collect: 8 })
    assert.deepEqual(await classesOf(browser), { browse: 4 })
    const [relay] = network.nodes
    assert.equal(relay && (await classesOf(relay)), null)
  })

  test('a page through each class takes a tunnel of its own to an exit that takes it', async () => {
    const { collector, browser } = both()
    const collected = await fetchAs('me-class-collect')
    assert.equal(collected.hops.at(-1), collector.id)
    assert.deepEqual([collected.class, collected.classPrice, collected.price], ['collect', 8, 4])
    const browsed = await fetchAs(`me-country-${browser.plan.country.toLowerCase()}-class-browse`)
    assert.equal(browsed.hops.at(-1), browser.id)
    assert.deepEqual([browsed.class, browsed.classPrice, browsed.price], ['browse', 4, 4])
  })

  test('a class that no exit which fits takes is refused, not carried as another', async () => {
    const { browser } = both()
    const username = `me-country-${browser.plan.country.toLowerCase()}-class-collect`
    const { code, socket } = await connectSocks({
      proxyPort: Number(/:(\d+)$/.exec(network.proxy)?.[1]),
      host: '127.0.0.1',
      port: origin.port,
      username,
    })
    socket.destroy()
    assert.equal(code, NO_EXIT)
  })

  test('what the dearer class cost is the same in the books of both sides', async (t) => {
    const { collector, browser } = both()
    const books = await untilAgreed(network, [collector.id, browser.id])
    for (const line of tableOf(books)) t.diagnostic(line)
    const served = (id: string) => {
      const node = books.nodes.find((each) => each.id === id)
      assert.ok(node)
      const { tokens, bytes, exitBytes } = node.service
      t.diagnostic(`${id.slice(0, 8)}: ${tokens} tokens, ${bytes} bytes, ${exitBytes} as an exit`)
      return { tokens: Number(tokens), bytes: Number(exitBytes) }
    }
    const [dear, cheap] = [served(collector.id), served(browser.id)]
    // Cells and what asks for them come on top, a few in a hundred.
    assert.ok(cheap.bytes > BODY_BYTES && cheap.bytes < 1.1 * BODY_BYTES)
    assert.ok(dear.bytes > RATIO * BODY_BYTES && dear.bytes < 1.1 * RATIO * BODY_BYTES)
    assert.ok(dear.tokens >= (RATIO * BODY_BYTES) / TOKEN_BYTES)
    // The user sees what passed, not what it counted; the exit may be the entry of the other tunnel besides.
    const { money } = (await askControl(network.clientHome, 'client', 'status')) as ClientStatus
    const shown = money.hops.find(({ node }) => node === collector.id)
    assert.ok(shown && shown.bytes > BODY_BYTES && shown.bytes < 2.2 * BODY_BYTES)
  })
})

type Path = {
  readonly hops: readonly string[]
  readonly class: string
  readonly classPrice: number
  readonly price: number
}
type ClientStatus = {
  readonly money: { readonly hops: readonly { readonly node: string; readonly bytes: number }[] }
}

/** Counts under way between two programs, and wins that wait for the chain, need some time; what stays different is a fault. */
async function untilAgreed(network: ProcessNetwork, exits: readonly string[]): Promise<AllBooks> {
  const endMs = performance.now() + SETTLE_MS
  for (;;) {
    const books = await readAllBooks(network)
    const differences = [...compareBooks(books), ...exits.flatMap((id) => differencesOf(books, id))]
    if (differences.length === 0) return books
    if (performance.now() > endMs) assert.fail([...differences, ...tableOf(books)].join('\n'))
    await delay(LOOK_MS)
  }
}

/** What an exit was paid for and served, by its own books and by the client's. */
function differencesOf(books: AllBooks, id: string): readonly string[] {
  const own = books.nodes.find((each) => each.id === id)?.service
  const client = books.client.hops.get(id)?.service
  if (!own || !client) return [`${id.slice(0, 8)}: no service`]
  const apart = own.bytes - client.bytes
  const isNear = apart > -SLACK_BYTES && apart < SLACK_BYTES
  const isSame = own.tokens === client.tokens
  return [
    ...(isSame ? [] : [`${id.slice(0, 8)} tokens: ${client.tokens}, ${own.tokens}`]),
    ...(isNear ? [] : [`${id.slice(0, 8)} bytes: ${client.bytes}, ${own.bytes}`]),
  ]
}
