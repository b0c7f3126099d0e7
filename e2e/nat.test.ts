/**
 * Homes behind routers: each is an exit, whatever its router does, and one whose router opens ports becomes a public relay.
 *
 *   client 5.x ─► relay 5.x (one of three) ═► router ═► home (cone, symmetric, double) ─► router ─► origin 5.x
 *
 * Every node, the client and the origin are processes in namespaces of their own (packages/testnet/src/nat/nat-lab.ts).
 */
import assert from 'node:assert/strict'
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, suite, test } from 'node:test'
import { promisify } from 'node:util'
import { askControl } from '../packages/cli/src/control/control-socket.ts'
import { editionBy, publisherNumber, writeSigned } from '../packages/cli/test/network/publisher.ts'
import { startByway, type RunningByway } from '../packages/cli/test/running-byway.ts'
import { writeConsent } from '../packages/node/src/index.ts'
import { fromHex } from '../packages/protocol/src/base/index.ts'
import type { NetworkParameters } from '../packages/protocol/src/directory/index.ts'
import {
  createNatLab,
  missingForGateways,
  missingForNat,
  type LabHost,
  type NatKind,
  type NatLab,
} from '../packages/testnet/src/nat/nat-lab.ts'
import { pollUntil } from '../bench/lib/wait.ts'
import { endOnSignals } from './lib/end-on-signals.ts'

const missing = missingForNat() ?? missingForGateways()
/** A public network as others are, so its file is signed; a test network, since it has three first contacts. */
const PUBLISHER = publisherNumber(1)
const RELAYS = 3
const PORT = 9443
/** Exits behind these are told apart by the country they say. */
const BEHIND: readonly (readonly [NatKind, string])[] = [
  ['cone', 'FR'],
  ['symmetric', 'DE'],
  ['double', 'JP'],
]
/** Of the home that says another country than its address has: the ninth host or home of the lab. */
const LIAR_PREFIX = '5.9'
const REACH_TEXT =
  /^(\d) of (\d) nodes that tried reached it, at a port that your router opened \((.+)\)$/
/** What is waited for takes seconds; this only ends a hang. */
const HANG_MS = 120_000
/** Answers with the address from which it was asked. */
const ORIGIN = `require('node:http').createServer((request, answer) => answer.end(request.socket.remoteAddress))
  .listen(80, '0.0.0.0', () => console.log('ready'))`
const run = promisify(execFile)

suite('homes behind routers', { skip: missing ?? false }, () => {
  const ends = new AsyncDisposableStack()
  let lab: NatLab
  let folder: string
  const relayHomes: string[] = []
  let sequence = 0
  let load: (name: string, country: string) => Promise<string | undefined>
  let network: NetworkParameters = {
    name: 'homes',
    local: false,
    reachablePrefixes: [],
    asnTable: [{ prefix: `${LIAR_PREFIX}.0.0/16`, asn: 64_512, country: 'SE' }],
    bootstrap: [],
    exitTargets: [],
  }

  const start = async (
    host: LabHost,
    label: string,
    args: readonly string[],
    oldHome?: string,
  ): Promise<RunningByway & { readonly home: string }> => {
    const home = oldHome ?? (await mkdtemp(join(folder, `${label}-`)))
    const edition = editionBy(PUBLISHER, { isTest: true, sequence: ++sequence })
    await writeSigned(join(home, 'network.toml'), { ...network, edition }, PUBLISHER)
    // The lab's addresses are somebody's, all over the world, and a millisecond from each other: light would tell on everybody.
    await writeFile(join(home, 'config.toml'), '[place]\nbuilt_in = false\n')
    if (args.includes('--exit')) await writeConsent(home, Date.now(), ['browse'])
    const running = startByway(
      [...args, '--json', '--drain', '0'],
      { BYWAY_HOME: home },
      undefined,
      host.namespace.wrap,
    )
    ends.defer(async () => void (await running.stop()))
    return { ...running, home }
  }

  /** Waits until others have tried the node's address and it has drawn its conclusion. */
  const untilReach = async (home: string, state: string) =>
    await pollUntil(`a node that is ${state}`, HANG_MS, async () => {
      const status = await askControl(home, 'node', 'status')
      const { state: now } = status['reach'] as { state: string }
      return now === state ? status : undefined
    })

  const startRelay = async (number: number): Promise<void> => {
    const host = lab.addHost(`relay${number}`)
    const listen = `${host.address}:${PORT}`
    const running = await start(host, 'relay', ['node', '--listen', listen])
    const { id } = await running.event('ready')
    relayHomes.push(running.home)
    const nodeId = fromHex(String(id)) ?? new Uint8Array(32)
    const contact = { nodeId, address: host.address, port: PORT }
    network = { ...network, bootstrap: [...network.bootstrap, contact] }
  }

  before(async () => {
    endOnSignals()
    folder = await mkdtemp(join(tmpdir(), 'byway-nat-'))
    lab = createNatLab()
    for (let number = 1; number <= RELAYS; number++) await startRelay(number)
  })
  after(async () => {
    await ends.disposeAsync()
    await lab[Symbol.asyncDispose]()
    await rm(folder, { recursive: true })
  })

  test('behind a cone, a symmetric and a double router each serves as an exit, and the origin sees its router', async () => {
    const origin = lab.addHost('origin')
    const { command, args } = origin.namespace.wrap(process.execPath, ['-e', ORIGIN])
    const server = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] })
    ends.defer(async () => {
      const ended = once(server, 'close')
      server.kill('SIGKILL')
      await ended
    })
    await once(server.stdout, 'data')
    const homes = await Promise.all(
      BEHIND.map(async ([kind, country]) => {
        const home = await lab.addHome(kind.slice(0, 6), kind)
        const running = await start(home, kind, ['node', '--exit', '--country', country])
        const ready = await running.event('ready')
        assert.equal(ready['listen'], null)
        assert.match(String(ready['reachText']), /^reached through relays: your router opened no/)
        return { country, address: home.publicAddress }
      }),
    )
    const client = lab.addHost('client')
    const up = await start(client, 'client', ['up', '--port', '1080'])
    await up.event('ready')
    /** What the origin sees of an exit in a country; nothing when there is none. */
    load = async (name, country) => {
      const curl = client.namespace.wrap('curl', [
        '--silent',
        '--show-error',
        '--max-time',
        '15',
        '--proxy',
        `socks5h://${name}-country-${country.toLowerCase()}:x@127.0.0.1:1080`,
        `http://${origin.address}/`,
      ])
      return (await run(curl.command, curl.args).catch(() => undefined))?.stdout
    }
    for (const { country, address } of homes) {
      const seen = await pollUntil(`an exit in ${country}`, HANG_MS, () => load('a', country))
      assert.equal(seen, address)
    }
  })

  test('one without an address is where two of its relays see it, and serves nobody who asks for the country that it says (SPEC §5.4)', async () => {
    const home = await lab.addHome('liar', 'cone')
    assert.ok(home.publicAddress.startsWith(`${LIAR_PREFIX}.`))
    const running = await start(home, 'liar', ['node', '--exit', '--country', 'US'])
    await running.event('ready')
    let tries = 0
    let isServed = false
    // Each name has a tunnel of its own, and each tunnel a relay that is drawn anew: after two of them the client knows.
    const seen = await pollUntil('an exit in SE', HANG_MS, async () => {
      tries++
      const us = await load(`u${tries}`, 'US')
      isServed ||= us === home.publicAddress
      return await load(`s${tries}`, 'SE')
    })
    assert.ok(isServed, 'it was believed while nobody knew better')
    assert.equal(await load('last', 'US'), undefined)
    assert.equal(seen, home.publicAddress)
  })

  test('a relay with an address is found public by the others', async () => {
    for (const home of relayHomes.slice(1)) await untilReach(home, 'public')
    // The first was alone when it looked for somebody who could say.
    const status = await askControl(relayHomes[0] ?? '', 'node', 'status')
    assert.match((status['reach'] as { state: string }).state, /^(claimed|public)$/)
  })

  test('one whose firewall is shut says so, and what to do, and is reached through relays', async () => {
    const host = lab.addHost('shut')
    const nft = host.namespace.wrap('nft', [
      `add table inet shut; add chain inet shut input { type filter hook input priority 0; }; add rule inet shut input tcp dport ${PORT} drop`,
    ])
    await run(nft.command, nft.args)
    const running = await start(host, 'shut', ['node', '--listen', `${host.address}:${PORT}`])
    const alert = await running.event('alert')
    assert.equal(alert['alert'], 'not-reached')
    assert.match(String(alert['text']), /nothing answers there\. Let the firewall pass/)
    const status = await untilReach(running.home, 'unreachable')
    assert.equal(status['listen'], null)
    await pollUntil('attachments', HANG_MS, async () => {
      const { attachments } = await askControl(running.home, 'node', 'status')
      return Number(attachments) > 0 ? true : undefined
    })
  })

  for (const [kind, protocol] of [
    ['upnp', 'UPnP'],
    ['upnp-1', 'UPnP'],
    ['pcp', 'PCP'],
    ['nat-pmp', 'NAT-PMP'],
  ] as const) {
    test(`a router that speaks ${kind} makes a home a public relay, which others reach`, async () => {
      const home = await lab.addHome(kind, kind)
      const running = await start(home, kind, ['node'])
      const ready = await running.event('ready')
      assert.equal(ready['listen'], `${home.publicAddress}:${PORT}`, running.lastWords())
      assert.deepEqual(ready['roles'], ['relay'])
      // Homes that earlier routers opened are asked too, and those behind the same lab's addresses may share a block.
      const [, reached, tried, by] = REACH_TEXT.exec(String(ready['reachText'])) ?? []
      assert.deepEqual([reached, by], [tried, protocol], String(ready['reachText']))
      assert.ok(Number(tried) >= 2)
      if (kind !== 'pcp') return
      // Who came back under another name would find the port held by an earlier one for two hours.
      await running.kill()
      const again = await start(home, kind, ['node'], running.home)
      assert.equal((await again.event('ready'))['listen'], `${home.publicAddress}:${PORT}`)
    })
  }
})
