/**
 * `byway testnet` as a script would run it: processes of their own, one line when ready, nothing left behind.
 */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, before, suite, test } from 'node:test'
import { promisify } from 'node:util'
import { listenAsTarget } from '@byway/testnet'
import { isAlive, untilGone } from '../../../home/test/processes.ts'
import { startByway, type RunningByway } from '../running-byway.ts'
import { byway, temporaryHome } from '../spawn-byway.ts'
import { fundPurse, gatedFile, runWallet, type Row } from './gated-wallet.ts'

type Ready = {
  readonly event: 'ready'
  readonly proxy: string
  readonly httpProxy: string
  readonly dashboard: null
  readonly chain: string | null
  readonly nodes: readonly {
    readonly id: string
    readonly pid: number
    readonly roles: readonly string[]
    readonly listen: string | null
  }[]
  readonly client: { readonly pid: number; readonly home: string }
}

async function startPage(): Promise<{ server: Server; port: number }> {
  const server = createServer((_request, response) => response.end('a page'))
  return { server, port: await listenAsTarget(server) }
}

/** curl's exit code and what it printed. */
async function curl(proxy: string, url: string): Promise<{ code: number; out: string }> {
  try {
    const args = ['-sS', '--noproxy', '', '-m', '20', '-x', proxy, url]
    const { stdout } = await promisify(execFile)('curl', args)
    return { code: 0, out: stdout }
  } catch (error) {
    return { code: (error as { code: number }).code, out: '' }
  }
}

suite('byway testnet', () => {
  let page: Awaited<ReturnType<typeof startPage>>
  let other: Awaited<ReturnType<typeof startPage>>
  let running: RunningByway
  let ready: Ready
  let temporary: string

  before(async () => {
    temporary = await mkdtemp(join(tmpdir(), 'byway-test-'))
    page = await startPage()
    other = await startPage()
    const target = `127.0.0.1:${page.port}`
    running = startByway(['testnet', '--json', '--allow-target', target], { TMPDIR: temporary })
    ready = (await running.event('ready')) as Ready
  })
  after(async () => {
    await running.stop()
    page.server.close()
    other.server.close()
    await rm(temporary, { recursive: true })
  })

  test('says in one line what scripts rely on (docs/CLI.md)', () => {
    assert.match(ready.proxy, /^socks5h:\/\/127\.0\.0\.1:\d+$/)
    assert.match(ready.httpProxy, /^http:\/\/127\.0\.0\.1:\d+$/)
    assert.equal(ready.dashboard, null)
    assert.match(String(ready.chain), /^http:\/\/127\.0\.0\.1:\d+$/)
    assert.equal(ready.nodes.length, 6)
    assert.equal(new Set(ready.nodes.map(({ pid }) => pid)).size, 6)
    assert.ok(ready.nodes.every(({ id }) => /^[0-9a-f]{64}$/.test(id)))
    assert.deepEqual(
      ready.nodes.map(({ roles, listen }) => [roles.join(), listen?.replace(/:\d+$/, '')]),
      [
        ['relay', '127.1.0.1'],
        ['relay', '127.2.0.1'],
        ['relay', '127.3.0.1'],
        ['relay,exit', '127.4.0.1'],
        ['relay,exit', '127.5.0.1'],
        ['exit', undefined],
      ],
    )
    assert.ok([ready.client.pid, ...ready.nodes.map(({ pid }) => pid)].every(isAlive))
  })

  test('has a chain of its own, on which its nodes are paid', async () => {
    assert.equal(await chainIdOf(String(ready.chain)), '0x7a69')
  })

  test('carries a page by both proxies, and says by which path', async () => {
    const url = `http://127.0.0.1:${page.port}/`
    assert.deepEqual(await curl(ready.proxy, url), { code: 0, out: 'a page' })
    assert.deepEqual(await curl(ready.httpProxy, url), { code: 0, out: 'a page' })
    const { hops } = await running.event('path')
    const known = new Set<unknown>(ready.nodes.map(({ id }) => id))
    assert.ok(Array.isArray(hops) && hops.length >= 2 && hops.every((id) => known.has(id)))
  })

  test('tells an application that asks for a class that no exit takes (EXIT_CLASS)', async () => {
    const url = `http://127.0.0.1:${page.port}/`
    const proxy = ready.httpProxy.replace('http://', 'http://me-class-collect:@')
    const args = ['-sS', '--noproxy', '', '-m', '20', '-i', '-x', proxy, url]
    const { stdout } = await promisify(execFile)('curl', args)
    assert.match(stdout, /^HTTP\/1\.1 503 /)
    assert.match(stdout, /details="EXIT_CLASS"/)
    assert.match(stdout, /no exit that fits takes this class/)
    const browsing = ready.httpProxy.replace('http://', 'http://me-class-browse:@')
    assert.deepEqual(await curl(browsing, url), { code: 0, out: 'a page' })
  })

  test('says why its client chooses a node as often as it does (byway node score)', async () => {
    const home = ['--home', ready.client.home]
    const all = await byway(['node', 'score', '--json', ...home])
    assert.equal(all.code, 0, all.err)
    const { scores } = JSON.parse(all.out) as { scores: readonly { node: string }[] }
    assert.deepEqual(
      scores.map(({ node }) => node).toSorted(),
      ready.nodes.map(({ id }) => id).toSorted(),
    )
    const [first = ''] = scores.map(({ node }) => node)
    const one = await byway(['node', 'score', first, ...home])
    assert.match(one.out, new RegExp(`^${first}\nweight \\d`))
    assert.equal((await byway(['node', 'score', 'zz', ...home])).code, 64)
  })

  test('its client asks and tells the chain for wallet commands, and no endpoint hears of them', async (t) => {
    const { home } = ready.client
    const network = join(dirname(home), 'network.toml')
    const { gate, file } = await gatedFile(t, network)
    await fundPurse(home, network, 1)
    const first = await runWallet(home, file, 'show')
    assert.match(first.err, /through the circuits of the running client/)
    const deposited = await runWallet(home, file, 'deposit', '--slots', '1', '--no-wait')
    assert.equal(deposited.code, 0, deposited.err)
    const shown = await runWallet(home, file, 'show')
    assert.equal(slotsOf(shown.last), slotsOf(first.last) + 1)
    assert.equal(gate.connections, 0)
  })

  test('lets its exits reach no other loopback port: curl gets a SOCKS error', async () => {
    const { code } = await curl(ready.proxy, `http://127.0.0.1:${other.port}/`)
    assert.equal(code, 97, 'CURLE_PROXY')
  })

  test('leaves no process and no file behind at SIGTERM, and ends with 0', async () => {
    const pids = [ready.client.pid, ...ready.nodes.map(({ pid }) => pid)]
    assert.equal(await running.stop(), 0)
    assert.deepEqual(pids.filter(isAlive), [])
    await assert.rejects(chainIdOf(String(ready.chain)))
    assert.deepEqual(await readdir(temporary), [])
  })
})

test('takes its processes along when it is killed itself', async (t) => {
  const running = startByway(['testnet', '--json', '--nodes', '4'], {
    TMPDIR: await temporaryHome(t),
  })
  const ready = (await running.event('ready')) as Ready
  await running.kill()
  for (const pid of [ready.client.pid, ...ready.nodes.map((node) => node.pid)]) await untilGone(pid)
  await untilChainGone(String(ready.chain))
})

test('has no chain when nothing is to be paid', async (t) => {
  const running = startByway(['testnet', '--json', '--nodes', '4', '--unpaid'], {
    TMPDIR: await temporaryHome(t),
  })
  const ready = (await running.event('ready')) as Ready
  assert.equal(ready.chain, null)
  assert.equal(await running.stop(), 0)
})

test('--nat says what is missing where there can be no routers', async () => {
  const { code, err } = await byway(['testnet', '--nat'], { env: { PATH: '' } })
  assert.equal(code, 74)
  assert.match(err, /cannot make a network behind routers\nhint: .*(is not installed|need)/)
})

for (const args of [
  ['--nodes', '3'],
  ['--nodes', 'six'],
  ['--hops', '4'],
  ['--allow-target', 'example.com:80'],
  ['--allow-target', '127.0.0.1'],
  ['--allow-target', '127.0.0.1:0'],
  // Exits never open it (SPEC §11).
  ['--allow-target', '127.0.0.1:37215'],
]) {
  test(`refuses ${args.join(' ')} with 64`, async () => {
    const { code, out } = await byway(['testnet', ...args])
    assert.deepEqual([code, out], [64, ''])
  })
}

/** In all deposits of the purse. */
function slotsOf({ deposits }: Row): number {
  return (deposits as readonly { readonly slots: number }[]).reduce(
    (sum, one) => sum + one.slots,
    0,
  )
}

async function chainIdOf(url: string): Promise<unknown> {
  const body = '{"jsonrpc":"2.0","id":1,"method":"eth_chainId","params":[]}'
  const headers = { 'content-type': 'application/json' }
  const response = await fetch(url, { method: 'POST', headers, body })
  return ((await response.json()) as { readonly result?: unknown }).result
}

/** Bounded by the test's own limit. */
async function untilChainGone(url: string): Promise<void> {
  for (;;) {
    const isGone = await chainIdOf(url).then(
      () => false,
      () => true,
    )
    if (isGone) return
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}
