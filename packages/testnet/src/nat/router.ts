/** A namespace that translates addresses as a home's router does, and the daemon with which some open ports on request. */
import { execFileSync, spawn } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { onExit } from '../on-exit.ts'
import { createTemporaryFolder } from '../temporary-folder.ts'
import type { Namespace } from './namespaces.ts'

/** What a router's daemon speaks: UPnP as IGD 2 or as IGD 1, PCP (and NAT-PMP, which then nobody needs), NAT-PMP alone. */
export type GatewayKind = 'upnp' | 'upnp-1' | 'pcp' | 'nat-pmp'

/** Forwards what comes from `lan` out of `wan` under its own address, and drops what nobody inside asked for. A symmetric one draws each connection's port anew. */
export function translate(router: Namespace, isSymmetric: boolean): void {
  run(router, 'sysctl', ['-q', '-w', 'net.ipv4.ip_forward=1'])
  run(
    router,
    'nft',
    ['-f', '-'],
    `
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
  )
}

/** Starts a translating router's daemon, which opens ports to homes in 192.168.1.0/24. */
export async function startGateway(router: Namespace, kind: GatewayKind): Promise<AsyncDisposable> {
  await using parts = new AsyncDisposableStack()
  const { path: folder } = parts.use(await createTemporaryFolder())
  // The daemon speaks both on one port, and can be told to speak one alone by nobody.
  if (kind === 'nat-pmp') run(router, 'nft', ['-f', '-'], WITHOUT_PCP)
  const file = join(folder, 'miniupnpd.conf')
  await writeFile(file, settingsOf(kind))
  const { command, args } = router.wrap('miniupnpd', ['-d', '-f', file, '-P', join(folder, 'pid')])
  const daemon = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  const killNow = (): boolean => daemon.kill('SIGKILL')
  const forget = onExit(killNow)
  const closed = Promise.withResolvers<void>()
  daemon.once('close', closed.resolve)
  parts.defer(async () => {
    forget()
    killNow()
    await closed.promise
  })
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
  return parts.move()
}

/** Version 2 is the first byte of each PCP datagram. */
const WITHOUT_PCP = `
table inet without_pcp {
  chain input {
    type filter hook input priority 5; policy accept;
    udp dport 5351 @th,64,8 2 drop
  }
}
`

function settingsOf(kind: GatewayKind): string {
  const isUpnp = kind === 'upnp' || kind === 'upnp-1'
  return [
    'ext_ifname=wan',
    'listening_ip=lan',
    `enable_natpmp=${isUpnp ? 'no' : 'yes'}`,
    `enable_upnp=${isUpnp ? 'yes' : 'no'}`,
    'secure_mode=yes',
    `force_igd_desc_v1=${kind === 'upnp-1' ? 'yes' : 'no'}`,
    'uuid=28752b7e-072f-41f0-8881-47f1e328e65c',
    'allow 1024-65535 192.168.1.0/24 1024-65535',
    'deny 0-65535 0.0.0.0/0 0-65535',
    '',
  ].join('\n')
}

function run(
  namespace: Namespace,
  program: string,
  programArgs: readonly string[],
  input = '',
): void {
  const { command, args } = namespace.wrap(program, programArgs)
  execFileSync(command, args, { input })
}
