/**
 * An internet of namespaces with homes behind routers that translate addresses.
 *
 *              net (one bridge; each host has a /16 of its own)
 *    ┌────────────┬──────────────┬─────────────────────┐
 *  host 5.1.0.1  host 5.2.0.1  router 5.50.0.1     carrier 5.60.0.1      (its own translation)
 *                                │ 192.168.1.1         │ 100.64.0.1
 *                              home 192.168.1.2      router 100.64.0.2
 *                                                      │ 192.168.1.1
 *                                                    home 192.168.1.2
 *
 * `cone` keeps a connection's port where it can, `symmetric` draws it anew, `double` translates twice (CGNAT), `upnp` and `nat-pmp`
 * are cones whose router opens ports on request. A router drops what nobody inside asked for. No namespace has a way out of this machine.
 */
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createNetworkLab, missingPrivileges, type Namespace } from './network-lab.ts'

export type NatKind = 'cone' | 'symmetric' | 'double' | GatewayKind
/** What the router's daemon speaks. */
export type GatewayKind = 'upnp' | 'nat-pmp'

/** A namespace with one way out. */
export type LabHost = {
  readonly namespace: Namespace
  /** What it has itself. */
  readonly address: string
  /** What others see of it. */
  readonly publicAddress: string
}

export interface NatLab extends AsyncDisposable {
  /** A host on the internet itself, in a /16 of its own. */
  addHost(label: string): LabHost
  /** A host behind a router of this kind. */
  addHome(label: string, kind: NatKind): Promise<LabHost>
}

/** Says what is missing here, or nothing. */
export function missingForNat(): string | undefined {
  for (const program of ['nft', 'miniupnpd']) {
    if (spawnSync(program, ['--version']).error) return `${program} is not installed`
  }
  return missingPrivileges()
}

export function createNatLab(): NatLab {
  const lab = createNetworkLab()
  const net = lab.addNamespace('net')
  ip(net, 'link', 'add', 'bridge', 'type', 'bridge')
  ip(net, 'link', 'set', 'bridge', 'up')
  const ends = new AsyncDisposableStack()
  let count = 0

  /** Joins a namespace to the internet under the name `wan`. */
  const connect = (namespace: Namespace): string => {
    const number = ++count
    const address = `5.${number}.0.1`
    wire(net, `p${number}`, namespace, 'wan')
    ip(net, 'link', 'set', `p${number}`, 'master', 'bridge')
    ip(namespace, 'address', 'add', `${address}/16`, 'dev', 'wan')
    ip(namespace, 'route', 'add', 'default', 'dev', 'wan')
    return address
  }

  /** A router with `wan` up, and one host behind it. */
  const behind = (router: Namespace, inside: Namespace, network: string): void => {
    wire(router, 'lan', inside, 'wan')
    ip(router, 'address', 'add', `${network}.1/24`, 'dev', 'lan')
    ip(inside, 'address', 'add', `${network}.2/24`, 'dev', 'wan')
    ip(inside, 'route', 'add', 'default', 'via', `${network}.1`)
  }

  return {
    addHost(label) {
      const namespace = lab.addNamespace(label)
      const address = connect(namespace)
      return { namespace, address, publicAddress: address }
    },
    async addHome(label, kind) {
      const home = lab.addNamespace(label)
      const router = lab.addNamespace(`${label}-r`)
      let publicAddress: string
      if (kind === 'double') {
        const carrier = lab.addNamespace(`${label}-c`)
        publicAddress = connect(carrier)
        translate(carrier, false)
        behind(carrier, router, '100.64.0')
      } else publicAddress = connect(router)
      translate(router, kind === 'symmetric')
      behind(router, home, '192.168.1')
      if (kind === 'upnp' || kind === 'nat-pmp') ends.use(await startGateway(router, kind))
      return { namespace: home, address: '192.168.1.2', publicAddress }
    },
    async [Symbol.asyncDispose]() {
      await ends.disposeAsync()
      await lab.close()
    },
  }
}

function wire(left: Namespace, leftName: string, right: Namespace, rightName: string): void {
  const peer = ['peer', 'name', rightName, 'netns', right.name]
  ip(left, 'link', 'add', leftName, 'type', 'veth', ...peer)
  ip(left, 'link', 'set', leftName, 'up')
  ip(right, 'link', 'set', rightName, 'up')
}

/** Forwards what comes from inside under the own address, and drops what nobody inside asked for. */
function translate(router: Namespace, isSymmetric: boolean): void {
  run(router, 'sysctl', ['-q', '-w', 'net.ipv4.ip_forward=1'])
  const { command, args } = router.wrap('nft', ['-f', '-'])
  execFileSync(command, args, {
    input: `
table inet lab {
  chain forward {
    type filter hook forward priority 0; policy drop;
    ct state established,related accept
    iifname "lan" accept
    ct status dnat accept
  }
  chain input {
    type filter hook input priority 0; policy accept;
    iifname "wan" ct state new drop
  }
  chain postrouting {
    type nat hook postrouting priority 100;
    oifname "wan" masquerade${isSymmetric ? ' fully-random' : ''}
  }
}
table inet filter {
  chain forward { type filter hook forward priority 10; jump miniupnpd; }
  chain miniupnpd { }
  chain prerouting { type nat hook prerouting priority -100; jump prerouting_miniupnpd; }
  chain prerouting_miniupnpd { }
  chain postrouting { type nat hook postrouting priority 90; jump postrouting_miniupnpd; }
  chain postrouting_miniupnpd { }
}
`,
  })
}

/** A router's daemon that opens ports on request (UPnP IGD 2, NAT-PMP). */
async function startGateway(router: Namespace, kind: GatewayKind): Promise<AsyncDisposable> {
  const folder = await mkdtemp(join(tmpdir(), 'byway-gateway-'))
  const file = join(folder, 'miniupnpd.conf')
  await writeFile(
    file,
    [
      'ext_ifname=wan',
      'listening_ip=lan',
      `enable_natpmp=${kind === 'nat-pmp' ? 'yes' : 'no'}`,
      `enable_upnp=${kind === 'upnp' ? 'yes' : 'no'}`,
      'secure_mode=yes',
      'force_igd_desc_v1=no',
      'uuid=28752b7e-072f-41f0-8881-47f1e328e65c',
      'allow 1024-65535 192.168.1.0/24 1024-65535',
      'deny 0-65535 0.0.0.0/0 0-65535',
      '',
    ].join('\n'),
  )
  const { command, args } = router.wrap('miniupnpd', ['-d', '-f', file, '-P', join(folder, 'pid')])
  const daemon = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  let words = ''
  const { promise: ready, resolve, reject } = Promise.withResolvers<void>()
  const listen = (part: Buffer): void => {
    words += part.toString()
    if (/listening/i.test(words)) resolve()
  }
  daemon.stdout.on('data', listen)
  daemon.stderr.on('data', listen)
  daemon.once('error', reject)
  daemon.once('exit', (code) => reject(new Error(`miniupnpd ended with ${code}: ${words}`)))
  await ready
  return {
    async [Symbol.asyncDispose]() {
      const ended = once(daemon, 'close')
      daemon.removeAllListeners('exit')
      daemon.kill('SIGKILL')
      await ended
      await rm(folder, { recursive: true })
    },
  }
}

function ip({ name }: Namespace, ...args: readonly string[]): void {
  execFileSync('ip', ['-n', name, ...args])
}

function run(namespace: Namespace, program: string, programArgs: readonly string[]): void {
  const { command, args } = namespace.wrap(program, programArgs)
  execFileSync(command, args)
}
