/** shadowsocks-libev: one encrypted hop in C with one AEAD layer, a client and a server. */
import { startChild, type Child } from '../lib/child.ts'
import { findFreePorts, waitForPort } from '../lib/ports.ts'
import { findVersion, missing } from '../lib/programs.ts'
import type { Candidate } from '../lib/system.ts'

/** Longest start of either process. */
const START_TIMEOUT_MS = 10_000

/** Creates the pair, or says what is missing. */
export function createShadowsocks(): Candidate {
  const version = findVersion('ss-server', ['-h'])
  if (version === undefined) return { name: 'shadowsocks', reason: missing('shadowsocks-libev') }

  let server: Child | undefined
  let client: Child | undefined
  let socksPort = 0
  return {
    name: 'shadowsocks',
    description: `shadowsocks-libev ${version}, aes-256-gcm, one hop`,
    start: async () => {
      const [serverPort = 0, localPort = 0] = await findFreePorts(2)
      const common = [
        '-s',
        '127.0.0.1',
        '-p',
        String(serverPort),
        '-k',
        'bench',
        '-m',
        'aes-256-gcm',
        '--no-delay',
      ]
      server = await startChild('ss-server', 'ss-server', common)
      client = await startChild('ss-local', 'ss-local', [
        ...common,
        '-b',
        '127.0.0.1',
        '-l',
        String(localPort),
      ])
      await Promise.all([
        waitForPort(serverPort, START_TIMEOUT_MS),
        waitForPort(localPort, START_TIMEOUT_MS),
      ])
      socksPort = localPort
    },
    route: () => ({ kind: 'socks5', port: socksPort }),
    processes: () =>
      Promise.resolve([
        ...(client ? [{ role: 'client' as const, pid: client.pid }] : []),
        ...(server ? [{ role: 'relay' as const, pid: server.pid }] : []),
      ]),
    stop: async () => {
      await Promise.all([server?.stop(), client?.stop()])
    },
  }
}
