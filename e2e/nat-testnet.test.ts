/**
 * `byway testnet --nat`: a network of which half is behind routers, used by a program outside of it.
 *
 *   curl ─► 127.0.0.1 ┆ client 5.x ─► relay 5.x ═► router 5.x ═► exit 192.168.1.2 ┆ 127.0.0.1 ─► page
 *      this machine   ┆               namespaces (packages/testnet/src/nat)       ┆   this machine
 *
 * Eight nodes without a chain in each run of all tests; with SLOW=1 twenty, paid.
 */
import assert from 'node:assert/strict'
import { execFile, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, suite, test } from 'node:test'
import { promisify } from 'node:util'
import {
  startByway,
  type JsonEvent,
  type RunningByway,
} from '../packages/cli/test/running-byway.ts'
import { listenAsTarget } from '@byway/testnet'
import { isAlive } from '../packages/home/test/processes.ts'
import { missingForGateways, missingForNat } from '../packages/testnet/src/nat/nat-lab.ts'
import { pollUntil } from '../bench/lib/wait.ts'

type Ready = JsonEvent & {
  readonly proxy: string
  readonly chain: string | null
  readonly nodes: readonly {
    readonly id: string
    readonly pid: number
    readonly roles: readonly string[]
    readonly listen: string | null
    readonly country: string
    readonly nat: string | null
  }[]
  readonly client: { readonly pid: number }
}

const isSlow = process.env['SLOW'] !== undefined
const missing = missingForNat()
/** In turn; the last two where there is a daemon for them. */
const KINDS = ['symmetric', 'cone', 'double', 'upnp', 'nat-pmp']
const kinds = missingForGateways() === undefined ? KINDS : KINDS.slice(0, 3)
const ARGS = isSlow ? ['--nodes', '20'] : ['--nodes', '8', '--unpaid']
/** What is waited for takes seconds; this only ends a hang. */
const HANG_MS = 120_000
const run = promisify(execFile)

suite(`byway testnet --nat ${ARGS.join(' ')}`, { skip: missing ?? false }, () => {
  let page: Server
  let url: string
  let temporary: string
  let running: RunningByway
  let ready: Ready
  const exitsOfPaths = new Set<unknown>()

  const curl = async (country: string, ...more: readonly string[]): Promise<string | undefined> => {
    const proxy = ready.proxy.replace('://', `://a-country-${country.toLowerCase()}:x@`)
    const args = ['-sS', '--noproxy', '', '-x', proxy, ...more, url]
    return await run('curl', args).then(
      ({ stdout }) => stdout,
      () => undefined,
    )
  }

  before(async () => {
    temporary = await mkdtemp(join(tmpdir(), 'byway-nat-'))
    page = createServer((_request, response) => response.end('a page'))
    const target = `127.0.0.1:${await listenAsTarget(page)}`
    url = `http://${target}/`
    const startedMs = performance.now()
    running = startByway(
      ['testnet', '--nat', '--json', ...ARGS, '--allow-target', target],
      { TMPDIR: temporary },
      ({ event, hops }) => {
        if (event === 'path' && Array.isArray(hops)) exitsOfPaths.add(hops.at(-1))
      },
    )
    ready = (await running.event('ready')) as Ready
    readyMs = performance.now() - startedMs
  })
  let readyMs: number
  after(async () => {
    await running.stop()
    page.close()
    await rm(temporary, { recursive: true })
  })

  test('says behind which router a node is, and listens where there is none or one that opens ports', (t) => {
    t.diagnostic(`ready after ${Math.round(readyMs)} ms`)
    const { nodes } = ready
    const half = nodes.length / 2
    assert.ok(nodes.slice(0, half).every(({ nat }) => nat === null))
    for (const [index, { nat, listen, roles }] of nodes.entries()) {
      if (index >= half) assert.equal(nat, kinds[(index - half) % kinds.length])
      const isOpen = nat === null || nat === 'upnp' || nat === 'nat-pmp'
      assert.equal(listen?.replace(/:\d+$/, ''), isOpen ? `5.${index + 1}.0.1` : undefined)
      assert.equal(roles.includes('relay'), isOpen)
    }
  })

  test('carries a page through the exit behind each router', async () => {
    const exits = ready.nodes.filter(({ nat, roles }) => nat !== null && roles.includes('exit'))
    assert.ok(exits.length >= 3)
    for (const { id, country, nat } of exits) {
      const got = await pollUntil(`an exit behind ${nat}`, HANG_MS, () => curl(country))
      assert.equal(got, 'a page')
      await pollUntil(
        `a path to the exit behind ${nat}`,
        HANG_MS,
        () => exitsOfPaths.has(id) || undefined,
      )
    }
  })

  test('gives no namespace a way to anything else of this machine', async () => {
    const other = createServer((_request, response) => response.end('not for you')).listen(
      0,
      '127.0.0.1',
    )
    await once(other, 'listening')
    const { port } = other.address() as AddressInfo
    const inside = spawnSync(
      'nsenter',
      ['--net', '--target', String(ready.client.pid), 'curl', '-sS', `http://127.0.0.1:${port}/`],
      { encoding: 'utf8' },
    )
    other.close()
    assert.deepEqual([inside.status, inside.stdout], [7, ''], 'CURLE_COULDNT_CONNECT')
  })

  test('leaves no namespace, process or file behind at SIGTERM, and ends with 0', async () => {
    const pids = [ready.client.pid, ...ready.nodes.map(({ pid }) => pid)]
    assert.notDeepEqual(await namespacesOf(running.pid), [])
    assert.equal(await running.stop(), 0, running.lastWords())
    assert.deepEqual(await namespacesOf(running.pid), [])
    assert.deepEqual(pids.filter(isAlive), [])
    assert.deepEqual(await readdir(temporary), [])
  })
})

async function namespacesOf(pid: number): Promise<string[]> {
  const all = await readdir('/run/netns')
  return all.filter((name) => name.startsWith(`byway-${pid}-`))
}
