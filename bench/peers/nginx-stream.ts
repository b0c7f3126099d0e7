/**
 * nginx `stream`, TLS 1.3 in and TLS 1.3 out: what one hop costs in C. Three single-process instances:
 * plain TCP → `client` → TLS → `relay` → TLS → `exit` → plain TCP → origin. The row that counts is `relay`.
 */
import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { startChild, type Child } from '../lib/child.ts'
import { findFreePorts, waitForPort } from '../lib/ports.ts'
import { findFile, findVersion, missing } from '../lib/programs.ts'
import { makeScratch, removeScratch } from '../lib/scratch.ts'
import type { Candidate, Role } from '../lib/system.ts'

/** Where Debian and others put the stream module; without one nginx may have it built in. */
const MODULES = [
  '/usr/lib/nginx/modules/ngx_stream_module.so',
  '/usr/lib64/nginx/modules/ngx_stream_module.so',
]
/** Longest start of one instance. */
const START_TIMEOUT_MS = 10_000

/** Creates the three nginx instances, or says what is missing. */
export function createNginxStream(): Candidate {
  const version = findVersion('nginx', ['-v'])
  const modulePath = findFile(MODULES)
  const unavailable = (reason: string): Candidate => ({ name: 'nginx-stream', reason })
  if (version === undefined) return unavailable(missing('nginx'))
  if (modulePath === undefined) return unavailable(missing('libnginx-mod-stream'))
  if (findVersion('openssl', ['version']) === undefined) return unavailable(missing('openssl'))

  let instances: { role: Role; child: Child }[] = []
  let scratch: string | undefined
  let entryPort = 0
  return {
    name: 'nginx-stream',
    description: `nginx ${version} stream, TLS 1.3 to TLS 1.3, one process a hop, 64 KiB buffers`,
    start: async (originPort) => {
      scratch = makeScratch('nginx')
      makeCertificate(scratch)
      const [client = 0, relay = 0, exit = 0] = await findFreePorts(3)
      const hops = [
        { role: 'exit', listen: `${exit} ssl`, next: originPort, isNextTls: false },
        { role: 'relay', listen: `${relay} ssl`, next: exit, isNextTls: true },
        { role: 'client', listen: `${client}`, next: relay, isNextTls: true },
      ] as const
      for (const hop of hops) {
        const config = join(scratch, `${hop.role}.conf`)
        writeFileSync(config, renderConfig(scratch, modulePath, hop))
        const child = await startChild(`nginx ${hop.role}`, 'nginx', [
          '-c',
          config,
          '-e',
          join(scratch, 'error.log'),
        ])
        instances.push({ role: hop.role, child })
        await Promise.race([
          waitForPort(Number.parseInt(hop.listen, 10), START_TIMEOUT_MS),
          failOnEnd(child),
        ])
      }
      entryPort = client
    },
    route: () => ({ kind: 'tcp', port: entryPort }),
    processes: () =>
      Promise.resolve(instances.map(({ role, child }) => ({ role, pid: child.pid }))),
    stop: async () => {
      await Promise.all(instances.map(({ child }) => child.stop()))
      instances = []
      if (scratch !== undefined) removeScratch(scratch)
    },
  }
}

type Hop = {
  readonly role: Role
  readonly listen: string
  readonly next: number
  readonly isNextTls: boolean
}

function renderConfig(scratch: string, modulePath: string, hop: Hop): string {
  const tls = hop.listen.endsWith('ssl')
    ? `ssl_certificate ${scratch}/cert.pem; ssl_certificate_key ${scratch}/key.pem; ssl_protocols TLSv1.3;`
    : ''
  const nextTls = hop.isNextTls ? 'proxy_ssl on; proxy_ssl_protocols TLSv1.3;' : ''
  return `load_module ${modulePath};
daemon off;
master_process off;
pid ${scratch}/${hop.role}.pid;
error_log ${scratch}/error.log;
events { worker_connections 1024; }
stream {
  proxy_buffer_size 64k;
  tcp_nodelay on;
  server {
    listen 127.0.0.1:${hop.listen};
    ${tls}
    ${nextTls}
    proxy_pass 127.0.0.1:${hop.next};
  }
}
`
}

function makeCertificate(scratch: string): void {
  const key = [
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:P-256',
    '-nodes',
    '-keyout',
    join(scratch, 'key.pem'),
  ]
  const certificate = ['-days', '2', '-subj', '/CN=localhost', '-out', join(scratch, 'cert.pem')]
  const run = spawnSync('openssl', ['req', '-x509', ...key, ...certificate], {
    encoding: 'utf8',
    timeout: 10_000,
  })
  if (run.status !== 0) throw new Error(`openssl made no certificate: ${run.stderr}`)
}

async function failOnEnd(child: Child): Promise<never> {
  const how = await child.ended
  throw new Error(`${child.name} ended early (${how}): ${child.stderrTail()}`)
}
