/** Which resolvers an exit asks: the operator's, or the system's. @module */
import { readFile } from 'node:fs/promises'
import type { DnsServer } from './dns-transport.ts'
import { readResolvConf } from './resolv-conf.ts'

/** Reads `address`, `address:port` or `[address]:port`; the system's servers when none are named, none when these cannot be read. */
export async function chosenServers(
  named: readonly string[] | undefined,
): Promise<readonly DnsServer[]> {
  return named?.map(parseServer) ?? (await systemServers())
}

async function systemServers(): Promise<readonly DnsServer[]> {
  try {
    return readResolvConf(await readFile('/etc/resolv.conf', 'utf8'))
  } catch {
    return []
  }
}

function parseServer(text: string): DnsServer {
  const [, bracketed, plain, port] = /^(?:\[(.+)\]|([^:]+)):(\d+)$/.exec(text) ?? []
  return { address: bracketed ?? plain ?? text, port: Number(port ?? DNS_PORT) }
}

const DNS_PORT = 53
